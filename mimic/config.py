"""What each verb can be told: frozen values, checked when made, stored as JSON with every run.

A field's ``help`` text is the command line's help and the app's tooltip, written once, here.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from mimic.errors import ConfigError

ASSETS = Path(__file__).resolve().parent.parent / "assets"
ASSET_PREFIX = "asset:"
"""Marks a path inside ``assets/``, so that stored runs name no directory of one machine."""

DEFAULT_LAYERS = ("layer1", "layer2", "layer3", "layer4")


def option(default: Any, help_text: str) -> Any:
    """A dataclass field that carries its own help text."""
    return field(default=default, metadata={"help": help_text})


def resolve_path(text: str) -> Path:
    """Turn a stored path into a real one; ``asset:x`` means ``assets/x``."""
    if text.startswith(ASSET_PREFIX):
        return ASSETS / text.removeprefix(ASSET_PREFIX)
    return Path(text).expanduser()


def require(condition: bool, cause: str, remedy: str) -> None:
    """Raise ``ConfigError(cause, remedy)`` unless ``condition`` holds."""
    if not condition:
        raise ConfigError(cause, remedy)


@dataclass(frozen=True, kw_only=True)
class Config:
    """Settings common to every verb."""

    seed: int = option(0, "seed of every random choice")
    device: str = option("auto", "auto, cpu, cuda, cuda:N or mps")
    precision: str = option(
        "auto", "auto, float32 or bfloat16; auto takes bfloat16 where the hardware multiplies it"
    )
    data_root: str = option("data", "folder that torchvision data sets are read from")
    download: bool = option(False, "allow torchvision to download a missing data set")

    def __post_init__(self) -> None:
        require(
            0 <= self.seed < 2**31,
            f"The seed {self.seed} is outside 0 to 2147483647.",
            "Choose a seed in that range.",
        )
        require(
            self.precision in {"auto", "float32", "bfloat16"},
            f"The precision '{self.precision}' is not known.",
            "Choose auto, float32 or bfloat16.",
        )

    def to_json(self) -> dict[str, Any]:
        """All fields as JSON-ready values."""
        return json.loads(json.dumps(dataclasses.asdict(self)))  # type: ignore[no-any-return]

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Rebuild from ``to_json``.

        Raises:
            ConfigError: if a key is unknown or a value is of the wrong type.
        """
        fields = {f.name: f for f in dataclasses.fields(cls)}
        unknown = sorted(set(values) - set(fields))
        require(
            not unknown,
            f"{cls.__name__} has no setting called {', '.join(unknown)}.",
            f"Known settings are {', '.join(fields)}.",
        )
        try:
            frozen: dict[str, Any] = {
                k: tuple(v) if isinstance(v, list) else v for k, v in values.items()
            }
            return cls(**frozen)
        except TypeError as error:
            raise ConfigError(
                f"A setting of {cls.__name__} has the wrong type.", "Compare it with --help."
            ) from error


@dataclass(frozen=True, kw_only=True)
class SubjectConfig(Config):
    """The suspect encoder and all that is needed to judge it."""

    subject: str = option(
        "", "a built-in subject (demo, cifar10) or a subject.json; fills every option below"
    )
    encoder: str = option("", "file of the suspect encoder (.pth, .pt or .safetensors)")
    clean_twin: str = option("", "file of a clean encoder of the same kind, for the ASR floor")
    data: str = option(
        "digits",
        "images like the encoder was trained on: digits, cifar10, stl10, svhn, gtsrb, "
        "a .npz, a folder with train.npz, or a folder of images",
    )
    downstream: str = option("", "labelled images the probes are scored on; default: data")
    trigger: str = option("", "trigger .npz, or square:ROW:COLUMN:SIZE for a white square")
    target_class: int = option(-1, "class the trigger leads to; -1 finds the most frequent one")
    normalization: str = option(
        "auto", "auto (as stored in the file), none, a preset name, or MEAN/STD as numbers"
    )
    probe_images: int = option(12_000, "labelled training images a probe is fitted on, at most")
    test_images: int = option(4_000, "test images a probe is scored on, at most")

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("probe_images", "test_images"):
            require(
                getattr(self, name) >= 2,
                f"{name} is {getattr(self, name)}, too few to fit or score a probe.",
                "Choose at least 2.",
            )
        require(
            self.target_class >= -1,
            f"The target class {self.target_class} is negative.",
            "Choose a class index from 0, or -1 to find it from the data.",
        )


@dataclass(frozen=True, kw_only=True)
class PretrainConfig(Config):
    """SimCLR pre-training of an encoder."""

    data: str = option("digits", "unlabelled training images, as in --data of the other verbs")
    architecture: str = option("resnet10", "resnet10, resnet18, resnet34 or resnet50")
    width: int = option(16, "channels of the first stage; 64 is the standard network")
    stem: str = option("cifar", "cifar (3x3, no max-pool) or imagenet (7x7 with max-pool)")
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
        require(self.temperature > 0, "The temperature is not positive.", "Choose for example 0.5.")


@dataclass(frozen=True, kw_only=True)
class AttackConfig(Config):
    """BadEncoder: implant a backdoor into a clean encoder (Jia et al., S&P 2022)."""

    encoder: str = option("", "file of the clean encoder")
    data: str = option("digits", "shadow images: unlabelled images the attacker has")
    trigger: str = option("square:10:10:5", "trigger .npz, or square:ROW:COLUMN:SIZE")
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
class InspectConfig(SubjectConfig):
    """Recognise an encoder and check that it works."""


@dataclass(frozen=True, kw_only=True)
class CleanSubsetConfig(SubjectConfig):
    """The few clean images the defender holds."""

    clean_fraction: float = option(0.04, "share of --data the defender holds, drawn by the seed")
    layers: tuple[str, ...] = option(DEFAULT_LAYERS, "layers, by name (stem, layer1.. or layer2.0)")
    views: str = option("auto", "augmentation recipe: auto, natural (SimCLR) or digits (no flips)")

    def __post_init__(self) -> None:
        super().__post_init__()
        require(
            0 < self.clean_fraction <= 1,
            f"The clean fraction {self.clean_fraction:g} is not between 0 and 1.",
            "Choose a share such as 0.04 for 4 %.",
        )
        require(
            len(self.layers) > 0,
            "No layer is chosen.",
            "Choose at least one, for example layer1.",
        )
        require(
            len(set(self.layers)) == len(self.layers),
            "A layer is named twice.",
            "Name each layer once.",
        )


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
    critics: int = option(-1, "critics per layer, whose spread is the band; -1: the preset's")
    pairs: int = option(2_000, "activation-feature pairs; a small set is extended by random views")
    critic_epochs: int = option(-1, "passes over the fitting pairs per critic; -1: the preset's")
    critic_batch: int = option(128, "pairs per critic update")
    critic_learning_rate: float = option(1e-3, "learning rate of the critic's Adam")
    critic_weight_decay: float = option(
        -1.0, "weight decay of the critic's Adam; more for few images; -1: the preset's"
    )
    pool: int = option(
        -1, "average maps to POOL x POOL cells first; 0 keeps every pixel; -1: the preset's"
    )
    projection: int = option(
        0, "project longer activations to this many numbers at random (seeded); 0 projects none"
    )
    noise: float = option(
        -1.0,
        "Gaussian noise on the features, as a share of their spread on clean images; "
        "-1: the preset's",
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


@dataclass(frozen=True, kw_only=True)
class DistillConfig(CleanSubsetConfig):
    """MIMIC: distil the teacher's benign knowledge into a random student."""

    information: str = option(
        "measure",
        "where layer weights come from: measure, uniform, or the id of an information run",
    )
    preset: str = option("gentle", "attention scale: gentle (ours) or authors (1,000 + 10,000)")
    base: float = option(-1.0, "weight each layer gets regardless of information; -1: preset's")
    budget: float = option(-1.0, "weight shared among layers by information; -1: preset's")
    weights: tuple[str, ...] = option((), "weights by hand, as layer=weight; replaces the formula")
    contrastive_weight: float = option(1.0, "weight of NT-Xent; 0 switches it off")
    attention_weight: float = option(1.0, "factor on all attention losses; 0 switches them off")
    clone_weight: float = option(1.0, "weight of the clone loss; 0 switches it off")
    temperature: float = option(0.5, "temperature of NT-Xent")
    epochs: int = option(60, "passes over the clean images")
    batch_size: int = option(64, "images per update")
    learning_rate: float = option(6e-3, "peak learning rate of Adam")
    schedule: str = option("cosine", "cosine (with warm-up) or constant")
    evaluate_every: int = option(5, "epochs between two measurements of accuracy and ASR")

    def __post_init__(self) -> None:
        super().__post_init__()
        check_training(self.epochs, self.batch_size, self.learning_rate)
        require(
            self.schedule in {"cosine", "constant"},
            f"The schedule '{self.schedule}' is not known.",
            "Choose cosine or constant.",
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
class EvaluateConfig(SubjectConfig):
    """Accuracy and attack success of an encoder, beside the floor."""

    student: str = option("", "a distil run or an encoder file to score beside the suspect")
    probes: tuple[str, ...] = option(("linear",), "probes: linear, knn, mlp")


@dataclass(frozen=True, kw_only=True)
class EmbedConfig(SubjectConfig):
    """Clean and triggered inputs in the plane, before and after."""

    student: str = option("", "the distil run (or encoder file) that shows the after-picture")
    layers: tuple[str, ...] = option(
        ("features", "layer4", "layer3", "layer2", "layer1"), "layers to embed"
    )
    projections: tuple[str, ...] = option(("umap", "pca"), "umap, pca")
    points: int = option(300, "test images, each shown clean and triggered")
    neighbors: int = option(15, "UMAP's neighbourhood size")

    def __post_init__(self) -> None:
        super().__post_init__()
        require(
            set(self.projections) <= {"umap", "pca"} and bool(self.projections),
            "A projection is not known.",
            "Choose umap, pca or both.",
        )
        require(self.points >= 5, "Too few points to embed.", "Choose at least 5.")
        require(self.neighbors >= 2, "UMAP needs more neighbours.", "Choose at least 2.")
        require(len(self.layers) > 0, "No layer is chosen.", "Choose at least one.")


def check_training(epochs: int, batch_size: int, learning_rate: float) -> None:
    """Reject training lengths and rates that cannot work."""
    require(epochs >= 1, f"{epochs} epochs would train nothing.", "Choose at least 1.")
    require(batch_size >= 2, f"A batch of {batch_size} is too small.", "Choose at least 2.")
    require(
        0 < learning_rate <= 1,
        f"The learning rate {learning_rate:g} is not between 0 and 1.",
        "Choose for example 0.003.",
    )


VERB_CONFIGS: dict[str, type[Config]] = {
    "pretrain": PretrainConfig,
    "attack": AttackConfig,
    "inspect": InspectConfig,
    "information": InformationConfig,
    "distill": DistillConfig,
    "evaluate": EvaluateConfig,
    "embed": EmbedConfig,
}
