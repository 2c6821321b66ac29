"""Fitting the small models of `mvr.signal.rhythm`."""
