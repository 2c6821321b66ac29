"""What a run writes beside the head: config.json, log.jsonl, TensorBoard events; and progress on stderr."""

from __future__ import annotations

import json
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from mvr.datatypes import JsonDict

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID
    from torch.utils.tensorboard import SummaryWriter


class RunLog:
    """One folder per run; lines after a resumed epoch replace those of the killed run.

    Args:
        folder: where to write; made if missing.
        epochs: how many there will be at most, for the ETA.
        quiet: no progress on stderr.
    """

    def __init__(self, folder: Path, epochs: int, *, quiet: bool) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.epochs, self.quiet = folder, epochs, quiet
        self.lines = folder / "log.jsonl"
        self._events: SummaryWriter | None = None
        self._progress: Progress | None = None
        self._task: TaskID | None = None

    def write_config(self, config: JsonDict) -> None:
        """Settings, git revision, data: what it takes to run the same again."""
        text = json.dumps(config, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        (self.folder / "config.json").write_text(text, encoding="utf-8")

    def start(self, epoch: int) -> None:
        """Drop lines of epochs that run again, open TensorBoard and the progress bar."""
        kept = []
        if epoch and self.lines.exists():
            lines = self.lines.read_text(encoding="utf-8").splitlines()
            kept = [line for line in lines if _epoch_of(line) < epoch]
        self.lines.write_text("".join(line + "\n" for line in kept), encoding="utf-8")
        from torch.utils.tensorboard import SummaryWriter

        self._events = SummaryWriter(str(self.folder / "tensorboard"), purge_step=epoch)
        if not self.quiet:
            self._start_progress(epoch)

    def _start_progress(self, epoch: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (
            TextColumn("epoch"),
            MofNCompleteColumn(),
            BarColumn(),
            TextColumn("ETA"),
            TimeRemainingColumn(),
            TextColumn("{task.description}"),
        )
        self._progress = Progress(*columns, console=Console(stderr=True))
        self._progress.start()
        self._task = self._progress.add_task("", total=self.epochs, completed=epoch)

    def epoch(self, line: JsonDict) -> None:
        """One finished epoch: a line of JSON, TensorBoard scalars, progress."""
        with self.lines.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, allow_nan=False) + "\n")
        assert self._events is not None
        for name, value in flatten(line):
            self._events.add_scalar(name, value, line["epoch"])
        if self._progress is not None and self._task is not None:
            text = " · ".join(f"{name} {value:.4g}" for name, value in flatten(line.get("val", {})))
            self._progress.update(self._task, completed=line["epoch"] + 1, description=text)

    def __enter__(self) -> RunLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._events is not None:
            self._events.close()
        if self._progress is not None:
            self._progress.stop()


def flatten(values: JsonDict, prefix: str = "") -> list[tuple[str, float]]:
    """Numbers of a nested mapping as ("a/b", value).

    >>> flatten({"loss": {"ssl": 2.0}, "epoch": 1})
    [('loss/ssl', 2.0), ('epoch', 1.0)]
    """
    flat: list[tuple[str, float]] = []
    for name, value in values.items():
        if isinstance(value, dict):
            flat += flatten(value, f"{prefix}{name}/")
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            flat.append((f"{prefix}{name}", float(value)))
    return flat


def _epoch_of(line: str) -> int:
    return int(json.loads(line)["epoch"])
