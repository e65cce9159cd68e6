"""How long to distil an encoder that nobody has measured yet, counted in updates.

Epochs say little: one is a single update over 58 images and 31 over 2,000. Measured is:
on the digits (58 clean images) 100 updates clean, at 200 the outcome hangs on rounding, and 1,000
bring the backdoor back. On CIFAR-10 (2,000) one student of two was too weak after 1,860, and both
stayed at the floor for 3,720. In between, updates grow with the images; beyond either end nothing
is known, so neither end is passed.
"""

from __future__ import annotations

FEWEST, MOST = 100, 3_720
"""Updates: those of the digits, and the most that were measured to stay at the floor."""
UPDATES_PER_IMAGE = 100 / 64
"""Each clean image is seen a hundred times, as on the digits; on CIFAR-10 it was 120 times."""


def batches_per_epoch(count: int, size: int) -> int:
    """How many whole batches of ``size`` images an epoch over ``count`` makes; at least one."""
    return count // min(size, count)


def suited_updates(clean_images: int) -> int:
    """How many updates suit a number of clean images."""
    return min(max(round(UPDATES_PER_IMAGE * clean_images), FEWEST), MOST)


def suited_epochs(clean_images: int, batch_size: int) -> int:
    """The epochs that make at most the suited number of updates; one at least.

    Args:
        clean_images: images to train on, at least one.
        batch_size: images per update.
    """
    return max(1, suited_updates(clean_images) // batches_per_epoch(clean_images, batch_size))
