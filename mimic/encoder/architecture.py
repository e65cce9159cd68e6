"""What has to be known to build an encoder."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Literal

from mimic.config import require

Stem = Literal["cifar", "imagenet", "clip", "patch"]
Kind = Literal["resnet", "clip_resnet", "vit"]

DEPTHS: dict[str, tuple[bool, tuple[int, ...]]] = {
    "resnet10": (False, (1, 1, 1, 1)),
    "resnet18": (False, (2, 2, 2, 2)),
    "resnet34": (False, (3, 4, 6, 3)),
    "resnet50": (True, (3, 4, 6, 3)),
    "resnet101": (True, (3, 4, 23, 3)),
    "resnet152": (True, (3, 8, 36, 3)),
}
"""Name: (bottleneck blocks?, blocks per stage)."""
CLIP_DEPTHS: dict[str, tuple[int, ...]] = {
    "clip_resnet50": (3, 4, 6, 3),
    "clip_resnet101": (3, 4, 23, 3),
}
"""Name: blocks per stage, of CLIP's image towers."""
VIT = "vit"
HEAD_COUNTS: dict[int, int] = {
    192: 3, 256: 4, 320: 5, 384: 6, 512: 8, 640: 10, 768: 12, 832: 13, 896: 14, 1024: 16,
    1152: 16, 1280: 16, 1408: 16, 1536: 24, 1664: 16,
}  # fmt: skip
"""Attention heads of the published transformers of a width (timm ``models/vision_transformer.py``
and ``models/deit.py``, torchvision, Hugging Face): 64 channels each, but 16 heads for SO400M
(1152), huge (1280), giant (1408) and gigantic (1664). MoCo v3's small one differs: 12 at 384."""
MAX_WIDTH = 1024
MAX_TOKEN_WIDTH = 2048
MAX_DEPTH = 64
MAX_GRID = 64
MAX_SIDE = 1024
MAX_PARAMETERS = 1_000_000_000


@dataclass(frozen=True)
class Architecture:
    """What has to be known to build an encoder.

    Args:
        name: a key of ``DEPTHS`` or ``CLIP_DEPTHS``, or ``vit``.
        width: channels of the first stage, 64 in the standard networks; of a transformer, of all
            tokens.
        stem: ``cifar`` (3x3, stride 1, no max-pool) or ``imagenet`` (7x7, stride 2, max-pool) for a
            ResNet; the others' follows from the name (``clip``: three convolutions and a mean-pool;
            ``patch``: one patch, one token).
        max_pool: whether a ResNet's stem ends in a 3x3 max-pool of stride 2; None: as is usual with
            the stem.
        input_size: side of the images in pixels, where learned positions fix it (224 if not given);
            None for a ResNet, which takes any.
        stages: blocks per stage of a CLIP tower; empty takes the name's.
        output_dim: length of a CLIP tower's features; 0 takes 1,024.
        patch: side of a transformer's patches in pixels.
        depth: blocks of a transformer, 4 to ``MAX_DEPTH``.
        heads: attention heads of a transformer; 0 takes ``HEAD_COUNTS``, or heads of 64 channels
            where that does not know the width.
        hidden: width inside a transformer's MLPs; 0 takes four times the width.
        pool: how a transformer's tokens become features: ``token`` (class token) or ``avg`` (mean
            of the patches' tokens).
        class_token: whether a transformer has one.
        register_tokens: how many register tokens follow it.
        embed_prefix: whether class and register tokens have learned positions too.
        fc_norm: whether the last norm comes after pooling (``fc_norm``) and not before (``norm``);
            None: after for ``avg``, before for ``token``, as timm does.
        pre_norm: whether a norm precedes the blocks (CLIP's transformers); their patch embedding
            has no bias.
        layer_scale: whether branches are scaled per channel (``ls1.gamma``).
        qkv_bias: whether queries, keys and values have a bias.
        quick_gelu: whether MLPs use x * sigmoid(1.702 x) (OpenAI's CLIP) and not GELU.

    Raises:
        ConfigError: if there is no such architecture, or it is too large to build.
    """

    name: str
    width: int = 64
    stem: Stem = "cifar"
    max_pool: bool | None = None
    input_size: int | None = None
    stages: tuple[int, ...] = ()
    output_dim: int = 0
    patch: int = 0
    depth: int = 0
    heads: int = 0
    hidden: int = 0
    pool: Literal["token", "avg"] = "token"
    class_token: bool = True
    register_tokens: int = 0
    embed_prefix: bool = True
    fc_norm: bool | None = None
    pre_norm: bool = False
    layer_scale: bool = False
    qkv_bias: bool = True
    quick_gelu: bool = False

    def __post_init__(self) -> None:
        require(
            self.name in DEPTHS or self.name in CLIP_DEPTHS or self.name == VIT,
            f"There is no architecture '{self.name}' with stem '{self.stem}'.",
            f"Choose among {', '.join([*DEPTHS, *CLIP_DEPTHS, VIT])}.",
        )
        widest = MAX_TOKEN_WIDTH if self.kind == "vit" else MAX_WIDTH
        require(
            1 <= self.width <= widest,
            f"A width of {self.width} channels cannot be built.",
            f"Choose 1 to {widest}.",
        )
        {"resnet": self._check_resnet, "clip_resnet": self._check_clip, "vit": self._check_vit}[
            self.kind
        ]()
        require(
            self.parameters <= MAX_PARAMETERS,
            f"A {self.name} of width {self.width} has about {self.parameters / 1e9:.1f} billion "
            "parameters.",
            f"Choose one with at most {MAX_PARAMETERS / 1e9:.0f} billion.",
        )

    def _check_resnet(self) -> None:
        require(
            self.stem in ("cifar", "imagenet"),
            f"There is no architecture '{self.name}' with stem '{self.stem}'.",
            "Choose the stem cifar or imagenet.",
        )
        require(
            self.input_size is None and self.stages in ((), self.blocks),
            f"A {self.name} has {self.blocks} blocks and takes images of any size.",
            "Leave out its stages and input size.",
        )

    def _check_clip(self) -> None:
        self._fix("clip")
        require(
            self.width % 2 == 0,
            f"CLIP's stem cannot halve a width of {self.width}.",
            "Choose an even width.",
        )
        require(
            len(self.blocks) == 4 and all(1 <= n <= MAX_DEPTH for n in self.blocks),
            f"A CLIP tower cannot have {self.blocks} blocks.",
            f"Choose four stages of 1 to {MAX_DEPTH} blocks.",
        )
        require(
            1 <= self.feature_dim <= 16 * MAX_WIDTH,
            f"{self.feature_dim} features cannot be built.",
            f"Choose 1 to {16 * MAX_WIDTH}.",
        )
        self._check_grid(32)

    def _check_vit(self) -> None:
        self._fix("patch")
        require(
            4 <= self.depth <= MAX_DEPTH,
            f"A transformer of {self.depth} blocks is too deep, or too flat for four layers.",
            f"Choose 4 to {MAX_DEPTH} blocks.",
        )
        require(
            self.heads >= 0 and self.head_count > 0 and self.width % self.head_count == 0,
            f"{self.width} channels cannot be split into {self.heads or 'heads of 64'} heads.",
            "Choose a number of heads that divides the width (--heads).",
        )
        require(
            0 <= self.hidden <= 8 * MAX_TOKEN_WIDTH and 0 <= self.register_tokens <= 64,
            f"An MLP of width {self.hidden} or {self.register_tokens} register tokens do not work.",
            f"Choose 0 to {8 * MAX_TOKEN_WIDTH} and 0 to 64.",
        )
        require(
            self.pool == "avg" or (self.pool == "token" and self.class_token),
            f"Without a class token there is nothing to pool by '{self.pool}'.",
            "Choose the pooling avg, or token with a class token.",
        )
        require(self.patch >= 1, "A transformer needs a patch size.", "Choose for example 16.")
        self._check_grid(self.patch)

    def _fix(self, stem: Stem) -> None:
        """What follows from the name."""
        require(
            self.max_pool is None,
            f"A {self.name} has no max-pool to switch.",
            "Leave max_pool out.",
        )
        object.__setattr__(self, "stem", stem)
        if self.input_size is None:
            object.__setattr__(self, "input_size", 224)

    def _check_grid(self, step: int) -> None:
        side = self.input_size or 0
        require(
            step <= side <= MAX_SIDE and side % step == 0 and side // step <= MAX_GRID,
            f"Images of {side}x{side} pixels cannot be split into cells of {step}x{step}.",
            f"Choose a side of up to {MAX_SIDE} that {step} divides into at most {MAX_GRID} cells.",
        )

    @property
    def kind(self) -> Kind:
        """Which of the three families it belongs to."""
        if self.name in CLIP_DEPTHS:
            return "clip_resnet"
        return "vit" if self.name == VIT else "resnet"

    @property
    def bottleneck(self) -> bool:
        """Whether blocks are of the 1x1-3x3-1x1 kind."""
        return self.kind == "clip_resnet" or (self.kind == "resnet" and DEPTHS[self.name][0])

    @property
    def blocks(self) -> tuple[int, ...]:
        """Blocks per stage; a transformer's are split into four stages as evenly as possible."""
        if self.kind == "vit":
            ends = [round(self.depth * quarter / 4) for quarter in range(5)]
            return tuple(end - begin for begin, end in itertools.pairwise(ends))
        if self.kind == "clip_resnet":
            return self.stages or CLIP_DEPTHS[self.name]
        return DEPTHS[self.name][1]

    @property
    def has_max_pool(self) -> bool:
        """Whether a max-pool ends the stem."""
        return self.stem == "imagenet" if self.max_pool is None else self.max_pool

    @property
    def head_count(self) -> int:
        """Attention heads: of the transformer's blocks, or of CLIP's pooling."""
        if self.kind == "clip_resnet":
            return self.width // 2  # CLIP: heads of 64 of the 32 * width channels
        usual = self.width // 64 if self.width % 64 == 0 else 0
        return self.heads or HEAD_COUNTS.get(self.width, usual)

    @property
    def grid(self) -> int:
        """Cells per side that have a learned position; 0 for a ResNet."""
        if self.input_size is None:
            return 0
        return self.input_size // (32 if self.kind == "clip_resnet" else self.patch)

    @property
    def prefix_tokens(self) -> int:
        """Tokens of a transformer that stand for no patch: class and register tokens."""
        return int(self.class_token) + self.register_tokens

    @property
    def norm_after_pool(self) -> bool:
        """Whether a transformer's last norm comes after pooling."""
        return self.pool == "avg" if self.fc_norm is None else self.fc_norm

    @property
    def feature_dim(self) -> int:
        """Length of the output feature vector."""
        if self.kind == "vit":
            return self.width
        if self.kind == "clip_resnet":
            return self.output_dim or 1024
        return self.width * 8 * (4 if self.bottleneck else 1)

    @property
    def parameters(self) -> int:
        """About how many parameters it has: its matrices and kernels, without norms and biases."""
        if self.kind == "vit":
            per_block = 4 * self.width**2 + 2 * self.width * (self.hidden or 4 * self.width)
            tokens = self.grid**2 + 3 * self.patch**2
            return self.depth * per_block + tokens * self.width
        total, before = 0, self.width
        for stage, count in enumerate(self.blocks):
            inner = self.width * 2**stage
            outer = inner * (4 if self.bottleneck else 1)
            entry, exit_ = (1, inner * outer) if self.bottleneck else (9, 0)
            blocks = entry * inner * (before + (count - 1) * outer)
            total += blocks + count * (9 * inner**2 + exit_) + before * outer
            before = outer
        if self.kind == "clip_resnet":
            total += before * (3 * before + self.feature_dim + self.grid**2)
        return total
