"""The judge: fixed data, trigger and probe, applied to any encoder that comes along."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import torch
from torch.nn import functional

from mimic.answers import packed
from mimic.datasets import ImageSet
from mimic.encoder import Encoder
from mimic.errors import ConfigError
from mimic.evaluation.features import extract_features
from mimic.evaluation.metrics import Scores, score, stamped_accuracy
from mimic.evaluation.probe import KNNProbe, LinearProbe, MLPProbe, Probe
from mimic.preprocessing import Preprocessing
from mimic.trigger import Trigger


@dataclass(frozen=True)
class Prediction:
    """What an encoder with a probe takes the test images for.

    Args:
        clean: classes, int64 (N,).
        clean_confidence: probability of that class, (N,).
        stamped: classes with the trigger on, or the clean ones where there is no trigger.
        stamped_confidence: probability of that class, (N,).
    """

    clean: np.ndarray
    clean_confidence: np.ndarray
    stamped: np.ndarray
    stamped_confidence: np.ndarray


@dataclass(frozen=True)
class Judge:
    """Scores encoders on one downstream task.

    Args:
        train: labelled images the probe is fitted on.
        test: labelled images it is scored on.
        trigger: the suspected trigger, or None.
        target: the class it leads to, or None.
        device: where to compute.
        precision: number format of the encoder's matrix products.
        seed: for the MLP probe.

    Raises:
        DataError: if labels are missing or of one class only.
    """

    train: ImageSet
    test: ImageSet
    trigger: Trigger | None
    target: int | None
    device: torch.device
    precision: torch.dtype = torch.float32
    seed: int = 0
    stamped: np.ndarray | None = field(init=False)

    def __post_init__(self) -> None:
        self.train.need_classes()
        self.test.need_classes()
        if self.target is not None and self.target >= self.classes:
            raise ConfigError(
                f"The target class {self.target} does not exist in {self.train.name}, "
                f"which has {self.classes} classes.",
                f"Choose 0 to {self.classes - 1}, or -1 to find it from the data.",
            )
        stamped = None if self.trigger is None else self.trigger.apply(self.test.images)
        object.__setattr__(self, "stamped", stamped)

    @property
    def classes(self) -> int:
        """Number of classes."""
        return max(self.train.classes, self.test.classes)

    def features(
        self, encoder: Encoder, images: np.ndarray, preprocessing: Preprocessing
    ) -> torch.Tensor:
        """Unit features (N, D)."""
        features = extract_features(
            encoder, images, preprocessing, device=self.device, precision=self.precision
        )
        return functional.normalize(features, dim=1)

    def fit(self, encoder: Encoder, preprocessing: Preprocessing, *, probe: str) -> Probe:
        """Fit a probe (linear, knn or mlp) on the training images.

        Raises:
            ConfigError: if there is no such probe.
        """
        makers: dict[str, Callable[..., Probe]] = {
            "linear": LinearProbe,
            "knn": KNNProbe,
            "mlp": partial(MLPProbe, seed=self.seed),
        }
        if probe not in makers:
            raise ConfigError(f"There is no probe '{probe}'.", f"Choose {', '.join(makers)}.")
        labels = torch.from_numpy(self.train.need_classes()).to(self.device)
        features = self.features(encoder, self.train.images, preprocessing)
        return makers[probe](features, labels, classes=self.classes)

    def predict(
        self, encoder: Encoder, preprocessing: Preprocessing, *, probe: str = "linear"
    ) -> Prediction:
        """Fit a probe and apply it to the clean and the triggered test images."""
        fitted = self.fit(encoder, preprocessing, probe=probe)

        def look(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            logits = fitted.logits(self.features(encoder, images, preprocessing))
            confidence, label = logits.softmax(1).max(1)
            return label.cpu().numpy(), confidence.cpu().numpy()

        clean = look(self.test.images)
        return Prediction(*clean, *(clean if self.stamped is None else look(self.stamped)))

    def score(self, prediction: Prediction, *, choices: int = 1) -> Scores:
        """The scores of a prediction.

        Args:
            prediction: what an encoder took the test images for.
            choices: out of how many classes the target was picked for this very prediction.
        """
        stamped = None if self.stamped is None else prediction.stamped
        labels, target = self.test.need_classes(), self.target
        return {
            **score(prediction.clean, stamped, labels, target=target, choices=choices),
            **stamped_accuracy(stamped, labels, target=target),
        }

    def answers(self, predictions: Mapping[str, Prediction | None]) -> dict[str, np.ndarray]:
        """Predictions by encoder as a run keeps them, see ``mimic.answers``; None is left out."""
        given = {
            name: (found.clean, None if self.stamped is None else found.stamped)
            for name, found in predictions.items()
            if found is not None
        }
        return packed(self.test.images, self.test.need_classes(), self.target, given)

    def __call__(
        self, encoder: Encoder, preprocessing: Preprocessing, *, probe: str = "linear"
    ) -> Scores:
        """Predict and score."""
        return self.score(self.predict(encoder, preprocessing, probe=probe))


def find_target(prediction: Prediction) -> int:
    """The class most triggered images go to, counted where the trigger changed the answer."""
    moved = prediction.stamped[prediction.stamped != prediction.clean]
    return int(np.bincount(moved if len(moved) else prediction.stamped).argmax())
