"""SimCLR's projection head."""

from __future__ import annotations

from torch import nn


class ProjectionHead(nn.Sequential):
    """SimCLR's head: features (B, D) to projections (B, P)."""

    def __init__(self, feature_dim: int, projection_dim: int) -> None:
        super().__init__(
            nn.Linear(feature_dim, feature_dim, bias=False),
            nn.BatchNorm1d(feature_dim),
            nn.ReLU(),
            nn.Linear(feature_dim, projection_dim),
        )
        self.projection_dim = projection_dim


def default_projection_dim(feature_dim: int) -> int:
    """128 for the standard widths, 64 for narrow encoders."""
    return min(128, max(64, feature_dim // 4))
