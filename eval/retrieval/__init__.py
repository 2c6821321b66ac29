"""The retrieval report: every head over one feature store, beside CCA and chance.

python -m eval.retrieval --features STORE [--head HEAD ...] [--alphas 0,0.25,...] --out DIR [--json]
"""
