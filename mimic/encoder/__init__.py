"""Encoders: what they are made of, how their layers are named, how a new one begins."""

from mimic.encoder.architecture import DEPTHS, MAX_WIDTH, Architecture, Stem
from mimic.encoder.head import ProjectionHead, default_projection_dim
from mimic.encoder.initial import new_network
from mimic.encoder.resnet import Encoder

__all__ = [
    "DEPTHS",
    "MAX_WIDTH",
    "Architecture",
    "Encoder",
    "ProjectionHead",
    "Stem",
    "default_projection_dim",
    "new_network",
]
