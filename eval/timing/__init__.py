"""Proof of timing: tempo, beats, cuts, placing and fitting against known answers. Run: `python -m eval.timing`."""
