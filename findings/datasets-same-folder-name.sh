#!/bin/sh
# datasets 5.2.0: load_dataset(FOLDER) of a local folder whose README.md names its files (`configs`, the layout that the
# Hub and `datasets` themselves write) keeps what it read under the folder's last name. Another folder of that name with
# the same card gives the first folder's rows; so does the first folder after its files were written again, with another
# size, another number of rows and a later time. No error, no warning.
#
# Guess of a good engineer: the cache is keyed by the files (path, size, time or content), as it is for
# load_dataset("parquet", data_files=...) and for the same folder without a card; an export written again is read again.
# Behaviour: rows of a file that may not exist any more. Benchmarks exported as v1/test and v2/test score alike.
# What to do: download_mode="force_redownload", a cache_dir of one's own, or read the files with pyarrow.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet datasets==5.2.0 pyarrow==26.0.0
cat > try.py <<'PY'
import os
import sys
import time
from pathlib import Path

os.environ["HF_HOME"] = str(Path("hf").resolve())
os.environ["HF_DATASETS_DISABLE_PROGRESS_BARS"] = "1"
import pyarrow as pa
import pyarrow.parquet as pq
from datasets import load_dataset

CARD = "---\nconfigs:\n- config_name: default\n  data_files:\n  - split: test\n    path: rows.parquet\n---\n"
seen = {}
for name, card in (("carded", CARD), ("plain", None)):
    for parent, rows in (("first", [1, 2]), ("second", [3, 4, 5]), ("first", [7])):
        place = Path(parent) / name
        place.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table({"row": rows}), place / "rows.parquet")
        if card:
            (place / "README.md").write_text(card)
        time.sleep(1.1)  # so that the time of the file differs, too
        (split,) = load_dataset(str(place)).values()
        (alone,) = load_dataset("parquet", data_files=str(place / "rows.parquet")).values()
        seen.setdefault(name, []).append(split["row"][:] == rows)
        print(f"{place!s:14} written {rows!s:9}  folder read {split['row'][:]!s:9}  file read {alone['row'][:]}")
sys.exit(0 if seen == {"carded": [True, False, False], "plain": [True, True, True]} else 1)
PY
venv/bin/python try.py 2> errors || { cat errors >&2; exit 1; }
# Seen on 2026-11-29 (Python 3.11, Linux):
# first/carded   written [1, 2]     folder read [1, 2]     file read [1, 2]
# second/carded  written [3, 4, 5]  folder read [1, 2]     file read [3, 4, 5]
# first/carded   written [7]        folder read [1, 2]     file read [7]
# first/plain    written [1, 2]     folder read [1, 2]     file read [1, 2]
# second/plain   written [3, 4, 5]  folder read [3, 4, 5]  file read [3, 4, 5]
# first/plain    written [7]        folder read [7]        file read [7]
