"""What every training here shares: batch order and learning-rate schedule."""

from __future__ import annotations

import math

import torch

from mimic.training_length import batches_per_epoch as batches_per_epoch

WARM_UP = 0.1


def learning_rate_at(
    step: int, total: int, *, peak: float, schedule: str, warm_up: float = WARM_UP
) -> float:
    """Learning rate of an update.

    Args:
        step: updates done so far.
        total: updates of the whole training.
        peak: the highest rate.
        schedule: ``constant``; ``warmup``, a linear rise and then constant; or ``cosine``, the same
            rise and then a half cosine to 0.
        warm_up: share of the updates that the rise takes.
    """
    if schedule == "constant":
        return peak
    warm = max(1, round(warm_up * total))
    if step < warm:
        return peak * (step + 1) / warm
    if schedule == "warmup":
        return peak
    return peak * 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, total - warm)))


def batches(count: int, size: int, random: torch.Generator) -> list[torch.Tensor]:
    """Indices of one epoch in random order; an incomplete last batch is dropped.

    Args:
        count: images there are; fewer than ``size`` make one batch of all.
        size: images per batch.
        random: the order's stream.
    """
    size = min(size, count)
    order = torch.randperm(count, generator=random, device=random.device)
    return [order[start : start + size] for start in range(0, count - size + 1, size)]
