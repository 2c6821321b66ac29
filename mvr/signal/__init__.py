"""What samples and frames say by themselves: onsets, tempo, beats, bars, curves, cuts. Pure functions of arrays."""
