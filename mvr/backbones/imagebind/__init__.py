"""ImageBind (Girdhar et al., CVPR 2023): model, checkpoint, preprocessing, and the two backbones."""

from mvr.backbones.imagebind.checkpoint import load_imagebind
from mvr.backbones.imagebind.encoders import ImageBindAudio, ImageBindVideo, preprocess_text
from mvr.backbones.imagebind.melspec import AudioClips, preprocess_audio
from mvr.backbones.imagebind.model import ImageBindConfig, ImageBindModel
from mvr.backbones.imagebind.views import VideoViews, preprocess_image, preprocess_video

__all__ = [
    "AudioClips",
    "ImageBindAudio",
    "ImageBindConfig",
    "ImageBindModel",
    "ImageBindVideo",
    "VideoViews",
    "load_imagebind",
    "preprocess_audio",
    "preprocess_image",
    "preprocess_text",
    "preprocess_video",
]
