"""MIMIC's distillation: a random student learns what the teacher does on a few clean images.

Han et al., "Mutual Information Guided Backdoor Mitigation for Pre-trained Encoders", IEEE TIFS 2025
(arXiv 2406.03508): NT-Xent + sum over layers of weight * attention loss + clone loss. Unlike the
authors' public code, both views go through the student in one pass and the teacher runs once,
without gradient.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import safetensors
import safetensors.torch
import torch

from mimic.activations import record_activations
from mimic.compute import autocast, generator
from mimic.config import DistillConfig, require
from mimic.encoder import Encoder, ProjectionHead, new_network
from mimic.errors import RunError
from mimic.losses import attention_loss, clone_loss, nt_xent_loss
from mimic.preprocessing import Normalization
from mimic.training import batches, batches_per_epoch, learning_rate_at, non_finite
from mimic.views import Recipe, random_views

WEIGHT_DECAY = 1e-6


@dataclass(frozen=True)
class EpochRecord:
    """One epoch of distillation: each term as it entered the total, averaged over the updates."""

    epoch: int
    epochs: int
    loss: float
    contrastive: float
    attention: float
    clone: float
    attention_by_layer: dict[str, float]
    learning_rate: float
    seconds: float


class Distillation:
    """The student and everything its training depends on, so that a resumed run is the same run.

    Args:
        student, head: the network being trained.
        learning_rate: Adam's initial rate.
        random: the stream of orders and views.
        epoch: epochs done.
    """

    def __init__(
        self,
        student: Encoder,
        head: ProjectionHead,
        *,
        learning_rate: float,
        random: torch.Generator,
        epoch: int = 0,
    ) -> None:
        self.student, self.head, self.random, self.epoch = student, head, random, epoch
        self.parameters = [*student.parameters(), *head.parameters()]
        fused = self.parameters[0].device.type in ("cpu", "cuda")
        self.optimizer = torch.optim.Adam(
            self.parameters, lr=learning_rate, weight_decay=WEIGHT_DECAY, fused=fused
        )

    @classmethod
    def begin(
        cls, teacher: Encoder, config: DistillConfig, device: torch.device, *, projection_dim: int
    ) -> Distillation:
        """A student of the teacher's architecture with random weights drawn from the seed."""
        student, head = new_network(
            teacher.architecture, device, config.seed, projection_dim=projection_dim
        )
        random = generator(device, config.seed)
        return cls(student, head, learning_rate=config.learning_rate, random=random)

    def save(self, path: Path) -> None:
        """Write the whole state as safetensors."""
        tensors = {f"student.{k}": v for k, v in self.student.state_dict().items()}
        tensors |= {f"head.{k}": v for k, v in self.head.state_dict().items()}
        for number, parameter in enumerate(self.parameters):
            for key, value in self.optimizer.state.get(parameter, {}).items():
                tensors[f"optimizer.{number}.{key}"] = value
        tensors["random"] = self.random.get_state()
        plain = {k: v.detach().cpu().contiguous() for k, v in tensors.items()}
        metadata = {"epoch": str(self.epoch), "random": self.random.device.type}
        path.write_bytes(safetensors.torch.save(plain, metadata=metadata))  # Full disk: an OSError.

    def restore(self, path: Path) -> None:
        """Take over a saved state.

        Raises:
            RunError: if the file is damaged or of another network.
        """
        try:
            with safetensors.safe_open(path, framework="pt") as opened:
                epoch = int((opened.metadata() or {})["epoch"])
                tensors = {key: opened.get_tensor(key) for key in opened.keys()}  # noqa: SIM118
                kind = (opened.metadata() or {}).get("random", self.random.device.type)
            if kind == self.random.device.type:
                self.random.set_state(tensors["random"])
            for name, module in (("student.", self.student), ("head.", self.head)):
                own = {k.removeprefix(name): v for k, v in tensors.items() if k.startswith(name)}
                module.load_state_dict(own)
            for key, value in tensors.items():
                if key.startswith("optimizer."):
                    _, number, name = key.split(".")
                    self._restore_moment(self.parameters[int(number)], name, value)
        except Exception as error:  # Damage shows as several kinds of exception.
            raise RunError(
                "The checkpoint is damaged or belongs to another network.", "Start a new run."
            ) from error
        if kind != self.random.device.type:
            raise RunError(
                f"The run was begun on {kind}; its random numbers do not continue elsewhere.",
                f"Resume it where {kind} is present, or start a new run.",
            )
        self.epoch = epoch

    def _restore_moment(self, parameter: torch.Tensor, name: str, value: torch.Tensor) -> None:
        """Put back one of Adam's tensors in its parameter's own memory layout.

        Fused Adam pairs weights and moments by their order in memory, so a contiguous moment beside
        a channels-last weight would silently train something else.
        """
        if name == "step":
            place = parameter.device if parameter.device.type == "cuda" else "cpu"
            self.optimizer.state[parameter][name] = value.to(place)
        else:
            self.optimizer.state[parameter][name] = (
                torch.empty_like(parameter).copy_(value).detach()
            )


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
        ConfigError: if the teacher lacks a layer that is given a weight.
        TrainingError: if the loss is no longer finite; the state is then not to be kept.
    """
    device = images.device
    active = {k: w * config.attention_weight for k, w in weights.items()}
    active = {k: w for k, w in active.items() if w > 0}
    require(
        bool(active) or config.contrastive_weight > 0 or config.clone_weight > 0,
        "Every layer weight is 0 and the other losses are off.",
        "Give at least one loss or layer a positive weight.",
    )
    student, head, optimizer = state.student.train(), state.head.train(), state.optimizer
    teacher = teacher.eval().to(memory_format=torch.channels_last)
    per_epoch = batches_per_epoch(len(images), config.batch_size)
    total = per_epoch * config.epochs
    zero = torch.zeros((), device=device)
    while state.epoch < config.epochs:
        started, epoch = time.perf_counter(), state.epoch + 1
        summed = torch.zeros(4 + len(active), device=device)
        for number, index in enumerate(batches(len(images), config.batch_size, state.random)):
            step = state.epoch * per_epoch + number
            optimizer.param_groups[0]["lr"] = learning_rate_at(
                step, total, peak=config.learning_rate, schedule=config.schedule
            )
            batch = images[index.to(device)]
            views = torch.cat([random_views(batch, recipe, state.random) for _ in range(2)])
            inputs = normalization(views).contiguous(memory_format=torch.channels_last)
            shown = inputs[: len(batch)]  # the teacher sees the first view
            with (
                autocast(device, precision),
                record_activations(student, active) as student_maps,
                record_activations(teacher, active) as teacher_maps,
            ):
                features = student(inputs)
                projections = head(features)
                with torch.no_grad():
                    teacher_features = teacher(shown)
            by_layer = [
                attention_loss(student_maps[layer][: len(batch)], teacher_maps[layer])
                for layer in active
            ]
            attention = sum(
                (w * loss for w, loss in zip(active.values(), by_layer, strict=True)), zero
            )
            contrastive, clone = zero, zero
            if config.contrastive_weight > 0:
                contrastive = config.contrastive_weight * nt_xent_loss(
                    *projections.chunk(2), temperature=config.temperature
                )
            if config.clone_weight > 0:
                student_features = features[: len(batch)]
                clone = config.clone_weight * clone_loss(student_features, teacher_features)
            loss = contrastive + attention + clone
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            summed += torch.stack([loss, contrastive, attention, clone, *by_layer]).detach()
            on_step((step + 1) / total)
        means = (summed / per_epoch).tolist()
        if not all(map(math.isfinite, means)):
            raise non_finite(epoch, "distillation")
        state.epoch = epoch
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
        )
