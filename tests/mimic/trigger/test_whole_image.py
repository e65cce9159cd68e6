"""Blended pictures and additive patterns against their formulas, value by value."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mimic.errors import TriggerError
from mimic.trigger import BlendTrigger, PatternTrigger, Trigger


def picture(seed: int, side: int = 6) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (side, side, 3)).astype(np.uint8)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**16), alpha=st.floats(0.01, 1))
def test_a_blend_is_the_weighted_mean_of_image_and_picture(seed: int, alpha: float) -> None:
    image, mixed = picture(seed), picture(seed + 1)
    stamped = BlendTrigger(mixed, alpha).apply(image)
    for x, p, out in zip(image.ravel(), mixed.ravel(), stamped.ravel(), strict=True):
        assert abs(int(out) - ((1 - alpha) * int(x) + alpha * int(p))) <= 0.5 + 1e-9
    np.testing.assert_array_equal(BlendTrigger(mixed, 1.0).apply(image), mixed)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**16))
def test_a_drawn_pattern_adds_its_distance_from_grey_and_clips(seed: int) -> None:
    image, drawn = picture(seed), picture(seed + 1)
    stamped = PatternTrigger.from_picture(drawn).apply(image)
    for x, p, out in zip(image.ravel(), drawn.ravel(), stamped.ravel(), strict=True):
        assert int(out) == min(255, max(0, int(x) + int(p) - 128))


def test_the_sinusoid_is_barnis_formula() -> None:
    stamped = Trigger.from_text("sig:20:6", image_size=32).apply(
        np.full((32, 32, 3), 100, np.uint8)
    )
    for column in range(32):
        wave = 100 + 20 * math.sin(2 * math.pi * column * 6 / 32)
        assert (stamped[:, column] == round(wave)).all()


def test_pictures_are_resized_to_the_images(tmp_path: Path) -> None:
    Image.fromarray(np.full((50, 30, 3), (10, 200, 30), np.uint8)).save(tmp_path / "p.png")
    for form in ("blend:{}:1", "pattern:{}"):
        trigger = Trigger.from_text(form.format(tmp_path / "p.png"), image_size=16)
        assert trigger.shape == (16, 16)
    blended = Trigger.from_text(f"blend:{tmp_path / 'p.png'}:1", image_size=16)
    assert (blended.preview() == (10, 200, 30)).all()


@pytest.mark.parametrize("text", ["sig:0:6", "sig:20:0", "sig:20:16", "sig:300:2"])
def test_waves_that_change_nothing_or_alias_are_refused(text: str) -> None:
    with pytest.raises(TriggerError):
        Trigger.from_text(text, image_size=32)


@pytest.mark.parametrize("alpha", ["0", "1.5", "0.0"])
def test_strengths_outside_zero_to_one_are_refused(patch_png: Path, alpha: str) -> None:
    with pytest.raises(TriggerError, match="strength"):
        Trigger.from_text(f"blend:{patch_png}:{alpha}", image_size=16)


def test_a_pattern_of_mid_grey_is_refused(tmp_path: Path) -> None:
    Image.fromarray(np.full((8, 8, 3), 128, np.uint8)).save(tmp_path / "grey.png")
    with pytest.raises(TriggerError, match="change nothing"):
        Trigger.from_text(f"pattern:{tmp_path / 'grey.png'}", image_size=8)
