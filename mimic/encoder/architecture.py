"""What has to be known to build an encoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mimic.errors import ConfigError

Stem = Literal["cifar", "imagenet"]

DEPTHS: dict[str, tuple[bool, tuple[int, ...]]] = {
    "resnet10": (False, (1, 1, 1, 1)),
    "resnet18": (False, (2, 2, 2, 2)),
    "resnet34": (False, (3, 4, 6, 3)),
    "resnet50": (True, (3, 4, 6, 3)),
    "resnet101": (True, (3, 4, 23, 3)),
    "resnet152": (True, (3, 8, 36, 3)),
}
"""Name: (bottleneck blocks?, blocks per stage)."""
MAX_WIDTH = 1024


@dataclass(frozen=True)
class Architecture:
    """What has to be known to build an encoder.

    Args:
        name: a key of ``DEPTHS``.
        width: channels of the first stage; 64 in the standard networks.
        stem: ``cifar`` (3x3, stride 1, no max-pool) or ``imagenet`` (7x7, stride 2, max-pool).

    Raises:
        ConfigError: if the name or stem is unknown or the width is not positive.
    """

    name: str
    width: int = 64
    stem: Stem = "cifar"

    def __post_init__(self) -> None:
        if self.name not in DEPTHS or self.stem not in ("cifar", "imagenet"):
            raise ConfigError(
                f"There is no architecture '{self.name}' with stem '{self.stem}'.",
                f"Choose among {', '.join(DEPTHS)} and the stems cifar, imagenet.",
            )
        if not 1 <= self.width <= MAX_WIDTH:
            raise ConfigError(
                f"A width of {self.width} channels cannot be built.", f"Choose 1 to {MAX_WIDTH}."
            )

    @property
    def bottleneck(self) -> bool:
        """Whether blocks are of the 1x1-3x3-1x1 kind."""
        return DEPTHS[self.name][0]

    @property
    def blocks(self) -> tuple[int, ...]:
        """Residual blocks per stage."""
        return DEPTHS[self.name][1]

    @property
    def feature_dim(self) -> int:
        """Length of the output feature vector."""
        return self.width * 8 * (4 if self.bottleneck else 1)
