"""Where a track should start under a clip, and how surely."""
