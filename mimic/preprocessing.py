"""From uint8 images to what an encoder was trained on: size and normalisation."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from mimic.errors import ConfigError

IDENTITY = ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
PRESETS: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "none": IDENTITY,
    "cifar10": ((0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010)),
    "stl10": ((0.44087798, 0.42790666, 0.38678814), (0.25507198, 0.24801506, 0.25641308)),
    "imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "clip": ((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)),
}
"""Per-channel mean and standard deviation of 0-to-1 pixels, as public encoders use them."""


@dataclass(frozen=True)
class Normalization:
    """``(x - mean) / std`` per channel on 0-to-1 pixels, and where the numbers come from."""

    mean: tuple[float, ...]
    std: tuple[float, ...]
    source: str

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Normalise (B, 3, H, W)."""
        mean, std = (per_channel(numbers, x.device, x.dtype) for numbers in (self.mean, self.std))
        return (x - mean) / std

    @property
    def text(self) -> str:
        """As ``parse_normalization`` reads it."""
        return "/".join(",".join(map(str, values)) for values in (self.mean, self.std))

    def to_json(self) -> dict[str, Any]:
        """As JSON-ready values."""
        return {"mean": list(self.mean), "std": list(self.std), "source": self.source}


@functools.lru_cache(maxsize=64)
def per_channel(
    numbers: tuple[float, ...], device: torch.device, dtype: torch.dtype
) -> torch.Tensor:
    """Numbers as (1, 3, 1, 1) on the device; kept, because making them waits for a GPU."""
    return torch.tensor(numbers, device=device, dtype=dtype).view(1, -1, 1, 1)


def parse_normalization(text: str) -> Normalization:
    """A preset's name, or ``MEAN/STD`` as one or three comma-separated numbers each.

    Raises:
        ConfigError: if it is neither.
    """
    if text in PRESETS:
        mean, std = PRESETS[text]
        return Normalization(mean, std, f"preset {text}")
    try:
        left, right = text.split("/")
        mean, std = numbers(left), numbers(right)
        if min(std) <= 0:
            raise ValueError(text)
    except ValueError as error:
        raise ConfigError(
            f"'{text}' is no normalisation.",
            f"Choose auto, {', '.join(PRESETS)}, or write MEAN/STD such as 0.47/0.24.",
        ) from error
    return Normalization(mean, std, "given by hand")


def numbers(text: str) -> tuple[float, float, float]:
    """One number for all channels, or three."""
    values = [float(part) for part in text.split(",")]
    if len(values) == 1:
        values *= 3
    if len(values) != 3 or not all(np.isfinite(v) and abs(v) < 100 for v in values):
        raise ValueError(text)
    return values[0], values[1], values[2]


def measured_normalization(images: np.ndarray) -> Normalization:
    """Mean and standard deviation over all pixels of uint8 (N, H, W, 3)."""
    pixels = images[:: max(1, len(images) // 5_000)].reshape(-1, 3) / 255
    mean = tuple(round(float(m), 4) for m in pixels.mean(0))
    std = tuple(round(float(s), 4) or 1.0 for s in pixels.std(0))
    return Normalization(mean, std, "measured on the training images")


def to_unit(images: np.ndarray, device: torch.device, size: int | None = None) -> torch.Tensor:
    """Move images to the device as floats.

    Args:
        images: uint8 (N, H, W, 3).
        device: target.
        size: side to resize to, or None to keep the images' own.

    Returns:
        float32 (N, 3, H, W) in 0 to 1, channels-last in memory.
    """
    x = torch.from_numpy(np.ascontiguousarray(images)).to(device).permute(0, 3, 1, 2)
    unit = x.float().div_(255)  # permuted NHWC memory is channels-last already
    if size is not None and unit.shape[-2:] != (size, size):
        unit = functional.interpolate(
            unit, size=(size, size), mode="bilinear", align_corners=False, antialias=True
        )
    return unit.contiguous(memory_format=torch.channels_last)


@dataclass(frozen=True)
class Preprocessing:
    """All that happens to a stored image before an encoder sees it.

    Args:
        normalization: per-channel affine map.
        input_size: side to resize to, or None to keep the images' own.
        largest: with no input size, images of more pixels a side than this are resized; None for
            any size.
        smaller: ... to this side.
    """

    normalization: Normalization
    input_size: int | None = None
    largest: int | None = None
    smaller: int = 32

    def size_for(self, side: int) -> int:
        """Side at which the encoder sees images of this side."""
        if self.input_size is not None:
            return self.input_size
        return self.smaller if self.largest is not None and side > self.largest else side

    def unit(self, images: np.ndarray, device: torch.device) -> torch.Tensor:
        """uint8 (N, H, W, 3) to 0-to-1 floats (N, 3, S, S), where views are drawn."""
        side = max(images.shape[1:3])
        size = self.size_for(side)
        return to_unit(images, device, self.input_size if size == side else size)

    def __call__(self, images: np.ndarray, device: torch.device) -> torch.Tensor:
        """uint8 (N, H, W, 3) to encoder inputs (N, 3, S, S)."""
        return self.normalization(self.unit(images, device))
