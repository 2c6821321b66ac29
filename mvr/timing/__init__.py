"""Music and picture in time: placing a track under a clip, and fitting it to a length by whole bars."""
