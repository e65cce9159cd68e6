"""Settings of a measurement of mutual information."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from mimic.config.settings import DEFAULT_LAYERS, check_training, option, require
from mimic.config.subject import CleanSubsetConfig

INFORMATION_PRESETS: dict[str, dict[str, Any]] = {
    "noisy": {
        "estimator": "infonce", "critics": 4, "critic_epochs": 15, "pool": 4, "noise": 0.5,
        "critic_weight_decay": 0.1,
    },
    "authors": {
        "estimator": "mine-joint", "critics": 1, "critic_epochs": 200, "pool": 0, "noise": 0.0,
        "critic_weight_decay": 1e-5,
    },
}  # fmt: skip
"""Values of ``InformationConfig`` that a preset decides unless they are given."""


PROBE_IMAGES = 1_000
"""Labelled images that a layer's probe is fitted on and scored on, at most."""


@dataclass(frozen=True, kw_only=True)
class InformationConfig(CleanSubsetConfig):
    """Mutual information between each layer and the output features."""

    layers: tuple[str, ...] = option(
        ("stem", *DEFAULT_LAYERS), "layers, by name (stem, layer1.. or layer2.0)"
    )
    networks: tuple[str, ...] = option(
        ("teacher", "random"), "networks to measure: teacher, random (untrained), clean_twin"
    )
    inputs: tuple[str, ...] = option(("clean", "triggered"), "images to measure on")
    preset: str = option(
        "noisy",
        "noisy (features plus noise, held-out pairs) or authors (raw, as the public code)",
    )
    estimator: str = option(
        "", "mine, mine-joint, infonce, nwj, smile, club or ksg; empty: the preset's"
    )
    critics: int = option(-1, "critics per layer, whose spread is the band", unset="the preset's")
    pairs: int = option(2_000, "activation-feature pairs; a small set is extended by random views")
    critic_epochs: int = option(
        -1, "passes over the fitting pairs per critic", unset="the preset's"
    )
    critic_batch: int = option(128, "pairs per critic update")
    critic_learning_rate: float = option(1e-3, "learning rate of the critic's Adam")
    critic_weight_decay: float = option(
        -1.0, "weight decay of the critic's Adam; more for few images", unset="the preset's"
    )
    pool: int = option(
        -1,
        "cells per side to which a layer's map is averaged before the critics see it, such as 4 "
        "for 4 x 4 cells; 0 keeps every pixel",
        unset="the preset's",
    )
    projection: int = option(
        0,
        "project longer activations to this many numbers at random (seeded)",
        unset="none is projected",
    )
    noise: float = option(
        -1.0,
        "Gaussian noise on the features, as a share of their spread on clean images",
        unset="the preset's",
    )
    held_out: float = option(0.25, "share of the images the critic never sees and is scored on")

    def __post_init__(self) -> None:
        super().__post_init__()
        self.apply_preset()
        for name, known in (
            ("networks", {"teacher", "random", "clean_twin"}),
            ("inputs", {"clean", "triggered"}),
        ):
            chosen = set(getattr(self, name))
            require(
                bool(chosen) and chosen <= known,
                f"{name} '{', '.join(sorted(chosen - known)) or 'none'}' is not known.",
                f"Choose among {', '.join(sorted(known))}.",
            )
        require(
            0 < self.held_out < 1,
            f"The held-out share {self.held_out:g} is not between 0 and 1.",
            "Choose a share such as 0.25.",
        )
        require(self.noise >= 0, "The noise share is negative.", "Choose 0 or more.")
        require(self.pool >= 0, "The number of pooled cells is negative.", "Choose 0 or more.")
        require(
            self.pairs >= 50,
            f"{self.pairs} pairs are too few to fit a critic and score it.",
            "Choose at least 50.",
        )
        require(self.critic_weight_decay >= 0, "The weight decay is negative.", "Choose 0 or more.")
        require(self.projection >= 0, "The projection is negative.", "Choose 0 or more.")
        require(
            self.critics >= 1, f"{self.critics} critics can measure nothing.", "Choose at least 1."
        )
        check_training(self.critic_epochs, self.critic_batch, self.critic_learning_rate)

    def apply_preset(self) -> None:
        """Replace every value left to the preset, so that a stored config says what was done."""
        require(
            self.preset in INFORMATION_PRESETS,
            f"The preset '{self.preset}' is not known.",
            f"Choose among {', '.join(INFORMATION_PRESETS)}.",
        )
        unset = {f.name: f.default for f in dataclasses.fields(self)}
        for name, value in INFORMATION_PRESETS[self.preset].items():
            if getattr(self, name) == unset[name]:
                object.__setattr__(self, name, value)
