"""Named evaluations as data files: which store, which heads are trained, which tasks, pools and alphas.

python -m eval.protocols list
python -m eval.protocols run NAME [--data DIR | --features STORE] --out DIR
python -m eval.protocols {folds,mixing,hubs} NAME ... --out DIR
"""
