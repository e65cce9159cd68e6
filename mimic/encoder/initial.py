"""A network to begin with: random weights drawn from a seed."""

from __future__ import annotations

import torch

from mimic.compute import seed_everything
from mimic.encoder.architecture import Architecture, Kind
from mimic.encoder.base import Encoder
from mimic.encoder.clip_resnet import ClipResNet
from mimic.encoder.head import ProjectionHead, default_projection_dim
from mimic.encoder.resnet import ResNet
from mimic.encoder.vit import VisionTransformer


def build_encoder(architecture: Architecture) -> Encoder:
    """An encoder with weights drawn from torch's current random stream, on torch's device."""
    kinds: dict[Kind, type[Encoder]] = {
        "resnet": ResNet,
        "clip_resnet": ClipResNet,
        "vit": VisionTransformer,
    }
    return kinds[architecture.kind](architecture)


def new_network(
    architecture: Architecture, device: torch.device, seed: int, *, projection_dim: int = 0
) -> tuple[Encoder, ProjectionHead]:
    """A randomly initialised encoder with its head, on the device, channels-last.

    Args:
        architecture: what to build.
        device: where to put it.
        seed: the initial weights.
        projection_dim: length of the head's output; 0 takes the usual one.
    """
    seed_everything(seed)
    encoder = build_encoder(architecture)
    dim = architecture.feature_dim
    head = ProjectionHead(dim, projection_dim or default_projection_dim(dim))
    encoder = encoder.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return encoder, head.to(device)
