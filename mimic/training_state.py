"""Everything a distillation depends on, so that a resumed training is the same training."""

from __future__ import annotations

import json
from pathlib import Path

import safetensors
import safetensors.torch
import torch

from mimic.compute import host_generator
from mimic.config import DistillConfig
from mimic.distributed import share_batch_norm
from mimic.encoder import Encoder, ProjectionHead, new_network
from mimic.errors import RunError

WEIGHT_DECAY = 1e-6
FORMAT = "2"
"""Of saved states; the first format drew its random numbers on the device, in another order."""


class Distillation:
    """The student and everything its training depends on, so that a resumed run is the same run.

    Args:
        student, head: the network being trained.
        learning_rate: Adam's initial rate.
        random: the stream of orders and views, on the CPU.
        epoch: epochs done.
        reference: use the plain, unfused Adam.

    Attributes:
        parts: micro-batches a batch is split into because memory ran out; 1 is the whole batch.
        best_agreement, stale: the best agreement with the teacher so far, and how many
            measurements since have not exceeded it, see ``follow``.
        stopped_early_at: the epoch it ended the training, or None.
    """

    def __init__(
        self,
        student: Encoder,
        head: ProjectionHead,
        *,
        learning_rate: float,
        random: torch.Generator,
        epoch: int = 0,
        reference: bool = False,
    ) -> None:
        self.student, self.head, self.random, self.epoch = student, head, random, epoch
        self.parts = 1
        self.best_agreement: float | None = None
        self.stale = 0
        self.stopped_early_at: int | None = None
        self.parameters = [*student.parameters(), *head.parameters()]
        self.fused = not reference and self.parameters[0].device.type in ("cpu", "cuda")
        self.optimizer = torch.optim.Adam(
            self.parameters,
            lr=learning_rate,
            weight_decay=WEIGHT_DECAY,
            fused=self.fused,
            foreach=False if reference else None,
        )

    @classmethod
    def begin(
        cls, teacher: Encoder, config: DistillConfig, device: torch.device, *, projection_dim: int
    ) -> Distillation:
        """A student of the teacher's architecture with random weights drawn from the seed."""
        student, head = new_network(
            teacher.architecture, device, config.seed, projection_dim=projection_dim
        )
        if config.reference:
            student = student.to(memory_format=torch.contiguous_format)
        return cls(
            share_batch_norm(student),
            share_batch_norm(head),
            learning_rate=config.learning_rate,
            random=host_generator(config.seed),
            reference=config.reference,
        )

    def follow(self, agreement: float, config: DistillConfig) -> None:
        """Take note of a measured agreement; end the training once it has stopped to rise.

        It has when ``config.patience`` measurements in a row did not exceed the best one before
        them by ``config.margin``. The rule knows neither labels nor triggers.
        """
        if self.best_agreement is None or agreement > self.best_agreement + config.margin:
            self.best_agreement, self.stale = agreement, 0
        else:
            self.stale += 1
        if 0 < config.patience <= self.stale and self.epoch < config.epochs:
            self.stopped_early_at = self.epoch

    def is_finished(self, epochs: int) -> bool:
        """Whether no epoch of the training is left."""
        return self.epoch >= epochs or self.stopped_early_at is not None

    @property
    def size(self) -> int:
        """Bytes of a saved state, or a little more: values with Adam's two moments of each."""
        tensors = [*self.student.state_dict().values(), *self.head.state_dict().values()]
        return 3 * sum(int(tensor.nbytes) for tensor in tensors)

    def save(self, path: Path) -> None:
        """Write the whole state as safetensors; nothing in it depends on the kind of device."""
        tensors = {f"student.{k}": v for k, v in self.student.state_dict().items()}
        tensors |= {f"head.{k}": v for k, v in self.head.state_dict().items()}
        for number, parameter in enumerate(self.parameters):
            for key, value in self.optimizer.state.get(parameter, {}).items():
                tensors[f"optimizer.{number}.{key}"] = value
        tensors["random"] = self.random.get_state()
        plain = {k: v.detach().cpu().contiguous() for k, v in tensors.items()}
        progress = {
            "epoch": self.epoch,
            "parts": self.parts,
            "best_agreement": self.best_agreement,
            "stale": self.stale,
            "stopped_early_at": self.stopped_early_at,
        }
        metadata = {"format": FORMAT, "progress": json.dumps(progress)}
        path.write_bytes(safetensors.torch.save(plain, metadata=metadata))  # Full disk: an OSError.

    def restore(self, path: Path) -> None:
        """Take over a saved state.

        Raises:
            RunError: if the file is damaged, of another network, or of an older version.
        """
        try:
            with safetensors.safe_open(path, framework="pt") as opened:
                metadata = opened.metadata() or {}
                tensors = {key: opened.get_tensor(key) for key in opened.keys()}  # noqa: SIM118
            if metadata.get("format") == FORMAT:
                self._take_over(tensors, json.loads(metadata["progress"]))
        except Exception as error:  # Damage shows as several kinds of exception.
            raise RunError(
                "The checkpoint is damaged or belongs to another network.", "Start a new run."
            ) from error
        if metadata.get("format") != FORMAT:
            raise RunError(
                "The checkpoint was written by another version, whose random numbers differ.",
                "Resume it with that version, or start a new run.",
            )

    def _take_over(
        self, tensors: dict[str, torch.Tensor], progress: dict[str, int | float | None]
    ) -> None:
        self.random.set_state(tensors["random"])
        for name, module in (("student.", self.student), ("head.", self.head)):
            own = {k.removeprefix(name): v for k, v in tensors.items() if k.startswith(name)}
            module.load_state_dict(own)
        for key, value in tensors.items():
            if key.startswith("optimizer."):
                _, number, name = key.split(".")
                self._restore_moment(self.parameters[int(number)], name, value)
        for name in ("epoch", "parts", "best_agreement", "stale", "stopped_early_at"):
            setattr(self, name, progress[name])

    def _restore_moment(self, parameter: torch.Tensor, name: str, value: torch.Tensor) -> None:
        """Put back one of Adam's tensors in its parameter's own memory layout.

        Fused Adam pairs weights and moments by their order in memory, so a contiguous moment beside
        a channels-last weight would silently train something else.
        """
        if name == "step":
            place = parameter.device if self.fused else "cpu"
            self.optimizer.state[parameter][name] = value.to(place)
        else:
            self.optimizer.state[parameter][name] = (
                torch.empty_like(parameter).copy_(value).detach()
            )
