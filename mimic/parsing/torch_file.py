"""Checkpoints of torch.save: what they ask for is read symbolically first, then weights-only.

Nothing else in the project may call ``torch.load``.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable
from typing import Any

import torch

from mimic.errors import EncoderError
from mimic.parsing.archive import AGAIN, PLAIN, Archive
from mimic.parsing.opcodes import (
    MAX_PICKLE_BYTES,
    Global,
    Persistent,
    SymbolicReader,
    read_stream,
)

STORAGE_BYTES = {
    "torch.DoubleStorage": 8, "torch.FloatStorage": 4, "torch.HalfStorage": 2,
    "torch.BFloat16Storage": 2, "torch.LongStorage": 8, "torch.IntStorage": 4,
    "torch.ShortStorage": 2, "torch.CharStorage": 1, "torch.ByteStorage": 1,
    "torch.BoolStorage": 1, "torch.storage.UntypedStorage": 1,
}  # fmt: skip
DTYPES = ("float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8",
          "bool")  # fmt: skip
ALLOWED = {
    "collections.OrderedDict", "collections.Counter", "torch._utils._rebuild_tensor_v2",
    "torch._utils._rebuild_tensor", "torch._utils._rebuild_parameter", "torch.Size",
    "torch.device", "_codecs.encode", "builtins.set", *STORAGE_BYTES,
    *(f"torch.{dtype}" for dtype in DTYPES),
}  # fmt: skip
"""What plain weights refer to: a part of torch's own list, without its sparse, quantised, complex,
subclassed and empty tensors."""
NO_WEIGHTS = {
    "torch._utils._rebuild_sparse_tensor": "sparse tensors",
    "torch._utils._rebuild_qtensor": "quantised tensors",
    "torch._utils._rebuild_meta_tensor_no_storage": "tensors without values",
    "torch.ComplexFloatStorage": "complex numbers",
    "torch.ComplexDoubleStorage": "complex numbers",
}
NEWEST_PROTOCOL = 3
"""torch's weights-only reader knows the opcodes of protocols up to this one."""
LEGACY_NUMBER = 0x1950A86A20F9469CFC6C
"""What the first pickle of a legacy file holds."""
LEGACY_PICKLES = 5
"""A legacy file: magic number, protocol, writing system, the object, the order of storages."""


def allowed_for(name: str) -> Any:
    """Says whether a global belongs to plain weights; harmless but unsupported kinds are named."""

    def allowed(text: str) -> bool:
        if text in NO_WEIGHTS:
            raise EncoderError(
                f"'{name}' holds {NO_WEIGHTS[text]}, which are not supported.", PLAIN
            )
        return text in ALLOWED

    return allowed


def load(content: bytes, name: str) -> Any:
    """The object of a checkpoint that has been checked.

    Raises:
        EncoderError: if torch refuses it weights-only; there is no second attempt.
    """
    try:
        return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except MemoryError:
        raise
    except Exception as error:  # At least six kinds, whose texts advise to load unsafely.
        if "allocate memory" in str(error):
            raise MemoryError from error
        raise EncoderError(
            f"'{name}' cannot be read as plain weights: it is damaged or no checkpoint.", AGAIN
        ) from error


def check_zip(archive: Archive, name: str) -> None:
    """Check what the pickle of an archive asks for, and that its records have the declared size."""
    if archive.members["data.pkl"] > MAX_PICKLE_BYTES:
        raise EncoderError(f"'{name}' has a list of tensors above 16 MiB.", PLAIN)
    value, reader = read_stream(archive.read("data.pkl"), allowed_for(name), name)
    del value
    check_protocol(reader, name)
    if reader.place != archive.members["data.pkl"]:
        raise EncoderError(f"'{name}' has bytes after its list of tensors.", AGAIN)
    declared = declared_storages(reader.persistent, name)
    stored = {n[5:]: size for n, size in archive.members.items() if n.startswith("data/")}
    if declared != stored:
        raise mismatch(name)


def check_legacy(content: bytes, name: str) -> None:
    """Check all pickles of a legacy file, and that its storages fill the rest of it exactly."""
    rest, values, persistent = memoryview(content), [], []
    for _ in range(LEGACY_PICKLES):
        value, reader = read_stream(rest, allowed_for(name), name)
        check_protocol(reader, name)
        values.append(value)
        persistent += reader.persistent
        rest = rest[reader.place :]
    declared = declared_storages(persistent, name)
    system, order = values[2], values[4]
    if isinstance(system, dict) and system.get("little_endian") is not True:
        raise EncoderError(
            f"'{name}' was written on a machine with another byte order.",
            "Convert it to .safetensors on the machine that wrote it.",
        )
    if not isinstance(order, list) or not all(isinstance(key, str) for key in order):
        raise mismatch(name)
    if len(order) != len(declared) or set(order) != set(declared):
        raise mismatch(name)
    widths = {identity(p, name)[0]: identity(p, name)[2] for p in persistent}
    for key in order:  # Each storage is a count of numbers, then the numbers.
        if len(rest) < 8 or struct.unpack("<q", rest[:8])[0] * widths[key] != declared[key]:
            raise mismatch(name)
        rest = rest[8:]
        if len(rest) < declared[key]:
            raise mismatch(name)
        rest = rest[declared[key] :]
    if len(rest):
        raise mismatch(name)


def check_protocol(reader: SymbolicReader, name: str) -> None:
    """Refuse a protocol that torch does not read weights-only, saying so."""
    if reader.protocol > NEWEST_PROTOCOL:
        raise EncoderError(
            f"'{name}' is written with pickle protocol {reader.protocol}, which torch does not "
            "read as plain weights.",
            "Ask its author to save it with torch.save's own protocol (2), or as .safetensors.",
        )


def mismatch(name: str) -> EncoderError:
    """The refusal of storages that are not those declared."""
    return EncoderError(
        f"'{name}' is damaged: the sizes of its tensors do not fit the bytes stored.", AGAIN
    )


def identity(found: Persistent, name: str) -> tuple[str, int, int]:
    """Key, bytes, and bytes per number of a storage that a stream refers to."""
    value = found.identity
    if not isinstance(value, tuple) or len(value) not in (5, 6) or value[0] != "storage":
        raise mismatch(name)
    kind, key, place, count = value[1:5]
    width = STORAGE_BYTES.get(kind.text) if isinstance(kind, Global) else None
    plain = isinstance(key, str) and isinstance(place, str) and type(count) is int
    if width is None or not plain or not 0 <= count < 2**48 or value[5:] not in ((), (None,)):
        raise mismatch(name)
    return key, count * width, width


def declared_storages(persistent: Iterable[Persistent], name: str) -> dict[str, int]:
    """Bytes of each storage, by key; refuse two sizes or kinds under one key."""
    declared: dict[str, tuple[int, int]] = {}
    for found in persistent:
        key, size, width = identity(found, name)
        if declared.setdefault(key, (size, width)) != (size, width):
            raise mismatch(name)
    return {key: size for key, (size, _) in declared.items()}
