"""The dataset card with its datasheet (Gebru et al., "Datasheets for datasets", CACM 2021), written beside the data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import yaml

from mvr.datasets.svm10k.filters import REASONS
from mvr.datasets.svm10k.judged import BuildReport
from mvr.datasets.svm10k.schema import COLUMNS, VERSION
from mvr.datatypes import JsonDict

_TEXT = """# Short videos with music

Made by `mvr dataset build` after the steps of SVM-10K (MVBind, Teng et al., VCIP 2024, arXiv:2405.09286), whose own
data were never released: these are other videos. Schema {version}.

```python
from datasets import load_dataset

videos = load_dataset("{place}", split="{split}")
print(videos[0]["title"], videos[0]["duration_s"])
```

`video` and `audio` stay bytes (`decode=False`); `mvr.datasets.svm10k.loader.media_file` writes one to a file that
`mvr.media` reads, so that no further codec package is needed.

## Rows

{splits}

{groups} groups of clips that share music or pictures; a group sits in one split.

## Columns

| column | type | meaning |
|---|---|---|
{columns}

## Datasheet

- **Why it was made**: to train and measure retrieval of music for short videos.
- **What a row is**: one short video: pictures, sound, what its metadata says, what was measured.
- **How clips were chosen**: {clips} clips were looked at, {kept} are kept. Dropped: {dropped}.
- **Settings**: {settings}.
- **Voice and noise** are estimates (Silero VAD; spectral flatness), not labels by people; clips near a threshold can be
  decided by hand (`mvr dataset review`).
- **Borders** are found on sampled frames and cut off; `borders` says where they were.
- **Licences** of the clips: {licences}. The set grants no right that its clips do not.
- **People**: the clips may show people. Respect takedown requests: remove the row and its media.
- **Not for**: identifying people, or training on clips whose licence forbids it.
"""


def write_card(out: Path, report: BuildReport, rows: Sequence[JsonDict]) -> None:
    """Write `README.md`, with the front matter by which `load_dataset` finds the shards."""
    splits = list(report.splits)
    files = [{"split": split, "path": f"data/{split}-*.parquet"} for split in splits]
    front = {
        "configs": [{"config_name": "default", "data_files": files}],
        "task_categories": ["video-classification"],
        "tags": ["music", "video", "retrieval", "svm-10k-schema"],
        "size_categories": [_size(sum(report.splits.values()))],
    }
    numbers = report.to_json()
    body = _TEXT.format(
        version=VERSION,
        place=out.name,
        split=splits[0],
        splits="\n".join(f"- {split}: {count}" for split, count in report.splits.items()),
        groups=len({row["group"] for row in rows}),
        columns="\n".join(f"| `{name}` | {kind} | {meaning} |" for name, (kind, meaning) in COLUMNS.items()),
        clips=numbers["clips"],
        kept=numbers["kept"],
        dropped=_counted({REASONS[reason]: count for reason, count in report.dropped.items()}),
        settings=", ".join(f"{name} {value}" for name, value in numbers["settings"].items()),
        licences=_counted(Counter(str(row["licence"]) for row in rows)),
    )
    head = yaml.safe_dump(front, sort_keys=False)
    (out / "README.md").write_text(f"---\n{head}---\n{body}", encoding="utf-8")


def _counted(counts: dict[str, int] | Counter[str]) -> str:
    return ", ".join(f"{name} ({count})" for name, count in counts.items()) or "none"


def _size(rows: int) -> str:
    bounds = (("n<1K", 1_000), ("1K<n<10K", 10_000), ("10K<n<100K", 100_000))
    return next((name for name, bound in bounds if rows < bound), "100K<n<1M")
