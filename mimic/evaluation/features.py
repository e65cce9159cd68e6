"""Features and activations of whole data sets."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch.nn import functional

from mimic.activations import record_activations
from mimic.compute import autocast, generator
from mimic.encoder import Encoder
from mimic.preprocessing import Preprocessing

BATCH = 256


@torch.no_grad()
def extract_features(
    encoder: Encoder,
    images: np.ndarray,
    preprocessing: Preprocessing,
    *,
    device: torch.device,
    precision: torch.dtype = torch.float32,
) -> torch.Tensor:
    """Encode images in eval mode.

    Args:
        encoder: the network; its training mode is restored afterwards.
        images: uint8 (N, H, W, 3).
        preprocessing: what the encoder's inputs need.
        device: where to compute.
        precision: number format of the matrix products.

    Returns:
        float32 (N, D) on the device, not normalised.
    """
    was_training = encoder.training
    encoder.eval()
    try:
        with autocast(device, precision):
            parts = [
                encoder(preprocessing(images[start : start + BATCH], device)).float()
                for start in range(0, len(images), BATCH)
            ]
    finally:
        encoder.train(was_training)
    return torch.cat(parts)


@torch.no_grad()
def extract_activations(
    encoder: Encoder,
    images: np.ndarray,
    preprocessing: Preprocessing,
    *,
    layers: Sequence[str],
    device: torch.device,
    pool: int = 0,
    projection: int = 0,
    seed: int = 0,
) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    """Activations of layers and output features, in one pass over the images.

    Args:
        encoder: the network, used in eval mode.
        images: uint8 (N, H, W, 3).
        preprocessing: what the encoder's inputs need.
        layers: layer names.
        device: where to compute.
        pool: average maps larger than ``pool`` x ``pool`` down to that many cells; 0 keeps them.
        projection: project flattened activations longer than this to as many numbers, batch by
            batch, so that wide maps are never stored; 0 keeps them. See ``RandomProjection``.
        seed: of the projection.

    Returns:
        Flattened activations (N, C*h*w or projection) by layer, and features (N, D), all float32
        on the device.
    """
    was_training = encoder.training
    encoder.eval()
    parts: dict[str, list[torch.Tensor]] = {layer: [] for layer in layers}
    features = []
    projections: dict[str, RandomProjection] = {}
    try:
        with record_activations(encoder, layers) as recorded:
            for start in range(0, len(images), BATCH):
                features.append(encoder(preprocessing(images[start : start + BATCH], device)))
                for layer in layers:
                    activation = recorded[layer]
                    if pool and activation.shape[-1] > pool:
                        activation = functional.adaptive_avg_pool2d(activation, pool)
                    flat = activation.flatten(1)
                    if 0 < projection < flat.shape[1]:
                        if layer not in projections:
                            projections[layer] = RandomProjection(
                                flat.shape[1], projection, seed=seed, device=flat.device
                            )
                        flat = projections[layer](flat)
                    parts[layer].append(flat)
    finally:
        encoder.train(was_training)
    return {layer: torch.cat(kept) for layer, kept in parts.items()}, torch.cat(features)


class RandomProjection:
    """A seeded linear map to fewer numbers that keeps distances and products in expectation.

    Every input goes, with a random sign, into one of the outputs (the count sketch of Charikar et
    al., 2002; "feature hashing" of Weinberger et al., ICML 2009): no matrix has to be stored.

    Args:
        width: numbers in.
        out: numbers out.
        seed: signs and places.
        device: where to compute.
    """

    def __init__(self, width: int, out: int, *, seed: int, device: torch.device) -> None:
        random = generator(torch.device("cpu"), seed)
        self.out = out
        self.place = torch.randint(out, (width,), generator=random).to(device)
        self.sign = (torch.randint(2, (width,), generator=random) * 2.0 - 1).to(device)

    def __call__(self, values: torch.Tensor) -> torch.Tensor:
        """(N, width) to (N, out)."""
        result = values.new_zeros(len(values), self.out)
        return result.index_add_(1, self.place, values * self.sign)
