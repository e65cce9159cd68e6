"""NT-Xent, the contrastive loss of SimCLR (Chen et al., ICML 2020, equation 1)."""

import torch
from torch.nn import functional


def nt_xent_loss(
    view_1: torch.Tensor, view_2: torch.Tensor, *, temperature: float = 0.5
) -> torch.Tensor:
    """Normalised temperature-scaled cross entropy between two views of a batch.

    For each of the 2B projections z_i with partner z_j:
    ``-log( exp(cos(z_i, z_j) / T) / sum over k != i of exp(cos(z_i, z_k) / T) )``, averaged.

    Args:
        view_1: projections (B, P); row i shows the same image as row i of ``view_2``.
        view_2: projections (B, P).
        temperature: T above.

    Returns:
        A scalar, float32.
    """
    batch = len(view_1)
    z = functional.normalize(torch.cat([view_1, view_2]).float(), dim=1)  # (2B, P)
    similarity = z @ z.T / temperature  # (2B, 2B)
    similarity = similarity.masked_fill(
        torch.eye(2 * batch, dtype=torch.bool, device=z.device), float("-inf")
    )
    partner = torch.arange(2 * batch, device=z.device).roll(batch)
    return functional.cross_entropy(similarity, partner)
