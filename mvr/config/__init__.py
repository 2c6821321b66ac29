"""Where things are, how settings are checked and hashed, what a system card and the manifest may say."""
