"""Public encoders by their timm name: fetched on request, read through the gate as any file."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from mimic.errors import EncoderError

PREFIX = "timm:"
NAME = re.compile(r"[a-z0-9_]{1,80}(?:\.[a-z0-9_]{1,80})?")
WEIGHTS = "model.safetensors"
"""What timm's repositories call the weights; nothing else is fetched from them."""


@dataclass(frozen=True)
class PretrainedEncoder:
    """A fetched encoder.

    Args:
        path: its weights.
        normalization: the inputs it was trained on, as ``parse_normalization`` reads it.
    """

    path: Path
    normalization: str


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
    name = text.removeprefix(PREFIX)
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
        normalization = json.loads(about.read_text(encoding="utf-8"))["normalization"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EncoderError(
            f"What was kept of timm:{name} is damaged.", "Delete it and fetch it again."
        ) from error
    return PretrainedEncoder(weights, str(normalization))


def fetch(name: str, weights: Path, about: Path) -> None:
    """Fetch the weights of a name over TLS, and note what its inputs need."""
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
        partial.replace(weights)
        numbers = (",".join(map(str, part)) for part in (known.mean, known.std))
        about.write_text(json.dumps({"normalization": "/".join(numbers)}), encoding="utf-8")
    except Exception as error:  # The network and the disk fail in many ways.
        raise EncoderError(
            f"The encoder timm:{name} could not be fetched.",
            "Check the connection, or give its file.",
        ) from error
