"""The nearest-neighbour estimator of Kraskov, Stögbauer and Grassberger: no critic, no training."""

from __future__ import annotations

import torch

NEIGHBORS = 3
COMPONENTS = 5
BLOCK = 512


def ksg_information(x: torch.Tensor, y: torch.Tensor, neighbors: int = NEIGHBORS) -> float:
    """Mutual information of pairs in nats, not cut at 0.

    "Estimating mutual information", Physical Review E 69, 2004, algorithm 1: ``psi(k) + psi(N) -
    mean(psi(n_x + 1) + psi(n_y + 1))``, where n_x and n_y count the points closer in x, or in y,
    than the k-th neighbour in both, by the maximum norm. Good in few dimensions only, and only for
    pairs that are independent draws.

    Args:
        x: (N, x_dim); for the digamma function's sake N exceeds ``neighbors`` + 1.
        y: (N, y_dim).
        neighbors: k.
    """
    x, y = x.double(), y.double()
    terms = []
    for start in range(0, len(x), BLOCK):
        rows = slice(start, start + BLOCK)
        near_x, near_y = chebyshev(x[rows], x), chebyshev(y[rows], y)
        # The nearest of all is the point itself, at distance 0.
        radius = torch.maximum(near_x, near_y).kthvalue(neighbors + 1, dim=1, keepdim=True).values
        # Counting the point itself, n + 1 of the formula.
        inside = [(near < radius).sum(1).clamp_min(1).double() for near in (near_x, near_y)]
        terms.append(torch.digamma(inside[0]) + torch.digamma(inside[1]))
    count = torch.tensor([neighbors, len(x)], dtype=torch.float64)
    return float(torch.digamma(count).sum() - torch.cat(terms).mean().cpu())


def chebyshev(rows: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
    """Maximum-norm distances (R, N)."""
    distances: torch.Tensor = torch.cdist(rows, points, p=float("inf"))
    return distances


def principal_components(
    values: torch.Tensor, fitted: torch.Tensor, components: int = COMPONENTS
) -> torch.Tensor:
    """Values on the leading principal components of the ``fitted`` rows, (N, <= components).

    A projection can only lose information, so on wide layers the estimate tends to be low.
    """
    sample = values[fitted].float()
    center = sample.mean(0)
    kept = min(components, *sample.shape)
    if kept == values.shape[1]:
        return values.float() - center
    _, _, directions = torch.linalg.svd(sample - center, full_matrices=False)
    projected: torch.Tensor = (values.float() - center) @ directions[:kept].T
    return projected
