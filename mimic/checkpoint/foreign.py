"""Files that hold something else: what it is, in words, so that a refusal helps."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mimic.checkpoint.gate import StoredFile
from mimic.parsing.opcodes import shorten

SUPPORTED = (
    "Supported are ResNets, CLIP's ResNet tower and vision transformers, under the names that "
    "SimCLR, BadEncoder, CTRL, MoCo, BYOL, CLIP, torchvision, timm or Hugging Face code gives them."
)
Names = Sequence[str]


def any_name(pattern: str) -> Callable[[Names], bool]:
    """Whether some name contains the pattern."""
    compiled = re.compile(pattern)
    return lambda names: any(compiled.search(name) for name in names)


@dataclass(frozen=True)
class Foreign:
    """A kind of file that holds no encoder of ours.

    Args:
        holds: what it holds, in words.
        is_it: whether names of tensors and outermost keys speak for it.
        remedy: where its encoder would be.
        has_backbone: whether such files can look like an encoder we know, so that they have to be
            told apart before it is taken.
    """

    holds: str
    is_it: Callable[[Names], bool]
    remedy: str = SUPPORTED
    has_backbone: bool = False


def is_backdoorbench(names: Names) -> bool:
    """BackdoorBench's ``attack_result.pt`` (SCLBD/BackdoorBench, ``utils/save_load_attack.py``)."""
    return {"model_name", "num_classes", "model"} <= set(names)


KINDS = (
    Foreign(
        "a BackdoorBench attack result: a classifier trained with labels, no encoder",
        is_backdoorbench,
        "Choose a pre-trained encoder; BackdoorBench's own defences clean classifiers.",
        has_backbone=True,
    ),
    Foreign(
        "a linear probe of UMBC's SSL-Backdoor code, no encoder",
        lambda names: (
            {"1.inv_std", "1.mean", "2.weight"} <= {n.removeprefix("module.") for n in names}
        ),
        "Give the checkpoint of the pre-training that the probe was fitted on.",
    ),
    Foreign(
        "a detection model",
        any_name(r"(^|\.)(roi_heads?|rpn|rpn_head|bbox_head|class_embed|fpn)\."),
        "Give the pre-trained backbone it was built on.",
        has_backbone=True,
    ),
    Foreign(
        "a segmentation model",
        any_name(r"(^|\.)(decode_head|aux_classifier|classifier\.0\.convs|auxiliary_head)\."),
        "Give the pre-trained backbone it was built on.",
        has_backbone=True,
    ),
    Foreign(
        "low-rank updates (LoRA) of a model, not the model",
        any_name(r"lora_(A|B|up|down|embedding)|\.hada_w1"),
        "Merge them into the model they belong to and save that.",
        has_backbone=True,
    ),
    Foreign(
        "CLIP's vision transformer under OpenAI's names",
        any_name(r"(^|\.)transformer\.resblocks\.\d+\..*|(^|\.)class_embedding$"),
        "Of OpenAI's CLIP models the ResNet-50 tower is supported.",
    ),
    Foreign(
        "a Hugging Face CLIP or text model",
        any_name(r"vision_model\.|text_model\.|word_embeddings|wte\.weight|lm_head|embed_tokens"),
    ),
    Foreign(
        "a diffusion model or autoencoder",
        any_name(r"diffusion_model\.|down_blocks\.|first_stage_model\.|quant_conv\."),
    ),
    Foreign(
        "the state of an optimiser, not a model",
        lambda names: {"state", "param_groups"} <= set(names),
        "Save the model's state dict, not the optimiser's.",
    ),
    Foreign("a pre-activation ResNet classifier", any_name(r"^(module\.)?linear\.weight$")),
    Foreign(
        "a VGG, AlexNet, DenseNet, MobileNet or EfficientNet",
        any_name(r"^(module\.|model\.|encoder\.|backbone\.)*features\.\d"),
    ),
)


def explain(file: StoredFile) -> tuple[str, str]:
    """Cause and remedy for a file in which no encoder was found."""
    kind = next((k for k in KINDS if k.is_it(names_in(file))), None)
    if kind is not None:
        return f"The file holds {kind.holds}.", kind.remedy
    if file.other_states and not file.state_key:
        shown = ", ".join(shorten(key) for key in file.other_states[:5])
        count = "several networks" if len(file.other_states) > 1 else "a network"
        return (
            f"The file holds {count} under {shown}, and it is not clear which is meant.",
            "Save the encoder's alone, as a plain state dict.",
        )
    if not file.tensors:
        return "The file holds no tensors, no encoder.", SUPPORTED
    shown = ", ".join(shorten(name) for name in sorted(file.tensors)[:5])
    return (
        f"No residual encoder or vision transformer was recognised; the first of "
        f"{len(file.tensors)} tensors are: {shown}.",
        SUPPORTED,
    )


def misleading(file: StoredFile) -> Foreign | None:
    """The other thing this file is although it has an encoder's names within, or None."""
    names = names_in(file)
    return next((k for k in KINDS if k.has_backbone and k.is_it(names)), None)


def names_in(file: StoredFile) -> list[str]:
    """Names of tensors and outermost keys, of a bearable number and length."""
    return [name[:200] for name in (*file.top_level, *file.wrapper, *file.tensors)]
