"""What a child hands back: neutral numbered tensors and one JSON object, both bounded.

The child is not trusted, so the parent reads its answer as it would read a stranger's.
"""

from __future__ import annotations

import contextlib
import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

TENSOR_FILE = "tensors.safetensors"
ABOUT_FILE = "about.json"
MAX_ABOUT_BYTES = 32 * 2**20
MAX_NAME = 500
MAX_TOP_LEVEL = 100
MAX_METADATA = 1000
MAX_TEXT = 100_000
MAX_TENSORS = 20_000
KINDS = ("safetensors", "torch", "torchscript")
STORED_DTYPES = {
    torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16",
    torch.int64: "I64", torch.int32: "I32", torch.int16: "I16", torch.int8: "I8",
    torch.uint8: "U8", torch.bool: "BOOL",
}  # fmt: skip


class AnswerError(Exception):
    """The answer is not one that an honest child gives."""


def write_answer(folder: Path, about: Mapping[str, Any], tensors: list[torch.Tensor]) -> None:
    """Write the answer; tensors are written one by one, so no second copy of all exists.

    Args:
        folder: an own empty folder.
        about: what ``check_about`` accepts.
        tensors: dense tensors in main memory, to which ``about["places"]`` counts.
    """
    header, end = {}, 0
    for index, tensor in enumerate(tensors):
        stop = end + tensor.numel() * tensor.element_size()
        header[f"t{index}"] = {
            "dtype": STORED_DTYPES[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [end, stop],
        }
        end = stop
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with (folder / TENSOR_FILE).open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for tensor in tensors:
            if tensor.numel():
                # A copy, since even a contiguous tensor of one number may keep an odd stride.
                flat = torch.empty(tensor.numel(), dtype=tensor.dtype)
                flat.copy_(tensor.detach().reshape(-1))
                file.write(flat.view(torch.uint8).numpy().data)
    write_about(folder, about)


def write_about(folder: Path, about: Mapping[str, Any]) -> None:
    """Write the JSON part of an answer."""
    (folder / ABOUT_FILE).write_text(json.dumps(about), encoding="utf-8")


def read_about(folder: Path) -> dict[str, Any]:
    """The JSON part of an answer, checked.

    Raises:
        AnswerError: if it is absent, too large, or not of the agreed form.
    """
    try:
        with contextlib.closing(OwnFile(folder / ABOUT_FILE)) as opened:
            require(os.fstat(opened.descriptor).st_size <= MAX_ABOUT_BYTES, "size")
            content = os.read(opened.descriptor, MAX_ABOUT_BYTES)
        about = json.loads(content)
    except (OSError, ValueError, RecursionError) as error:
        raise AnswerError("unreadable") from error
    check_about(about)
    checked: dict[str, Any] = about
    return checked


class OwnFile:
    """A regular file opened without following a link and without waiting for a pipe's writer."""

    def __init__(self, path: Path) -> None:
        self.descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        if not stat.S_ISREG(os.fstat(self.descriptor).st_mode):
            self.close()
            raise AnswerError("no regular file")

    def close(self) -> None:
        """Close it."""
        os.close(self.descriptor)


def check_about(about: Any) -> None:
    """Refuse an answer that is not of the agreed form.

    Raises:
        AnswerError: naming the part.
    """
    if not isinstance(about, dict):
        raise AnswerError("no object")
    if "cause" in about:
        require(set(about) == {"cause", "remedy"}, "refusal")
        require(all(is_text(part, 1000) for part in about.values()), "refusal")
        return
    known = {
        "kind", "legacy", "sha256", "names", "places", "wrapper", "state_key", "top_level",
        "other_states", "metadata",
    }  # fmt: skip
    require(set(about) == known, "fields")
    require(about["kind"] in KINDS and type(about["legacy"]) is bool, "kind")
    require(is_text(about["sha256"], 64) and is_text(about["state_key"], 50), "hash")
    names = about["names"]
    require(isinstance(names, list) and len(names) <= MAX_TENSORS, "names")
    require(all(is_text(name, MAX_NAME) for name in names), "names")
    require(len(set(names)) == len(names), "names")
    places = about["places"]
    require(isinstance(places, list) and len(places) == len(names), "places")
    require(all(type(p) is int and 0 <= p < len(names) for p in places), "places")
    for part in ("top_level", "other_states"):
        keys = about[part]
        require(isinstance(keys, list) and len(keys) <= MAX_TOP_LEVEL, part)
        require(all(is_text(key, MAX_NAME) for key in keys), part)
    check_texts(about["metadata"], MAX_METADATA, (str,))
    check_texts(about["wrapper"], MAX_TOP_LEVEL, (int, float, str))


def check_texts(given: Any, count: int, kinds: tuple[type, ...]) -> None:
    """Refuse what is no bounded dictionary of scalars."""
    require(isinstance(given, dict) and len(given) <= count, "dictionary")
    for key, value in given.items():
        require(is_remark(key, value) and isinstance(value, kinds), "dictionary")


def is_remark(key: Any, value: Any) -> bool:
    """Whether a key and a scalar beside it are short enough for every output."""
    if not is_text(key, MAX_NAME) or not isinstance(value, int | float | str):
        return False
    return is_text(value, MAX_TEXT) if isinstance(value, str) else not is_long(value)


def is_long(value: float) -> bool:
    """Whether it is a whole number beyond 64 bits."""
    return isinstance(value, int) and abs(value) >= 2**63


def is_text(value: Any, limit: int) -> bool:
    """Whether a value is a short text that every output can encode."""
    if not isinstance(value, str) or len(value) > limit:
        return False
    return not any("\ud800" <= c <= "\udfff" for c in value)


def require(holds: bool, what: str) -> None:
    """Raise unless something holds."""
    if not holds:
        raise AnswerError(what)
