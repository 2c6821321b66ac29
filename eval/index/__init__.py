"""How indexes grow: `python -m eval.index --out eval/results/index` (see `--help`)."""
