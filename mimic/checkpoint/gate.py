"""The one gate through which a stranger's file enters.

Nothing else in the project may call ``torch.load``. Files are read weights-only, with no fallback.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import safetensors
import torch

from mimic.errors import EncoderError

MAX_FILE_BYTES = 4 * 2**30
MAX_TENSORS = 20_000
WRAPPERS = ("state_dict", "model", "network", "model_state_dict")
SAFE_REMEDY = "Ask for the weights as .safetensors or as a plain dictionary of tensors."


@dataclass(frozen=True)
class StoredFile:
    """What a suspect file holds, before anyone has asked what it means.

    Args:
        kind: the format, decided from the file's bytes.
        tensors: the state dict under the file's own names, in the file's order and number formats;
            dense tensors in main memory.
        wrapper: numbers and words that stood beside the state dict; empty if it was bare.
        state_key: the key the state dict stood under; empty if it was bare.
        top_level: the file's outermost keys, for explaining what an unknown file is.
        metadata: the free texts of a safetensors file.
    """

    kind: Literal["safetensors", "torch", "torchscript"]
    tensors: Mapping[str, torch.Tensor]
    wrapper: dict[str, Any] = field(default_factory=dict)
    state_key: str = ""
    top_level: tuple[str, ...] = ()
    metadata: dict[str, str] = field(default_factory=dict)


def read_file(path: Path) -> StoredFile:
    """Read a stranger's file.

    Raises:
        EncoderError: if the file is missing, too large, damaged, or not readable weights-only.
    """
    check_file(path)
    with path.open("rb") as file:
        is_zip = file.read(4) == b"PK\x03\x04"
        file.seek(8)
        is_safetensors = file.read(1) == b"{" and not is_zip
    if is_safetensors:
        tensors, metadata = read_safetensors(path)
        return StoredFile("safetensors", tensors, metadata=metadata)
    tensors, wrapper, state_key = read_checkpoint(path, is_zip=is_zip)
    return StoredFile("torch", tensors, wrapper=wrapper or {}, state_key=state_key)


def check_file(path: Path) -> None:
    """Refuse what is no regular file of a bearable size."""
    if not path.is_file():
        raise EncoderError(f"There is no encoder file '{path.name}'.", "Check the path.")
    size = path.stat().st_size
    if size > MAX_FILE_BYTES:
        raise EncoderError(
            f"'{path.name}' has {size / 2**30:.1f} GiB, above the limit of 4 GiB.",
            "Store the weights alone, without optimiser state.",
        )
    if size == 0:
        raise EncoderError(f"'{path.name}' is empty.", "Download or copy the file again.")


def read_safetensors(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """All tensors and the metadata of a safetensors file."""
    try:
        with safetensors.safe_open(path, framework="pt") as opened:
            metadata = opened.metadata() or {}
            tensors = {key: opened.get_tensor(key) for key in opened.keys()}  # noqa: SIM118
    except Exception as error:  # The reader raises several kinds; each means refusal.
        raise EncoderError(
            f"'{path.name}' is a damaged safetensors file.", "Download or copy the file again."
        ) from error
    return tensors, metadata


def read_checkpoint(
    path: Path, *, is_zip: bool
) -> tuple[dict[str, torch.Tensor], dict[str, Any] | None, str]:
    """The state dict of a torch checkpoint, what surrounded it, and under which key it was."""
    if is_zip:
        check_archive(path)
    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # At least six kinds (safety.md); each means refusal, none a retry.
        raise EncoderError(
            f"'{path.name}' cannot be read as plain weights: it is damaged, no checkpoint, or asks "
            "to run code.",
            SAFE_REMEDY,
        ) from error
    if not isinstance(loaded, Mapping):
        raise EncoderError(
            f"'{path.name}' holds a {type(loaded).__name__}, no state dict.", SAFE_REMEDY
        )
    for key in WRAPPERS:
        if isinstance(loaded.get(key), Mapping):
            around = {k: v for k, v in loaded.items() if isinstance(v, int | float | str)}
            return tensors_only(loaded[key]), around, key
    return tensors_only(loaded), None, ""


def check_archive(path: Path) -> None:
    """Refuse archives that torch.save does not write: compressed, duplicate or damaged members."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            names = [member.filename for member in members]
            odd = (
                len(members) > MAX_TENSORS
                or len(set(names)) < len(names)
                or any(member.compress_type != zipfile.ZIP_STORED for member in members)
                or sum(member.file_size for member in members) > path.stat().st_size
            )
            damaged = None if odd else archive.testzip()
    except Exception as error:
        raise EncoderError(
            f"'{path.name}' is a damaged archive.", "Download or copy the file again."
        ) from error
    if odd:
        raise EncoderError(
            f"'{path.name}' is packed in a way that torch.save never does.", SAFE_REMEDY
        )
    if damaged is not None:
        raise EncoderError(
            f"'{path.name}' is damaged: a checksum is wrong.", "Download or copy the file again."
        )


def tensors_only(state: Mapping[Any, Any]) -> dict[str, torch.Tensor]:
    """The plain dense tensors of a state dict."""
    if len(state) > MAX_TENSORS:
        raise EncoderError(f"The file holds {len(state)} entries.", SAFE_REMEDY)
    return {
        key: value
        for key, value in state.items()
        if isinstance(key, str)
        and isinstance(value, torch.Tensor)
        and value.layout == torch.strided
        and not value.is_quantized
        and value.device.type == "cpu"
        and value.numel() * value.element_size() <= max(64, value.untyped_storage().nbytes())
    }
