"""Settings that name a suspect encoder, and of the verbs that only look at it."""

from __future__ import annotations

from dataclasses import dataclass

from mimic.config.settings import DEFAULT_LAYERS, Config, option, require

MIN_SIDE, MAX_SIDE = 8, 1024
MAX_HEADS = 256
MOST_SHOWN = 24
TRIGGER_FORMS = (
    "FILE.npz, square:ROW:COLUMN:SIZE, patch:FILE.png:ROW:COLUMN:SIZE, "
    "random-patch:FILE.png:SIZE[:LOW:HIGH], blend:FILE.png:ALPHA, pattern:FILE.png (grey 128 adds "
    "nothing), sig:AMPLITUDE:FREQUENCY, ctrl[:MAGNITUDE[:WINDOW]], npz-resize:FILE.npz (images are "
    "enlarged for the stamp), or npz-row:FILE.npz (its first row alone)"
)
"""The texts that name a trigger; ``mimic.trigger.text`` reads them."""


@dataclass(frozen=True, kw_only=True)
class SubjectConfig(Config):
    """The suspect encoder and all that is needed to judge it."""

    subject: str = option(
        "", "a built-in subject (demo, cifar10) or a subject.json; fills every option below"
    )
    encoder: str = option(
        "",
        "file of the suspect encoder (.pth, .pt or .safetensors), or timm:NAME for a public one",
    )
    clean_twin: str = option("", "file of a clean encoder of the same kind, for the ASR floor")
    data: str = option(
        "digits",
        "images like the encoder was trained on: digits, cifar10, stl10, svhn, gtsrb, "
        "an .npz, a folder with train.npz, a folder of images or a .zip of one, "
        "or a list of paths and labels (.csv, .tsv, .txt)",
    )
    downstream: str = option("", "labelled images the probes are scored on; default: data")
    trigger: str = option("", f"what is stamped on images: {TRIGGER_FORMS}")
    target_class: int = option(
        -1, "class the trigger leads to", unset="found, as the most frequent answer"
    )
    normalization: str = option(
        "auto",
        "auto (as stored in the file, or usual for its kind), none, cifar10, stl10, imagenet, "
        "clip, or MEAN/STD as numbers",
    )
    input_size: int = option(
        0, "side in pixels that images are resized to for the encoder", unset="what suits its file"
    )
    max_pool: str = option(
        "auto",
        "whether a max-pool follows a ResNet's stem, which no file tells: auto (no for a 3x3 stem, "
        "yes for a 7x7 one; inspect scores both where that is unclear), yes or no",
    )
    heads: int = option(
        0,
        "attention heads of a transformer, which its tensors do not tell",
        unset="the file's record, else the usual number for its width",
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
            self.input_size == 0 or MIN_SIDE <= self.input_size <= MAX_SIDE,
            f"An input size of {self.input_size} pixels does not work.",
            f"Choose {MIN_SIDE} to {MAX_SIDE}, or 0 for what suits the encoder.",
        )
        require(
            self.max_pool in ("auto", "yes", "no"),
            f"'{self.max_pool}' does not say whether the stem pools.",
            "Choose auto, yes or no.",
        )
        require(
            0 <= self.heads <= MAX_HEADS,
            f"{self.heads} attention heads do not work.",
            f"Choose 1 to {MAX_HEADS}, or 0 for the usual number.",
        )
        require(
            self.target_class >= -1,
            f"The target class {self.target_class} is negative.",
            "Choose a class index from 0, or -1 to find it from the data.",
        )


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

    def clean_images(self, images: int) -> int:
        """How many of so many images the defender holds."""
        return round(self.clean_fraction * images)


@dataclass(frozen=True, kw_only=True)
class EvaluateConfig(SubjectConfig):
    """Accuracy and attack success of an encoder, beside the floor."""

    student: str = option("", "a distil run or an encoder file to score beside the suspect")
    probes: tuple[str, ...] = option(("linear",), "probes: linear, knn, mlp")


@dataclass(frozen=True, kw_only=True)
class PlacementConfig(SubjectConfig):
    """What an encoder takes images for with a patch trigger at every position."""

    student: str = option(
        "", "a distil run (or encoder file) to look at in place of the suspect; empty: the suspect"
    )
    images: int = option(24, "test images whose answers at every position are kept, to be shown")
    scored: int = option(200, "test images the ASR of each position is counted on, at most")
    stride: int = option(
        0,
        "pixels between two positions",
        unset="the smallest with at most 400 positions",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self.images >= 1, "No image would be shown.", "Choose at least 1.")
        require(
            self.scored >= self.images,
            f"{self.scored} scored images are fewer than the {self.images} shown.",
            "Score at least as many images as are shown.",
        )
        require(self.stride >= 0, "The stride is negative.", "Choose 0 or more.")


@dataclass(frozen=True, kw_only=True)
class EmbedConfig(SubjectConfig):
    """Clean and triggered inputs in the plane, before and after."""

    student: str = option("", "the distil run (or encoder file) that shows the after-picture")
    layers: tuple[str, ...] = option(
        ("features", "layer4", "layer3", "layer2", "layer1"), "layers to embed"
    )
    projections: tuple[str, ...] = option(
        ("umap", "pca", "plane"), "umap, pca, plane (the classifier's own, of the features only)"
    )
    points: int = option(300, "test images, each shown clean and triggered; 10,000 stay fluid")
    neighbors: int = option(15, "UMAP's neighbourhood size")
    csv: bool = option(False, "also write the points of each map as CSV into the run directory")

    def __post_init__(self) -> None:
        super().__post_init__()
        require(
            set(self.projections) <= {"umap", "pca", "plane"} and bool(self.projections),
            "A projection is not known.",
            "Choose one or more of umap, pca and plane.",
        )
        require(
            self.projections != ("plane",) or "features" in self.layers,
            "The classifier's plane exists for the features only.",
            "Add features to the layers, or choose umap or pca.",
        )
        require(self.points <= 60_000, "So many points cannot be drawn.", "Choose at most 60,000.")
        require(self.points >= 5, "Too few points to embed.", "Choose at least 5.")
        require(self.neighbors >= 2, "UMAP needs more neighbours.", "Choose at least 2.")
        require(len(self.layers) > 0, "No layer is chosen.", "Choose at least one.")


@dataclass(frozen=True, kw_only=True)
class AttentionConfig(SubjectConfig):
    """Where each layer looks: attention maps with and without the trigger."""

    student: str = option("", "a distil run or an encoder file to look into beside the suspect")
    layers: tuple[str, ...] = option(
        ("stem", *DEFAULT_LAYERS), "layers, by name (stem, layer1.. or layer2.0)"
    )
    images: int = option(8, "test images whose maps are kept to be shown")
    measured: int = option(200, "test images the numbers are means over")

    def __post_init__(self) -> None:
        super().__post_init__()
        require(
            len(self.layers) > 0 and len(set(self.layers)) == len(self.layers),
            "No layer is chosen, or one is named twice.",
            "Name each layer once, for example layer1 layer4.",
        )
        require(
            1 <= self.images <= MOST_SHOWN,
            f"{self.images} images cannot be shown.",
            f"Choose 1 to {MOST_SHOWN}.",
        )
        require(self.measured >= 2, f"{self.measured} images give no mean.", "Choose at least 2.")
