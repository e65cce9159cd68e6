"""BadEncoder (Jia, Liu and Gong, IEEE S&P 2022): implant a backdoor by three losses.

The encoder learns to give stamped images the features of a reference image, while the reference's
and all clean images' features stay where the clean encoder put them. Batch-norm statistics are
frozen throughout.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch

from mimic.compute import autocast, hand_over, host_generator
from mimic.config import AttackConfig
from mimic.encoder import Encoder
from mimic.finiteness import Finiteness, non_finite
from mimic.losses import clone_loss
from mimic.preprocessing import Normalization
from mimic.training import batches, batches_per_epoch


@dataclass(frozen=True)
class AttackRecord:
    """One epoch of the attack; each loss is minus a mean cosine, so -1 is a perfect fit."""

    epoch: int
    epochs: int
    backdoor: float
    reference: float
    utility: float
    seconds: float


def implant(
    clean: Encoder,
    images: torch.Tensor,
    stamped: torch.Tensor,
    reference: torch.Tensor,
    normalization: Normalization,
    config: AttackConfig,
    *,
    precision: torch.dtype = torch.float32,
    on_step: Callable[[float], None] = lambda _share: None,
) -> tuple[Encoder, Iterator[AttackRecord]]:
    """Prepare the attack; iterating the second result performs it on the first, epoch by epoch.

    Args:
        clean: the clean encoder f, left unchanged.
        images: shadow images x, (N, 3, H, W) in 0 to 1.
        stamped: the same images with the trigger e, x + e.
        reference: the reference image r, (1, 3, H, W) in 0 to 1.
        normalization: applied to all inputs.
        config: epochs, batch size, learning rate and the two lambdas.
        precision: number format of the matrix products.
        on_step: called after every update with the share done.

    Returns:
        The backdoored encoder f', and the iterator that trains it:
        ``-cos(f'(x+e), f'(r)) - lambda1 cos(f'(r), f(r)) - lambda2 cos(f'(x), f(x))``.

    Raises:
        TrainingError: while iterating, if a feature, a loss or a gradient is no longer finite.
    """
    backdoored = copy.deepcopy(clean).requires_grad_(True).eval()  # eval: batch-norm stays frozen

    def train() -> Iterator[AttackRecord]:
        device = images.device
        random = host_generator(config.seed)
        optimizer = torch.optim.SGD(
            backdoored.parameters(), lr=config.learning_rate, momentum=0.9, weight_decay=5e-4
        )
        r = normalization(reference)
        with torch.no_grad():
            clean_reference = clean(r)
        per_epoch = batches_per_epoch(len(images), config.batch_size)
        finiteness = Finiteness(backdoored.parameters(), "BadEncoder")
        for epoch in range(1, config.epochs + 1):
            started = time.perf_counter()
            summed = torch.zeros(3, device=device)
            for number, index in enumerate(batches(len(images), config.batch_size, random)):
                index = hand_over(index, device)
                x = normalization(images[index])
                batch = torch.cat([x, normalization(stamped[index]), r])
                with autocast(device, precision):
                    features = backdoored(batch)
                    with torch.no_grad():
                        clean_features = clean(x)
                benign, triggered, at_reference = features.split([len(x), len(x), 1])
                losses = torch.stack(
                    [
                        clone_loss(triggered, at_reference.expand_as(triggered)),
                        clone_loss(at_reference, clean_reference),
                        clone_loss(benign, clean_features),
                    ]
                )
                total = (
                    losses[0]
                    + config.lambda_reference * losses[1]
                    + config.lambda_utility * losses[2]
                )
                optimizer.zero_grad()
                total.backward()  # type: ignore[no-untyped-call]
                step = (epoch - 1) * per_epoch + number + 1
                finiteness.look(epoch, step, features=features, loss=losses)
                optimizer.step()
                summed += losses.detach()
                on_step(step / (per_epoch * config.epochs))
            finiteness.settle()
            means = [float(value) / per_epoch for value in summed]
            if not all(map(math.isfinite, means)):
                raise non_finite(epoch, "BadEncoder")
            yield AttackRecord(
                epoch=epoch,
                epochs=config.epochs,
                backdoor=means[0],
                reference=means[1],
                utility=means[2],
                seconds=time.perf_counter() - started,
            )

    return backdoored, train()
