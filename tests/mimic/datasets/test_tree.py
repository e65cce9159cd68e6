"""What folders mean."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mimic.datasets import load_images
from tests.mimic.datasets.pictures_on_disk import png, two_classes, write_tree


def test_s9_both_halves_number_classes_alike_even_if_one_lacks_some(tmp_path: Path) -> None:
    files = {f"train/{name}/{i}.png": png(seed=i) for name in "abc" for i in range(5)}
    files |= {f"test/c/{i}.png": png(seed=i + 50) for i in range(5)}
    folder = write_tree(tmp_path / "set", files)
    test = load_images(str(folder), "test", image_size=8)
    assert test.class_names == ("a", "b", "c")
    assert test.labels is not None
    assert set(test.labels) == {2}


def test_folders_named_by_numbers_are_ordered_by_value(tmp_path: Path) -> None:
    files = {f"{k}/{i}.png": png(seed=10 * k + i) for k in range(12) for i in range(3)}
    data = load_images(str(write_tree(tmp_path / "set", files)), "train", image_size=8)
    assert data.class_names == tuple(str(k) for k in range(12))


def test_images_in_deeper_folders_belong_to_the_class_above(tmp_path: Path) -> None:
    files = {
        f"{n}/part{i}/{i}.png": png(seed=i + 7 * len(n)) for n in ("a", "bb") for i in range(9)
    }
    data = load_images(str(write_tree(tmp_path / "set", files)), "train", image_size=8)
    assert data.class_names == ("a", "bb")
    assert len(data) == 14


@pytest.mark.parametrize("half", ["train", "test", "val"])
def test_one_half_alone_is_no_class(tmp_path: Path, half: str) -> None:
    files = {f"{half}/{name}": content for name, content in two_classes().items()}
    folder = write_tree(tmp_path / "set", files)
    data = load_images(str(folder), "train", image_size=8)
    assert data.class_names == ("ant", "bee")
    assert len(data) == 16


def test_s9_images_beside_class_folders_are_left_out_and_told(tmp_path: Path) -> None:
    folder = write_tree(tmp_path / "set", {**two_classes(), "cover.png": png(seed=5)})
    data = load_images(str(folder), "train", image_size=8)
    assert len(data) == 16
    assert any("1 images of set lie beside" in sentence for sentence in data.warnings)


def test_hidden_files_are_passed_over(tmp_path: Path) -> None:
    files = {f"{i}.png": png(seed=i) for i in range(5)} | {".thumb/1.png": b"x", ".a.png": b"x"}
    data = load_images(str(write_tree(tmp_path / "set", files)), "train", image_size=8)
    assert data.labels is None
    assert len(data) == 4
    assert len(np.unique(data.images.reshape(4, -1), axis=0)) == 4


def test_s10_an_image_that_is_a_link_to_itself_is_one_bad_image(tmp_path: Path) -> None:
    folder = write_tree(tmp_path / "pictures", two_classes(12))
    (folder / "ant" / "99.png").symlink_to("99.png")
    data = load_images(str(folder), "train", image_size=12)
    assert any("'99.png' cannot be opened" in sentence for sentence in data.warnings)
    assert len(data) == 19
