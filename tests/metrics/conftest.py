"""scikit-learn and statsmodels, the oracles, need Python 3.11; on 3.10 the files that import them are not
collected."""

from __future__ import annotations

import sys

collect_ignore = [] if sys.version_info >= (3, 11) else ["test_scikit_learn.py"]
