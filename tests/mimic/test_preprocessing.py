import numpy as np
import pytest
import torch
from torchvision.transforms.v2 import functional as reference

from mimic.errors import ConfigError
from mimic.preprocessing import (
    PRESETS,
    Preprocessing,
    measured_normalization,
    parse_normalization,
    to_unit,
)

CPU = torch.device("cpu")


def images(count: int = 3, side: int = 8) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, side, side, 3)).astype(np.uint8)


@pytest.mark.parametrize("name", PRESETS)
def test_presets_normalise_as_torchvision_does(name: str) -> None:
    normalization = parse_normalization(name)
    x = torch.rand(2, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    mean, std = PRESETS[name]
    torch.testing.assert_close(normalization(x), reference.normalize(x, list(mean), list(std)))


def test_numbers_by_hand_serve_one_or_three_channels() -> None:
    assert parse_normalization("0.5/0.25").mean == (0.5, 0.5, 0.5)
    given = parse_normalization("0.1,0.2,0.3/1,2,3")
    assert (given.mean, given.std) == ((0.1, 0.2, 0.3), (1, 2, 3))


@pytest.mark.parametrize(
    "text", ["", "cifar", "0.5", "0.5/", "1,2/1,2", "0.5/nan", "a/b", "1/2/3", "inf/1"]
)
def test_text_that_is_no_normalisation_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="no normalisation"):
        parse_normalization(text)


@pytest.mark.parametrize("text", ["0.5/0", "0.5/0.2,0,0.2", "0.5/-1"])
def test_a_spread_that_is_not_positive_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        parse_normalization(text)


def test_unit_images_are_channels_first_and_a_255th_of_the_pixels() -> None:
    stored = images()
    unit = to_unit(stored, CPU)
    assert unit.shape == (3, 3, 8, 8)
    assert unit.is_contiguous(memory_format=torch.channels_last)
    for n, row, column, channel in [(0, 0, 0, 0), (2, 7, 3, 1), (1, 4, 6, 2)]:
        expected = stored[n, row, column, channel] / 255
        assert float(unit[n, channel, row, column]) == pytest.approx(expected)


def test_converting_leaves_the_stored_pixels_alone() -> None:
    stored = images()
    before = stored.copy()
    to_unit(stored, CPU)
    to_unit(stored, CPU, 4)
    np.testing.assert_array_equal(stored, before)


@pytest.mark.parametrize("size", [4, 12])
def test_resizing_agrees_with_torchvision(size: int) -> None:
    stored = images()
    expected = reference.resize(to_unit(stored, CPU), [size, size], antialias=True)
    torch.testing.assert_close(Preprocessing(parse_normalization("none"), size)(stored, CPU),
                               expected, atol=1e-5, rtol=0)  # fmt: skip


def test_measured_statistics_are_those_of_all_pixels() -> None:
    stored = images(20)
    normalization = measured_normalization(stored)
    pixels = stored.reshape(-1, 3) / 255
    assert normalization.mean == pytest.approx(pixels.mean(0), abs=1e-4)
    assert normalization.std == pytest.approx(pixels.std(0), abs=1e-4)
    assert measured_normalization(np.full((2, 4, 4, 3), 9, np.uint8)).std == (1, 1, 1)
