"""The embedded default: classical descriptors of pictures and music; no weights, deterministic."""

from mvr.backbones.descriptors.music import MusicDescriptors
from mvr.backbones.descriptors.video import VideoDescriptors

__all__ = ["MusicDescriptors", "VideoDescriptors"]
