"""What every encoder can be asked: its features, its layers, their activations as maps."""

from __future__ import annotations

import abc
import itertools
from collections.abc import Callable

import torch
from torch import nn

from mimic.config import require
from mimic.encoder.architecture import Architecture
from mimic.errors import ConfigError


class Encoder(nn.Module, abc.ABC):
    """A network from images to features, without a classifier.

    Its layers are ``stem`` and ``layer1`` to ``layer4``, each a group of blocks.

    Args:
        architecture: what it is made of.
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture

    @abc.abstractmethod
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Features (B, D) of normalised images (B, 3, H, W).

        Raises:
            ConfigError: if learned positions fix another image size.
        """

    @abc.abstractmethod
    def stem_output(self) -> nn.Module:
        """The module that puts out the stem's activation."""

    @abc.abstractmethod
    def block(self, position: int) -> nn.Module:
        """The block at a position counted from the input over all four layers."""

    @abc.abstractmethod
    def stem_parameters(self) -> list[nn.Parameter]:
        """What is learned before the first block."""

    def activation_map(self, name: str, output: torch.Tensor) -> torch.Tensor:
        """The output of a layer's module as a map (B, C, H, W)."""
        del name
        return output

    def layer_names(self, *, blocks: bool = False) -> tuple[str, ...]:
        """Names of the layers, input side first; with ``blocks`` each block as well."""
        names = ["stem"]
        for stage, count in enumerate(self.architecture.blocks, start=1):
            if blocks:
                names += [f"layer{stage}.{position}" for position in range(count)]
            names.append(f"layer{stage}")
        return tuple(names)

    def layer(self, name: str) -> nn.Module:
        """The module whose output is the layer's activation.

        Raises:
            ConfigError: if the encoder has no such layer.
        """
        positions = self._positions(name)
        return self.block(positions[-1]) if positions else self.stem_output()

    def layer_parameters(self, name: str) -> int:
        """How many numbers the layer learns.

        Raises:
            ConfigError: if the encoder has no such layer.
        """
        positions = self._positions(name)
        if not positions:
            return sum(p.numel() for p in self.stem_parameters())
        return sum(p.numel() for i in positions for p in self.block(i).parameters())

    def _positions(self, name: str) -> range:
        """The blocks a layer consists of, counted over all layers; none for the stem."""
        if name not in self.layer_names(blocks=True):
            raise ConfigError(
                f"The encoder has no layer '{name}'.",
                f"Its layers are {', '.join(self.layer_names(blocks=True))}.",
            )
        if name == "stem":
            return range(0)
        stage, _, position = name.removeprefix("layer").partition(".")
        ends = [0, *itertools.accumulate(self.architecture.blocks)]
        within = range(ends[int(stage) - 1], ends[int(stage)])
        return within if not position else within[int(position) : int(position) + 1]

    def check_size(self, x: torch.Tensor) -> None:
        """Refuse images that the learned positions do not fit."""
        side = self.architecture.input_size
        require(
            tuple(x.shape[-2:]) == (side, side),
            f"This encoder takes images of {side}x{side} pixels, not {x.shape[-1]}x{x.shape[-2]}.",
            f"Set the input size to {side}, so that images are resized.",
        )


class StagedEncoder(Encoder):
    """A convolutional encoder whose layers are modules ``layer1`` to ``layer4`` of blocks."""

    def add_stages(
        self, block: Callable[[int, int, int], nn.Module], width: int, expansion: int
    ) -> int:
        """Add the layers; all but the first halve the map and double the channels.

        Args:
            block: makes a block from the channels that come in, its own and the stride.
            width: channels that come in, and of the first layer's blocks.
            expansion: channels a block puts out, by its own.

        Returns:
            The channels that come out.
        """
        channels_in = width
        for stage, count in enumerate(self.architecture.blocks):
            channels = width * 2**stage
            blocks = []
            for position in range(count):
                stride = 2 if stage > 0 and position == 0 else 1
                blocks.append(block(channels_in, channels, stride))
                channels_in = channels * expansion
            self.add_module(f"layer{stage + 1}", nn.Sequential(*blocks))
        return channels_in

    def through_stages(self, x: torch.Tensor) -> torch.Tensor:
        """The map (B, C, H, W) behind the last block."""
        for stage in range(len(self.architecture.blocks)):
            x = self.get_submodule(f"layer{stage + 1}")(x)
        return x

    def block(self, position: int) -> nn.Module:
        """The block at a position counted from the input over all layers."""
        for stage, count in enumerate(self.architecture.blocks):
            if position < count:
                return self.get_submodule(f"layer{stage + 1}.{position}")
            position -= count
        raise IndexError(position)
