"""Importers for precomputed feature sets that people have: each returns `PairedFeatures`, ready for a store."""
