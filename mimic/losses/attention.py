"""The attention loss: student and teacher look at the same places.

Attention here is attention *transfer* (Zagoruyko and Komodakis, ICLR 2017), not self-attention.
"""

import torch
from torch.nn import functional


def attention_map(activation: torch.Tensor) -> torch.Tensor:
    """Where a layer is active: squared magnitudes summed over channels, unit length per image.

    Args:
        activation: (B, C, H, W).

    Returns:
        (B, H*W), non-negative rows of unit length, float32.
    """
    energy = activation.float().pow(2).sum(dim=1).flatten(1)  # (B, H*W)
    return functional.normalize(energy, dim=1)


def attention_loss(student: torch.Tensor, teacher: torch.Tensor) -> torch.Tensor:
    """Mean squared distance between two layers' attention maps.

    The mean runs over images *and* pixels, as in the authors' public code, so equal weights press
    harder on small late maps: the factor on an image's squared distance is weight / (H*W).

    Args:
        student: activation (B, C, H, W).
        teacher: activation (B, C', H, W) of the same images.

    Returns:
        A scalar, at most 2 / (H*W), float32.
    """
    return functional.mse_loss(attention_map(student), attention_map(teacher))
