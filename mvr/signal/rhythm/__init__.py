"""What is heard of a whole sound: tempo, beats, bars and what is struck. Pure functions of arrays."""
