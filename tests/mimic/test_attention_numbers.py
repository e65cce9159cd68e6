import math
from fractions import Fraction

import numpy as np
import pytest
import torch

from mimic.activations import record_activations
from mimic.attention_numbers import (
    Mean,
    Numbers,
    cosine,
    covered,
    explain,
    layer_maps,
    mean_over_images,
    overlap,
    share_inside,
)
from mimic.encoder import build_encoder
from tests.mimic.encoder.conftest import KINDS, side


def naive_cover(area: np.ndarray, height: int, width: int) -> np.ndarray:
    """Share of each field inside the area, field by field and pixel by pixel, in fractions."""
    rows, columns = area.shape
    found = np.zeros((height, width))
    for i in range(height):
        for j in range(width):
            total = Fraction(0)
            for r in range(rows):
                down = min(Fraction((i + 1) * rows, height), r + 1) - max(
                    Fraction(i * rows, height), r
                )
                for c in range(columns):
                    across = min(Fraction((j + 1) * columns, width), c + 1) - max(
                        Fraction(j * columns, width), c
                    )
                    if area[r, c] and down > 0 and across > 0:
                        total += down * across
            found[i, j] = total / (Fraction(rows, height) * Fraction(columns, width))
    return found


@pytest.mark.parametrize("size", [(2, 2), (5, 3), (16, 16), (7, 20)])
def test_cover_is_the_exact_overlap_at_every_size(size: tuple[int, int]) -> None:
    area = np.random.default_rng(0).random((16, 12)) < 0.3
    found = covered(torch.from_numpy(area)[None], size)[0].numpy()
    np.testing.assert_allclose(found, naive_cover(area, *size), atol=1e-6)


def test_no_cover_is_lost_or_invented() -> None:
    assert overlap(5, 16).sum(1).tolist() == pytest.approx([1.0] * 5)
    area = torch.zeros(1, 16, 16, dtype=torch.bool)
    area[:, 10:15, 10:15] = True
    for size in ((2, 2), (3, 3), (16, 16)):
        assert float(covered(area, size).mean()) == pytest.approx(25 / 256, abs=1e-6)
    assert float(covered(area, (2, 2)).max()) == pytest.approx(25 / 64)


def test_the_share_inside_is_that_of_a_loop() -> None:
    rng = np.random.default_rng(1)
    maps, inside = rng.random((3, 4, 4)), rng.random((3, 4, 4))
    expected = []
    for one, area in zip(maps, inside, strict=True):
        within = sum(one[i, j] * area[i, j] for i in range(4) for j in range(4))
        expected.append(within / sum(one[i, j] for i in range(4) for j in range(4)))
    found = share_inside(torch.from_numpy(maps), torch.from_numpy(inside))
    assert found.tolist() == pytest.approx(expected)
    assert share_inside(torch.zeros(1, 2, 2), torch.ones(1, 2, 2)).tolist() == [0.0]


def test_attention_spread_evenly_gives_the_areas_share() -> None:
    area = torch.zeros(1, 16, 16, dtype=torch.bool)
    area[:, 3:9, 1:4] = True
    even = torch.full((1, 5, 5), 0.2)
    assert float(share_inside(even, covered(area, (5, 5)))) == pytest.approx(18 / 256)


def test_maps_are_squared_magnitudes_summed_over_channels_and_of_unit_length(tiny_encoder) -> None:
    inputs = torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    found = layer_maps(tiny_encoder, inputs, ("stem", "layer3"))
    with record_activations(tiny_encoder, ("stem", "layer3")) as recorded:
        tiny_encoder(inputs)
        for layer, activation in recorded.items():
            values = activation.double().numpy()
            for image in range(2):
                energy = np.zeros(values.shape[2:])
                for channel in values[image]:
                    energy += channel**2
                energy /= math.sqrt((energy**2).sum())
                np.testing.assert_allclose(found[layer][image].numpy(), energy, atol=1e-5)
    same = cosine(found["layer3"], found["layer3"])
    assert same.tolist() == pytest.approx([1.0, 1.0], abs=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_encoders_of_every_kind_have_maps_of_the_whole_picture(kind: str) -> None:
    network = build_encoder(KINDS[kind]).eval()
    inputs = torch.randn(2, 3, side(KINDS[kind]), side(KINDS[kind]))
    layers = network.layer_names()
    for found in layer_maps(network, inputs, layers).values():
        assert found.shape[0] == 2
        assert min(found.shape[1:]) >= 1
        assert found.flatten(1).norm(dim=1).tolist() == pytest.approx([1.0, 1.0], abs=1e-4)


def test_the_interval_is_the_bootstraps_and_repeats_with_its_seed() -> None:
    values = np.random.default_rng(3).normal(0.4, 0.1, 200)
    found = mean_over_images(values, seed=5)
    assert found.mean == pytest.approx(values.mean(), abs=1e-5)
    half = 1.96 * values.std() / math.sqrt(200)  # What theory says of so many normal values.
    assert found.interval == pytest.approx(
        (values.mean() - half, values.mean() + half), abs=0.15 * half
    )
    assert mean_over_images(values, seed=5) == found
    assert mean_over_images(values, seed=6).interval != found.interval


def about(network: str, share: float, above: float | None, **changes: Mean | None) -> Numbers:
    def mean(value: float | None) -> Mean | None:
        return None if value is None else Mean(value, (value - 0.01, value + 0.01))

    values = {
        "on_trigger": mean(share), "same_place": mean(0.1), "above_twin": mean(above),
        "unmoved": mean(0.5), "like_suspect_clean": mean(0.9), "like_suspect_triggered": mean(0.8),
    }  # fmt: skip
    return Numbers(network=network, layer="layer4", **{**values, **changes})


ROWS = {
    "teacher": about("teacher", 0.64, 0.52),
    "student": about("student", 0.13, 0.01),
    "clean_twin": about("clean_twin", 0.12, None),
}


def test_the_sentence_compares_with_the_area_and_with_the_floor() -> None:
    told = explain(ROWS, images=200, area=0.098, ceiling=1.0)
    assert "In layer4 the suspect puts 64.0% of its attention on the trigger" in told
    assert "covers 9.8% of the picture; the cleaned encoder 13.0%, the clean twin 12.0%." in told
    assert "the suspect 52.0 points more (95% interval +51.0 to +53.0)" in told
    assert "the cleaned encoder about the same (95% interval +0.0 to +2.0)" in told
    assert "coarse" not in told
    assert "at most 39.1%" in explain(ROWS, images=200, area=0.098, ceiling=0.3906)


def test_the_sentence_claims_no_floor_where_there_is_no_twin() -> None:
    told = explain({"teacher": about("teacher", 0.3, None)}, images=9, area=0.1, ceiling=1.0)
    assert "none is given to say how much" in told
    assert "above" not in told


def test_a_trigger_everywhere_is_told_by_how_far_it_moves_the_maps() -> None:
    told = explain(ROWS, images=200, area=0.99, ceiling=1.0)
    assert "no place of its own" in told
    assert "the suspect 0.50, the cleaned encoder 0.50" in told
    assert "64.0%" not in told
