import dataclasses
import math
import random as python_random

import pytest
import torch
from scipy.stats import chisquare, ks_2samp, kstest
from torchvision.transforms import RandomResizedCrop

from mimic.view_parameters import ORDERS, RECIPES, Recipe, ViewParameters, crop_boxes, draw_views
from mimic.views import apply_views, random_views

NATURAL = RECIPES["natural"]
DRAWS = 6_000
DOUBT = 1e-4
"""Seeds are fixed: a p-value below this means another distribution, not bad luck."""


def drawn(recipe: Recipe = NATURAL, count: int = DRAWS, side: int = 32) -> ViewParameters:
    return draw_views(count, (side, side), recipe, torch.Generator().manual_seed(7))


def torchvision_boxes(
    size: tuple[int, int], scale: tuple[float, float], count: int
) -> torch.Tensor:
    """torchvision's own top, left, height, width in pixels, (count, 4)."""
    torch.manual_seed(11)
    image = torch.empty(3, *size)
    return torch.tensor(
        [RandomResizedCrop.get_params(image, list(scale), [3 / 4, 4 / 3]) for _ in range(count)]
    )


@pytest.mark.parametrize("scale", [(0.08, 1.0), (0.5, 1.0), (0.9, 1.0)])
@pytest.mark.parametrize("size", [(32, 32), (24, 40), (16, 90)])
def test_crops_are_distributed_as_torchvisions(
    size: tuple[int, int], scale: tuple[float, float]
) -> None:
    """Narrow images and large areas make the ten tries fail often; the fallback must agree too."""
    expected = torchvision_boxes(size, scale, DRAWS).double().unbind(1)
    recipe = dataclasses.replace(NATURAL, crop=scale)
    p = draw_views(DRAWS, size, recipe, torch.Generator().manual_seed(7))
    found = [
        (p.top * size[0]).round(), (p.left * size[1]).round(),
        (p.height * size[0]).round(), (p.width * size[1]).round(),
    ]  # fmt: skip

    def measures(top: torch.Tensor, left: torch.Tensor, h: torch.Tensor, w: torch.Tensor):  # type: ignore[no-untyped-def]
        return {"area": h * w, "ratio": w / h, "top": top, "left": left, "height": h, "width": w,
                "bottom": top + h, "right": left + w}  # fmt: skip

    ours, theirs = measures(*(x.double() for x in found)), measures(*expected)
    for name, values in ours.items():
        assert ks_2samp(values.numpy(), theirs[name].numpy()).pvalue > DOUBT, name
    assert float(ours["bottom"].max()) <= size[0]
    assert float(ours["right"].max()) <= size[1]
    assert float(min(ours["top"].min(), ours["left"].min())) == 0


def test_the_comparison_of_crops_can_fail() -> None:
    """Cutting sides that are too long, instead of drawing again, is seen."""
    theirs = torchvision_boxes((32, 32), (0.08, 1.0), DRAWS)
    random = torch.Generator().manual_seed(7)
    area = torch.rand(DRAWS, generator=random) * 0.92 + 0.08
    ratio = ((torch.rand(DRAWS, generator=random) * 2 - 1) * math.log(4 / 3)).exp()
    cut = (area * ratio).sqrt().clamp(max=1) * (area / ratio).sqrt().clamp(max=1) * 1024
    assert ks_2samp(cut.numpy(), (theirs[:, 2] * theirs[:, 3]).numpy()).pvalue < DOUBT


def test_tries_that_fit_no_image_fall_back_to_the_centred_box() -> None:
    tries = torch.ones(10, 1)
    left, top, width, height = crop_boxes(tries, tries, torch.rand(2, 1), (10, 41))
    assert (left.item(), top.item(), width.item(), height.item()) == (14, 0, 13, 10)


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [("brightness", 0.6, 1.4), ("contrast", 0.6, 1.4), ("saturation", 0.6, 1.4),
     ("hue", -0.1, 0.1)],
)  # fmt: skip
def test_colour_factors_are_uniform_in_torchvisions_range(
    name: str, low: float, high: float
) -> None:
    values = getattr(drawn(), name)
    assert kstest(values.numpy(), "uniform", (low, high - low)).pvalue > DOUBT


@pytest.mark.parametrize(("name", "share"), [("flip", 0.5), ("jitter", 0.8), ("grey", 0.2)])
def test_flips_jitter_and_greys_come_as_often_as_in_simclrs_recipe(name: str, share: float) -> None:
    happened = int(getattr(drawn(), name).sum())
    assert (
        chisquare([happened, DRAWS - happened], [DRAWS * share, DRAWS * (1 - share)]).pvalue > DOUBT
    )


def test_every_order_of_the_colours_is_drawn_for_each_image_alike() -> None:
    assert len({tuple(order) for order in ORDERS.tolist()}) == 24
    counts = torch.bincount(drawn().order, minlength=24)
    assert chisquare(counts.numpy()).pvalue > DOUBT


def test_parameters_are_drawn_independently() -> None:
    p = drawn()
    table = torch.stack([t.double() for t in p.tensors()])
    table = table[table.std(dim=1) > 0]  # without rotation, which is always 0 here
    names = [f.name for f in dataclasses.fields(p) if getattr(p, f.name).double().std() > 0]
    correlation = torch.corrcoef(table)
    crop = {"left", "top", "width", "height"}  # one box: these do depend on each other
    for i, one in enumerate(names):
        for j, two in enumerate(names[:i]):
            if not {one, two} <= crop:
                assert abs(float(correlation[i, j])) < 0.06, (one, two)


def test_the_digits_stay_upright_unmirrored_and_half_whole() -> None:
    p = drawn(RECIPES["digits"], side=16)
    assert not p.flip.any()
    assert not p.grey.any()
    assert kstest(p.degrees.numpy(), "uniform", (-15, 30)).pvalue > DOUBT
    assert float((p.width * p.height).min()) > 0.45
    assert bool((p.saturation == 1).all() and (p.hue == 0).all())


def test_only_the_generator_decides_and_rows_are_what_a_process_needs() -> None:
    torch.manual_seed(1)
    python_random.seed(1)
    first = drawn(count=12)
    torch.manual_seed(2)
    python_random.seed(2)
    again = drawn(count=12)
    halves = ViewParameters.join([again.rows(slice(0, 6)), again.rows(slice(6, 12))])
    assert len(halves) == 12
    for one, two in zip(first.tensors(), halves.tensors(), strict=True):
        assert torch.equal(one, two)
    images = torch.rand(12, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    whole = apply_views(images, first)
    part = apply_views(images[6:], first.rows(slice(6, 12)))
    torch.testing.assert_close(part, whole[6:], atol=1e-6, rtol=0)


def test_views_computed_for_all_images_and_for_those_in_need_are_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Accelerators compute every operation for every image and choose; CPUs compute the chosen."""
    from mimic import views

    def for_all(needed, operation, x, factor):  # type: ignore[no-untyped-def]
        return torch.where(needed[:, None, None, None], operation(x, factor), x)

    images = torch.rand(40, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    expected = random_views(images, NATURAL, torch.Generator().manual_seed(3))
    monkeypatch.setattr(views, "only_where", for_all)
    found = random_views(images, NATURAL, torch.Generator().manual_seed(3))
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)


def test_parameters_keep_their_values_and_types_when_they_move() -> None:
    moved = drawn(count=5).to(torch.device("meta"))  # no values there, but the same path
    assert [t.dtype for t in moved.tensors()] == [t.dtype for t in drawn(count=5).tensors()]
    assert {t.device.type for t in moved.tensors()} == {"meta"}
