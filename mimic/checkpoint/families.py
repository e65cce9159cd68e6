"""Families of published encoder files: how each is recognised, and what its inputs need.

Layout letters A to P follow the table of public attack and defence code (BadEncoder, DRUPE,
DECREE, MIMIC, CTRL, UMBC's and jsrdcht's SSL-Backdoor, backdoor-toolbox). Nothing here says
whether an encoder is clean: C and D, or E and F, differ only by how they were saved.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mimic.checkpoint.gate import StoredFile
from mimic.checkpoint.layouts import Layout, strip_parallel
from mimic.encoder import Architecture

BY_STEM = "by stem"
MINE = "studio"


@dataclass(frozen=True)
class Evidence:
    """What speaks for one family or another.

    Args:
        file: the file.
        layout: how it names the backbone.
        architecture: the network found in it.
    """

    file: StoredFile
    layout: Layout
    architecture: Architecture

    @property
    def prefix(self) -> str:
        """What stands before the backbone's names, parallel training's ``module.`` left out."""
        return self.layout.prefix

    @property
    def is_clip(self) -> bool:
        """Whether it is CLIP's residual image tower."""
        return self.architecture.stem == "clip"

    @property
    def is_large(self) -> bool:
        """Whether it is a ResNet-50 with the stem for large images."""
        return (self.architecture.name, self.architecture.stem) == ("resnet50", "imagenet")

    @property
    def is_parallel(self) -> bool:
        """Whether the names begin with ``module.``."""
        return self.layout.written_prefix.startswith("module.")

    def has(self, *beginnings: str) -> bool:
        """Whether each of these begins some tensor's name."""
        names = {strip_parallel(name) for name in self.file.tensors}
        return all(any(name.startswith(b) for name in names) for b in beginnings)

    def beside(self, *keys: str) -> bool:
        """Whether one of these stands beside the state dict."""
        return any(key in self.file.wrapper or key in self.file.top_level for key in keys)


@dataclass(frozen=True)
class Family:
    """Files that the same code writes.

    Args:
        id: its letter in the table of layouts, or a word.
        title: who writes such files, in words.
        is_it: whether the evidence speaks for it; families are tried in their order.
        normalization: a preset's name, ``MEAN/STD``, or ``BY_STEM`` (cifar10 or imagenet).
        size: side that the encoder's images are resized to; 0: 224 for the large stem, else the
            images' own, up to 64 pixels.
        pool_is_known: whether it is certain if a max-pool follows a 3x3 stem (if so: none does).
        doubt: what else the file does not tell, as one sentence.
    """

    id: str
    title: str
    is_it: Callable[[Evidence], bool]
    normalization: str = BY_STEM
    size: int = 0
    pool_is_known: bool = False
    doubt: str = ""


NO_STATISTICS = (
    "BadEncoder evaluates such an encoder on plain 0-to-1 images but injects backdoors with CLIP's "
    "statistics, and DECREE uses ImageNet's; --normalization changes the choice."
)
HALF = (
    "The file does not say which normalisation its transformer needs; mean and deviation 0.5 are "
    "assumed (DINO and DeiT encoders need --normalization imagenet)."
)

FAMILIES = (
    Family(
        MINE, "MIMIC Studio",
        lambda e: {"architecture", "normalization"} <= set(e.file.metadata), pool_is_known=True,
    ),
    Family("G", "OpenAI's CLIP archive", lambda e: e.is_clip and e.file.kind == "torchscript",
           "clip"),
    Family("O", "CLIP tower attacked with jsrdcht's BadEncoder",
           lambda e: e.is_clip and e.prefix == "visual." and e.beside("loss"), "clip"),
    Family("F", "CLIP tower as BadEncoder and DRUPE save it",
           lambda e: e.is_clip and e.prefix == "visual." and bool(e.file.state_key), "clip"),
    Family("E", "CLIP tower as BadEncoder's and DECREE's clean files hold it",
           lambda e: e.is_clip and e.prefix == "" and bool(e.file.state_key), "clip"),
    Family("clip", "CLIP tower", lambda e: e.is_clip, "clip"),
    Family("torchvision-vit", "torchvision's vision transformer",
           lambda e: e.layout.naming == "torchvision-vit", "imagenet"),
    Family("huggingface-vit", "Hugging Face's vision transformer",
           lambda e: e.layout.naming == "huggingface-vit", "0.5/0.5", doubt=HALF),
    Family("timm-clip-vit", "CLIP's vision transformer under timm's names",
           lambda e: e.layout.naming == "timm-vit" and e.architecture.pre_norm, "clip"),
    Family("timm-vit", "timm's vision transformer",
           lambda e: e.layout.naming == "timm-vit", "0.5/0.5", doubt=HALF),
    Family("P", "backdoor-toolbox's BadEncoder",
           lambda e: e.prefix == "f.f." and e.has("c.fc"), "cifar10", pool_is_known=True),
    Family("O", "SimCLR encoder attacked with jsrdcht's BadEncoder",
           lambda e: e.prefix == "f.f." and e.beside("loss"), "cifar10", pool_is_known=True),
    Family("A", "SimCLR encoder of BadEncoder, DRUPE, MIMIC or DECREE",
           lambda e: e.prefix == "f.f.", "cifar10", pool_is_known=True),
    Family("B", "DECREE's attack output",
           lambda e: e.prefix == "f." and "sequential" in e.layout.naming, "cifar10",
           pool_is_known=True),
    Family("I", "CTRL's BYOL encoder",
           lambda e: e.prefix == "backbone." and e.has("backbone_k."), "none",
           pool_is_known=True),
    Family("H", "CTRL's SimCLR encoder",
           lambda e: e.prefix == "backbone." and (
               e.has("proj_head.") or any(".shortcut." in n for n in e.file.tensors)),
           "none", pool_is_known=True),
    Family("K", "BYOL encoder of UMBC's SSL-Backdoor",
           lambda e: e.prefix in ("model.module.", "model.") and e.has("model_t.")),
    Family("M", "RotNet of UMBC's SSL-Backdoor",
           lambda e: e.prefix == "" and e.has("_feature_blocks.")),
    Family("L", "Jigsaw network of UMBC's SSL-Backdoor",
           lambda e: e.prefix == "" and nine_tiles(e)),
    Family("J", "MoCo v2 encoder of UMBC's SSL-Backdoor",
           lambda e: e.prefix == "encoder_q." and e.architecture.stem == "imagenet"
           and e.has("encoder_k.", "queue")),
    Family("O", "ImageNet encoder attacked with jsrdcht's BadEncoder",
           lambda e: e.prefix == "visual." and e.beside("loss"), "none", doubt=NO_STATISTICS),
    Family("N", "ResNet as jsrdcht's SSL-Backdoor trainers and others save it",
           lambda e: e.prefix in ("encoder_q.", "encoder.", "backbone.")
           and "torchvision" in e.layout.naming),
    Family("D", "ImageNet encoder as BadEncoder and DRUPE save it",
           lambda e: e.prefix == "visual." and e.is_large, "none", doubt=NO_STATISTICS),
    Family("C", "ImageNet encoder as BadEncoder's and DECREE's clean files hold it",
           lambda e: e.is_large and e.prefix == "" and e.file.state_key == "state_dict"
           and not e.is_parallel and not e.beside("arch"), "none", doubt=NO_STATISTICS),
    Family("huggingface-resnet", "Hugging Face's ResNet",
           lambda e: e.layout.naming == "huggingface-resnet", "imagenet"),
    Family("torchvision", "torchvision's or timm's ResNet",
           lambda e: e.prefix == "" and e.layout.naming == "torchvision"),
    Family("other", "an encoder of unknown origin", lambda _: True),
)  # fmt: skip


def nine_tiles(evidence: Evidence) -> bool:
    """Whether the classifier sees nine tiles at once, as a Jigsaw network's does."""
    keys = [k for k in evidence.file.tensors if strip_parallel(k) == "fc.weight"]
    return any(
        evidence.file.tensors[k].shape[1:2] == (9 * evidence.architecture.feature_dim,)
        for k in keys
    )


def find_family(evidence: Evidence) -> Family:
    """The first family that the evidence speaks for; the last takes all."""
    return next(family for family in FAMILIES if family.is_it(evidence))
