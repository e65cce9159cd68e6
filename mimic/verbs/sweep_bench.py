"""The bench of a sweep: what all its cells share, loaded once per process."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import torch

from mimic.config import SweepConfig
from mimic.datasets import clean_subset
from mimic.errors import ConfigError, TrainingError
from mimic.evaluation import Judge
from mimic.mitigation import EpochRecord, distill
from mimic.sweep import LOSSES, Cell, seeds
from mimic.training import batches_per_epoch
from mimic.verbs.distill import begin
from mimic.verbs.work import Subject, Work

MEASURES = (
    "accuracy", "accuracy_interval", "asr", "asr_interval", "asr_all", "asr_all_interval",
)  # fmt: skip


class Bench:
    """The subject, its clean images and the judge.

    Args:
        work: the sweep, or a worker's part of it.

    Raises:
        ConfigError: if the images have no labels, so that no cell could be scored.
    """

    def __init__(self, work: Work[SweepConfig]) -> None:
        self.work, self.config = work, work.config
        self.subject = Subject(work)
        self.judge = self._judge()
        self._images: dict[int, torch.Tensor] = {}

    def _judge(self) -> Judge:
        judge = self.subject.judge()
        if judge is None:
            raise ConfigError(
                f"The images of {self.subject.downstream_name} have no labels, so no cell can be "
                "scored.",
                "Give labelled images with --downstream.",
            )
        return judge

    def check(self, planned: list[Cell]) -> None:
        """Find layers the suspect does not have, before any work is done.

        Raises:
            ConfigError: if there is one.
        """
        for layer in dict.fromkeys(layer for cell in planned for layer in cell.layers):
            self.subject.teacher.encoder.layer(layer)

    def check_nats(self, nats: Mapping[str, float] | None, planned: list[Cell]) -> None:
        """Find layers that share a weight but were not measured.

        Raises:
            ConfigError: if there is one.
        """
        named = dict.fromkeys(layer for cell in planned for layer in cell.layers)
        missing = [layer for layer in named if nats is not None and layer not in nats]
        if missing:
            raise ConfigError(
                f"Run {self.config.information} has not measured {', '.join(missing)}.",
                "Measure these layers first, or choose --information uniform.",
            )

    def references(self) -> dict[str, Any]:
        """Scores of the suspect, of the clean twin, which is the floor, and of no training.

        The untrained network is the first seed's student before its training: what it reaches, no
        training has brought, and a student little better than it cannot be judged.
        """
        teacher, twin = self.subject.teacher, self.subject.twin
        first = self.config.distillation(seed=seeds(self.config)[0])
        begun = begin(self.subject, first, self.work.device)
        return {
            "teacher": self.judge.score(
                self.judge.predict(teacher.encoder, teacher.preprocessing),
                choices=self.subject.choices,
            ),
            "floor": None if twin is None else self.judge(twin.encoder, twin.preprocessing),
            "untrained": self.judge(begun.student, teacher.preprocessing),
        }

    def images(self, seed: int) -> torch.Tensor:
        """The clean images of a seed, (N, 3, H, W) in 0 to 1, as ``distill`` draws them."""
        if seed not in self._images:
            subset = clean_subset(self.subject.data, fraction=self.config.clean_fraction, seed=seed)
            preprocessing = self.subject.teacher.preprocessing
            self._images = {seed: preprocessing.unit(subset.images, self.work.device)}
        return self._images[seed]

    def outcome(
        self, cell: Cell, nats: Mapping[str, float] | None, *, on_step: Callable[[float], None]
    ) -> dict[str, Any]:
        """Distil a cell's student in memory and score it.

        Args:
            cell: what to distil.
            nats: information per layer that shares the weight, see ``Cell.weights``.
            on_step: called with the share done; what it raises ends the cell.

        Returns:
            The cell's line of metrics; with ``failure`` and without scores where it diverged.
        """
        started = time.perf_counter()
        weights = cell.weights(nats)
        config = self.config.distillation(
            seed=cell.seed,
            layers=cell.layers or self.config.layers,
            weights=tuple(f"{layer}={weight!r}" for layer, weight in weights.items()),
            **LOSSES[cell.losses],
        )
        teacher, images = self.subject.teacher, self.images(cell.seed)
        state = begin(self.subject, config, self.work.device)
        last: EpochRecord | None = None
        failure = ""
        try:
            for record in distill(
                teacher.encoder,
                images,
                state,
                config,
                weights=weights,
                normalization=teacher.normalization,
                recipe=self.subject.recipe(),
                precision=self.work.precision,
                on_step=on_step,
            ):
                last = record
        except TrainingError as error:  # One setting that diverges must not end the others.
            failure = error.cause
        scores = {} if failure else self.judge(state.student, teacher.preprocessing)
        return {
            **cell.to_json(),
            "weights": weights,
            **{key: scores.get(key) for key in MEASURES},
            "loss": None if last is None else last.loss,
            "agreement": getattr(last, "agreement", None),
            "failure": failure,
            "clean_images": len(images),
            "updates": state.epoch * batches_per_epoch(len(images), config.batch_size),
            "seconds": time.perf_counter() - started,
        }
