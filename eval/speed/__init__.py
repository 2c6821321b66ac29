"""Benchmarks: the same work done in several ways, side by side in one run.

    python -m eval.speed --out DIR [--all] [--short] [--part NAME ...] [--rounds N]

Every candidate runs in its own process (so that its peak memory is its own), is warmed up once, and then takes its
turn in alternated rounds. Reported are minimum and median of wall and processor time (children such as ffmpeg
included), peak memory, the load of the machine and its description, as Markdown and JSON. Ratios within one table
are what counts; absolute times are one machine's on one day.

How to add a part, say `embed`:

1. Write `eval/speed/embed.py` with one function that yields contests; it must be cheap to call and do no work:

       def contests(inputs: Inputs) -> Iterator[Contest]:
           clip = inputs.video("clip", seconds=4 if inputs.short else 15)
           yield Contest(
               name="embed-clip", title="Embedding a clip", work=f"15 s 1080p clip, default system",
               media_s=15.0, ours="mvr",
               candidates={"mvr": lambda: prepare_mvr(clip), "other": lambda: prepare_other(clip)},
               aims=(Aim(text="at least 6 times real time", realtime_at_least=6.0),),
           )

   A candidate is a function without arguments that imports and sets up whatever it needs, once, and returns the
   function to be timed. That function may return a dict of facts (numbers or short strings) for the report.
2. Add one line to `PARTS` in `eval/speed/parts.py`; `heavy=True` leaves it out unless `--all` is given.

`inputs` generates media with the bundled ffmpeg and a fixed seed, and arrays with seeded numpy; `inputs.short` asks
for the smallest sizes that still show something (used by the tests).
"""

from mvr.index.table import KINDS

KINDS["flat"] = "eval.speed.flat:FaissFlatIndex"  # a peer of our exact kinds
