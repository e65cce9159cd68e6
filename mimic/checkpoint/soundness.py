"""Weights that fill a network and still cannot be an encoder's: broken or empty numbers."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from mimic.checkpoint.match import COUNTER
from mimic.errors import EncoderError
from mimic.parsing.opcodes import shorten

REMEDY = "The training that wrote it failed or the file is damaged; choose another checkpoint."


def demand_sound(tensors: Mapping[str, torch.Tensor], file_name: str) -> list[str]:
    """Refuse weights that no working encoder has.

    Args:
        tensors: the backbone under our names.
        file_name: for the message.

    Returns:
        Doubts, one sentence each: tensors that hold one number throughout.

    Raises:
        EncoderError: naming the first tensor that is not finite, zero throughout, of whole
            numbers, or a negative variance.
    """
    constant = []
    for name, tensor in tensors.items():
        if name.endswith(COUNTER):
            continue
        fault = fault_of(name, tensor)
        if fault:
            raise EncoderError(f"'{file_name}' {fault} {shorten(name)}.", REMEDY)
        if is_weight(tensor) and bool((tensor == tensor.flatten()[0]).all()):
            constant.append(name)
    if not constant:
        return []
    shown = ", ".join(shorten(name) for name in constant[:3])
    more = f" and {len(constant) - 3} more" if len(constant) > 3 else ""
    return [f"The encoder file holds one and the same number throughout {shown}{more}."]


def fault_of(name: str, tensor: torch.Tensor) -> str:
    """What is wrong with one tensor, as the middle of a sentence; empty if nothing is."""
    if not tensor.is_floating_point():
        return "holds whole numbers where weights belong, in"
    # The numbers that will be computed with: a double can be finite and still too large for them.
    values = tensor.float()
    low, high = values.aminmax() if values.numel() else (values.sum(), values.sum())
    if not bool(torch.isfinite(low) & torch.isfinite(high)):
        return "holds values that are not finite, for example in"
    if name.endswith("running_var") and float(low) < 0:
        return "holds a negative variance in"
    if is_weight(tensor) and name.endswith("weight") and float(low) == float(high) == 0:
        return "holds nothing but zeros in"
    return ""


def is_weight(tensor: torch.Tensor) -> bool:
    """Whether it is a filter bank or matrix of more than one number, not a scale or offset."""
    return tensor.ndim >= 2 and tensor.numel() > 1
