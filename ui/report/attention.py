"""The report's look into the layers: the share of attention on the trigger, and a few maps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ui import attention_chart, attention_grid, attention_pictures, cross_check, layer_focus, text
from ui.report.escape import picture, words
from ui.report.figure import Figure, made
from ui.report.material import Material

SECTION = "Where the layers look"
MOST_IMAGES = 3
Result = Mapping[str, Any]
Arrays = Mapping[str, np.ndarray]


def attention(material: Material) -> Iterator[Figure]:
    """The share of attention on the trigger by layer."""
    result = found(material)
    if not result or result["area"] is None or result["area"] >= attention_pictures.WHOLE_PICTURE:
        return
    layer = layer_focus.telling(result, result["layers"])
    yield made(
        "attention", SECTION, "Share of attention on the trigger, layer by layer",
        f"{text.bare(result['sentences'][layer], cross_check.LONG)} Dotted: the trigger's share of "
        "the picture. Dash-dotted: the most that could fall there.",
        attention_chart.share_by_layer(result), wide=True,
    )  # fmt: skip


def found(material: Material) -> Result:
    """The result of the look; nothing without one."""
    return (material.attention.result() if material.attention else None) or {}


def pictures(material: Material) -> Iterator[str]:
    """Maps of the layer in which the suspect looks at the trigger most, for a few images."""
    result, run = found(material), material.attention
    if not result or run is None:
        return
    layer = layer_focus.telling(result, result["layers"])
    images, maps = run.arrays("pictures"), run.arrays(f"maps-{layer}")
    if not images or not maps:
        return
    names = [attention_chart.LOOKS[network][0] for network in result["networks"]]
    yield (
        f"<p>Maps of {words(layer)}, bright where it responds most. From the left: the picture, "
        f"then the maps of {words(', '.join(names))}. Upper row: clean; lower row: with the "
        "trigger, whose edge is white.</p>"
    )
    yield '<div class="images maps">'
    for index in range(min(MOST_IMAGES, len(images["images"]))):
        shows = material.class_name(int(images["labels"][index]))
        yield (
            f'<figure><img src="{picture(block(result["networks"], images, maps, index))}" '
            f'alt="{words(described(result["networks"], maps, index))}">'
            f"<figcaption>Image {index + 1}, class {words(shows)}</figcaption></figure>"
        )
    yield "</div>"


def block(networks: Sequence[str], images: Arrays, maps: Arrays, index: int) -> bytes:
    """One image's maps as one PNG: a row clean, a row with the trigger."""
    top = max(float(values[index].max()) for values in maps.values())
    rows = []
    for given, key in (("clean", "images"), ("triggered", "stamped")):
        if key not in images:
            continue
        seen = images[key][index]
        area = images["area"][index] if given == "triggered" else None
        tiles = [attention_pictures.plain(seen)]
        for network in networks:
            values = maps[f"{network}_{given}"][index]
            tiles.append(attention_pictures.overlay(seen, values, top, area))
        rows.append(np.concatenate([framed(tile) for tile in tiles], axis=1))
    return attention_pictures.png(np.concatenate(rows, axis=0))


def framed(tile: np.ndarray) -> np.ndarray:
    """A tile with a grey edge that sets it apart from its neighbours."""
    return np.pad(tile, ((2, 2), (2, 2), (0, 0)), constant_values=128)


def described(networks: Sequence[str], maps: Arrays, index: int) -> str:
    """Where each network looks most, for those who do not see the maps."""
    said = [
        f"the {attention_chart.LOOKS[network][0]} looks most at the "
        f"{attention_grid.place(maps[f'{network}_{given}'][index])} on the {given} image"
        for given in ("clean", "triggered")
        for network in networks
        if f"{network}_{given}" in maps
    ]
    return f"Attention maps: {'; '.join(said)}."
