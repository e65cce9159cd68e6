"""Encoders: what they are made of, how their layers are named, how a new one begins."""

from mimic.encoder.architecture import (
    CLIP_DEPTHS,
    DEPTHS,
    MAX_DEPTH,
    MAX_PARAMETERS,
    MAX_WIDTH,
    VIT,
    Architecture,
    Kind,
    Stem,
)
from mimic.encoder.base import Encoder
from mimic.encoder.head import ProjectionHead, default_projection_dim
from mimic.encoder.initial import build_encoder, new_network

__all__ = [
    "CLIP_DEPTHS",
    "DEPTHS",
    "MAX_DEPTH",
    "MAX_PARAMETERS",
    "MAX_WIDTH",
    "VIT",
    "Architecture",
    "Encoder",
    "Kind",
    "ProjectionHead",
    "Stem",
    "build_encoder",
    "default_projection_dim",
    "new_network",
]
