"""The clone loss of MIMIC: the student's features point where the teacher's do."""

import torch
from torch.nn import functional


def clone_loss(student: torch.Tensor, teacher: torch.Tensor) -> torch.Tensor:
    """Minus the mean cosine similarity of two batches of features.

    Args:
        student: features (B, D).
        teacher: features (B, D) of the same images.

    Returns:
        A scalar in -1 (same directions) to 1, float32.
    """
    return -functional.cosine_similarity(student.float(), teacher.float(), dim=1).mean()
