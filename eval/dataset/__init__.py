"""How well the builder of short-video sets finds what it is for, on clips in which the truth is known.

    python -m eval.dataset --out DIR [--clips 300] [--seed 2] [--media FOLDER | --audioset FOLDER]

Clips are generated: music by `mvr.datasets.synthetic`, moving pictures, and one planted fault, border or relation each.
With `--media` a real folder is built instead, and every clip's fate is told. With `--audioset` AudioSet's music labels
are counted instead.
"""
