"""Pairs of music and pictures rendered from shared latents: the demo library and the default heads' training set."""
