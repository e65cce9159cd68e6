"""Vision transformers.

Dosovitskiy et al., "An Image is Worth 16x16 Words", ICLR 2021; layer scale by Touvron et al.,
"Going Deeper with Image Transformers", ICCV 2021; register tokens by Darcet et al., "Vision
Transformers Need Registers", ICLR 2024. Parameter names are those of timm's ``VisionTransformer``.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from mimic.encoder.architecture import Architecture
from mimic.encoder.base import Encoder

PRE_NORM_EPSILON = 1e-5
EPSILON = 1e-6
"""Of the norms: timm's, except in CLIP's transformers, the ones with a norm before the blocks."""


class PatchEmbedding(nn.Module):
    """Images (B, 3, H, W) to one token per patch, (B, N, C)."""

    def __init__(self, patch: int, width: int, *, bias: bool) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, width, patch, patch, bias=bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, 3, H, W) to (B, H*W / patch^2, C), row by row."""
        maps: torch.Tensor = self.proj(x)
        return maps.flatten(2).transpose(1, 2)


class SelfAttention(nn.Module):
    """Multi-head self-attention with one matrix for queries, keys and values."""

    def __init__(self, width: int, heads: int, *, bias: bool) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width, bias=bias)
        self.proj = nn.Linear(width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Tokens (B, N, C) to (B, N, C)."""
        parts = self.qkv(x).unflatten(2, (3, self.heads, -1))  # (B, N, 3, heads, C / heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4)  # each (B, heads, N, C / heads)
        mixed = functional.scaled_dot_product_attention(query, key, value)
        result: torch.Tensor = self.proj(mixed.transpose(1, 2).flatten(2))
        return result


class Perceptron(nn.Module):
    """Two linear maps and a GELU, on each token by itself."""

    def __init__(self, width: int, hidden: int, *, quick: bool) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, hidden)
        self.fc2 = nn.Linear(hidden, width)
        self.quick = quick

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Tokens (B, N, C) to (B, N, C)."""
        x = self.fc1(x)
        x = x * torch.sigmoid(1.702 * x) if self.quick else functional.gelu(x)
        result: torch.Tensor = self.fc2(x)
        return result


class LayerScale(nn.Module):
    """A learned factor per channel."""

    def __init__(self, width: int, value: float) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.full((width,), value))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, N, C) to (B, N, C)."""
        return x * self.gamma


class TransformerBlock(nn.Module):
    """Self-attention and an MLP, each behind a norm and beside a shortcut."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        width, hidden = architecture.width, architecture.hidden or 4 * architecture.width
        self.norm1 = layer_norm(architecture)
        self.attn = SelfAttention(width, architecture.head_count, bias=architecture.qkv_bias)
        self.ls1 = branch_scale(architecture)
        self.norm2 = layer_norm(architecture)
        self.mlp = Perceptron(width, hidden, quick=architecture.quick_gelu)
        self.ls2 = branch_scale(architecture)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Tokens (B, N, C) to (B, N, C)."""
        x = x + self.ls1(self.attn(self.norm1(x)))
        result: torch.Tensor = x + self.ls2(self.mlp(self.norm2(x)))
        return result


class VisionTransformer(Encoder):
    """A vision transformer without its classifier; its blocks make four layers.

    Args:
        architecture: see there.
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__(architecture)
        a = architecture
        self.patch_embed = PatchEmbedding(a.patch, a.width, bias=not a.pre_norm)
        if a.class_token:
            self.cls_token = nn.Parameter(torch.zeros(1, 1, a.width))
        if a.register_tokens:
            self.reg_token = nn.Parameter(torch.zeros(1, a.register_tokens, a.width))
        positions = a.grid**2 + (a.prefix_tokens if a.embed_prefix else 0)
        self.pos_embed = nn.Parameter(torch.zeros(1, positions, a.width))
        self.norm_pre: nn.Module = layer_norm(a) if a.pre_norm else nn.Identity()
        self.blocks = nn.ModuleList(TransformerBlock(a) for _ in range(a.depth))
        self.norm: nn.Module = nn.Identity() if a.norm_after_pool else layer_norm(a)
        self.fc_norm: nn.Module = layer_norm(a) if a.norm_after_pool else nn.Identity()
        self._draw_weights()

    def _draw_weights(self) -> None:
        """Matrices and positions from a truncated normal of 0.02, biases 0, as timm does."""
        nn.init.trunc_normal_(self.pos_embed, std=0.02)
        for name in ("cls_token", "reg_token"):
            if hasattr(self, name):
                nn.init.normal_(getattr(self, name), std=1e-6)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Features (B, D) of normalised images (B, 3, H, W).

        Raises:
            ConfigError: if the images are not of the size the positions were learned for.
        """
        self.check_size(x)
        x = self.norm_pre(self.with_prefix(self.patch_embed(x)))
        for block in self.blocks:
            x = block(x)
        x = self.norm(x)
        prefix = self.architecture.prefix_tokens
        x = x[:, 0] if self.architecture.pool == "token" else x[:, prefix:].mean(dim=1)
        features: torch.Tensor = self.fc_norm(x)
        return features

    def with_prefix(self, patches: torch.Tensor) -> torch.Tensor:
        """Add positions to the patches' tokens (B, N, C), and class and register tokens before."""
        prefix = [
            getattr(self, name).expand(len(patches), -1, -1)
            for name in ("cls_token", "reg_token")
            if hasattr(self, name)
        ]
        if self.architecture.embed_prefix:
            return torch.cat([*prefix, patches], dim=1) + self.pos_embed
        return torch.cat([*prefix, patches + self.pos_embed], dim=1)

    def stem_output(self) -> nn.Module:
        """The patch embedding."""
        return self.patch_embed

    def block(self, position: int) -> nn.Module:
        """The block at a position."""
        return self.blocks[position]

    def stem_parameters(self) -> list[nn.Parameter]:
        """Patch embedding, positions, class and register tokens, and the norm before the blocks."""
        return [
            parameter
            for name, parameter in self.named_parameters()
            if not name.startswith(("blocks.", "norm.", "fc_norm."))
        ]

    def activation_map(self, name: str, output: torch.Tensor) -> torch.Tensor:
        """The patches' tokens (B, N, C) in their places, (B, C, H, W)."""
        grid = self.architecture.grid
        patches = output if name == "stem" else output[:, self.architecture.prefix_tokens :]
        return patches.transpose(1, 2).reshape(len(patches), -1, grid, grid)


def layer_norm(architecture: Architecture) -> nn.LayerNorm:
    """A norm over the channels of each token."""
    epsilon = PRE_NORM_EPSILON if architecture.pre_norm else EPSILON
    return nn.LayerNorm(architecture.width, eps=epsilon)


def branch_scale(architecture: Architecture) -> nn.Module:
    """The factor on a branch; a new one begins small, the smaller the deeper (Touvron et al.)."""
    if not architecture.layer_scale:
        return nn.Identity()
    return LayerScale(architecture.width, 0.1 if architecture.depth <= 18 else 1e-5)
