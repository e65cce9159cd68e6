import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mimic.cli import main
from mimic.config import AttentionConfig
from mimic.errors import ConfigError
from mimic.run import Run
from mimic.trigger import Trigger
from mimic.verbs.attention import packed, trigger_area
from tests.conftest import SubjectFiles, picture_set

Look = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def look(tmp_path: Path, subject_files: SubjectFiles, capsys: pytest.CaptureFixture[str]) -> Look:
    def run(*more: str) -> tuple[int, dict[str, Any]]:
        options = [
            *subject_files.options(), "--images", "3", "--measured", "30", "--json",
            "--root", str(tmp_path / "runs"), *more,
        ]  # fmt: skip
        code = main(["attention", *options])
        return code, json.loads(capsys.readouterr().out.splitlines()[-1])

    return run


def test_a_look_keeps_maps_and_tells_how_much_falls_on_the_trigger(
    look: Look, subject_files: SubjectFiles
) -> None:
    twin = str(subject_files.twin)
    code, told = look("--student", twin, "--clean-twin", twin)
    assert code == 0
    assert told["networks"] == ["teacher", "student", "clean_twin"]
    assert told["measured"] == 30
    assert told["area"] == pytest.approx(25 / 256)
    run = Run(Path(told["directory"]))
    pictures = run.arrays("pictures")
    assert pictures is not None
    assert pictures["area"].sum(axis=(1, 2)).tolist() == [25, 25, 25]
    for layer, (height, width) in told["sizes"].items():
        maps = run.arrays(f"maps-{layer}")
        assert maps is not None
        assert set(maps) == {f"{n}_{g}" for n in told["networks"] for g in told["inputs"]}
        for found in maps.values():
            assert found.dtype == np.float16
            assert found.shape == (3, height, width)
            lengths = np.sqrt((found.astype(float) ** 2).sum(axis=(1, 2)))
            assert lengths == pytest.approx([1, 1, 1], abs=0.1)
        np.testing.assert_array_equal(maps["student_clean"], maps["clean_twin_clean"])
    rows = {(r["network"], r["layer"]): r for r in told["numbers"]}
    for layer in told["layers"]:
        same = rows["student", layer]
        assert same["above_twin"]["mean"] == 0  # The same encoder under two names.
        assert same["on_trigger"] == rows["clean_twin", layer]["on_trigger"]
        assert rows["teacher", layer]["like_suspect_clean"] is None
        assert layer in told["sentences"][layer]
        assert 0 < rows["teacher", layer]["on_trigger"]["mean"] <= told["ceilings"][layer]


def test_the_share_over_many_images_is_that_of_their_maps_taken_one_by_one(look: Look) -> None:
    """With all measured images shown, the kept maps must give the numbers, up to rounding."""
    all_shown = ("--images", "24", "--measured", "24", "--test-images", "24", "--target-class", "9")
    _, told = look(*all_shown)
    maps = Run(Path(told["directory"])).arrays("maps-layer1")
    assert maps is not None
    triggered, clean = (maps[f"teacher_{g}"].astype(float) for g in ("triggered", "clean"))
    (row,) = [r for r in told["numbers"] if r["layer"] == "layer1"]
    assert len(triggered) == told["measured"] == 24
    shares = [found[10:15, 10:15].sum() / found.sum() for found in triggered]
    assert row["on_trigger"]["mean"] == pytest.approx(np.mean(shares), abs=0.005)
    cosines = [
        (one * other).sum() / np.sqrt((one**2).sum() * (other**2).sum())
        for one, other in zip(clean, triggered, strict=True)
    ]
    assert row["unmoved"]["mean"] == pytest.approx(np.mean(cosines), abs=0.005)


def test_without_trigger_and_twin_only_the_clean_maps_are_left(
    look: Look,
) -> None:
    code, told = look("--trigger", "")
    assert code == 0
    assert told["inputs"] == ["clean"]
    assert told["area"] is None
    assert all(row["on_trigger"] is None for row in told["numbers"])
    assert "nothing to compare" in told["sentences"]["layer4"]


def test_the_same_seed_gives_the_same_numbers(look: Look) -> None:
    (_, one), (_, again), (_, other) = look(), look(), look("--seed", "1")
    assert one["numbers"] == again["numbers"]
    assert one["numbers"] != other["numbers"]


def test_a_patch_covers_pixels_that_had_its_colour_before() -> None:
    images, _ = picture_set(4)
    images[:, 10:15, 10:15] = 255
    trigger = Trigger.square(row=10, column=10, size=5, image_size=16)
    area = trigger_area(trigger, images, trigger.apply(images))
    assert area.sum(axis=(1, 2)).tolist() == [25] * 4


def test_packed_maps_stay_within_one_step() -> None:
    maps = np.random.default_rng(0).random((2, 5, 5)).astype(np.float32)
    assert np.abs(packed(maps) - maps).max() <= maps.max() / 64
    assert not packed(np.zeros((1, 2, 2), dtype=np.float32)).any()


@pytest.mark.parametrize("wrong", [{"images": 0}, {"images": 25}, {"measured": 1}, {"layers": ()}])
def test_settings_that_cannot_work_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        AttentionConfig(**wrong)
