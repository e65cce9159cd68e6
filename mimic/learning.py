"""Whether an encoder learned anything: its accuracy against an untrained network's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mimic.intervals import difference_interval, wilson_interval

LEARNED = 0.5
"""The part of the way from an untrained network's accuracy to the suspect's that a cleaned encoder
has to have gone. A weak one obeys no trigger for want of knowledge, or any big patch."""
MOST_IMAGES = 2_000
"""What the health check scores at most; inspections of before did not note how many it was."""


def learned_beyond_chance(inspection: Mapping[str, Any]) -> bool | None:
    """Whether an encoder's neighbours are right more often than an untrained network's.

    Args:
        inspection: the result of ``inspect``.

    Returns:
        None where either was not measured.
    """
    health = inspection["health"]
    known, random = health.get("knn_accuracy"), health.get("random_knn_accuracy")
    if known is None or random is None:
        return None
    tested = (inspection.get("downstream") or {}).get("test_images") or MOST_IMAGES
    images = int(health.get("test_images") or min(MOST_IMAGES, int(tested)))
    return beyond_chance(known, random, images)


def least_accuracy(
    suspect: Mapping[str, Any] | None, untrained: Mapping[str, Any] | None
) -> float | None:
    """From which accuracy on a cleaned encoder has learned enough to be judged.

    Args:
        suspect: scores of the suspect.
        untrained: scores of the cleaned encoder before its training.

    Returns:
        None where either was not measured, or where the suspect knows no more than chance gave.
    """
    start, end = (untrained or {}).get("accuracy"), (suspect or {}).get("accuracy")
    if start is None or end is None or end <= start:
        return None
    return float(start + LEARNED * (end - start))


def beyond_chance(trained: float, untrained: float, images: int) -> bool:
    """Whether an accuracy exceeds an untrained network's by more than sampling error.

    The 95 % interval of the difference has to lie above zero, see ``mimic.intervals``.

    Args:
        trained: the encoder's accuracy, a share of 1.
        untrained: the untrained network's.
        images: how many test images each was measured on.
    """
    ends = [wilson_interval(round(share * images), images) for share in (untrained, trained)]
    return difference_interval(untrained, ends[0], trained, ends[1])[0] > 0
