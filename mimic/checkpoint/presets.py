"""What an encoder's images go through, and whether its stem pools: by option, file, or family."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mimic.checkpoint.families import BY_STEM, MINE, Family
from mimic.encoder import Architecture
from mimic.preprocessing import Normalization, parse_normalization

OWN_SIZE_LIMIT = 64
"""Small-image encoders take the images' own size up to here ..."""
SMALL_SIZE = 32
"""... and larger images at the size they were trained on."""
LARGE_SIZE = 224
POOLS = {"yes": True, "no": False}


@dataclass(frozen=True)
class Options:
    """What a user may say about an encoder file against the file's or its family's own word.

    Args:
        normalization: ``auto`` or what ``parse_normalization`` takes.
        input_size: side images are resized to; 0 leaves it to the family.
        max_pool: ``auto``, ``yes`` or ``no``.
        heads: attention heads of a transformer; 0 leaves them to the file's record or its width.
        compared: whether its features were compared with those of the code that wrote the file, so
            that nothing of the network is a guess.
    """

    normalization: str = "auto"
    input_size: int = 0
    max_pool: str = "auto"
    heads: int = 0
    compared: bool = False


@dataclass(frozen=True)
class Choice:
    """A value and where it comes from, in words."""

    value: int | bool | None
    source: str

    def to_json(self) -> dict[str, int | bool | str | None]:
        """As JSON-ready values."""
        return {"value": self.value, "source": self.source}


def choose_normalization(
    text: str, metadata: Mapping[str, str], family: Family, architecture: Architecture
) -> Normalization:
    """What the user said, else what our file says, else the family's."""
    if text != "auto":
        return parse_normalization(text)
    if family.id == MINE:
        stored = parse_normalization(metadata["normalization"])
        return Normalization(stored.mean, stored.std, "stored in the file")
    usual = family.normalization
    if usual == BY_STEM:
        usual = "cifar10" if architecture.stem == "cifar" else "imagenet"
    preset = parse_normalization(usual)
    source = f"assumed ({usual}) for this family of files; the file does not say"
    return Normalization(preset.mean, preset.std, source)


def choose_size(
    given: int, metadata: Mapping[str, str], family: Family, architecture: Architecture
) -> Choice:
    """Side the images are resized to; None takes the images' own, up to ``OWN_SIZE_LIMIT``.

    Where learned positions fix the size, nothing else is possible.
    """
    if architecture.input_size:
        return Choice(architecture.input_size, "fixed by the encoder's learned positions")
    if given:
        return Choice(given, "given by hand")
    text = metadata.get("input_size", "") if family.id == MINE else ""
    if text.isascii() and text.isdigit() and 4 <= int(text[:5]) <= 1024:
        return Choice(int(text), "stored in the file")
    if family.size:
        return Choice(family.size, "this family's")
    if architecture.stem == "imagenet":
        return Choice(LARGE_SIZE, "usual for the 7x7 stem")
    return Choice(None, f"the images' own up to {OWN_SIZE_LIMIT} pixels, else {SMALL_SIZE}")


def choose_pool(
    given: str,
    metadata: Mapping[str, str],
    family: Family,
    architecture: Architecture,
    named: bool | None,
) -> Choice:
    """Whether a max-pool follows the stem; ``is_unclear`` of the outcome's source asks for a test.

    Args:
        given: ``auto``, ``yes`` or ``no``.
        metadata: of a safetensors file.
        family: where the file comes from.
        architecture: the network.
        named: what the file's key names tell, if they do.
    """
    if architecture.stem not in ("cifar", "imagenet"):
        return Choice(None, "part of the architecture")
    if given in POOLS:
        return Choice(POOLS[given], "given by hand")
    stored = metadata.get("max_pool", "") if family.id == MINE else ""
    if stored in POOLS:
        return Choice(POOLS[stored], "stored in the file")
    usual = architecture.stem == "imagenet"
    if named is not None and (named or not usual):
        return Choice(named, "told by the file's key names")
    if usual:
        return Choice(True, "usual for the 7x7 stem")
    return Choice(False, "this family's" if family.pool_is_known else UNCLEAR)


UNCLEAR = "assumed for the 3x3 stem; the file does not say"
