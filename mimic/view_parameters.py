"""What a random view of an image is made of: the recipe, and the parameters drawn from it.

Parameters are drawn on the host, for each image on its own, and applied in ``mimic.views``. So
the same seed gives the same views on every device, a run begun on one kind of device continues on
another, and drawing never waits for an accelerator.

The distribution is that of SimCLR's recipe for CIFAR-10 (Chen et al., ICML 2020, appendix B.9) as
torchvision implements it, image by image: random resized crop with its ten tries and its fallback,
flip, colour jitter in random order with probability 0.8, greyscale with probability 0.2 (tested).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Self

import torch

from mimic.compute import hand_over
from mimic.errors import ConfigError

COLOURS = ("brightness", "contrast", "saturation", "hue")
ORDERS = torch.tensor(list(itertools.permutations(range(len(COLOURS)))))
"""Every order of the colour operations, (24, 4): numbers into ``COLOURS``."""
CROP_RATIO = (3 / 4, 4 / 3)
CROP_TRIES = 10


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


@dataclass(frozen=True)
class ViewParameters:
    """One view each of B images; every field is a tensor (B,).

    Args:
        left, top, width, height: the crop, as shares of the image's sides.
        flip: whether to mirror, bool.
        degrees: rotation about the crop's centre.
        brightness, contrast, saturation: factors; 1 changes nothing.
        hue: turn of the colour circle, 1 being a full one; 0 changes nothing.
        order: row of ``ORDERS`` the colour operations follow.
        jitter: whether the colours are changed at all, bool.
        grey: whether the view is grey, bool.
    """

    left: torch.Tensor
    top: torch.Tensor
    width: torch.Tensor
    height: torch.Tensor
    flip: torch.Tensor
    degrees: torch.Tensor
    brightness: torch.Tensor
    contrast: torch.Tensor
    saturation: torch.Tensor
    hue: torch.Tensor
    order: torch.Tensor
    jitter: torch.Tensor
    grey: torch.Tensor

    def __len__(self) -> int:
        return len(self.flip)

    def tensors(self) -> list[torch.Tensor]:
        """The fields in their order."""
        return [getattr(self, field.name) for field in fields(self)]

    def rows(self, which: slice) -> Self:
        """The parameters of some of the images."""
        return type(self)(*(tensor[which] for tensor in self.tensors()))

    @classmethod
    def join(cls, parts: Sequence[ViewParameters]) -> Self:
        """The parameters of several batches, one after the other."""
        return cls(*map(torch.cat, zip(*(part.tensors() for part in parts), strict=True)))

    def to(self, device: torch.device) -> Self:
        """The same on a device: one small transfer that nothing waits for."""
        if device.type == "cpu":
            return self
        table = torch.stack([tensor.float() for tensor in self.tensors()])  # (fields, B)
        moved = hand_over(table, device)
        return type(self)(
            *(row.to(own.dtype) for row, own in zip(moved, self.tensors(), strict=True))
        )


def draw_views(
    count: int, size: tuple[int, int], recipe: Recipe, random: torch.Generator
) -> ViewParameters:
    """Draw one view each of ``count`` images.

    Args:
        count: how many images.
        size: height and width of the images in pixels; crops are whole pixels, as torchvision's.
        recipe: how strongly views differ.
        random: the stream all parameters are drawn from, on the CPU.
    """

    def draw(low: float, high: float, *shape: int) -> torch.Tensor:
        return torch.rand(*shape, count, generator=random) * (high - low) + low

    def happens(probability: float) -> torch.Tensor:
        return torch.rand(count, generator=random) < probability

    area = draw(*recipe.crop, CROP_TRIES)
    ratio = draw(math.log(CROP_RATIO[0]), math.log(CROP_RATIO[1]), CROP_TRIES).exp()
    place = torch.rand(2, count, generator=random)
    left, top, width, height = crop_boxes(area, ratio, place, size)
    return ViewParameters(
        left=left / size[1],
        top=top / size[0],
        width=width / size[1],
        height=height / size[0],
        flip=happens(recipe.flip),
        degrees=draw(-recipe.rotation, recipe.rotation),
        brightness=draw(1 - recipe.brightness, 1 + recipe.brightness),
        contrast=draw(1 - recipe.contrast, 1 + recipe.contrast),
        saturation=draw(1 - recipe.saturation, 1 + recipe.saturation),
        hue=draw(-recipe.hue, recipe.hue),
        order=torch.randint(len(ORDERS), (count,), generator=random),
        jitter=happens(recipe.jitter),
        grey=happens(recipe.grey),
    )


def crop_boxes(
    area: torch.Tensor, ratio: torch.Tensor, place: torch.Tensor, size: tuple[int, int]
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Each image's crop: the first try that fits, or the largest centred box of an allowed ratio.

    Args:
        area: tries (T, B), shares of the image's area.
        ratio: tries (T, B), width over height.
        place: where between the top and the bottom, the left and the right, in 0 to 1, (2, B).
        size: height and width of the images in pixels.

    Returns:
        Left, top, width and height in pixels, four tensors (B,) of whole numbers, float32.
    """
    rows, columns = size
    pixels = area * (rows * columns)
    widths, heights = (pixels * ratio).sqrt().round(), (pixels / ratio).sqrt().round()  # (T, B)
    fits = (widths >= 1) & (widths <= columns) & (heights >= 1) & (heights <= rows)
    first, found = fits.int().argmax(dim=0, keepdim=True), fits.any(dim=0)  # (1, B), (B,)
    allowed = min(max(columns / rows, CROP_RATIO[0]), CROP_RATIO[1])
    width = torch.where(found, widths.gather(0, first)[0], min(columns, round(rows * allowed)))
    height = torch.where(found, heights.gather(0, first)[0], min(rows, round(columns / allowed)))
    spare_y, spare_x = rows - height, columns - width
    top = torch.where(found, (place[0] * (spare_y + 1)).floor().minimum(spare_y), spare_y // 2)
    left = torch.where(found, (place[1] * (spare_x + 1)).floor().minimum(spare_x), spare_x // 2)
    return left, top, width, height
