"""What the inputs of an encoder need: normalisation and size, by where the encoder comes from."""

from __future__ import annotations

from collections.abc import Mapping

from mimic.encoder import Stem
from mimic.preprocessing import Normalization, parse_normalization


def choose_normalization(text: str, metadata: Mapping[str, str], stem: Stem) -> Normalization:
    """What the user said, else what the file says, else the usual one for the kind of stem."""
    if text != "auto":
        return parse_normalization(text)
    if "normalization" in metadata:
        stored = parse_normalization(metadata["normalization"])
        return Normalization(stored.mean, stored.std, "stored in the file")
    usual = {"cifar": "cifar10", "imagenet": "imagenet"}[stem]
    preset = parse_normalization(usual)
    source = f"assumed ({usual}); the file does not say"
    return Normalization(preset.mean, preset.std, source)


def stored_size(metadata: Mapping[str, str], stem: Stem) -> int | None:
    """Side the encoder was trained at; small-image stems without a record take the data's own."""
    text = metadata.get("input_size", "")
    if text.isdigit() and 4 <= int(text) <= 1024:
        return int(text)
    return 224 if stem == "imagenet" else None
