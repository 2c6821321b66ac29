"""Films with known cuts: painted, of the demo library, and real clips joined."""
