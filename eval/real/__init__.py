"""Do systems mean anything on real clips? Segments of real videos against their own sound, and checks of direction."""
