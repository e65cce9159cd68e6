"""The one gate through which a stranger's file enters.

This process hashes a suspect file and reads nothing else of it, but for the page's first look at
512 bytes: a child process parses it (``mimic.parsing``) and hands back plain numbered tensors,
which are checked like a stranger's.
"""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import safetensors
import torch

from mimic import fingerprint
from mimic.errors import CutShortError, EncoderError
from mimic.fingerprint import MAX_FILE_BYTES
from mimic.parsing import answer, client
from mimic.parsing.opcodes import shorten

SAFE_REMEDY = "Ask for the weights as .safetensors or as a plain dictionary of tensors."
AGAIN = "Download or copy the file again."
OUTCOMES = {
    "timeout": "Reading '{name}' took longer than {seconds:.0f} seconds and was stopped.",
    "memory": "Reading '{name}' needed more memory than three times its size and 1 GiB.",
    "forbidden": "Reading '{name}' tried to leave the process that reads it and was stopped.",
    "killed": "The process that read '{name}' was stopped from outside, perhaps for its memory.",
}
CRASHED = "The process that read '{name}' crashed; nothing of the file was taken over."


@dataclass(frozen=True)
class StoredFile:
    """What a suspect file holds, before anyone has asked what it means.

    Args:
        kind: the format, decided from the file's bytes.
        tensors: the state dict under the file's own names, in the file's order and number formats;
            dense tensors in main memory, where tied weights are one tensor under several names.
            Whoever makes an encoder of them takes them out, so that memory holds them once.
        sha256: of the very bytes that were parsed, in hexadecimal.
        bytes: the file's size.
        legacy: whether it is a torch checkpoint from before zip archives.
        wrapper: numbers and words that stood beside the state dict; empty if it was bare.
        state_key: the key the state dict stood under; empty if it was bare.
        top_level: the file's outermost keys, for explaining what an unknown file is.
        metadata: the free texts of a safetensors file.
        other_states: outermost keys, beside ``state_key``, that hold tensors of their own.
    """

    kind: Literal["safetensors", "torch", "torchscript"]
    tensors: dict[str, torch.Tensor]
    sha256: str = ""
    bytes: int = 0
    legacy: bool = False
    wrapper: dict[str, Any] = field(default_factory=dict)
    state_key: str = ""
    top_level: tuple[str, ...] = ()
    metadata: dict[str, str] = field(default_factory=dict)
    other_states: tuple[str, ...] = ()


def read_file(path: Path) -> StoredFile:
    """Read a stranger's file.

    Raises:
        EncoderError: if the file is missing, too large, damaged, not readable weights-only, or
            takes more time or memory than an honest one.
    """
    name = shorten(path.name)
    with open_file(path, name) as file, tempfile.TemporaryDirectory(prefix="mimic-gate-") as made:
        size = os.fstat(file.fileno()).st_size
        folder = Path(made).resolve()
        outcome = client.parse_apart(path, folder, name, size)
        if outcome != "done":
            text = OUTCOMES.get(outcome, CRASHED)
            kind = CutShortError if outcome in ("timeout", "killed", "lost") else EncoderError
            raise kind(text.format(name=name, seconds=client.PARSE_SECONDS), SAFE_REMEDY)
        return take_over(folder, name, size, fingerprint.of_open(file, size))


def open_file(path: Path, name: str) -> Any:
    """Open what is a regular file of a bearable size, without waiting for a pipe's writer.

    Raises:
        EncoderError: if it is something else.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        if isinstance(error, PermissionError):
            raise EncoderError(f"'{name}' may not be read.", "Check its permissions.") from error
        raise EncoderError(f"There is no encoder file '{name}'.", "Check the path.") from error
    try:
        return check_opened(descriptor, name)
    except BaseException:
        os.close(descriptor)
        raise


def check_opened(descriptor: int, name: str) -> Any:
    """The opened file as a reader, unless its kind or size is out of question."""
    about = os.fstat(descriptor)
    if not stat.S_ISREG(about.st_mode):
        raise EncoderError(
            f"There is no encoder file '{name}': it is a folder, pipe or device.", "Check the path."
        )
    if about.st_size > MAX_FILE_BYTES:
        raise EncoderError(
            f"'{name}' has {about.st_size / 2**30:.1f} GiB, above the limit of "
            f"{MAX_FILE_BYTES / 2**30:.0f} GiB.",
            "Store the weights alone, without optimiser state.",
        )
    if about.st_size == 0:
        raise EncoderError(f"'{name}' is empty.", AGAIN)
    return os.fdopen(descriptor, "rb")


def take_over(folder: Path, name: str, size: int, sha256: str) -> StoredFile:
    """The child's answer, checked.

    Raises:
        EncoderError: the child's refusal, or ours of an answer no honest child gives.
    """
    try:
        about = answer.read_about(folder)
        if "cause" in about:
            raise EncoderError(shorten(about["cause"], 600), shorten(about["remedy"], 300))
        if about["sha256"] != sha256:
            raise CutShortError(
                f"'{name}' changed while it was being read.", "Try again once nothing writes to it."
            )
        places = about["places"]
        numbered = read_tensors(folder / answer.TENSOR_FILE, len(set(places)), size)
        if set(places) != set(range(len(numbered))):
            raise answer.AnswerError("places")
    except answer.AnswerError as error:
        raise EncoderError(CRASHED.format(name=name), SAFE_REMEDY) from error
    return StoredFile(
        kind=about["kind"],
        tensors={n: numbered[p] for n, p in zip(about["names"], places, strict=True)},
        sha256=sha256,
        bytes=size,
        legacy=about["legacy"],
        wrapper=about["wrapper"],
        state_key=about["state_key"],
        top_level=tuple(about["top_level"]),
        metadata=about["metadata"],
        other_states=tuple(about["other_states"]),
    )


def read_tensors(path: Path, count: int, size: int) -> list[torch.Tensor]:
    """The tensors a child wrote, in order.

    Raises:
        AnswerError: if the file is not one that an honest child writes.
    """
    try:
        with contextlib.closing(answer.OwnFile(path)) as opened:
            written = os.fstat(opened.descriptor).st_size
        if written > size + 16 * 2**20:
            raise answer.AnswerError("size")
        with safetensors.safe_open(path, framework="pt") as stored:
            if set(stored.keys()) != {f"t{index}" for index in range(count)}:
                raise answer.AnswerError("names")
            # Copies: the reader's tensors are a view of a file that is about to be deleted.
            return [stored.get_tensor(f"t{index}").clone() for index in range(count)]
    except answer.AnswerError:
        raise
    except Exception as error:  # The reader raises several kinds; each means refusal.
        raise answer.AnswerError("unreadable") from error
