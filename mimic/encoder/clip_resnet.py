"""CLIP's residual image towers.

Radford et al., "Learning Transferable Visual Models From Natural Language Supervision", ICML 2021,
section 2.4: a stem of three convolutions, mean-pools instead of strides (Zhang, "Making
Convolutional Networks Shift-Invariant Again", ICML 2019) and attention pooling. Parameter names are
those that openai/CLIP keeps under ``visual.``.
"""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import nn
from torch.nn import functional

from mimic.encoder.architecture import Architecture
from mimic.encoder.base import StagedEncoder

EXPANSION = 4


class PooledBottleneck(nn.Module):
    """1x1, 3x3 and 1x1 convolutions and a shortcut; both ways are mean-pooled where it shrinks."""

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.avgpool = mean_pool(stride)
        self.conv3 = nn.Conv2d(channels, channels * EXPANSION, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(channels * EXPANSION)
        self.downsample: nn.Module = nn.Identity()
        if stride > 1 or channels_in != channels * EXPANSION:
            conv = nn.Conv2d(channels_in, channels * EXPANSION, 1, bias=False)
            norm = nn.BatchNorm2d(channels * EXPANSION)
            self.downsample = nn.Sequential(
                # CLIP calls the pool -1, so that 0 and 1 are torchvision's names.
                OrderedDict([("-1", mean_pool(stride)), ("0", conv), ("1", norm)])
            )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, C_in, H, W) to (B, 4C, H/stride, W/stride)."""
        y = functional.relu(self.bn1(self.conv1(x)))
        y = functional.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(self.avgpool(y)))
        return functional.relu(y + self.downsample(x))


class AttentionPool(nn.Module):
    """Features by attention of the mean cell to itself and all cells.

    Args:
        grid: cells per side.
        channels: C.
        heads: attention heads.
        output_dim: D.
    """

    def __init__(self, grid: int, channels: int, heads: int, output_dim: int) -> None:
        super().__init__()
        self.positional_embedding = nn.Parameter(torch.empty(grid**2 + 1, channels))
        self.k_proj = nn.Linear(channels, channels)
        self.q_proj = nn.Linear(channels, channels)
        self.v_proj = nn.Linear(channels, channels)
        self.c_proj = nn.Linear(channels, output_dim)
        self.heads = heads

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, C, H, W) to (B, D)."""
        cells = x.flatten(2).transpose(1, 2)  # (B, H*W, C)
        cells = torch.cat([cells.mean(dim=1, keepdim=True), cells], dim=1)  # (B, 1 + H*W, C)
        cells = cells + self.positional_embedding
        query, key, value = (
            part.unflatten(2, (self.heads, -1)).transpose(1, 2)  # (B, heads, tokens, C / heads)
            for part in (self.q_proj(cells[:, :1]), self.k_proj(cells), self.v_proj(cells))
        )
        pooled = functional.scaled_dot_product_attention(query, key, value)
        result: torch.Tensor = self.c_proj(pooled.flatten(1))
        return result


class ClipResNet(StagedEncoder):
    """CLIP's image tower.

    Args:
        architecture: width, blocks per stage, length of the features and input size.
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__(architecture)
        width = architecture.width
        for number, (before, after) in enumerate(
            [(3, width // 2), (width // 2, width // 2), (width // 2, width)], start=1
        ):
            stride = 2 if number == 1 else 1
            conv = nn.Conv2d(before, after, 3, stride, 1, bias=False)
            self.add_module(f"conv{number}", conv)
            self.add_module(f"bn{number}", nn.BatchNorm2d(after))
        self.avgpool = nn.AvgPool2d(2)
        channels_in = self.add_stages(PooledBottleneck, width, EXPANSION)
        self.attnpool = AttentionPool(
            architecture.grid, channels_in, architecture.head_count, architecture.feature_dim
        )
        self._draw_weights()

    def _draw_weights(self) -> None:
        """As openai/CLIP does: residual branches begin at zero, attention by its width."""
        std = self.attnpool.q_proj.in_features**-0.5
        nn.init.normal_(self.attnpool.positional_embedding, std=std)
        for name, parameter in self.named_parameters():
            if name.startswith("attnpool.") and name.endswith("proj.weight"):
                nn.init.normal_(parameter, std=std)
            elif name.startswith("layer") and name.endswith("bn3.weight"):
                nn.init.zeros_(parameter)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Features (B, D) of normalised images (B, 3, H, W).

        Raises:
            ConfigError: if the images are not of the size the positions were learned for.
        """
        self.check_size(x)
        for number in (1, 2, 3):
            conv, norm = self.get_submodule(f"conv{number}"), self.get_submodule(f"bn{number}")
            x = functional.relu(norm(conv(x)))
        features: torch.Tensor = self.attnpool(self.through_stages(self.avgpool(x)))
        return features

    def stem_output(self) -> nn.Module:
        """The mean-pool behind the three convolutions."""
        return self.avgpool

    def stem_parameters(self) -> list[nn.Parameter]:
        """Three convolutions and their norms."""
        names = ("conv1", "bn1", "conv2", "bn2", "conv3", "bn3")
        return [p for name in names for p in self.get_submodule(name).parameters()]


def mean_pool(stride: int) -> nn.Module:
    """What shrinks a map by the stride; nothing to do for 1."""
    return nn.AvgPool2d(stride) if stride > 1 else nn.Identity()
