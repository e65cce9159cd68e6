"""Weights that fill a network and still cannot be an encoder's: broken or empty numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch

from mimic.checkpoint.match import COUNTER
from mimic.errors import EncoderError
from mimic.parsing.opcodes import shorten

REMEDY = "The training that wrote it failed or the file is damaged; choose another checkpoint."
LARGEST, SMALLEST = 1e30, 1e-30
"""Beyond these, squares leave float32's range: no loss would have been finite, no update felt."""
STEM_SCALES = ("bn1.weight", "bn2.weight", "bn3.weight")
"""Norms of a stem: one in a ResNet, three in CLIP's."""


def demand_sound(tensors: Iterable[tuple[str, torch.Tensor]], file_name: str) -> list[str]:
    """Refuse weights that no working encoder has.

    Args:
        tensors: the backbone under our names, one after the other.
        file_name: for the message.

    Returns:
        Doubts, one sentence each: tensors that hold one number throughout, norms whose scale or
        variance is nothing but zeros where no training leaves them so, and numbers too large or
        too small to have been trained.

    Raises:
        EncoderError: naming the first tensor that is not finite, zero throughout, of whole
            numbers, or a negative variance.
    """
    constant, empty, extreme = [], [], []
    for name, tensor in tensors:
        if name.endswith(COUNTER):
            continue
        low, high = range_of(tensor)
        fault = fault_of(name, tensor, low, high)
        if fault:
            raise EncoderError(f"'{file_name}' {fault} {shorten(name)}.", REMEDY)
        if is_weight(tensor) and bool((tensor == tensor.flatten()[0]).all()):
            constant.append(name)
        if is_dead_norm(name, tensor):
            empty.append(name)
        if is_extreme(low, high):
            extreme.append(name)
    doubts = []
    if constant:
        doubts.append(
            f"The encoder file holds one and the same number throughout {first_of(constant)}."
        )
    if empty:
        doubts.append(
            f"The encoder file holds nothing but zeros in {first_of(empty)}, so that a norm passes "
            "nothing on or was never fitted."
        )
    if extreme:
        doubts.append(
            f"The encoder file holds numbers as no training leaves them in {first_of(extreme)}: "
            f"above {LARGEST:.0e}, or none as large as {SMALLEST:.0e}."
        )
    return doubts


def first_of(names: list[str]) -> str:
    """The first few names, and how many more there are."""
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(shorten(name) for name in names[:3]) + more


def is_dead_norm(name: str, tensor: torch.Tensor) -> bool:
    """Whether it is a variance, or the scale of the stem's norm, of nothing but zeros.

    Within a residual branch a scale of zeros is an honest beginning (zero-gamma) and no doubt.
    """
    if not name.endswith("running_var") and name not in STEM_SCALES:
        return False
    return tensor.numel() > 0 and not bool(tensor.any())


def range_of(tensor: torch.Tensor) -> tuple[float, float]:
    """The least and the largest of the numbers that will be computed with.

    A double can be finite and still too large for them.
    """
    values = tensor.float()
    low, high = values.aminmax() if values.numel() else (values.sum(), values.sum())
    return float(low), float(high)


def is_extreme(low: float, high: float) -> bool:
    """Whether a range lies beyond what a training leaves; a tensor of zeros has other reasons."""
    largest = max(-low, high)
    return largest > LARGEST or 0 < largest < SMALLEST


def fault_of(name: str, tensor: torch.Tensor, low: float, high: float) -> str:
    """What is wrong with one tensor, as the middle of a sentence; empty if nothing is.

    Args:
        name: our name of it.
        tensor: its numbers.
        low: the least of them.
        high: the largest of them.
    """
    if not tensor.is_floating_point():
        return "holds whole numbers where weights belong, in"
    if not (math.isfinite(low) and math.isfinite(high)):
        return "holds values that are not finite, for example in"
    if name.endswith("running_var") and low < 0:
        return "holds a negative variance in"
    if is_weight(tensor) and name.endswith("weight") and low == high == 0:
        return "holds nothing but zeros in"
    return ""


def is_weight(tensor: torch.Tensor) -> bool:
    """Whether it is a filter bank or matrix of more than one number, not a scale or offset."""
    return tensor.ndim >= 2 and tensor.numel() > 1
