"""Public encoders by their timm name: fetched on request, read through the gate as any file."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from mimic.checkpoint import load_encoder
from mimic.checkpoint.gate import read_file
from mimic.config import PUBLIC_PREFIX
from mimic.errors import EncoderError

NAME = re.compile(r"[a-z0-9_]{1,80}(?:\.[a-z0-9_]{1,80})?")
WEIGHTS = "model.safetensors"
"""What timm's repositories call the weights; nothing else is fetched from them."""
TOLERANCE = 1e-3
"""How far our features may be from timm's, relative to their length."""
SIDE = 64


@dataclass(frozen=True)
class PretrainedEncoder:
    """A fetched encoder.

    Args:
        path: its weights.
        normalization: the inputs it was trained on, as ``parse_normalization`` reads it.
        heads: its attention heads; 0 for a residual network.
    """

    path: Path
    normalization: str
    heads: int = 0

    def fill(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Options of ``load_encoder``, with what is known of the encoder where none is given."""
        filled = dict(given)
        if given.get("normalization") == "auto":
            filled["normalization"] = self.normalization
        filled["heads"] = given.get("heads") or self.heads
        filled["compared"] = filled["heads"] == self.heads  # See ``compared_heads``.
        return filled


def locate(text: str, *, folder: Path, download: bool) -> PretrainedEncoder:
    """The encoder that ``timm:NAME`` names; a network is asked only if it is allowed and needed.

    Args:
        text: ``timm:`` and a model's name with its training, such as ``timm:resnet18.a1_in1k``.
        folder: where fetched weights are kept.
        download: whether a missing one may be fetched.

    Raises:
        EncoderError: if the name is unknown, or the encoder is not there and may not or cannot be
            fetched.
    """
    name = text.removeprefix(PUBLIC_PREFIX)
    if not NAME.fullmatch(name):
        raise EncoderError(
            "That is no name of a timm encoder.", "Write for example timm:resnet18.a1_in1k."
        )
    weights = folder / "timm" / f"{name}.safetensors"
    about = weights.with_suffix(".json")
    if not (weights.is_file() and about.is_file()):
        if not download:
            raise EncoderError(
                f"The encoder timm:{name} is not in the data folder.",
                "Allow the download (--download), or set the folder that holds it (--data-root).",
            )
        fetch(name, weights, about)
    try:
        told = json.loads(about.read_text(encoding="utf-8"))
        return PretrainedEncoder(weights, str(told["normalization"]), int(told.get("heads", 0)))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise EncoderError(
            f"What was kept of timm:{name} is damaged.", "Delete it and fetch it again."
        ) from error


def fetch(name: str, weights: Path, about: Path) -> None:
    """Fetch the weights of a name over TLS, and note what its inputs need.

    Raises:
        EncoderError: if the name is unknown, it cannot be fetched, or timm computes other features
            with these weights than our encoder does.
    """
    try:
        import huggingface_hub
        import timm
    except ImportError as error:
        raise EncoderError(
            "Encoders are fetched by name with the extra 'timm', which is not installed.",
            "Install it with pip install 'mimic-studio[timm]', or give a file.",
        ) from error
    known = timm.get_pretrained_cfg(name)
    if known is None or not known.hf_hub_id:
        raise EncoderError(
            f"timm knows no pre-trained encoder '{name}'.",
            "Name one with its training, for example timm:resnet18.a1_in1k.",
        )
    try:
        fetched = huggingface_hub.hf_hub_download(known.hf_hub_id, WEIGHTS)
        weights.parent.mkdir(parents=True, exist_ok=True)
        partial = weights.with_suffix(".part")
        shutil.copyfile(fetched, partial)
    except Exception as error:  # The network and the disk fail in many ways.
        raise not_fetched(name) from error
    try:
        heads = compared_heads(name, partial, timm.create_model(name, num_classes=0))
        partial.replace(weights)
        numbers = (",".join(map(str, part)) for part in (known.mean, known.std))
        about.write_text(
            json.dumps({"normalization": "/".join(numbers), "heads": heads}), encoding="utf-8"
        )
    except EncoderError:
        partial.unlink(missing_ok=True)
        raise
    except Exception as error:  # timm and the disk fail in many ways, too.
        partial.unlink(missing_ok=True)
        raise not_fetched(name) from error


def not_fetched(name: str) -> EncoderError:
    """The refusal of a name whose weights did not arrive whole."""
    return EncoderError(
        f"The encoder timm:{name} could not be fetched.",
        "Check the connection, or give its file.",
    )


def compared_heads(name: str, weights: Path, network: Any) -> int:
    """Attention heads of a fetched encoder, once its features are known to be timm's.

    What no tensor tells (heads, activation, pooling) could be another than ours.

    Args:
        name: the encoder's.
        weights: the fetched file, which is read through the gate.
        network: timm's own network of that name, without a classifier.

    Raises:
        EncoderError: if the features of two random images differ.
    """
    blocks = getattr(network, "blocks", None)
    heads = int(blocks[0].attn.num_heads) if blocks is not None else 0
    stored = read_file(weights).tensors
    known = network.state_dict()
    missing = network.load_state_dict(
        {key: stored[key] for key in known if key in stored}, strict=False
    ).missing_keys
    encoder = load_encoder(weights, heads=heads).encoder
    side = encoder.architecture.input_size or SIDE
    images = torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        theirs, ours = network.eval()(images), encoder(images)
    differ = theirs.shape != ours.shape or (theirs - ours).norm() > TOLERANCE * theirs.norm()
    if missing or bool(differ):
        raise EncoderError(
            f"timm computes other features with the weights of timm:{name} than this program does, "
            "so a verdict on them would be wrong.",
            "Choose another encoder; its activation, pooling or stem is not supported.",
        )
    return heads
