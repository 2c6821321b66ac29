"""Ablations: a YAML grid of stores, heads and settings, trained and measured cell by cell, merged into one table.

python -m eval.ablation GRID.yaml --out DIR          a second run makes only what is missing
python -m eval.ablation.borders --out DIR            stores of clips with planted black borders
"""
