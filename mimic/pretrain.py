"""SimCLR pre-training (Chen et al., ICML 2020), so that anyone can make a test subject."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch

from mimic.compute import autocast, hand_over, host_generator
from mimic.config import PretrainConfig
from mimic.encoder import Encoder, ProjectionHead
from mimic.finiteness import Finiteness, non_finite
from mimic.losses import nt_xent_loss
from mimic.preprocessing import Normalization
from mimic.training import batches, batches_per_epoch, learning_rate_at
from mimic.views import Recipe, random_views


@dataclass(frozen=True)
class PretrainRecord:
    """One epoch of pre-training."""

    epoch: int
    epochs: int
    contrastive: float
    learning_rate: float
    seconds: float


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
        encoder: the network, on the device of ``images``.
        head: its projection head.
        images: (N, 3, H, W) in 0 to 1.
        normalization: applied to the views.
        config: epochs, batch size, learning rate, temperature, seed.
        recipe: the views.
        precision: number format of the matrix products.
        on_step: called after every update with the share done.

    Yields:
        One record per epoch.

    Raises:
        TrainingError: if a projection, the loss or a gradient is no longer finite.
    """
    device = images.device
    random = host_generator(config.seed)
    parameters = [*encoder.parameters(), *head.parameters()]
    optimizer = torch.optim.Adam(parameters, lr=config.learning_rate, weight_decay=1e-6)
    encoder.train()
    head.train()
    per_epoch = batches_per_epoch(len(images), config.batch_size)
    total = per_epoch * config.epochs
    finiteness = Finiteness(parameters, "NT-Xent")
    for epoch in range(1, config.epochs + 1):
        started, summed = time.perf_counter(), torch.zeros((), device=device)
        for number, index in enumerate(batches(len(images), config.batch_size, random)):
            step = (epoch - 1) * per_epoch + number
            rate = learning_rate_at(step, total, peak=config.learning_rate, schedule="cosine")
            optimizer.param_groups[0]["lr"] = rate
            batch = images[hand_over(index, device)]
            views = torch.cat([random_views(batch, recipe, random) for _ in range(2)])
            with autocast(device, precision):
                projections = head(encoder(normalization(views)))
            loss = nt_xent_loss(*projections.chunk(2), temperature=config.temperature)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            finiteness.look(epoch, step + 1, features=projections, loss=loss)
            optimizer.step()
            summed += loss.detach()
            on_step((step + 1) / total)
        finiteness.settle()
        mean = float(summed) / per_epoch
        if not math.isfinite(mean):
            raise non_finite(epoch, "NT-Xent")
        yield PretrainRecord(epoch, config.epochs, mean, rate, time.perf_counter() - started)
