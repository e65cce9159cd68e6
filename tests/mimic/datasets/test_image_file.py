"""Image files (S10): allow-listed formats, a pixel cap, bad ones counted and named."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mimic.datasets import ImageSet, load_images
from mimic.datasets.image_file import decode
from mimic.errors import DataError
from mimic.printable import shown
from tests.mimic.datasets.pictures_on_disk import huge_png, png, two_classes, write_tree


def encoded(kind: str, mode: str = "RGB", colour: object = None) -> bytes:
    stream = io.BytesIO()
    Image.new(mode, (12, 12), colour or (10, 200, 30)).save(stream, kind)  # type: ignore[arg-type]
    return stream.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "BMP", "WEBP", "PPM", "JPEG"])
def test_allowed_formats_are_decoded_whatever_their_name(kind: str) -> None:
    pixels = decode(encoded(kind), "picture.anything", 8).pixels
    assert np.abs(pixels.astype(int) - (10, 200, 30)).max() < 6


def load_both(folder: Path) -> list[ImageSet]:
    """The halves of a folder."""
    return [load_images(str(folder), "train", image_size=8),
            load_images(str(folder), "test", image_size=8)]  # fmt: skip


FITS = b"SIMPLE  =                    T".ljust(80) + b"END".ljust(80)
OTHERS = {
    "gif": encoded("GIF"), "tiff": encoded("TIFF"), "ico": encoded("ICO"), "fits": FITS,
    "eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "svg": b"<svg/>", "empty": b"",
    "half": png(seed=1)[:200],
}  # fmt: skip


@pytest.mark.parametrize("kind", OTHERS)
def test_s10_a_png_that_is_something_else_is_no_image(kind: str) -> None:
    with pytest.raises(DataError, match=r"'a\.png' is not a readable image"):
        decode(OTHERS[kind], "a.png", 8)


def test_s10_a_png_of_144_million_pixels_is_refused_undecoded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    content = huge_png()
    assert len(content) < 10**6
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda *_: pytest.fail("decoded"))
    with pytest.raises(DataError, match=r"million pixels|too many pixels"):
        decode(content, "bomb.png", 8)


def test_s10_just_too_many_pixels_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mimic.datasets.limits.MAX_PIXELS", 143)
    with pytest.raises(DataError, match="million pixels"):
        decode(png(side=12), "a.png", 8)
    monkeypatch.setattr("mimic.datasets.limits.MAX_PIXELS", 144)
    assert decode(png(side=12), "a.png", 8).pixels.shape == (8, 8, 3)


def test_sixteen_bits_a_channel_keep_their_greys() -> None:
    deep = np.linspace(0, 65_535, 144).reshape(12, 12).astype(np.uint16)
    stream = io.BytesIO()
    Image.fromarray(deep).save(stream, "PNG")
    pixels = decode(stream.getvalue(), "deep.png", 12).pixels
    np.testing.assert_allclose(pixels[..., 0], deep / 257, atol=0.51)


def test_s10_bad_images_are_left_out_counted_and_named_first(tmp_path: Path) -> None:
    files = two_classes(50) | {"ant/zz1.png": b"x", "bee/zz2.png": huge_png(5_100)}
    folder = write_tree(tmp_path / "zoo", files)
    loaded = load_both(folder)
    assert sum(map(len, loaded)) == 100
    said = [half.warnings[0] for half in loaded if "left out" in " ".join(half.warnings)]
    assert sum(sentence.count("zz") for sentence in said) == 2
    assert "left out" in said[0]


def test_s10_many_bad_images_refuse_the_set_naming_five(tmp_path: Path) -> None:
    files = two_classes(50) | {f"bee/bad{i}.png": b"\x89PNG secret" for i in range(40)}
    folder = write_tree(tmp_path / "zoo", files)
    with pytest.raises(DataError, match=r"More than 5%.*bad\d+\.png") as caught:
        load_images(str(folder), "train", image_size=8)
    assert "secret" not in str(caught.value)


def test_s10_one_huge_file_is_not_read_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mimic.datasets.limits.MAX_FILE_BYTES", 100)
    folder = write_tree(tmp_path / "one", {"a.png": png(seed=0)})
    with pytest.raises(DataError, match="larger than"):
        load_images(str(folder), "train", image_size=8)


def test_s9_transparency_that_was_dropped_is_told(tmp_path: Path) -> None:
    files = {f"{i}.png": encoded("PNG", "RGBA", (i, 2, 3, 9)) for i in range(10)}
    data = load_images(str(write_tree(tmp_path / "t", files)), "train", image_size=8)
    assert any("8 images of t had transparency" in sentence for sentence in data.warnings)


def test_s12_links_that_leave_the_folder_are_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside = write_tree(tmp_path / "outside", {"o.png": png(seed=1), "d/p.png": png(seed=2)})
    folder = write_tree(tmp_path / "in", {f"{i}.png": png(seed=i) for i in range(10)})
    (folder / "link.png").symlink_to(outside / "o.png")
    with pytest.raises(DataError, match=r"'link\.png' lies outside"):
        load_both(folder)
    monkeypatch.setenv("MIMIC_ROOTS", str(tmp_path))
    assert sum(map(len, load_both(folder))) == 11
    (folder / "linked").symlink_to(outside / "d")
    assert "1 linked folders" in " ".join(load_images(str(folder), "train").warnings)


def test_s12_pipes_and_devices_are_neither_waited_for_nor_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for text in (str(tmp_path / "pipe"), "/dev/zero"):
        with pytest.raises(DataError, match="not a regular file"):
            load_images(text, "train")
    folder = write_tree(tmp_path / "in", {"0.png": png()})
    os.mkfifo(folder / "1.png")
    with pytest.raises(DataError, match=r"'1\.png' is not a regular file"):
        load_both(folder)


def test_foreign_names_are_printable_and_short_in_sentences() -> None:
    assert shown("a\n\x1b[31m\u202eb") == "a??[31m?b"
    assert len(shown("x" * 500)) == 60
