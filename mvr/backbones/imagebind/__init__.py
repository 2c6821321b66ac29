"""ImageBind (Girdhar et al., CVPR 2023): model, checkpoint, preprocessing, and the two backbones."""

from mvr.backbones.imagebind.model import ImageBindConfig, ImageBindModel

__all__ = ["ImageBindConfig", "ImageBindModel"]
