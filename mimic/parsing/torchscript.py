"""TorchScript archives: their weights, without the program that comes with them.

The file format is described in torch's ``torch/csrc/jit/docs/serialization.md``. The module tree in
``data.pkl`` is read symbolically, so no class, function or operator it names is looked up.
"""

from __future__ import annotations

from typing import Any

import torch

from mimic.errors import EncoderError
from mimic.parsing.archive import AGAIN, PLAIN, Archive
from mimic.parsing.opcodes import MAX_PICKLE_BYTES, Global, Instance, Persistent, read_stream
from mimic.parsing.torch_file import declared_storages, identity
from mimic.parsing.walk import MAX_DEPTH, MAX_NODES, MAX_TENSORS

DTYPES = {
    "torch.DoubleStorage": torch.float64, "torch.FloatStorage": torch.float32,
    "torch.HalfStorage": torch.float16, "torch.BFloat16Storage": torch.bfloat16,
    "torch.LongStorage": torch.int64, "torch.IntStorage": torch.int32,
    "torch.ShortStorage": torch.int16, "torch.CharStorage": torch.int8,
    "torch.ByteStorage": torch.uint8, "torch.BoolStorage": torch.bool,
}  # fmt: skip
Place = tuple[Instance, torch.dtype, str, int, tuple[int, ...], tuple[int, ...]]


def read_tensors(archive: Archive, size: int, name: str) -> dict[str, torch.Tensor]:
    """Parameters and buffers of a scripted or traced module, by attribute path.

    Raises:
        EncoderError: if the tree is damaged, too large, or holds tensors that are not plain.
    """
    if archive.members["data.pkl"] > MAX_PICKLE_BYTES:
        raise EncoderError(f"'{name}' has a list of tensors above 16 MiB.", PLAIN)
    root, reader = read_stream(archive.read("data.pkl"), lambda _: True, name)
    kind = root.of if isinstance(root, Instance) else None
    if not isinstance(kind, Global) or not kind.module.startswith("__torch__"):
        raise damaged(name)
    for key, declared in declared_storages(reader.persistent, name).items():
        if archive.members.get(f"data/{key}") != declared:
            raise damaged(name)
    found = find_tensors(root, name)
    places = {path: place_of(call, name) for path, call in found.items()}
    different = {place[1:]: place for place in places.values()}
    if sum(count_of(p[4]) * p[1].itemsize for p in different.values()) > size:
        raise EncoderError(f"'{name}' claims more numbers than it stores.", PLAIN)
    views = {which: view(archive, place, name) for which, place in different.items()}
    return {path: views[place[1:]] for path, place in places.items()}


def damaged(name: str) -> EncoderError:
    """The refusal of a tree that TorchScript cannot have written."""
    return EncoderError(f"'{name}' is a damaged TorchScript archive.", AGAIN)


def find_tensors(root: Any, name: str) -> dict[str, Instance]:
    """The calls that would rebuild tensors, by the attributes that lead to them."""
    found: dict[str, Instance] = {}
    pending: list[tuple[str, Any, int]] = [("", root, 0)]
    nodes = 0
    while pending:
        path, item, depth = pending.pop()
        nodes += 1
        if nodes > MAX_NODES or len(found) > MAX_TENSORS or depth > MAX_DEPTH:
            raise EncoderError(f"'{name}' holds more entries than any encoder.", PLAIN)
        if is_tensor(item):
            if path in found:  # An attribute's name may hold dots: "a.b" beside the "b" of an "a".
                raise damaged(name)
            found[path] = item
        elif isinstance(item, Instance) and isinstance(item.state, dict):
            if len(item.state) + len(pending) > MAX_NODES:
                raise EncoderError(f"'{name}' holds more entries than any encoder.", PLAIN)
            if not all(isinstance(key, str) and key for key in item.state):
                raise damaged(name)
            at = f"{path}." if path else ""
            inside = [(at + key, child, depth + 1) for key, child in item.state.items()]
            pending.extend(reversed(inside))
    return found


def is_tensor(item: Any) -> bool:
    """Whether a symbolic value is the rebuilding of a dense tensor."""
    if not isinstance(item, Instance) or not isinstance(item.of, Global):
        return False
    return item.of.text in ("torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor")


def place_of(call: Instance, name: str) -> Place:
    """Number format, storage, offset, shape and strides of a tensor."""
    given = call.arguments
    if len(given) < 4 or not isinstance(given[0], Persistent):
        raise damaged(name)
    storage, offset, shape, stride = given[:4]
    key, size, width = identity(storage, name)
    kind = storage.identity[1].text
    good = (
        kind in DTYPES
        and isinstance(shape, tuple)
        and isinstance(stride, tuple)
        and len(shape) == len(stride) <= 16
        and all(type(n) is int and 0 <= n < 2**40 for n in (offset, *shape, *stride))
    )
    if not good:
        raise damaged(name)
    last = offset + sum((n - 1) * step for n, step in zip(shape, stride, strict=True))
    if 0 not in shape and last >= size // width:
        raise damaged(name)
    return call, DTYPES[kind], key, offset, shape, stride


def count_of(shape: tuple[int, ...]) -> int:
    """How many numbers a tensor of this shape has."""
    count = 1
    for side in shape:
        count *= side
    return count


def view(archive: Archive, place: Place, name: str) -> torch.Tensor:
    """A tensor's own contiguous copy of its numbers."""
    _, dtype, key, offset, shape, stride = place
    if 0 in shape:
        return torch.empty(shape, dtype=dtype)
    record = bytearray(archive.read(f"data/{key}"))
    numbers = torch.frombuffer(record, dtype=dtype)
    try:
        return numbers.as_strided(shape, stride, offset).clone(
            memory_format=torch.contiguous_format
        )
    except RuntimeError as error:
        raise damaged(name) from error
