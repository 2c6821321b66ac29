"""The default system's heads: features of synthetic pairs to train on, and the report on held-out pairs."""
