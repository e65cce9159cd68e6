"""From nats per layer to the weight of each layer's attention loss."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mimic.errors import ConfigError


@dataclass(frozen=True)
class Scale:
    """``weight = base + budget * share``: what every layer gets, and what information divides."""

    base: float
    budget: float


PRESETS = {
    "gentle": Scale(base=3.0, budget=28.0),
    "authors": Scale(base=1_000.0, budget=10_000.0),
}
"""``authors`` is the public code's scale; ``gentle`` is ours, see the README on what it decides."""


def layer_weights(
    information: Mapping[str, float], *, base: float, budget: float
) -> dict[str, float]:
    """Weight of each layer's attention loss.

    ``weight = base + budget * share`` where a layer's share is its part of the summed information
    (wssun/MIMIC; there base is 1,000 and budget 10,000). Negative estimates count as 0; when
    nothing is left to share, shares are equal.

    Args:
        information: nats per layer.
        base: weight given to each layer regardless of information, at least 0.
        budget: weight divided among the layers, at least 0.

    Raises:
        ConfigError: if ``base`` or ``budget`` is negative, or there is no layer.
    """
    if base < 0 or budget < 0:
        raise ConfigError("A layer-weight scale is negative.", "Choose base and budget from 0 up.")
    if not information:
        raise ConfigError("No layer is chosen.", "Choose at least one, for example layer1.")
    nats = {layer: max(0.0, value) for layer, value in information.items()}
    total = sum(nats.values())
    if total > 0:
        return {layer: base + budget * value / total for layer, value in nats.items()}
    return {layer: base + budget / len(nats) for layer in nats}


def preset_scale(name: str) -> Scale:
    """The scale of a preset.

    Raises:
        ConfigError: if there is no such preset.
    """
    if name not in PRESETS:
        raise ConfigError(
            f"There is no layer-weight preset '{name}'.", f"Choose among {', '.join(PRESETS)}."
        )
    return PRESETS[name]


def parse_weights(pairs: tuple[str, ...]) -> dict[str, float]:
    """Weights by hand, from words such as ``layer1=10``.

    Raises:
        ConfigError: if a word is malformed or a weight negative.
    """
    weights: dict[str, float] = {}
    for pair in pairs:
        layer, _, number = pair.partition("=")
        try:
            weights[layer] = float(number)
        except ValueError:
            weights[layer] = -1.0
        if not layer or not 0 <= weights[layer] < float("inf"):
            raise ConfigError(
                f"'{pair}' is no layer weight.", "Write for example layer1=10, with 10 at least 0."
            )
    return weights
