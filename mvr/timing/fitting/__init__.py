"""Cutting a track to a length by whole bars, or plainly, and the sound of such a plan."""
