"""`mvr dataset`: build, review, check, describe and push sets of short videos with music; AudioSet's music labels."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any

import typer

from mvr.commands.options import ForceOption, JsonOption, library_files
from mvr.commands.output import many_steps, note, print_json, say
from mvr.config.outputs import check_output_file, check_output_folder
from mvr.datatypes import JsonDict

app = typer.Typer(no_args_is_help=True, help="Sets of short videos with music in the SVM-10K schema.")

_Set = Annotated[Path, typer.Argument(help="Folder of a built set.")]


@app.command()
def build(
    source: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of short videos.")],
    out: Annotated[Path, typer.Option(help="Folder for the set.")],
    config: Annotated[Path | None, typer.Option(help="JSON file with the settings of the build.")] = None,
    urls: Annotated[
        Path | None, typer.Option(help="A list of addresses to fetch into DIR first, with yt-dlp (an extra).")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes that measure clips.")] = 2,
    guess: Annotated[
        bool,
        typer.Option(help="Guess genre, mood and instruments from each sound, into a column of their own."),
    ] = True,
    as_json: JsonOption = False,
) -> None:
    """Build a set: measure, filter, group, split and write; a second run measures only what is new."""
    from mvr.datasets.svm10k import builder, sources

    check_output_folder(out, builder.MADE)
    failures: list[str] = []
    if urls is not None:
        source.mkdir(parents=True, exist_ok=True)
        failures = sources.fetch_urls(urls, source, lambda url: note(f"fetching {url}"))
    clips, missing = sources.find_clips(source)
    with many_steps() as show:
        report = builder.build(
            clips,
            out,
            _settings(config),
            workers=workers,
            missing=[*missing, *failures],
            progress=show,
            guess=_guess_words() if guess else None,
        )
    if as_json:
        print_json(report.to_json())
        return
    numbers = report.to_json()
    splits = ", ".join(f"{count} {split}" for split, count in report.splits.items())
    say(f"{numbers['kept']} of {numbers['clips']} clips kept: {splits}; card and shards in {out}")
    _table("dropped because", _reasons(report.dropped))
    if report.missing:
        say(f"{len(report.missing)} listed clips are missing: {', '.join(report.missing[:5])} ...")
    if numbers["borderline"]:
        say(f"{numbers['borderline']} clips are close to a threshold: mvr dataset review {out}")


def _guess_words() -> Callable[[Path], list[JsonDict]]:
    """What the builder asks for each clip's words; a sound that cannot be read twice has none, and a line says so."""
    from mvr.errors import MediaError
    from mvr.library.guesses import Guesser

    guesser = Guesser()

    def words(path: Path) -> list[JsonDict]:
        try:
            return [guess.to_json() for guess in guesser.guess_file(path)]
        except MediaError as error:
            note(f"nothing guessed for {error}")
            return []

    return words


@app.command()
def review(
    place: _Set,
    keep: Annotated[list[str] | None, typer.Option(help="Id to keep (repeatable).")] = None,
    drop: Annotated[list[str] | None, typer.Option(help="Id to drop (repeatable).")] = None,
    as_json: JsonOption = False,
) -> None:
    """List clips close to a threshold, or decide on them; the next build obeys the decisions."""
    from mvr.datasets.svm10k.builder import read_decisions, save_decisions
    from mvr.datasets.svm10k.review import borderline_clips

    clips = borderline_clips(place)
    wanted = {**dict.fromkeys(keep or [], "keep"), **dict.fromkeys(drop or [], "drop")}
    unknown = sorted(set(wanted) - {clip["id"] for clip in clips})
    if unknown:
        from mvr.errors import UsageError

        raise UsageError(
            f"{unknown[0]!r} is not a borderline clip of {place}; list them with mvr dataset review"
        )
    if wanted:
        save_decisions(place, wanted)
    decided = read_decisions(place)
    clips = [{**clip, "by_hand": decided.get(clip["id"])} for clip in clips]
    if as_json:
        print_json({"clips": clips})
        return
    for clip in clips:
        state = clip["by_hand"] or "open"
        say(f"{clip['id']}  {state:5s} {clip['file']}  {clip['why']}")
    left = sum(clip["by_hand"] is None for clip in clips)
    say(f"{len(clips)} borderline clips, {left} undecided; build again to apply")


@app.command()
def validate(place: _Set, as_json: JsonOption = False) -> None:
    """Check checksums and decoding, and that no group is in two splits."""
    from mvr.datasets.svm10k import validation

    rows, faults = validation.validate(place)
    if as_json:
        print_json({"rows": rows, "faults": faults})
    else:
        for fault in faults:
            say(fault)
        say(f"{rows} rows, {len(faults)} faults")
    if faults:
        raise typer.Exit(1)


@app.command()
def info(
    place: _Set,
    plot: Annotated[Path | None, typer.Option(help="Write a figure (.svg or .png).")] = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Show rows, hours, groups, quartiles of each measure, and counts of themes and labels."""
    if plot is not None:
        check_output_file(
            plot, inputs=place.rglob("*"), kept=library_files(), endings=(".svg", ".png"), force=force
        )
    from mvr.datasets.svm10k import info as description

    found = description.describe(place)
    if plot is not None:
        description.plot(place, plot)
    if as_json:
        print_json(found)
        return
    splits = ", ".join(f"{count} {split}" for split, count in found["splits"].items())
    say(f"{splits}; {found['hours']:.2f} hours; {found['music_groups']} different pieces of music")
    for name, numbers in found["numbers"].items():
        shown = ", ".join(f"{key} {value:g}" for key, value in numbers.items())
        say(f"  {name}: {shown}")
    for name, counts in found["counts"].items():
        _table(name, counts)


@app.command()
def push(
    place: _Set,
    repository: Annotated[str, typer.Argument(help="OWNER/NAME on the Hugging Face hub.")],
    public: Annotated[bool, typer.Option("--public", help="Make it public (default: private).")] = False,
    as_json: JsonOption = False,
) -> None:
    """Upload the card and the shards; needs a token with write access in HF_TOKEN."""
    from mvr.datasets.svm10k import hub

    address = hub.push(place, repository, private=not public)
    if as_json:
        print_json({"commit": address})
    else:
        say(address)


@app.command()
def audioset(
    ontology: Annotated[Path, typer.Option(help="AudioSet's ontology.json.")],
    segments: Annotated[Path, typer.Option(help="A segment table, as published or with label numbers.")],
    out: Annotated[Path, typer.Option(help="Parquet file for the labels.")],
    classes: Annotated[Path | None, typer.Option(help="class_labels_indices.csv, for label numbers.")] = None,
    level: Annotated[str, typer.Option(help="direct: 25 genres; all: 65.")] = "direct",
    seed: Annotated[int, typer.Option(help="Seed of the split.")] = 0,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Write genre, mood and instrument labels of AudioSet's music clips, with a split balanced by genre."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from mvr.datasets import audioset as labels
    from mvr.errors import UsageError

    levels = [str(known) for known in labels.Level]
    if level not in levels:
        raise UsageError(f"unknown level {level!r}; choose from {', '.join(levels)}")
    inputs = [path for path in (ontology, segments, classes) if path is not None]
    check_output_file(out, inputs=inputs, kept=library_files(), force=force)
    clips = labels.read_segments(segments, classes)
    table = labels.music_labels(clips, labels.Ontology.read(ontology), labels.Level(level))
    shares = {"train": 0.8, "val": 0.1, "test": 0.1}
    parts = labels.balanced_split(table, "genre", shares, seed)
    table = table.append_column("split", pa.array(parts))
    pq.write_table(table, out)
    counts = {taxonomy: labels.class_counts(table, taxonomy) for taxonomy in labels.TAXONOMIES}
    if as_json:
        print_json({"clips": table.num_rows, "of": len(clips), "counts": counts})
        return
    say(f"{table.num_rows} of {len(clips)} clips are music; labels in {out}")
    for taxonomy, found in counts.items():
        _table(taxonomy, found)


def _settings(config: Path | None) -> Any:
    from mvr.config.settings import settings_from
    from mvr.datasets.svm10k.settings import BuildSettings
    from mvr.errors import UsageError

    if config is None:
        return BuildSettings()
    try:
        return settings_from(BuildSettings, json.loads(config.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        known = ", ".join(item.name for item in fields(BuildSettings))
        raise UsageError(f"{config} cannot be read as JSON settings ({known}): {error}") from error


def _reasons(dropped: dict[str, int]) -> dict[str, int]:
    from mvr.datasets.svm10k.filters import REASONS

    return {REASONS[reason]: count for reason, count in dropped.items()}


def _table(title: str, counts: dict[str, int]) -> None:
    if not counts:
        return
    say(f"  {title}:")
    for name, count in counts.items():
        say(f"    {count:6d}  {name}")
