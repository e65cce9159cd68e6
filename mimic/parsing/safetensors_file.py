"""Safetensors files: the header is checked here first, then the library reads the same bytes."""

from __future__ import annotations

import json
from typing import Any

import safetensors.torch
import torch

from mimic.errors import EncoderError
from mimic.parsing.opcodes import shorten

MAX_HEADER_BYTES = 100 * 2**20
AGAIN = "Download or copy the file again."
WIDTHS = {
    "F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1,
    "BOOL": 1,
}  # fmt: skip


class DuplicateError(ValueError):
    """The header names something twice."""


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object whose keys differ: the library takes the last of two silently."""
    made = dict(pairs)
    if len(made) < len(pairs):
        raise DuplicateError
    return made


def read_tensors(content: bytes, name: str) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """All tensors and the metadata.

    Raises:
        EncoderError: if the header is not what the format demands, or names a tensor twice.
    """
    damaged = EncoderError(f"'{name}' is a damaged safetensors file.", AGAIN)
    length = int.from_bytes(content[:8], "little")
    if length > min(MAX_HEADER_BYTES, len(content) - 8):
        raise damaged
    try:
        header = json.loads(content[8 : 8 + length].decode("utf-8"), object_pairs_hook=unique)
    except DuplicateError as error:
        raise EncoderError(
            f"'{name}' names a tensor twice, so that it could be read in two ways.",
            "Ask for the file again from its author.",
        ) from error
    except (ValueError, RecursionError) as error:
        raise damaged from error
    if not isinstance(header, dict):
        raise damaged
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        raise damaged
    check_places(header, len(content) - 8 - length, name)
    try:
        tensors = safetensors.torch.load(content)
    except MemoryError:
        raise
    except Exception as error:  # The library raises several kinds; each means refusal.
        raise damaged from error
    if set(tensors) != set(header):
        raise damaged
    return {key: tensors[key] for key in header}, metadata


def check_places(header: dict[str, Any], size: int, name: str) -> None:
    """Refuse tensors of odd numbers, and places that leave holes or overlap."""
    places = []
    for key, entry in header.items():
        fields = entry if isinstance(entry, dict) else {}
        width, shape, place = (fields.get(k) for k in ("dtype", "shape", "data_offsets"))
        if isinstance(width, str) and width not in WIDTHS:
            raise EncoderError(
                f"'{name}' holds {shorten(width, 20)} numbers ({shorten(key)}), which are not "
                "supported.",
                "Ask for the weights in a floating-point format.",
            )
        if not isinstance(width, str) or shape is None or place is None:
            raise EncoderError(f"'{name}' is a damaged safetensors file.", AGAIN)
        if not whole_numbers(shape) or not whole_numbers(place):
            raise EncoderError(f"'{name}' is a damaged safetensors file.", AGAIN)
        count = 1
        for side in shape:
            count *= side
        places.append((*place, count * WIDTHS[width]) if len(place) == 2 else (0, 0, -1))
    end = 0
    for start, stop, claimed in sorted(places):
        if start != end or stop - start != claimed:
            raise EncoderError(f"'{name}' is a damaged safetensors file.", AGAIN)
        end = stop
    if end != size:
        raise EncoderError(f"'{name}' is a damaged safetensors file.", AGAIN)


def whole_numbers(value: Any) -> bool:
    """Whether a header's value is a short list of sizes."""
    return (
        isinstance(value, list)
        and len(value) <= 16
        and all(type(part) is int and 0 <= part < 2**48 for part in value)
    )
