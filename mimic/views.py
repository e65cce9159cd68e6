"""Random views of images, computed for the whole batch at once.

torchvision's transforms draw one set of parameters per batch; working image by image on the CPU is
what makes the usual loaders slow. Here the parameters are drawn for each image
(``mimic.view_parameters``) and each operation, order included, agrees with torchvision's on a
single image (tested).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch.nn import functional

from mimic.view_parameters import (
    COLOURS,
    ORDERS,
    RECIPES,
    Recipe,
    ViewParameters,
    choose_recipe,
    draw_views,
)

__all__ = [
    "RECIPES",
    "Recipe",
    "ViewParameters",
    "apply_views",
    "choose_recipe",
    "draw_views",
    "random_views",
]

GREY = (0.2989, 0.587, 0.114)
"""Luma of red, green and blue, as torchvision rounds them."""


def random_views(images: torch.Tensor, recipe: Recipe, random: torch.Generator) -> torch.Tensor:
    """One random view of each image.

    Args:
        images: (B, 3, H, W) in 0 to 1, on any device.
        recipe: how strongly views differ.
        random: the stream all parameters are drawn from, on the CPU.

    Returns:
        (B, 3, H, W) in 0 to 1.
    """
    height, width = images.shape[-2:]
    return apply_views(images, draw_views(len(images), (height, width), recipe, random))


def apply_views(images: torch.Tensor, parameters: ViewParameters) -> torch.Tensor:
    """The views that the parameters describe.

    Args:
        images: (B, 3, H, W) in 0 to 1, on any device.
        parameters: of B views, on the CPU.

    Returns:
        (B, 3, H, W) in 0 to 1, new memory.
    """
    p = parameters.to(images.device)
    views = warp(
        images,
        scale=(p.width, p.height),
        shift=(2 * p.left + p.width - 1, 2 * p.top + p.height - 1),
        flip=p.flip,
        degrees=p.degrees,
    )
    orders = ORDERS.to(images.device, non_blocking=True)[p.order]  # (B, 4)
    for chosen in orders.unbind(dim=1):
        for number, name in enumerate(COLOURS):
            factor = getattr(p, name)
            neutral = 0 if name == "hue" else 1
            needed = p.jitter & (chosen == number) & (factor != neutral)
            views = only_where(needed, COLOUR[name], views, factor)
    return only_where(p.grey, lambda x, _: greyscale(x).expand_as(x), views, p.hue)


def only_where(
    needed: torch.Tensor,
    operation: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    x: torch.Tensor,
    factor: torch.Tensor,
) -> torch.Tensor:
    """Apply an operation to some of the images.

    On the CPU only those are computed, in place. Elsewhere all are and the rest thrown away: which
    images are needed would have to be waited for.

    Args:
        needed: bool (B,).
        operation: takes images (B', 3, H, W) and factors (B',).
        x: (B, 3, H, W).
        factor: (B,).
    """
    if x.device.type != "cpu":
        return torch.where(needed[:, None, None, None], operation(x, factor), x)
    rows = needed.nonzero().squeeze(1)
    if len(rows):
        x[rows] = operation(x[rows], factor[rows])
    return x


def warp(
    images: torch.Tensor,
    *,
    scale: tuple[torch.Tensor, torch.Tensor],
    shift: tuple[torch.Tensor, torch.Tensor],
    flip: torch.Tensor,
    degrees: torch.Tensor,
) -> torch.Tensor:
    """Crop, flip and rotate in one bilinear resampling.

    Args:
        images: (B, 3, H, W).
        scale: width and height of the crop, as shares of the image, (B,) each.
        shift: the crop's centre in -1 to 1 coordinates, (B,) each.
        flip: whether to mirror, bool (B,).
        degrees: rotation about the crop's centre, (B,).

    Returns:
        (B, 3, H, W). At the rim of the crop its outermost pixels are repeated, as torchvision does
        by cropping first; a rotated crop looks at the image beyond its box, and at the image's rim
        repeats that.
    """
    angle = degrees * (math.pi / 180)
    cosine, sine, mirror = angle.cos(), angle.sin(), 1 - 2 * flip.float()
    turns = ((cosine * mirror, -sine), (sine * mirror, cosine))
    height, width = images.shape[-2:]
    across = pixel_centres(width, images.device)[None, None]  # (1, 1, W)
    down = pixel_centres(height, images.device)[None, :, None]  # (1, H, 1)
    axes = []
    for centre, half, turn, pixels in zip(shift, scale, turns, (width, height), strict=True):
        along_x, along_y = ((half * part)[:, None, None] for part in turn)
        # Clamping to the outermost pixel centres is padding_mode="border", which MPS lacks.
        low = torch.where(degrees != 0, -1.0, centre - half) + 1 / pixels
        high = torch.where(degrees != 0, 1.0, centre + half) - 1 / pixels
        place = along_x * across + (along_y * down + centre[:, None, None])  # (B, H, W)
        axes.append(place.clamp(low[:, None, None], high[:, None, None]))
    return functional.grid_sample(images, torch.stack(axes, dim=-1), align_corners=False)


def pixel_centres(pixels: int, device: torch.device) -> torch.Tensor:
    """Where a side's pixels have their centres, the side reaching from -1 to 1."""
    return (2 * torch.arange(pixels, device=device) + 1) / pixels - 1


def blend(image: torch.Tensor, other: torch.Tensor, factor: torch.Tensor) -> torch.Tensor:
    """``factor * image + (1 - factor) * other``, kept within 0 to 1."""
    factor = factor[:, None, None, None]
    return (factor * image + (1 - factor) * other).clamp(0, 1)


def greyscale(x: torch.Tensor) -> torch.Tensor:
    """(B, 3, H, W) to (B, 1, H, W)."""
    red, green, blue = x.unbind(dim=1)
    return (GREY[0] * red + GREY[1] * green + GREY[2] * blue).unsqueeze(1)


def brightness(x: torch.Tensor, factor: torch.Tensor) -> torch.Tensor:
    """Blend with black."""
    return (x * factor[:, None, None, None]).clamp(0, 1)


def contrast(x: torch.Tensor, factor: torch.Tensor) -> torch.Tensor:
    """Blend with the image's mean grey."""
    return blend(x, greyscale(x).mean(dim=(1, 2, 3), keepdim=True), factor)


def saturation(x: torch.Tensor, factor: torch.Tensor) -> torch.Tensor:
    """Blend with the greyscale image."""
    return blend(x, greyscale(x), factor)


def hue(x: torch.Tensor, turn: torch.Tensor) -> torch.Tensor:
    """Turn the colour circle by ``turn`` (1 is a full circle), keeping HSV's saturation and value.

    A channel is ``value - chroma * away``, ``away`` being 0 where the hue is within a sixth of a
    circle of the channel's own colour, 1 beyond a third, and linear between.
    """
    value = x.amax(dim=1)  # (B, H, W)
    chroma = value - x.amin(dim=1)
    red, green, blue = x.unbind(dim=1)
    safe = torch.where(chroma > 0, chroma, torch.ones_like(chroma))
    sector = torch.where(
        value == red,
        (green - blue) / safe,
        torch.where(value == green, 2 + (blue - red) / safe, 4 + (red - green) / safe),
    )
    sector = (sector + 6 * turn[:, None, None]) % 6  # 0 red, 2 green, 4 blue
    from_red = 3 - (sector - 3).abs()
    distances = (from_red, (sector - 2).abs(), (sector - 4).abs())
    return torch.stack([value - chroma * (d - 1).clamp(0, 1) for d in distances], dim=1)


COLOUR = {
    "brightness": brightness,
    "contrast": contrast,
    "saturation": saturation,
    "hue": hue,
}
