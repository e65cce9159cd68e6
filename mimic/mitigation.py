"""MIMIC's distillation: a random student learns what the teacher does on a few clean images.

Han et al., "Mutual Information Guided Backdoor Mitigation for Pre-trained Encoders", IEEE TIFS 2025
(arXiv 2406.03508): NT-Xent + sum over layers of weight * attention loss + clone loss. Unlike the
authors' public code, both views go through the student in one pass and the teacher runs once,
without gradient. The loss of a batch is in ``mimic.update``, what a run resumes from in
``mimic.training_state``; the loop here waits for the device once per epoch.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import torch

from mimic import distributed
from mimic.agreement import Agreement
from mimic.compute import hand_over, keep_freed_memory
from mimic.config import DistillConfig, require
from mimic.encoder import Encoder
from mimic.finiteness import Finiteness, non_finite
from mimic.preprocessing import Normalization
from mimic.training import batches, batches_per_epoch, learning_rate_at
from mimic.training_state import Distillation
from mimic.update import Objective, gradient_in_memory
from mimic.views import Recipe, ViewParameters, apply_views, draw_views

__all__ = ["Distillation", "EpochRecord", "distill"]


@dataclass(frozen=True)
class EpochRecord:
    """One epoch of distillation: each term as it entered the total, averaged over the updates.

    ``agreement`` is the linear CKA of student and teacher on the clean images, in the epochs where
    it is measured.
    """

    epoch: int
    epochs: int
    loss: float
    contrastive: float
    attention: float
    clone: float
    attention_by_layer: dict[str, float]
    learning_rate: float
    seconds: float
    agreement: float | None = None


def distill(
    teacher: Encoder,
    images: torch.Tensor,
    state: Distillation,
    config: DistillConfig,
    *,
    weights: Mapping[str, float],
    normalization: Normalization,
    recipe: Recipe,
    precision: torch.dtype = torch.float32,
    on_step: Callable[[float], None] = lambda _share: None,
) -> Iterator[EpochRecord]:
    """Train the student, one record per epoch; ``state`` is up to date whenever a record comes.

    Every ``config.evaluate_every`` epochs the agreement with the teacher is measured; with
    ``config.patience`` the training ends once it has stopped to rise. When memory runs out, batches
    are split (``state.parts``), see ``mimic.update``.

    Args:
        teacher: the suspect encoder, in eval mode; not changed.
        images: the clean images, (N, 3, H, W) in 0 to 1.
        state: where to begin, see ``Distillation``.
        config: losses, schedule and lengths.
        weights: weight of each layer's attention loss; layers left out or at 0 are switched off.
        normalization: applied to the views.
        recipe: the views.
        precision: number format of the matrix products; losses are always float32.
        on_step: called after every update with the share done.

    Raises:
        ConfigError: if the teacher lacks a layer that is given a weight, or several processes
            cannot share a batch.
        TrainingError: if a feature, the loss or a gradient is no longer finite, or memory runs out
            for good; the state is then not to be kept.
    """
    active = {k: w * config.attention_weight for k, w in weights.items()}
    active = {k: w for k, w in active.items() if w > 0}
    require(
        bool(active) or config.contrastive_weight > 0 or config.clone_weight > 0,
        "Every layer weight is 0 and the other losses are off.",
        "Give at least one loss or layer a positive weight.",
    )
    for layer in active:
        teacher.layer(layer)  # An unknown layer fails here, before any work.
    layout = torch.contiguous_format if config.reference else torch.channels_last
    teacher = teacher.eval().to(memory_format=layout)
    student, optimizer = state.student.train(), state.optimizer
    state.head.train()
    objective = Objective(student, state.head, teacher, active, config, precision)
    keep_freed_memory()
    wrapped = distributed.averaged_gradients(objective, unused=config.contrastive_weight == 0)
    clean = normalization(images).contiguous(memory_format=layout)
    agreement = Agreement(teacher, clean, precision)
    finiteness = Finiteness(state.parameters, "distillation")
    per_epoch = batches_per_epoch(len(images), config.batch_size)
    total = per_epoch * config.epochs
    rows = distributed.own_rows(min(config.batch_size, len(images)))
    while not state.is_finished(config.epochs):
        started, epoch = time.perf_counter(), state.epoch + 1
        summed = torch.zeros(4 + len(active), device=images.device)
        for number, index in enumerate(batches(len(images), config.batch_size, state.random)):
            step = state.epoch * per_epoch + number
            optimizer.param_groups[0]["lr"] = learning_rate_at(
                step,
                total,
                peak=config.learning_rate,
                schedule=config.schedule,
                warm_up=config.warm_up,
            )
            views = two_views(images, index, rows, recipe, state.random)
            inputs = normalization(views).contiguous(memory_format=layout)
            terms, state.parts = gradient_in_memory(objective, wrapped, inputs, state.parts)
            finiteness.look(epoch, step + 1, features=objective.seen, loss=terms)
            optimizer.step()
            summed += terms
            on_step((step + 1) / total)
        finiteness.settle()
        means = (distributed.mean(summed) / per_epoch).tolist()
        if not all(map(math.isfinite, means)):
            raise non_finite(epoch, "distillation")
        state.epoch = epoch
        measured = None
        if epoch % config.evaluate_every == 0 or epoch == config.epochs:
            own = agreement(student) if distributed.rank() == 0 else None
            measured = distributed.from_first(own)
            state.follow(measured, config)
        yield EpochRecord(
            epoch=epoch,
            epochs=config.epochs,
            loss=means[0],
            contrastive=means[1],
            attention=means[2],
            clone=means[3],
            attention_by_layer=dict(zip(active, means[4:], strict=True)),
            learning_rate=optimizer.param_groups[0]["lr"],
            seconds=time.perf_counter() - started,
            agreement=measured,
        )


def two_views(
    images: torch.Tensor,
    index: torch.Tensor,
    rows: slice,
    recipe: Recipe,
    random: torch.Generator,
) -> torch.Tensor:
    """Two views of a batch's images, or of this process's rows of it.

    Args:
        images: all clean images, (N, 3, H, W) in 0 to 1.
        index: the batch, (B,), on the CPU.
        rows: the rows to compute; parameters are drawn for the whole batch in every process.
        recipe: how strongly views differ.
        random: the stream of the parameters.

    Returns:
        (2b, 3, H, W), b being the number of rows; all first views come first.
    """
    height, width = images.shape[-2:]
    drawn = [draw_views(len(index), (height, width), recipe, random) for _ in range(2)]
    batch = images[hand_over(index[rows].repeat(2), images.device)]
    return apply_views(batch, ViewParameters.join([view.rows(rows) for view in drawn]))
