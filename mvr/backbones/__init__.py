"""Backbones: frozen encoders, one Protocol, a table of names; each module is imported only when created."""

from mvr.backbones.backbone import Backbone, TextBackbone, backbone_names, create_backbone

__all__ = ["Backbone", "TextBackbone", "backbone_names", "create_backbone"]
