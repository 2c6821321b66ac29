"""Media files: what is in them, frames, sound and loudness, black borders, a browser-safe copy, new music."""
