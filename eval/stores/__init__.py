"""Feature stores of the public feature sets that the protocols use, with one fixed split for training and
measuring.

python -m eval.stores yt8m-public --data DIR --out STORE
python -m eval.stores emomv --data DIR --out STORE
"""
