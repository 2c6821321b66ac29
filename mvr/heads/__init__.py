"""Heads: our trained projections from backbone features to one joint embedding space."""
