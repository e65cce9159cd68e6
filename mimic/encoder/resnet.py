"""Residual encoders with named layers.

Parameter names are torchvision's (``conv1``, ``bn1``, ``layer1.0.conv1`` ...), so public ResNet
weights fit. He et al., "Deep Residual Learning for Image Recognition", CVPR 2016; the 3x3 stem
without max-pool is SimCLR's for small images (Chen et al., ICML 2020, appendix B.9).
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from mimic.encoder.architecture import Architecture
from mimic.encoder.base import StagedEncoder


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut."""

    expansion = 1

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.downsample = shortcut(channels_in, channels, stride)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, C_in, H, W) to (B, C, H/stride, W/stride)."""
        y = functional.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return functional.relu(y + (x if self.downsample is None else self.downsample(x)))


class Bottleneck(nn.Module):
    """1x1, 3x3 and 1x1 convolutions and a shortcut; the 3x3 one carries the stride."""

    expansion = 4

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.conv3 = nn.Conv2d(channels, channels * 4, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(channels * 4)
        self.downsample = shortcut(channels_in, channels * 4, stride)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, C_in, H, W) to (B, 4C, H/stride, W/stride)."""
        y = functional.relu(self.bn1(self.conv1(x)))
        y = functional.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        return functional.relu(y + (x if self.downsample is None else self.downsample(x)))


class StridedPointwise(nn.Conv2d):
    """A 1x1 convolution with a stride, computed on the pixels it keeps.

    The same numbers as ``nn.Conv2d``. It exists because oneDNN's weight gradient of a strided 1x1
    convolution of fewer than 16 channels-last channels writes past its workspace: a crash, or
    wrong gradients (oneDNN issue 6035, seen with torch 2.15).
    """

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__(channels_in, channels, 1, stride, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, C_in, H, W) to (B, C, H/stride, W/stride)."""
        step_y, step_x = self.stride
        return functional.conv2d(x[:, :, ::step_y, ::step_x], self.weight)


def shortcut(channels_in: int, channels: int, stride: int) -> nn.Sequential | None:
    """The projection shortcut where the shape changes, otherwise None (identity)."""
    if stride == 1 and channels_in == channels:
        return None
    conv = StridedPointwise(channels_in, channels, stride)
    return nn.Sequential(conv, nn.BatchNorm2d(channels))


class ResNet(StagedEncoder):
    """A residual network without its classifier.

    Args:
        architecture: depth, width, stem and max-pool.
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__(architecture)
        width, small = architecture.width, architecture.stem == "cifar"
        self.conv1 = (
            nn.Conv2d(3, width, 3, 1, 1, bias=False)
            if small
            else nn.Conv2d(3, width, 7, 2, 3, bias=False)
        )
        self.bn1 = nn.BatchNorm2d(width)
        self.maxpool: nn.Module = (
            nn.MaxPool2d(3, 2, 1) if architecture.has_max_pool else nn.Identity()
        )
        block = Bottleneck if architecture.bottleneck else BasicBlock
        self.add_stages(block, width, block.expansion)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Features (B, D) of normalised images (B, 3, H, W)."""
        x = self.maxpool(functional.relu(self.bn1(self.conv1(x))))
        x = self.through_stages(x)
        return x.mean(dim=(2, 3))

    def stem_output(self) -> nn.Module:
        """The max-pool or, where there is none, the identity in its place."""
        return self.maxpool

    def stem_parameters(self) -> list[nn.Parameter]:
        """The first convolution and its norm."""
        return [*self.conv1.parameters(), *self.bn1.parameters()]
