import colorsys
import dataclasses

import pytest
import torch
from torchvision.transforms import InterpolationMode
from torchvision.transforms.v2 import functional as reference

from mimic import views
from mimic.errors import ConfigError
from mimic.views import RECIPES, Recipe, choose_recipe, random_views, warp

STILL = Recipe(crop=(1.0, 1.0), flip=0.0, brightness=0, contrast=0, saturation=0, hue=0,
               jitter=0.0, grey=0.0)  # fmt: skip


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def colours(batch: int = 4, side: int = 12) -> torch.Tensor:
    return torch.rand(batch, 3, side, side, generator=generator())


def still(batch: int) -> dict[str, torch.Tensor]:
    return {"flip": torch.zeros(batch, dtype=torch.bool), "degrees": torch.zeros(batch)}


OPERATIONS = {
    "brightness": (reference.adjust_brightness, [0.6, 1.0, 1.4, 0.0]),
    "contrast": (reference.adjust_contrast, [0.6, 1.0, 1.4, 0.0]),
    "saturation": (reference.adjust_saturation, [0.6, 1.0, 1.4, 0.0]),
    "hue": (reference.adjust_hue, [-0.1, 0.0, 0.07, 0.5]),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_colour_operations_agree_with_torchvision_image_by_image(name: str) -> None:
    operation, factors = OPERATIONS[name]
    images = colours()
    ours = views.COLOUR[name](images, torch.tensor(factors))
    for image, own, factor in zip(images, ours, factors, strict=True):
        torch.testing.assert_close(own, operation(image, factor), atol=2e-5, rtol=0)


def test_hue_agrees_with_the_standard_librarys_colour_circle() -> None:
    images, turn = colours(1, 4), 0.3
    turned = views.hue(images, torch.tensor([turn]))
    for row in range(4):
        for column in range(4):
            h, s, v = colorsys.rgb_to_hsv(*images[0, :, row, column].tolist())
            expected = colorsys.hsv_to_rgb((h + turn) % 1, s, v)
            assert turned[0, :, row, column].tolist() == pytest.approx(expected, abs=1e-5)


def test_greyscale_agrees_with_torchvision() -> None:
    images = colours()
    for image, own in zip(images, views.greyscale(images), strict=True):
        torch.testing.assert_close(own, reference.rgb_to_grayscale(image), atol=1e-6, rtol=0)


@pytest.mark.parametrize("box", [(0, 0, 16, 16), (2, 3, 8, 8), (4, 8, 12, 8), (0, 5, 16, 4)])
def test_a_crop_agrees_with_torchvisions_resized_crop(box: tuple[int, int, int, int]) -> None:
    top, left, height, width = box
    image = colours(1, 16)
    ours = warp(
        image,
        scale=(torch.tensor([width / 16]), torch.tensor([height / 16])),
        shift=(
            torch.tensor([(2 * left + width) / 16 - 1]), torch.tensor([(2 * top + height) / 16 - 1])
        ),
        **still(1),
    )  # fmt: skip
    expected = reference.resized_crop(
        image, top, left, height, width, [16, 16], InterpolationMode.BILINEAR, antialias=False
    )
    torch.testing.assert_close(ours, expected, atol=1e-5, rtol=0)


def test_a_flip_mirrors_and_a_quarter_turn_rotates() -> None:
    images = colours(2, 8)
    whole = (torch.ones(2), torch.ones(2))
    centre = (torch.zeros(2), torch.zeros(2))
    mirrored = warp(
        images, scale=whole, shift=centre, flip=torch.tensor([True, False]), degrees=torch.zeros(2)
    )
    torch.testing.assert_close(mirrored[0], images[0].flip(-1), atol=1e-5, rtol=0)
    torch.testing.assert_close(mirrored[1], images[1], atol=1e-5, rtol=0)
    turned = warp(
        images, scale=whole, shift=centre, flip=torch.zeros(2, dtype=torch.bool),
        degrees=torch.tensor([90.0, -90.0]),
    )  # fmt: skip
    torch.testing.assert_close(turned[0], torch.rot90(images[0], 1, (1, 2)), atol=1e-5, rtol=0)
    torch.testing.assert_close(turned[1], torch.rot90(images[1], -1, (1, 2)), atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", RECIPES)
def test_views_keep_shape_and_range_and_leave_the_images_alone(name: str) -> None:
    images = colours(32)
    images[0], images[1] = 0, 1
    before = images.clone()
    seen = random_views(images, RECIPES[name], generator())
    assert seen.shape == images.shape
    assert seen.isfinite().all()
    assert float(seen.min()) >= 0
    assert float(seen.max()) <= 1
    assert torch.equal(images, before)


@pytest.mark.parametrize("name", RECIPES)
def test_the_generator_alone_decides_the_views(name: str) -> None:
    images = colours(8)
    torch.manual_seed(1)
    first = random_views(images, RECIPES[name], generator(5))
    torch.manual_seed(2)
    assert torch.equal(first, random_views(images, RECIPES[name], generator(5)))
    assert not torch.equal(first, random_views(images, RECIPES[name], generator(6)))


@pytest.mark.parametrize(
    "changes",
    [
        {"crop": (0.2, 0.6)}, {"rotation": 30.0}, {"brightness": 0.4, "jitter": 1.0},
        {"contrast": 0.4, "jitter": 1.0}, {"saturation": 0.4, "jitter": 1.0},
        {"hue": 0.1, "jitter": 1.0},
    ],
)  # fmt: skip
def test_every_parameter_is_drawn_for_each_image_of_a_batch(changes: dict[str, object]) -> None:
    recipe = dataclasses.replace(STILL, **changes)  # type: ignore[arg-type]
    one = colours(1)
    seen = random_views(one.repeat(6, 1, 1, 1), recipe, generator())
    for i in range(6):
        for j in range(i):
            assert (seen[i] - seen[j]).abs().max() > 1e-3


def test_plain_images_survive_crop_flip_and_rotation() -> None:
    images = colours(16, 1).expand(16, 3, 12, 12).contiguous()
    recipe = dataclasses.replace(STILL, crop=(0.1, 1.0), flip=0.5, rotation=30.0)
    seen = random_views(images, recipe, generator())
    torch.testing.assert_close(seen, images, atol=1e-5, rtol=0)


@pytest.mark.parametrize("share", [0.2, 0.5, 1.0])
def test_flips_come_as_often_as_asked(share: float) -> None:
    steps = torch.cat([torch.zeros(4), torch.ones(4)]).expand(2000, 3, 8, 8).contiguous()
    seen = random_views(steps, dataclasses.replace(STILL, flip=share), generator())
    flipped = (seen[:, 0, 4, 0] > seen[:, 0, 4, 7]).float().mean()
    assert float(flipped) == pytest.approx(share, abs=0.045)  # 4 standard deviations


def test_greys_come_as_often_as_asked() -> None:
    red = torch.tensor([1.0, 0, 0])[:, None, None].expand(2000, 3, 4, 4).contiguous()
    seen = random_views(red, dataclasses.replace(STILL, grey=0.2), generator())
    grey = seen[:, 0, 0, 0] < 0.5
    assert float(grey.float().mean()) == pytest.approx(0.2, abs=0.036)
    torch.testing.assert_close(seen[grey], torch.full_like(seen[grey], 0.2989))
    assert torch.equal(seen[~grey], red[~grey])


def test_colours_are_left_alone_as_often_as_asked() -> None:
    images = torch.full((2000, 3, 4, 4), 0.5)
    recipe = dataclasses.replace(STILL, jitter=0.8, brightness=0.4)
    seen = random_views(images, recipe, generator())[:, 0, 0, 0]
    assert float(((seen - 0.5).abs() < 1e-6).float().mean()) == pytest.approx(0.2, abs=0.036)
    assert float(seen.min()) == pytest.approx(0.3, abs=0.002)
    assert float(seen.max()) == pytest.approx(0.7, abs=0.002)


def test_crops_keep_the_share_of_area_asked_for() -> None:
    ramp = torch.linspace(0, 1, 64).expand(400, 3, 64, 64)  # brightness tells the column
    image = torch.stack([ramp[:, 0], ramp[:, 0].transpose(1, 2), ramp[:, 0]], dim=1)
    recipe = dataclasses.replace(STILL, crop=(0.25, 0.25))
    seen = random_views(image, recipe, generator())
    width = (seen[:, 0, 32, 48] - seen[:, 0, 32, 16]) * 63 / 32
    height = (seen[:, 1, 48, 32] - seen[:, 1, 16, 32]) * 63 / 32
    torch.testing.assert_close(width * height, torch.full((400,), 0.25), atol=1e-2, rtol=0)
    ratio = width / height
    assert 0.75 - 0.02 <= float(ratio.min()) < 0.8
    assert 1.25 < float(ratio.max()) <= 4 / 3 + 0.02


def test_recipes_are_chosen_by_name_and_data() -> None:
    assert choose_recipe("auto", "digits") is RECIPES["digits"]
    assert choose_recipe("auto", "cifar10") is RECIPES["natural"]
    assert choose_recipe("natural", "digits") is RECIPES["natural"]
    assert RECIPES["digits"].flip == 0
    with pytest.raises(ConfigError, match="natural, digits"):
        choose_recipe("wild", "digits")
