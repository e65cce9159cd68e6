import zipfile
from pathlib import Path

import numpy as np
import pytest
import sklearn.datasets
from PIL import Image

from mimic.datasets import ImageSet, clean_subset, load_images
from mimic.errors import DataError

Pictures = tuple[np.ndarray, np.ndarray]


def save(path: Path, **arrays: np.ndarray) -> str:
    np.savez(path, allow_pickle=True, **arrays)
    return str(path)


def write_pictures(folder: Path, images: np.ndarray) -> None:
    folder.mkdir(parents=True)
    for number, image in enumerate(images):
        Image.fromarray(image).save(folder / f"{number:03}.png")


def test_the_digits_are_split_in_disjoint_stable_halves() -> None:
    train, test = load_images("digits", "train"), load_images("digits", "test")
    again = load_images("digits", "train")
    assert (len(train), len(test)) == (1438, 359)
    assert train.images.shape[1:] == (16, 16, 3)
    assert train.sha256() == again.sha256() != test.sha256()
    whole = sklearn.datasets.load_digits()
    counts = np.bincount(train.need_classes()) + np.bincount(test.need_classes())
    np.testing.assert_array_equal(counts, np.bincount(whole.target))
    # Means of 2x2 blocks survive the doubling closely enough to recognise the originals.
    originals = {tuple(p.ravel()) for p in np.unique(whole.images, axis=0)}
    assert len(originals) == 1797
    pixels = np.concatenate([train.images, test.images])
    assert len(np.unique(pixels.reshape(1797, -1), axis=0)) == 1797


def test_digits_show_the_digit_they_are_labelled_as() -> None:
    train = load_images("digits", "train")
    whole = sklearn.datasets.load_digits()
    small = train.images[:50, :, :, 0].reshape(50, 8, 2, 8, 2).mean((2, 4)) * 16 / 255
    for image, label in zip(small, train.need_classes()[:50], strict=True):
        distance = ((whole.images - image) ** 2).sum((1, 2))
        assert whole.target[distance.argmin()] == label


@pytest.mark.parametrize("column", [True, False])
def test_an_npz_is_split_80_to_20_with_its_labels(
    tmp_path: Path, pictures: Pictures, column: bool
) -> None:
    images, labels = pictures
    path = save(tmp_path / "set.npz", x=images, y=labels[:, None] if column else labels)
    train, test = load_images(path, "train"), load_images(path, "test")
    assert (len(train), len(test)) == (38, 10)
    assert train.classes == 4
    index = {image.tobytes(): number for number, image in enumerate(images)}
    seen = [index[image.tobytes()] for image in (*train.images, *test.images)]
    assert sorted(seen) == list(range(48))
    given = np.concatenate([train.need_classes(), test.need_classes()])
    np.testing.assert_array_equal(given, labels[seen])


def test_an_npz_without_labels_is_unlabelled(tmp_path: Path, pictures: Pictures) -> None:
    data = load_images(save(tmp_path / "set.npz", x=pictures[0]), "train")
    assert data.labels is None
    assert data.classes == 0
    with pytest.raises(DataError, match="no labels"):
        data.need_classes()


def test_a_folder_with_two_npz_files_keeps_their_split(tmp_path: Path, pictures: Pictures) -> None:
    images, labels = pictures
    folder = tmp_path / "pair"
    folder.mkdir()
    save(folder / "train.npz", x=images[:40], y=labels[:40])
    save(folder / "test.npz", x=images[40:], y=labels[40:])
    train, test = (load_images(str(folder), split) for split in ("train", "test"))
    np.testing.assert_array_equal(train.images, images[:40])
    np.testing.assert_array_equal(test.images, images[40:])
    assert train.name == "pair"


def test_sub_folders_are_classes_in_alphabetical_order(tmp_path: Path, pictures: Pictures) -> None:
    images, labels = pictures
    for label, name in enumerate(["ant", "bee", "cat", "dog"]):
        write_pictures(tmp_path / "zoo" / name, images[labels == label])
    (tmp_path / "zoo" / "ant" / "notes.txt").write_text("no image")
    halves = [load_images(str(tmp_path / "zoo"), s, image_size=16) for s in ("train", "test")]
    expected = {image.tobytes(): label for image, label in zip(images, labels, strict=True)}
    assert [len(h) for h in halves] == [38, 10]
    for half in halves:
        assert half.class_names == ("ant", "bee", "cat", "dog")
        for image, label in zip(half.images, half.need_classes(), strict=True):
            assert expected[image.tobytes()] == label
    assert halves[0].class_name(2) == "cat"


@pytest.mark.parametrize("test_name", ["test", "val"])
def test_folders_named_train_and_test_are_the_halves(
    tmp_path: Path, pictures: Pictures, test_name: str
) -> None:
    images, labels = pictures
    for part, chosen in (("train", labels < 9), (test_name, labels < 3)):
        for label in (0, 1):
            write_pictures(tmp_path / part / f"c{label}", images[chosen & (labels == label)][:5])
    assert len(load_images(str(tmp_path), "train", image_size=16)) == 10
    test = load_images(str(tmp_path), "test", image_size=16)
    np.testing.assert_array_equal(test.need_classes(), np.repeat([0, 1], 5))


def test_a_flat_folder_is_unlabelled_cropped_square_and_resized(tmp_path: Path) -> None:
    wide = np.zeros((20, 40, 3), dtype=np.uint8)
    wide[:, 6:34] = (200, 100, 50)  # the central square and a little more
    write_pictures(tmp_path / "flat", np.stack([wide] * 10))
    data = load_images(str(tmp_path / "flat"), "train", image_size=8)
    assert data.labels is None
    assert data.images.shape == (8, 8, 8, 3)
    assert (data.images == (200, 100, 50)).all()


def test_grey_and_transparent_pictures_become_rgb(tmp_path: Path) -> None:
    (tmp_path / "mixed").mkdir()
    for mode, value in (("L", 90), ("RGBA", (90, 90, 90, 255)), ("P", 7)):
        Image.new(mode, (8, 8), value).save(tmp_path / "mixed" / f"{mode}.png")
    data = load_images(str(tmp_path / "mixed"), "train", image_size=8)
    assert data.images.shape[1:] == (8, 8, 3)


BROKEN = {
    "empty": {"x": np.zeros((0, 8, 8, 3), np.uint8), "y": np.zeros(0, int)},
    "no-x": {"pixels": np.zeros((4, 8, 8, 3), np.uint8)},
    "normalised": {"x": np.random.default_rng(0).normal(0, 1, (4, 8, 8, 3))},
    "beyond-255": {"x": np.full((4, 8, 8, 3), 300, np.int16)},
    "not-finite": {"x": np.full((4, 8, 8, 3), np.nan)},
    "truth-values": {"x": np.ones((4, 8, 8, 3), bool)},
    "one-image": {"x": np.full((8, 8, 3), 9, np.uint8)},
    "flattened": {"x": np.full((4, 192), 9, np.uint8)},
    "five-channels": {"x": np.full((4, 8, 8, 5), 9, np.uint8)},
    "channels-anywhere": {"x": np.full((4, 3, 8, 3), 9, np.uint8)},
    "zero-to-one": {"x": np.eye(8, dtype=np.uint8)[None, ..., None].repeat(4, 0).repeat(3, 3)},
    "too-few-labels": {"x": np.full((4, 8, 8, 3), 9, np.uint8), "y": np.arange(3)},
    "negative-label": {"x": np.full((4, 8, 8, 3), 9, np.uint8), "y": np.array([0, 1, -1, 2])},
    "float-labels": {"x": np.full((4, 8, 8, 3), 9, np.uint8), "y": np.array([0.5, 1, 1, 2])},
    "huge-label": {"x": np.full((4, 8, 8, 3), 9, np.uint8), "y": np.array([0, 1, 2, 2**40])},
    "one-hot": {"x": np.full((4, 8, 8, 3), 9, np.uint8), "y": np.eye(4, dtype=int)},
    "endless-labels": {"x": np.full((4, 8, 8, 3), 9, np.uint8), "y": np.array([0, 1, np.inf, 2])},
    "objects": {"x": np.array([{"a": 1}, None], dtype=object), "y": np.arange(2)},
}


@pytest.mark.parametrize("kind", BROKEN)
def test_unusable_arrays_are_refused(tmp_path: Path, kind: str) -> None:
    path = save(tmp_path / "set.npz", **BROKEN[kind])
    for split in ("train", "test"):
        with pytest.raises(DataError) as caught:
            load_images(path, split)  # type: ignore[arg-type]
        assert caught.value.cause.endswith(".")
        assert "Traceback" not in str(caught.value)


class Payload:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return (type(self.marker).touch, (self.marker,))


def test_pickled_arrays_are_refused_and_not_executed(tmp_path: Path) -> None:
    marker = tmp_path / "executed"
    path = save(tmp_path / "set.npz", x=np.array([Payload(marker)], dtype=object))
    with pytest.raises(DataError, match="without pickle"):
        load_images(path, "train")
    assert not marker.exists()


def test_damaged_files_are_refused(tmp_path: Path, pictures: Pictures) -> None:
    whole = Path(save(tmp_path / "whole.npz", x=pictures[0], y=pictures[1])).read_bytes()
    path = tmp_path / "set.npz"
    middle = len(whole) // 2
    flipped = whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]
    for content in (whole[:100], whole[:middle], whole[:-1], flipped, b"\xff\xfe\x00x"):
        path.write_bytes(content)
        with pytest.raises(DataError, match="cannot be read"):
            load_images(str(path), "train")
    for content in (b"", b"x", b"label,pixel", b"<html>"):
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"names no image|cannot be used"):
            load_images(str(path), "train")


def test_archives_that_unpack_to_too_much_are_refused_unread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mimic.datasets.limits.MAX_ARRAY_BYTES", 10**6)
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", bytes(2 * 10**6))
    with pytest.raises(DataError, match="unpacks to"):
        load_images(str(tmp_path / "bomb.npz"), "train")


def test_missing_and_empty_places_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="There is no data set"):
        load_images(str(tmp_path / "absent"), "train")
    with pytest.raises(DataError, match="There is no data set"):
        load_images("mnist", "train")
    (tmp_path / "void").mkdir()
    with pytest.raises(DataError, match="holds no image"):
        load_images(str(tmp_path / "void"), "train")
    (tmp_path / "void" / "a.png").write_bytes(b"\x89PNG, but not really")
    with pytest.raises(DataError, match=r"a\.png"):
        load_images(str(tmp_path / "void"), "train")


def test_a_torchvision_set_is_not_fetched_unasked(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="--download"):
        load_images("cifar10", "train", data_root=str(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_a_torchvision_set_may_lie_unpacked_in_the_data_folder(
    tmp_path: Path, pictures: Pictures
) -> None:
    (tmp_path / "svhn").mkdir()
    save(tmp_path / "svhn" / "train.npz", x=pictures[0], y=pictures[1])
    data = load_images("svhn", "train", data_root=str(tmp_path))
    assert (data.name, len(data)) == ("SVHN", 48)


def test_one_class_serves_no_probe(pictures: Pictures) -> None:
    with pytest.raises(DataError, match="one class"):
        ImageSet("set", pictures[0], np.full(48, 3)).need_classes()


def test_samples_are_seeded_without_replacement_and_keep_pairs(pictures: Pictures) -> None:
    images, labels = pictures
    data = ImageSet("set", images, labels)
    first, again, other = (data.sample(20, seed=s) for s in (1, 1, 2))
    assert first.sha256() == again.sha256() != other.sha256()
    index = {image.tobytes(): number for number, image in enumerate(images)}
    positions = [index[image.tobytes()] for image in first.images]
    assert len(set(positions)) == 20
    np.testing.assert_array_equal(first.labels, labels[positions])
    assert data.sample(48, seed=1) is data
    assert data.sample(99, seed=1) is data


@pytest.mark.parametrize(("fraction", "count"), [(0.25, 12), (0.5, 24), (1.0, 48), (0.19, 9)])
def test_the_clean_subset_has_the_share_asked_for_and_no_labels(
    pictures: Pictures, fraction: float, count: int
) -> None:
    data = ImageSet("set", *pictures)
    subset = clean_subset(data, fraction=fraction, seed=3)
    assert len(subset) == count
    assert subset.labels is None
    assert subset.sha256() == clean_subset(data, fraction=fraction, seed=3).sha256()
    if fraction < 1:
        assert subset.sha256() != clean_subset(data, fraction=fraction, seed=4).sha256()
    everything = {image.tobytes() for image in data.images}
    drawn = {image.tobytes() for image in subset.images}
    assert drawn <= everything
    assert len(drawn) == count


def test_too_small_clean_subsets_are_refused_with_the_count(pictures: Pictures) -> None:
    with pytest.raises(DataError, match="leaves 5 clean images"):
        clean_subset(ImageSet("set", *pictures), fraction=0.1, seed=0)
