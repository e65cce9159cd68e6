"""Settings of the trainings: an encoder, an attack on it, its cleaning, and many cleanings."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from mimic.config.settings import DEFAULT_LAYERS, Config, check_training, option, require, same_as
from mimic.config.subject import TRIGGER_FORMS, CleanSubsetConfig


@dataclass(frozen=True, kw_only=True)
class PretrainConfig(Config):
    """SimCLR pre-training of an encoder."""

    data: str = option("digits", "unlabelled training images, as in --data of the other verbs")
    architecture: str = option(
        "resnet10",
        "resnet10, resnet18, resnet34, resnet50, resnet101, resnet152, clip_resnet50, "
        "clip_resnet101 or vit",
    )
    width: int = option(
        16, "channels of the first stage, 64 in the standard network; of a vit, of all its tokens"
    )
    stem: str = option("cifar", "of a resnet: cifar (3x3, no max-pool) or imagenet (7x7, max-pool)")
    patch: int = option(4, "of a vit: side of its patches in pixels")
    depth: int = option(6, "of a vit: its blocks, 4 to 64")
    heads: int = option(2, "of a vit: attention heads; their number divides the width")
    input_size: int = option(
        0,
        "side the images are resized to; 0 keeps them. A vit's is a multiple of its patch, a "
        "clip_resnet's of 32",
    )
    epochs: int = option(100, "passes over the images")
    batch_size: int = option(256, "images per update")
    learning_rate: float = option(3e-3, "peak learning rate of Adam")
    temperature: float = option(0.5, "temperature of NT-Xent")
    views: str = option("auto", "augmentation recipe: auto, natural (SimCLR) or digits (no flips)")
    images: int = option(0, "use only this many images, drawn by the seed; 0 uses all")
    normalization: str = option("auto", "auto (measured on the images), none, a preset, MEAN/STD")

    def __post_init__(self) -> None:
        super().__post_init__()
        check_training(self.epochs, self.batch_size, self.learning_rate)
        require(
            0 <= self.input_size <= 1024,
            f"Images cannot be resized to a side of {self.input_size} pixels.",
            "Choose 4 to 1,024, or 0 to keep their size.",
        )
        require(self.temperature > 0, "The temperature is not positive.", "Choose for example 0.5.")


@dataclass(frozen=True, kw_only=True)
class AttackConfig(Config):
    """BadEncoder: implant a backdoor into a clean encoder (Jia et al., S&P 2022)."""

    encoder: str = option("", "file of the clean encoder")
    data: str = option("digits", "shadow images: unlabelled images the attacker has")
    trigger: str = option("square:10:10:5", f"what is stamped on images: {TRIGGER_FORMS}")
    reference: str = option("", "reference .npz (x, y); default: drawn from --reference-data")
    reference_data: str = option(
        "", "labelled set the reference image is drawn from; default: data"
    )
    target_class: int = option(1, "class of the reference image")
    epochs: int = option(60, "passes over the shadow images")
    batch_size: int = option(256, "images per update")
    learning_rate: float = option(2e-2, "learning rate of SGD with momentum 0.9")
    lambda_reference: float = option(1.0, "weight of the loss that keeps the reference's features")
    lambda_utility: float = option(1.0, "weight of the loss that keeps clean features")
    images: int = option(0, "use only this many shadow images, drawn by the seed; 0 uses all")
    normalization: str = option("auto", "auto (as stored in the file), none, a preset, MEAN/STD")

    def __post_init__(self) -> None:
        super().__post_init__()
        check_training(self.epochs, self.batch_size, self.learning_rate)


@dataclass(frozen=True, kw_only=True)
class DistillConfig(CleanSubsetConfig):
    """MIMIC: distil the teacher's benign knowledge into a random student."""

    information: str = option(
        "measure",
        "where layer weights come from: measure, uniform, or the id of an information run",
    )
    preset: str = option("gentle", "attention scale: gentle (ours) or authors (1,000 + 10,000)")
    base: float = option(
        -1.0, "weight each layer gets regardless of information", unset="the preset's"
    )
    budget: float = option(-1.0, "weight shared among layers by information", unset="the preset's")
    weights: tuple[str, ...] = option((), "weights by hand, as layer=weight; replaces the formula")
    contrastive_weight: float = option(1.0, "weight of NT-Xent; 0 switches it off")
    attention_weight: float = option(1.0, "factor on all attention losses; 0 switches them off")
    clone_weight: float = option(1.0, "weight of the clone loss; 0 switches it off")
    temperature: float = option(0.5, "temperature of NT-Xent")
    epochs: int = option(
        60,
        "passes over the clean images; a built-in subject has its own, and the app goes by the "
        "number of clean images: 100 to 3,720 updates",
    )
    batch_size: int = option(64, "images per update")
    learning_rate: float = option(6e-3, "peak learning rate of Adam")
    schedule: str = option("cosine", "cosine or warmup (both rise first), or constant")
    warm_up: float = option(
        0.1, "share of the updates in which the learning rate rises to its peak"
    )
    evaluate_every: int = option(
        5, "epochs between two measurements of accuracy, ASR and agreement with the teacher"
    )
    patience: int = option(
        0,
        "end once the agreement with the teacher on the clean images has not risen for this many "
        "measurements in a row",
        unset="never",
    )
    margin: float = option(
        0.001, "smallest rise of the agreement (linear CKA) that patience counts"
    )
    reference: bool = option(
        False,
        "compute plainly, as the standard that the fast path is tested against: float32, "
        "contiguous memory, unfused Adam",
    )

    @property
    def asked_precision(self) -> str:
        """The reference path computes in float32, whatever the hardware multiplies."""
        return "float32" if self.reference else self.precision

    def __post_init__(self) -> None:
        super().__post_init__()
        check_training(self.epochs, self.batch_size, self.learning_rate)
        require(
            self.schedule in {"cosine", "warmup", "constant"},
            f"The schedule '{self.schedule}' is not known.",
            "Choose cosine, warmup or constant.",
        )
        require(
            0 <= self.warm_up <= 1,
            f"The warm-up share {self.warm_up:g} is not between 0 and 1.",
            "Choose a share such as 0.1.",
        )
        require(
            self.patience >= 0 and self.margin >= 0,
            "The patience or its margin is negative.",
            "Choose 0 or more.",
        )
        require(
            not (self.reference and self.precision == "bfloat16"),
            "The reference path computes in float32, not in bfloat16.",
            "Leave out --reference or --precision bfloat16.",
        )
        require(
            self.evaluate_every >= 1,
            "evaluate_every is below 1.",
            "Choose how many epochs lie between two measurements.",
        )
        parts = (self.contrastive_weight, self.attention_weight, self.clone_weight)
        require(
            min(parts) >= 0 and max(parts) > 0,
            "Every loss is switched off or a loss weight is negative.",
            "Give at least one loss a positive weight.",
        )
        require(self.temperature > 0, "The temperature is not positive.", "Choose for example 0.5.")


@dataclass(frozen=True, kw_only=True)
class SweepConfig(CleanSubsetConfig):
    """Which layers carry the backdoor over, and at which scale: one short distillation per cell."""

    layers: tuple[str, ...] = option(
        DEFAULT_LAYERS, "the layers that the word all in --layer-sets stands for"
    )
    layer_sets: tuple[str, ...] = option(
        (*DEFAULT_LAYERS, "all", "none"),
        "sets of layers to teach from, such as layer1 layer1+layer2 all none",
    )
    scales: tuple[str, ...] = option(
        ("10", "350", "3500"),
        "average attention weight per taught layer: numbers, or gentle (10) or authors (3500)",
    )
    seeds: tuple[str, ...] = option(
        ("2",), "one number: how many seeds, from --seed on; several numbers: the seeds"
    )
    losses: tuple[str, ...] = option(
        ("all",),
        "losses that take part: all, no-contrastive, no-clone, attention-only, clone-only, "
        "contrastive-only",
    )
    information: str = option(
        "uniform",
        "how a set's layers share their weight: uniform, or the id of an information run",
    )
    workers: int = option(1, "distillations at the same time on the device, each in a process")
    temperature: float = same_as(DistillConfig, "temperature")
    epochs: int = same_as(DistillConfig, "epochs")
    batch_size: int = same_as(DistillConfig, "batch_size")
    learning_rate: float = same_as(DistillConfig, "learning_rate")
    schedule: str = same_as(DistillConfig, "schedule")

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("layer_sets", "scales", "seeds", "losses"):
            require(
                len(getattr(self, name)) > 0,
                f"The sweep has no {name.replace('_', ' ')}.",
                f"Give at least one with --{name.replace('_', '-')}.",
            )
        require(
            1 <= self.workers <= 64,
            f"{self.workers} workers cannot share the work.",
            "Choose 1 to 64.",
        )
        self.distillation()

    def distillation(self, **changes: Any) -> DistillConfig:
        """The settings of one cell: what a distillation shares with the sweep, and ``changes``.

        Raises:
            ConfigError: if a distillation cannot be trained with them.
        """
        known = {f.name for f in dataclasses.fields(self)}
        shared = {
            f.name: getattr(self, f.name)
            for f in dataclasses.fields(DistillConfig)
            if f.name in known
        }
        return DistillConfig(**shared | changes)
