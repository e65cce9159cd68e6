"""How much of a layer's attention falls on the trigger, and how alike two attention maps are.

Maps are those of ``mimic.losses.attention`` (Zagoruyko and Komodakis, ICLR 2017): non-negative,
of unit length per image, so the product of two is their cosine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from mimic.activations import record_activations
from mimic.encoder import Encoder
from mimic.losses.attention import attention_map

RESAMPLES = 2_000
DIGITS = 5
WHOLE_PICTURE = 0.5
"""From this share of changed pixels on, a trigger has no place of its own to look at."""
COARSE = 0.6
"""Where less than this share can fall inside at all, the map is too coarse to leave that unsaid."""
NEAR = 0.02
"""Shares that differ by less than this are called about the same, however sure the difference."""
NAMES = {"teacher": "the suspect", "student": "the cleaned encoder", "clean_twin": "the clean twin"}


@dataclass(frozen=True)
class Mean:
    """A mean over images.

    Args:
        mean: the mean.
        interval: 95 % of what other draws of images would give, by the bootstrap.
    """

    mean: float
    interval: tuple[float, float]


@dataclass(frozen=True)
class Numbers:
    """What one layer of one network does with its attention, each a mean over images.

    Args:
        network: teacher, student or clean_twin.
        layer: its name.
        on_trigger: share of attention inside the trigger's area, on triggered images; None without
            a trigger, as are the next three.
        same_place: the same share on the clean images, where no trigger lies there.
        above_twin: ``on_trigger`` minus the clean twin's on the same image; None for the twin.
        unmoved: cosine between the maps of an image with and without the trigger.
        like_suspect_clean: cosine with the suspect's map of the same clean image; None for the
            suspect, and where the two maps differ in size.
        like_suspect_triggered: the same on triggered images.
    """

    network: str
    layer: str
    on_trigger: Mean | None
    same_place: Mean | None
    above_twin: Mean | None
    unmoved: Mean | None
    like_suspect_clean: Mean | None
    like_suspect_triggered: Mean | None


@torch.no_grad()
def layer_maps(
    encoder: Encoder, inputs: torch.Tensor, layers: Sequence[str]
) -> dict[str, torch.Tensor]:
    """Attention maps of layers.

    Args:
        encoder: the network, of any kind, in eval mode.
        inputs: normalised images (B, 3, H, W).
        layers: layer names.

    Returns:
        Layer to float32 (B, h, w), each image's map of unit length (zero where a layer is silent).

    Raises:
        ConfigError: if the encoder has no such layer.
    """
    with record_activations(encoder, layers) as recorded:
        encoder(inputs)
        return {
            layer: attention_map(found).reshape(len(found), *found.shape[-2:])
            for layer, found in ((layer, recorded[layer]) for layer in layers)
        }


def overlap(fields: int, pixels: int) -> torch.Tensor:
    """How much of each field each pixel is, where both divide one side: (fields, pixels).

    Every row sums to 1; neither count need be a multiple of the other.
    """
    starts = torch.arange(fields, dtype=torch.float64).unsqueeze(1) * pixels / fields
    ends = starts + pixels / fields
    columns = torch.arange(pixels, dtype=torch.float64)
    shared = torch.minimum(ends, columns + 1) - torch.maximum(starts, columns)
    return shared.clamp_min(0) * fields / pixels


def covered(area: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Share of each field of a map that lies inside an area, by exact overlap.

    Args:
        area: bool (B, H, W), the area in pixels of the picture.
        size: height and width of the map, which spans the same picture.

    Returns:
        float32 (B, h, w) in 0 to 1.
    """
    rows, columns = (
        overlap(f, p).to(area.device) for f, p in zip(size, area.shape[-2:], strict=True)
    )
    return (rows @ area.double() @ columns.T).float()


def share_inside(maps: torch.Tensor, inside: torch.Tensor) -> torch.Tensor:
    """Share of each map's sum that lies inside an area; 0 for a silent map.

    Args:
        maps: attention (B, h, w).
        inside: share of each field inside the area, (B, h, w).

    Returns:
        (B,) in 0 to 1.
    """
    total = maps.flatten(1).sum(1)
    return (maps * inside).flatten(1).sum(1) / total.clamp_min(1e-12)


def cosine(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """Cosine between unit maps (B, h, w) of the same images, (B,) in 0 to 1."""
    return (one * other).flatten(1).sum(1)


def mean_over_images(values: np.ndarray, *, seed: int) -> Mean:
    """Mean of one value per image with its 95 % percentile bootstrap interval (Efron, 1979).

    Args:
        values: (N,), at least one.
        seed: of the resampling.
    """
    rng = np.random.default_rng(seed)
    values = values.astype(np.float64)
    drawn = rng.integers(len(values), size=(RESAMPLES, len(values)))
    low, high = np.quantile(values[drawn].mean(axis=1), (0.025, 0.975))
    mean, low, high = (round(float(v), DIGITS) for v in (values.mean(), low, high))
    return Mean(mean, (low, high))


def explain(
    rows: Mapping[str, Numbers], *, images: int, area: float | None, ceiling: float | None
) -> str:
    """What one layer's numbers say, in sentences.

    Args:
        rows: network to numbers of one layer, the suspect first.
        images: images the means are over.
        area: mean share of the picture that the trigger changes, or None without a trigger.
        ceiling: the largest share of a map that could fall inside the area.
    """
    layer = next(iter(rows.values())).layer
    if area is None:
        alike = listed(rows, "like_suspect_clean", "{:.2f}")
        said = f"how alike the maps are to the suspect's (1 is the same): {alike}" if alike else ""
        return f"In {layer}, without a trigger, {said or 'there is nothing to compare'}."
    if area >= WHOLE_PICTURE:
        return (
            f"The trigger changes {area:.1%} of the pixels, so it has no place of its own. How "
            f"alike each network's maps of {layer} stay when it is put on (1 is the same): "
            f"{listed(rows, 'unmoved', '{:.2f}')}."
        )
    suspect, *others = listed(rows, "on_trigger", "puts {:.1%}").split(", ")
    beside = f"; {', '.join(others).replace('puts ', '')}" if others else ""
    told = (
        f"In {layer} {suspect} of its attention on the trigger, which covers {area:.1%} of the "
        f"picture{beside}. {verdict(rows, images)}"
    )
    if ceiling is not None and ceiling < COARSE:
        told += f" The fields of this map are coarse: at most {ceiling:.1%} could lie there."
    return told


def listed(rows: Mapping[str, Numbers], field: str, layout: str) -> str:
    """One number of each network that has it, in words."""
    found = ((NAMES[name], getattr(row, field)) for name, row in rows.items())
    return ", ".join(f"{name} {layout.format(v.mean)}" for name, v in found if v is not None)


def verdict(rows: Mapping[str, Numbers], images: int) -> str:
    """How that compares with an encoder without a backdoor, as far as the images tell."""
    said = []
    for name, row in rows.items():
        if row.above_twin is None:
            continue
        mean, (low, high) = 100 * row.above_twin.mean, row.above_twin.interval
        much = f"{abs(mean):.1f} points {'more' if mean > 0 else 'less'}"
        if low <= 0 <= high:
            much = "about the same"
        elif abs(row.above_twin.mean) < NEAR:
            much = f"hardly {'more' if mean > 0 else 'less'}"
        said.append(f"{NAMES[name]} {much} (95% interval {100 * low:+.1f} to {100 * high:+.1f})")
    if not said:
        return (
            "A clean twin may look there too, because a trigger stands out; none is given to say "
            "how much."
        )
    return (
        "The clean twin looks there too, because a trigger stands out. Compared with it, over "
        f"{images} images: {', '.join(said)}."
    )
