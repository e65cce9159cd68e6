"""How far the student represents clean images as the teacher does, and stopping by it.

The measure needs no labels and no trigger, so a defender can have it: linear centred kernel
alignment (CKA; Kornblith et al., "Similarity of Neural Network Representations Revisited", ICML
2019, section 3) of the two encoders' features on the clean images without augmentation. It does not
change when features are rotated or scaled, so it also serves where the clone loss is off.
"""

from __future__ import annotations

import torch

from mimic.compute import autocast
from mimic.encoder import Encoder

BATCH = 256


def linear_cka(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Linear CKA: ``|Y'X|^2 / (|X'X| |Y'Y|)`` with centred columns and Frobenius norms.

    Args:
        x: features (N, D).
        y: features (N, D') of the same images.

    Returns:
        A scalar in 0 to 1, float32; 1 if one is the other rotated, scaled and shifted.
    """
    x, y = (z.float() - z.float().mean(0) for z in (x, y))
    x, y = (z / z.norm().clamp(min=1e-12) for z in (x, y))  # keeps the squares in range
    if len(x) < max(x.shape[1], y.shape[1]):  # N x N products are cheaper, and equal in norm
        grams = [z @ z.T for z in (x, y)]
        shared, scale = (grams[0] * grams[1]).sum(), grams[0].norm() * grams[1].norm()
    else:
        products = [(a.T @ b).norm() for a, b in ((y, x), (x, x), (y, y))]
        shared, scale = products[0].square(), products[1] * products[2]
    agreement: torch.Tensor = shared / scale.clamp(min=1e-30)
    return agreement


class Agreement:
    """Linear CKA between a student and the teacher on the clean images.

    Args:
        teacher: the suspect encoder, in eval mode; its features are computed once, when needed.
        inputs: the clean images, normalised, (N, 3, H, W).
        precision: number format of the matrix products.
    """

    def __init__(self, teacher: Encoder, inputs: torch.Tensor, precision: torch.dtype) -> None:
        self.teacher, self.inputs, self.precision = teacher, inputs, precision
        self.expected: torch.Tensor | None = None

    def __call__(self, student: Encoder) -> float:
        """The agreement of the student, in eval mode, as it stands."""
        if self.expected is None:
            self.expected = self.features(self.teacher)
        return float(linear_cka(self.features(student), self.expected))

    @torch.no_grad()
    def features(self, encoder: Encoder) -> torch.Tensor:
        """Features (N, D) in eval mode; the encoder's mode is restored."""
        was_training = encoder.training
        encoder.eval()
        try:
            with autocast(self.inputs.device, self.precision):
                parts = torch.split(self.inputs, BATCH)
                return torch.cat([encoder(part).float() for part in parts])
        finally:
            encoder.train(was_training)
