"""What holds for every kind of trigger."""

from pathlib import Path

import numpy as np
import pytest

from mimic.errors import TriggerError
from mimic.trigger import Trigger
from mimic.trigger.base import CHUNK_VALUES
from mimic.trigger.stored import KINDS

NAMES = (
    "patch", "random-patch", "blend", "pattern", "sinusoid", "frequency", "resized", "color-shift",
)  # fmt: skip


def images(count: int = 6, side: int = 16, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, side, side, 3)).astype(np.uint8)


@pytest.fixture(params=NAMES)
def trigger(request: pytest.FixtureRequest, texts: dict[str, str]) -> Trigger:
    return Trigger.from_text(texts[request.param], image_size=16)


def test_the_texts_cover_every_kind(texts: dict[str, str]) -> None:
    made = {Trigger.from_text(text, image_size=16).kind for text in texts.values()}
    assert made == set(KINDS)


def test_stamping_changes_a_copy_and_keeps_shape_and_type(trigger: Trigger) -> None:
    given = images()
    before = given.copy()
    stamped = trigger.apply(given)
    np.testing.assert_array_equal(given, before)
    assert (stamped.shape, stamped.dtype) == (given.shape, np.uint8)
    assert (stamped != given).any(axis=(1, 2, 3)).all()


def test_an_image_is_stamped_alike_wherever_it_stands(trigger: Trigger) -> None:
    given = images()
    whole = trigger.apply(given)
    order = np.array([3, 0, 5, 1, 4, 2])
    np.testing.assert_array_equal(trigger.apply(given[order]), whole[order])
    np.testing.assert_array_equal(trigger.apply(given[2]), whole[2])
    deep = given.reshape(2, 3, 16, 16, 3)
    np.testing.assert_array_equal(trigger.apply(deep), whole.reshape(deep.shape))
    assert trigger.apply(given[:0]).shape == (0, 16, 16, 3)


def test_chunks_leave_no_seam(trigger: Trigger, monkeypatch: pytest.MonkeyPatch) -> None:
    assert images().size < CHUNK_VALUES
    whole = trigger.apply(images())
    monkeypatch.setattr("mimic.trigger.base.CHUNK_VALUES", 16 * 16 * 3 * 4)
    np.testing.assert_array_equal(trigger.apply(images()), whole)


def test_a_saved_trigger_stamps_the_same(trigger: Trigger, tmp_path: Path) -> None:
    path = tmp_path / "saved.npz"
    trigger.save(path)
    loaded = Trigger.load(path)
    assert type(loaded) is type(trigger)
    assert loaded.describe() == trigger.describe()
    assert loaded.warnings == trigger.warnings
    np.testing.assert_array_equal(loaded.apply(images()), trigger.apply(images()))
    with np.load(path, allow_pickle=False) as stored:
        assert all(stored[key].dtype != object for key in stored)


def test_it_describes_and_reports_itself(trigger: Trigger) -> None:
    sentence = trigger.describe()
    assert sentence.endswith(".")
    assert "\n" not in sentence
    told = trigger.report(images())
    assert told["shape"] == [16, 16, 3]
    assert told["changed_pixels"] == round(told["share"] * 256) > 0
    if trigger.kind != "patch":  # A patch counts what it replaces, equal or not.
        changed = (trigger.apply(images()) != images()).any(axis=-1).mean()
        assert told["share"] == pytest.approx(changed)
    assert trigger.preview().dtype == np.uint8


@pytest.mark.parametrize(
    "given",
    [
        np.zeros((2, 16, 16, 3), np.float32),
        np.zeros((2, 16, 16, 3), np.int64),
        np.zeros((2, 3, 16, 16), np.uint8),
        np.zeros((16, 16), np.uint8),
        np.zeros((2, 16, 16, 4), np.uint8),
    ],
    ids=["float", "int64", "channel-first", "grey", "alpha"],
)
def test_s9_what_is_no_uint8_image_is_refused(trigger: Trigger, given: np.ndarray) -> None:
    with pytest.raises(TriggerError, match="cannot be stamped"):
        trigger.apply(given)


def test_s9_images_it_does_not_fit_are_refused(trigger: Trigger) -> None:
    side = 3 if trigger.kind == "random-patch" else 33
    with pytest.raises(TriggerError):
        trigger.apply(images(side=side))


def damaged(kind: str) -> dict[str, list[np.ndarray]]:
    """Values, per key of a kind's file, that must be refused."""
    text, nan, grey = np.array("a"), np.array(np.nan), np.zeros((4, 4), np.uint8)
    return {
        "blend": {"alpha": [text, nan, np.array(0.0), np.array(2.0), np.ones(2)],
                  "picture": [grey, np.zeros((4, 4, 3))]},
        "pattern": {"pattern": [text, np.full((4, 4, 3), np.nan), np.full((4, 4, 3), 999.0),
                                np.zeros((4, 4, 3)), grey, np.zeros((0, 4, 3))]},
        "frequency": {"magnitude": [text, nan, np.array(0.0), np.array(-5.0)],
                      "window": [np.array(7), np.array(2.5), np.array(0), np.array(2**20),
                                 np.ones(2)]},
        "random-patch": {"picture": [grey, np.zeros((4, 4, 4), np.uint8)],
                         "band": [np.array([0.7, 0.2]), np.array([0.1]), text,
                                  np.array([-0.1, 0.5]), np.array([0.1, 1.5])],
                         "seed": [np.array(-1), nan, np.array(2**40)]},
        "color-shift": {"row_mask": [np.full((16, 3), 0.5), np.ones((16, 4)), grey[0], text],
                        "row_patch": [np.full((16, 3), 300), np.full((16, 3), -1)]},
    }[kind]  # fmt: skip


@pytest.mark.parametrize("kind", ["blend", "pattern", "frequency", "random-patch", "color-shift"])
def test_s9_a_saved_trigger_with_a_bad_or_missing_value_is_refused(
    texts: dict[str, str], tmp_path: Path, kind: str
) -> None:
    path = tmp_path / "t.npz"
    Trigger.from_text(texts[kind], image_size=16).save(path)
    with np.load(path, allow_pickle=False) as stored:
        good = {key: stored[key] for key in stored}
    for key, values in damaged(kind).items():
        for value in values:
            np.savez(path, **{**good, key: value})
            with pytest.raises(TriggerError):
                Trigger.load(path)
        np.savez(path, **{k: v for k, v in good.items() if k != key})
        with pytest.raises(TriggerError, match=f"no array '{key}'"):
            Trigger.load(path)


@pytest.mark.parametrize("kind", [np.array("laser"), np.array(3), np.array(["blend"])])
def test_s9_an_unknown_kind_is_refused_with_the_known_ones(
    tmp_path: Path, kind: np.ndarray
) -> None:
    np.savez(tmp_path / "t.npz", kind=kind, t=np.zeros((4, 4, 3)), tm=np.zeros((4, 4, 3)))
    with pytest.raises(TriggerError, match="random-patch"):
        Trigger.load(tmp_path / "t.npz")
