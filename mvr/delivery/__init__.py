"""Into the editor's hands: a ranked result as an editable timeline, as sound files, as cue sheet and proof."""
