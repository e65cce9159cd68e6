"""What torch.load gave back, walked within bounds."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterable
from typing import Any

import torch

from mimic.errors import EncoderError
from mimic.parsing.opcodes import shorten

MAX_TENSORS = 20_000
MAX_NODES = 200_000
MAX_DEPTH = 32
PLAIN = "Ask for the weights as .safetensors or as a plain dictionary of tensors."
NUMBERS = {
    torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32,
    torch.int16, torch.int8, torch.uint8, torch.bool,
}  # fmt: skip
LEAVES = (int, float, str, bytes, type(None), torch.device, torch.dtype)


def check_value(value: Any, size: int, name: str) -> None:
    """Refuse a value that is too large, too deep, or holds tensors that are not plain.

    Depth first with an own stack, so that no structure can exhaust Python's.

    Args:
        value: anything made of containers, tensors and scalars.
        size: bytes of the file it came from.
        name: of the file, for the refusal.

    Raises:
        EncoderError: see above.
    """
    nodes = tensors = claimed = 0
    path: set[int] = set()
    pending: list[tuple[Any, str, int, bool]] = [(value, "", 0, False)]
    while pending:
        item, label, depth, leaving = pending.pop()
        if leaving:
            path.discard(id(item))
            continue
        nodes += 1
        if nodes > MAX_NODES or tensors > MAX_TENSORS:
            raise EncoderError(f"'{name}' holds more entries than any encoder.", PLAIN)
        if isinstance(item, torch.Tensor):
            check_tensor(item, label, name)
            tensors += 1
            claimed += item.numel() * item.element_size()
            if claimed > 2 * size:
                raise EncoderError(
                    f"'{name}' claims more numbers than it stores, the last in "
                    f"{shorten(label) or 'its only tensor'}.",
                    PLAIN,
                )
        elif not isinstance(item, LEAVES):
            if id(item) in path:
                raise EncoderError(f"'{name}' holds a container that contains itself.", PLAIN)
            if depth >= MAX_DEPTH:
                raise EncoderError(
                    f"'{name}' nests its entries more than {MAX_DEPTH} levels deep.", PLAIN
                )
            path.add(id(item))
            pending.append((item, label, depth, True))
            budget = MAX_NODES - nodes - len(pending)
            inside = list(children(item, budget, name))
            pending.extend((child, at or label, depth + 1, False) for at, child in inside)


def children(item: Any, budget: int, name: str) -> Iterable[tuple[str, Any]]:
    """The entries of a container, labelled by their key."""
    if type(item) not in (dict, OrderedDict, Counter, list, tuple, set, torch.Size):
        raise EncoderError(
            f"'{name}' holds a {shorten(type(item).__name__)}, which is no part of plain weights.",
            PLAIN,
        )
    if len(item) > budget:
        raise EncoderError(f"'{name}' holds more entries than any encoder.", PLAIN)
    if isinstance(item, dict):
        return [(key if isinstance(key, str) else "", child) for key, child in item.items()]
    return [("", child) for child in item]


def check_tensor(tensor: torch.Tensor, label: str, name: str) -> None:
    """Refuse a tensor that is not dense, plain, in memory, and of ordinary numbers."""
    odd = None
    if type(tensor) not in (torch.Tensor, torch.nn.Parameter):
        odd = "a tensor of a special class"
    elif tensor.layout != torch.strided:
        odd = "a sparse tensor"
    elif tensor.is_quantized:
        odd = "a quantised tensor"
    elif tensor.device.type != "cpu":
        odd = "a tensor without values"
    elif tensor.dtype not in NUMBERS:
        odd = f"a tensor of {str(tensor.dtype).removeprefix('torch.')} numbers"
    elif tensor.is_conj() or tensor.is_neg():
        odd = "a tensor of a special class"
    if odd:
        where = f" ({shorten(label)})" if label else ""
        raise EncoderError(f"'{name}' holds {odd}{where}, which is not supported.", PLAIN)
