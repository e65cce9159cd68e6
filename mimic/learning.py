"""Whether an encoder learned anything: its accuracy against an untrained network's."""

from __future__ import annotations

import math

Z = 1.96
"""Standard errors on either side of a 95% interval."""


def beyond_chance(trained: float, untrained: float, images: int) -> bool:
    """Whether an accuracy exceeds an untrained network's by more than sampling error.

    The 95% interval of the difference of two proportions (Wald) has to lie above zero. It takes
    both for measured on different images; on the same images it is wider than needed.

    Args:
        trained: the encoder's accuracy, a share of 1.
        untrained: the untrained network's, on as many images.
        images: how many test images each was measured on.
    """
    spread = trained * (1 - trained) + untrained * (1 - untrained)
    return trained - untrained > Z * math.sqrt(spread / max(1, images))
