"""SimCLR pre-training (Chen et al., ICML 2020), so that anyone can make a test subject."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch

from mimic.compute import autocast, generator, seed_everything
from mimic.config import PretrainConfig
from mimic.encoder import Architecture, Encoder, ProjectionHead, default_projection_dim
from mimic.errors import TrainingError
from mimic.losses import nt_xent_loss
from mimic.preprocessing import Normalization
from mimic.views import Recipe, random_views

WARM_UP = 0.1


@dataclass(frozen=True)
class PretrainRecord:
    """One epoch of pre-training."""

    epoch: int
    epochs: int
    contrastive: float
    learning_rate: float
    seconds: float


def learning_rate_at(step: int, total: int, *, peak: float, schedule: str) -> float:
    """Learning rate of an update: constant, or a linear warm-up over 10 % and a cosine to 0.

    Args:
        step: updates done so far.
        total: updates of the whole training.
        peak: the highest rate.
        schedule: ``constant`` or ``cosine``.
    """
    if schedule == "constant":
        return peak
    warm = max(1, round(WARM_UP * total))
    if step < warm:
        return peak * (step + 1) / warm
    return peak * 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, total - warm)))


def batches(count: int, size: int, random: torch.Generator) -> list[torch.Tensor]:
    """Indices of one epoch in random order; an incomplete last batch is dropped.

    Args:
        count: images there are; fewer than ``size`` make one batch of all.
        size: images per batch.
        random: the order's stream.
    """
    order = torch.randperm(count, generator=random, device=random.device)
    size = min(size, count)
    return [batch for batch in order.split(size) if len(batch) == size]


def new_network(
    architecture: Architecture, device: torch.device, seed: int, *, projection_dim: int = 0
) -> tuple[Encoder, ProjectionHead]:
    """A randomly initialised encoder with its head, on the device, channels-last."""
    seed_everything(seed)
    encoder = Encoder(architecture)
    dim = architecture.feature_dim
    head = ProjectionHead(dim, projection_dim or default_projection_dim(dim))
    encoder = encoder.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return encoder, head.to(device)


def pretrain(
    encoder: Encoder,
    head: ProjectionHead,
    images: torch.Tensor,
    normalization: Normalization,
    config: PretrainConfig,
    *,
    recipe: Recipe,
    precision: torch.dtype = torch.float32,
    on_step: Callable[[float], None] = lambda _share: None,
) -> Iterator[PretrainRecord]:
    """Train an encoder and its head in place by NT-Xent.

    Args:
        encoder, head: the network, on the device of ``images``.
        images: (N, 3, H, W) in 0 to 1.
        normalization: applied to the views.
        config: epochs, batch size, learning rate, temperature, seed.
        recipe: the views.
        precision: number format of the matrix products.
        on_step: called after every update with the share done.

    Yields:
        One record per epoch.

    Raises:
        TrainingError: if the loss is no longer finite.
    """
    device = images.device
    random = generator(device, config.seed)
    parameters = [*encoder.parameters(), *head.parameters()]
    optimizer = torch.optim.Adam(parameters, lr=config.learning_rate, weight_decay=1e-6)
    encoder.train()
    head.train()
    per_epoch = len(batches(len(images), config.batch_size, random))
    total = per_epoch * config.epochs
    for epoch in range(1, config.epochs + 1):
        started, summed = time.perf_counter(), torch.zeros((), device=device)
        for number, index in enumerate(batches(len(images), config.batch_size, random)):
            step = (epoch - 1) * per_epoch + number
            rate = learning_rate_at(step, total, peak=config.learning_rate, schedule="cosine")
            optimizer.param_groups[0]["lr"] = rate
            batch = images[index.to(device)]
            views = torch.cat([random_views(batch, recipe, random) for _ in range(2)])
            with autocast(device, precision):
                projections = head(encoder(normalization(views)))
            loss = nt_xent_loss(*projections.chunk(2), temperature=config.temperature)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            summed += loss.detach()
            on_step((step + 1) / total)
        mean = float(summed) / per_epoch
        if not math.isfinite(mean):
            raise non_finite(epoch, "NT-Xent")
        yield PretrainRecord(epoch, config.epochs, mean, rate, time.perf_counter() - started)


def non_finite(epoch: int, what: str) -> TrainingError:
    """The error for a loss that became NaN or infinite."""
    return TrainingError(
        f"The loss is no longer a finite number at epoch {epoch} ({what}).",
        "Choose a lower learning rate or smaller layer weights, or float32 precision.",
    )
