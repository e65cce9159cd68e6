"""One update's loss and gradient, of a whole batch or of micro-batches that fit the memory."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from mimic.activations import record_activations
from mimic.compute import autocast, is_out_of_memory
from mimic.config import DistillConfig
from mimic.distributed import count, gather
from mimic.encoder import Encoder, ProjectionHead
from mimic.errors import TrainingError
from mimic.finiteness import total
from mimic.losses import attention_loss, clone_loss, nt_xent_loss

SMALLEST_PART = 2
"""Images of the smallest micro-batch; batch-norm needs more than one row."""


@dataclass(frozen=True)
class Forward:
    """What the student made of both views, and how it compares with the teacher.

    Args:
        projections: (2B, P), the first views' rows first; None if NT-Xent is off.
        by_layer: the attention loss of each active layer, unweighted, (L,).
        clone: the weighted clone loss, a scalar.
    """

    projections: torch.Tensor | None
    by_layer: torch.Tensor
    clone: torch.Tensor


class Objective(nn.Module):
    """MIMIC's loss of a batch as a module, so that its gradients can be averaged over processes.

    Args:
        student, head: trained.
        teacher: in eval mode, no part of this module's parameters.
        active: weight of each layer's attention loss, all positive.
        config: the losses' weights and NT-Xent's temperature.
        precision: number format of the matrix products; losses are always float32.

    Attributes:
        seen: a sum over all features since it was last set to zero; not finite if one was not.
    """

    def __init__(
        self,
        student: Encoder,
        head: ProjectionHead,
        teacher: Encoder,
        active: Mapping[str, float],
        config: DistillConfig,
        precision: torch.dtype,
    ) -> None:
        super().__init__()
        self.student, self.head = student, head
        self._frozen = (teacher,)  # A tuple, or the teacher's parameters would become ours.
        self.active, self.config, self.precision = dict(active), config, precision
        device = next(student.parameters()).device
        self.weights = torch.tensor([*self.active.values()], device=device)
        self.zero = torch.zeros((), device=device)
        self.seen = self.zero

    def forward(self, inputs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The loss of both views of a batch.

        Args:
            inputs: normalised views (2B, 3, H, W), the first views first.

        Returns:
            The loss, and all terms without gradient: loss, contrastive, attention, clone, then the
            unweighted attention loss of each active layer, (4 + L,).
        """
        passed = self.compare(inputs)
        contrastive = self.zero
        if passed.projections is not None:
            contrastive = self.contrastive(*passed.projections.chunk(2))
        attention = (self.weights * passed.by_layer).sum()
        loss = contrastive + attention + passed.clone
        terms = torch.stack([loss, contrastive, attention, passed.clone]).detach()
        return loss, torch.cat([terms, passed.by_layer.detach()])

    def compare(self, inputs: torch.Tensor) -> Forward:
        """One pass of the student over both views, one of the teacher over the first."""
        own = len(inputs) // 2
        teacher, config = self._frozen[0], self.config
        with (
            autocast(inputs.device, self.precision),
            record_activations(self.student, self.active) as student_maps,
            record_activations(teacher, self.active) as teacher_maps,
        ):
            features = self.student(inputs)
            projections = self.head(features) if config.contrastive_weight > 0 else None
            with torch.no_grad():
                teacher_features = teacher(inputs[:own])
        self.seen = self.seen + total(features) + total(teacher_features)
        by_layer = [
            attention_loss(student_maps[layer][:own], teacher_maps[layer]) for layer in self.active
        ]
        clone = self.zero
        if config.clone_weight > 0:
            clone = config.clone_weight * clone_loss(features[:own], teacher_features)
        return Forward(projections, torch.stack(by_layer) if by_layer else self.weights, clone)

    def contrastive(self, view_1: torch.Tensor, view_2: torch.Tensor) -> torch.Tensor:
        """The weighted NT-Xent of projections (B, P) over the batch of all processes."""
        return self.config.contrastive_weight * nt_xent_loss(
            gather(view_1.float()), gather(view_2.float()), temperature=self.config.temperature
        )


def split_gradient(objective: Objective, inputs: torch.Tensor, parts: int) -> torch.Tensor:
    """Add the gradient of a batch that does not fit the memory, micro-batch by micro-batch.

    NT-Xent compares all images of a batch, so it cannot simply be averaged over micro-batches. A
    first pass without gradient gives all projections, NT-Xent's gradient with respect to these is
    exact, and a second pass takes it on to the parameters (gradient caching; Gao et al., "Scaling
    Deep Contrastive Learning Batch Size under Memory Limited Setup", RepL4NLP 2021). Both passes
    normalise each micro-batch by its own statistics ("ghost" batch-norm, Hoffer et al., NeurIPS
    2017): in this one respect a split batch trains differently.

    Args:
        objective: the loss; gradients are added to its parameters.
        inputs: normalised views (2B, 3, H, W), the first views first.
        parts: into how many micro-batches, at most.

    Returns:
        The terms of ``Objective.forward``, (4 + L,), without gradient.
    """
    pieces = [
        torch.cat(pair) for pair in zip(*(v.chunk(parts) for v in inputs.chunk(2)), strict=True)
    ]
    contrastive = objective.zero
    slopes: list[torch.Tensor | None] = [None] * len(pieces)
    if objective.config.contrastive_weight > 0:
        contrastive, slopes[:] = contrastive_slopes(objective, pieces)
    by_layer, clone = torch.zeros_like(objective.weights), objective.zero
    for piece, slope in zip(pieces, slopes, strict=True):
        share = len(piece) / len(inputs)
        passed = objective.compare(piece)
        local = share * ((objective.weights * passed.by_layer).sum() + passed.clone)
        if slope is not None and passed.projections is not None:
            local = local + (slope * passed.projections.float()).sum()
        if local.requires_grad:
            local.backward()  # type: ignore[no-untyped-call]
        by_layer = by_layer + share * passed.by_layer.detach()
        clone = clone + share * passed.clone.detach()
    attention = (objective.weights * by_layer).sum()
    loss = contrastive + attention + clone
    return torch.cat([torch.stack([loss, contrastive, attention, clone]), by_layer])


def contrastive_slopes(
    objective: Objective, pieces: list[torch.Tensor]
) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """NT-Xent of the whole batch, and its gradient for each piece's projections (2b, P)."""
    with (
        torch.no_grad(),
        untouched_statistics(objective),
        autocast(pieces[0].device, objective.precision),
    ):
        projections = [
            objective.head(objective.student(piece)).float().chunk(2) for piece in pieces
        ]
    views = [torch.cat(view).requires_grad_() for view in zip(*projections, strict=True)]
    contrastive = objective.contrastive(*views)
    gradients = torch.autograd.grad(contrastive, views)
    sizes = [len(piece) // 2 for piece in pieces]
    return contrastive.detach(), [
        torch.cat(pair) for pair in zip(*(torch.split(g, sizes) for g in gradients), strict=True)
    ]


@contextlib.contextmanager
def untouched_statistics(network: nn.Module) -> Iterator[None]:
    """Let batch-norm use the batch's statistics without moving its running ones."""
    layers = [
        module
        for module in network.modules()
        if isinstance(module, _BatchNorm) and module.training and module.track_running_stats
    ]
    for layer in layers:
        layer.track_running_stats = False
    try:
        yield
    finally:
        for layer in layers:
            layer.track_running_stats = True


def gradient_in_memory(
    objective: Objective, wrapped: nn.Module, inputs: torch.Tensor, parts: int
) -> tuple[torch.Tensor, int]:
    """Compute the gradient of a batch, in smaller and smaller pieces while memory runs out.

    The batch keeps its effective size. Batch-norm's running statistics may see a batch that failed
    once more.

    Args:
        objective: the loss; its parameters' gradients are replaced.
        wrapped: the same, or its wrapper that averages gradients over processes.
        inputs: normalised views (2B, 3, H, W), the first views first.
        parts: into how many micro-batches to begin with; 1 is the whole batch.

    Returns:
        The terms of ``Objective.forward``, and the number of micro-batches that fitted.

    Raises:
        TrainingError: if the smallest micro-batch does not fit either.
    """
    images = len(inputs) // 2
    while True:
        objective.zero_grad()
        objective.seen = objective.zero
        try:
            if parts > 1:
                return split_gradient(objective, inputs, parts), parts
            loss, terms = wrapped(inputs)
            loss.backward()
            return terms, parts
        except (RuntimeError, MemoryError) as error:  # torch's OutOfMemoryError is the former.
            if not is_out_of_memory(error):
                raise
            if count() > 1 or images // (2 * parts) < SMALLEST_PART:
                raise memory_ran_out(images, parts) from error
        loss = None  # With the exception gone too, nothing keeps the failed pass's activations.
        release_memory(inputs.device)
        parts *= 2


def release_memory(device: torch.device) -> None:
    """Give back what a failed pass held."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()


def memory_ran_out(images: int, parts: int) -> TrainingError:
    """The error for a batch that does not fit in the smallest pieces allowed."""
    if count() > 1:
        return TrainingError(
            f"Memory ran out on {images} images per process.",
            "Choose a smaller --batch-size or more processes.",
        )
    return TrainingError(
        f"Memory ran out even on micro-batches of {-(-images // parts)} images.",
        "Close other programs, or choose a smaller encoder or another device.",
    )
