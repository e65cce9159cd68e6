"""Recording what named layers put out. The only place where hooks exist."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import nn

from mimic.encoder import Encoder


@contextlib.contextmanager
def record_activations(
    encoder: Encoder, layers: Iterable[str]
) -> Iterator[dict[str, torch.Tensor]]:
    """Record the activations of layers during forward passes.

    Args:
        encoder: the network.
        layers: layer names, see ``Encoder.layer_names``.

    Yields:
        A dictionary, layer to its latest activation (B, C, H, W), refilled by every forward pass;
        of a transformer, the patches' tokens in their places, without class and register tokens.
        All hooks are removed when the block ends, also by an error.

    Raises:
        ConfigError: if the encoder has no such layer.
    """
    modules = {name: encoder.layer(name) for name in layers}
    recorded: dict[str, torch.Tensor] = {}
    with contextlib.ExitStack() as hooks:
        for name, module in modules.items():

            def keep(
                _module: nn.Module, _inputs: Any, output: torch.Tensor, name: str = name
            ) -> None:
                recorded[name] = encoder.activation_map(name, output)

            hooks.callback(module.register_forward_hook(keep).remove)
        yield recorded
