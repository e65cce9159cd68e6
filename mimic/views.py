"""Random views of images, drawn for each image on its own, computed for the whole batch at once.

The recipe is SimCLR's for CIFAR-10 (Chen et al., ICML 2020, appendix B.9): random resized crop,
flip, colour jitter with probability 0.8, greyscale with probability 0.2. torchvision's transforms
draw one set of parameters per batch; working image by image on the CPU is what makes the usual
loaders slow. Each operation here agrees with torchvision's on a single image (tested). One
difference remains: the order of the four colour operations is drawn per batch, not per image.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch.nn import functional

from mimic.errors import ConfigError

GREY = (0.2989, 0.587, 0.114)
"""Luma of red, green and blue, as torchvision rounds them."""


@dataclass(frozen=True)
class Recipe:
    """How strongly views differ.

    Args:
        crop: smallest and largest share of the area kept.
        flip: probability of a left-right flip.
        rotation: largest rotation to either side, in degrees.
        brightness, contrast, saturation: largest relative change.
        hue: largest shift, as a share of the colour circle.
        jitter: probability that an image's colours are changed at all.
        grey: probability of greyscale.
    """

    crop: tuple[float, float] = (0.08, 1.0)
    flip: float = 0.5
    rotation: float = 0.0
    brightness: float = 0.4
    contrast: float = 0.4
    saturation: float = 0.4
    hue: float = 0.1
    jitter: float = 0.8
    grey: float = 0.2


RECIPES = {
    "natural": Recipe(),
    "digits": Recipe(crop=(0.5, 1.0), flip=0.0, rotation=15.0, saturation=0.0, hue=0.0, grey=0.0),
}


def choose_recipe(name: str, data: str) -> Recipe:
    """The recipe a setting names; ``auto`` takes the digits' one for the digits.

    Raises:
        ConfigError: if there is no such recipe.
    """
    if name == "auto":
        name = "digits" if data == "digits" else "natural"
    if name not in RECIPES:
        raise ConfigError(
            f"There is no augmentation recipe '{name}'.",
            f"Choose auto or one of {', '.join(RECIPES)}.",
        )
    return RECIPES[name]


def random_views(images: torch.Tensor, recipe: Recipe, random: torch.Generator) -> torch.Tensor:
    """One random view of each image.

    Args:
        images: (B, 3, H, W) in 0 to 1.
        recipe: how strongly views differ.
        random: the stream all parameters are drawn from.

    Returns:
        (B, 3, H, W) in 0 to 1.
    """
    batch = len(images)

    def draw(low: float, high: float) -> torch.Tensor:
        values = torch.rand(batch, generator=random, device=random.device)
        return (values * (high - low) + low).to(images.device)

    def happens(probability: float) -> torch.Tensor:
        return draw(0, 1) < probability

    area = draw(*recipe.crop)
    ratio = draw(math.log(3 / 4), math.log(4 / 3)).exp()
    height, width = (area / ratio).sqrt().clamp(max=1), (area * ratio).sqrt().clamp(max=1)
    views = warp(
        images,
        scale=(width, height),
        shift=(draw(-1, 1) * (1 - width), draw(-1, 1) * (1 - height)),
        flip=happens(recipe.flip),
        degrees=draw(-recipe.rotation, recipe.rotation),
    )
    factors = {
        "brightness": draw(1 - recipe.brightness, 1 + recipe.brightness),
        "contrast": draw(1 - recipe.contrast, 1 + recipe.contrast),
        "saturation": draw(1 - recipe.saturation, 1 + recipe.saturation),
        "hue": draw(-recipe.hue, recipe.hue),
    }
    active = [name for name in factors if getattr(recipe, name) > 0]
    order = torch.randperm(len(active), generator=random, device=random.device).tolist()
    jittered = views
    for position in order:
        jittered = COLOUR[active[position]](jittered, factors[active[position]])
    views = where(happens(recipe.jitter), jittered, views)
    if recipe.grey > 0:
        views = where(happens(recipe.grey), greyscale(views).expand_as(views), views)
    return views


def where(condition: torch.Tensor, chosen: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """Pick whole images: ``chosen`` where the condition (B,) holds."""
    return torch.where(condition[:, None, None, None], chosen, other)


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
    """
    angle = degrees * (math.pi / 180)
    mirror = 1 - 2 * flip.float()
    rows = [
        torch.stack([scale[0] * angle.cos() * mirror, -scale[0] * angle.sin(), shift[0]], dim=1),
        torch.stack([scale[1] * angle.sin() * mirror, scale[1] * angle.cos(), shift[1]], dim=1),
    ]
    grid = functional.affine_grid(torch.stack(rows, dim=1), list(images.shape), align_corners=False)
    # Clamping to the outermost pixel centres is padding_mode="border", which MPS lacks.
    height, width = images.shape[-2:]
    limit = grid.new_tensor([1 - 1 / width, 1 - 1 / height])
    return functional.grid_sample(images, grid.clamp(-limit, limit), align_corners=False)


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

    Uses ``channel(n) = value - chroma * max(0, min(k, 4 - k, 1))`` with
    ``k = (n + 6 * hue) mod 6`` and n = 5, 3, 1 for red, green, blue.
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
    sector = sector + 6 * turn[:, None, None]
    channels = []
    for n in (5, 3, 1):
        k = (n + sector) % 6
        channels.append(value - chroma * torch.minimum(k, 4 - k).clamp(0, 1))
    return torch.stack(channels, dim=1)


COLOUR = {
    "brightness": brightness,
    "contrast": contrast,
    "saturation": saturation,
    "hue": hue,
}
