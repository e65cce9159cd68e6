"""One suspect file, from bytes to plain tensors; runs in a process of its own that then ends."""

from __future__ import annotations

import hashlib
import io
import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
import torch

from mimic.errors import EncoderError
from mimic.parsing import answer, safetensors_file, torch_file, torchscript
from mimic.parsing.archive import open_archive
from mimic.parsing.opcodes import read_stream, shorten
from mimic.parsing.sniff import find_format
from mimic.parsing.walk import check_value

WRAPPERS = ("state_dict", "model", "network", "model_state_dict")
PLAIN = "Ask for the weights as .safetensors or as a plain dictionary of tensors."


def warm_up() -> None:
    """Read one file of our own, so that later children find all that torch imports on first use."""
    made, tensor = io.BytesIO(), torch.ones(2, dtype=torch.float16)
    torch.save({"state_dict": {"a": torch.nn.Parameter(tensor)}, "b": b"b", "c": {1}}, made)
    read(made.getvalue(), "own")
    made = io.BytesIO()
    torch.save({"a": tensor}, made, _use_new_zipfile_serialization=False)
    read(made.getvalue(), "own")
    read(safetensors.torch.save({"a": tensor}), "own")


def parse(descriptor: int, folder: Path, name: str) -> None:
    """Read a suspect file once and leave the answer in a folder.

    All checks, the hash and the parser work on the same bytes in memory, so nobody can exchange
    them in between.

    Args:
        descriptor: the opened file.
        folder: an own empty folder.
        name: what to call the file in a refusal.
    """
    warnings.simplefilter("ignore")
    try:
        with os.fdopen(descriptor, "rb") as file:
            content = file.read()
        about, tensors = read(content, name)
        answer.check_about(about)
        answer.write_answer(folder, about, tensors)
    except EncoderError as error:
        answer.write_about(folder, {"cause": error.cause, "remedy": error.remedy})
    except answer.AnswerError:
        answer.write_about(
            folder,
            {
                "cause": f"'{name}' has names or remarks that no encoder file needs: too long, too "
                "many, or not text.",
                "remedy": PLAIN,
            },
        )


def read(content: bytes, name: str) -> tuple[dict[str, Any], list[torch.Tensor]]:
    """What the file holds: the JSON part of the answer, and its tensors.

    Raises:
        EncoderError: if it is refused.
    """
    about: dict[str, Any] = {
        "kind": "torch", "legacy": False, "sha256": hashlib.sha256(content).hexdigest(),
        "wrapper": {}, "state_key": "", "top_level": [], "metadata": {}, "other_states": [],
    }  # fmt: skip
    kind = find_format(content, name)
    if kind == "safetensors":
        tensors, about["metadata"] = safetensors_file.read_tensors(content, name)
        about["kind"] = "safetensors"
        check_value(tensors, len(content), name)
    elif kind == "zip" and (archive := open_archive(content, name)).is_torchscript:
        tensors = torchscript.read_tensors(archive, len(content), name)
        about["kind"] = "torchscript"
        check_value(tensors, len(content), name)
    else:
        if kind == "zip":
            torch_file.check_zip(archive, name)
        elif kind == "legacy":
            torch_file.check_legacy(content, name)
            about["legacy"] = True
        else:
            value, reader = read_stream(content, torch_file.allowed_for(name), name)
            if value == torch_file.LEGACY_NUMBER:
                torch_file.check_protocol(reader, name)
            raise EncoderError(f"'{name}' is a plain Python pickle, not a checkpoint.", PLAIN)
        loaded = torch_file.load(content, name)
        check_value(loaded, len(content), name)
        tensors = unwrap(loaded, about, name)
    if not about["top_level"]:
        about["top_level"] = [
            k[: answer.MAX_NAME] for k in list(dict.fromkeys(k.split(".")[0] for k in tensors))
        ][: answer.MAX_TOP_LEVEL]
    about["names"] = list(tensors)
    about["places"], different = without_repeats(tensors)
    if sum(t.numel() * t.element_size() for t in different) > len(content):
        raise EncoderError(
            f"'{name}' claims more numbers in its state dict than it stores: its tensors overlap.",
            PLAIN,
        )
    return about, different


def without_repeats(
    tensors: Mapping[str, torch.Tensor],
) -> tuple[list[int], list[torch.Tensor]]:
    """The tensors with exact repeats (tied weights) once, and for each name which one it is."""
    numbers: dict[Any, int] = {}
    different: list[torch.Tensor] = []
    places = []
    for tensor in tensors.values():
        where = (tensor.data_ptr(), tensor.dtype, tensor.shape, tensor.stride())
        number = numbers.setdefault(where, len(different))
        if number == len(different):
            different.append(tensor)
        places.append(number)
    return places, different


def unwrap(loaded: Any, about: dict[str, Any], name: str) -> dict[str, torch.Tensor]:
    """The state dict inside a checkpoint; what stood around it goes into ``about``."""
    if not isinstance(loaded, Mapping):
        what = shorten(type(loaded).__name__)
        raise EncoderError(
            f"'{name}' holds a {what.lower()} on its own, no state dict with names.", PLAIN
        )
    keys = [k if isinstance(k, str) else str(k) for k in list(loaded)[: answer.MAX_TOP_LEVEL]]
    about["top_level"] = keys
    key = next((key for key in WRAPPERS if isinstance(loaded.get(key), Mapping)), "")
    others = [k for k in loaded if isinstance(k, str) and k != key and is_network(loaded[k])]
    about["other_states"] = others[: answer.MAX_TOP_LEVEL]
    if not key:
        return tensors_of(loaded)
    about["state_key"] = key
    # What no output could carry (long texts, numbers of many digits) is no reason to refuse.
    around = {k: v for k, v in loaded.items() if answer.is_remark(k, v)}
    about["wrapper"] = dict(list(around.items())[: answer.MAX_TOP_LEVEL])
    return tensors_of(loaded[key])


def is_network(value: Any) -> bool:
    """Whether a value is a state dict: named tensors, some with two axes or more."""
    return isinstance(value, Mapping) and any(t.ndim >= 2 for t in tensors_of(value).values())


def tensors_of(state: Mapping[Any, Any]) -> dict[str, torch.Tensor]:
    """The tensors of a state dict."""
    return {
        key: value
        for key, value in state.items()
        if isinstance(key, str) and isinstance(value, torch.Tensor)
    }
