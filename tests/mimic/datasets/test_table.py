"""Lists of paths and labels in every common form, and those that lead elsewhere (S12)."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mimic.datasets import ImageSet, load_images
from mimic.errors import DataError
from tests.mimic.datasets.pictures_on_disk import png, write_tree

NUMBERS = [i % 3 for i in range(20)]
NAMES = [("cat", "ant", "bee")[k] for k in NUMBERS]
PATHS = [f"images/{i:02} of 20.png" for i in range(20)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_tree(tmp_path, {path: png(10 + i) for i, path in enumerate(PATHS)})


def load_both(path: Path) -> dict[int, ImageSet]:
    """Both halves, by the brightness of an image's pixels."""
    found = {}
    for split in ("train", "test"):
        data = load_images(str(path), split, image_size=8)  # type: ignore[arg-type]
        for position, image in enumerate(data.images):
            found[int(image[0, 0, 0])] = data.take([position])  # type: ignore[arg-type]
    return found


FORMS = {
    "comma": [f"{p},{k}" for p, k in zip(PATHS, NUMBERS, strict=True)],
    "header": ["path,label", *(f"{p},{k}" for p, k in zip(PATHS, NUMBERS, strict=True))],
    "header-swapped": [
        "id,Label,File", *(f"x,{k},{p}" for p, k in zip(PATHS, NUMBERS, strict=True))
    ],
    "tab": [f"{p}\t{k}" for p, k in zip(PATHS, NUMBERS, strict=True)],
    "umbc": [f"{p} {k}" for p, k in zip(PATHS, NUMBERS, strict=True)],
    "quoted": [f'"{p}",{k}' for p, k in zip(PATHS, NUMBERS, strict=True)],
    "names": [f"{p},{k}" for p, k in zip(PATHS, NAMES, strict=True)],
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_every_form_gives_each_image_its_class(folder: Path, form: str, ending: str) -> None:
    (folder / "list.csv").write_bytes(("\ufeff" + ending.join(FORMS[form]) + ending).encode())
    found = load_both(folder / "list.csv")
    assert sorted(found) == list(range(10, 30))
    for brightness, data in found.items():
        assert data.labels is not None
        name = NAMES[brightness - 10] if form == "names" else str(NUMBERS[brightness - 10])
        assert data.class_name(int(data.labels[0])) == name


@pytest.mark.parametrize("lines", [PATHS, ["path", *PATHS], [f"{p},-1" for p in PATHS]])
def test_a_list_without_labels_is_unlabelled(folder: Path, lines: list[str]) -> None:
    (folder / "list.txt").write_text("\n".join(lines))
    found = load_both(folder / "list.txt")
    assert len(found) == 20
    assert all(data.labels is None for data in found.values())


def test_a_column_may_say_which_half_an_image_is_in(folder: Path) -> None:
    rows = [f"{p},{k},{'val' if i < 4 else 'train'}" for i, (p, k) in
            enumerate(zip(PATHS, NAMES, strict=True))]  # fmt: skip
    (folder / "list.csv").write_text("\n".join(["path,label,split", *rows]))
    test = load_images(str(folder / "list.csv"), "test", image_size=8)
    assert sorted(test.images[:, 0, 0, 0]) == [10, 11, 12, 13]
    assert test.class_names == ("ant", "bee", "cat")
    assert len(load_images(str(folder / "list.csv"), "train", image_size=8)) == 16


REFUSED = {
    "no-label-in-one-line": ("a.png,1\nb.png,\n", "Line 2 of 'list.csv' has no label"),
    "negative": ("a.png,1\nb.png,-1\n", "negative labels"),
    "ragged": ("a.png,1\nb.png,1,2\n", "3 columns"),
    "nameless-columns": ("a.png,1,2\nb.png,1,2\n", "no names above"),
    "open-quote": ('"a.png,1\n', "cannot be split"),
    "half-unknown": ("path,split\na.png,train\nb.png,maybe\n", "something else than train"),
    "empty": ("\n\n", "names no image"),
    "header-only": ("path,label\n", "names no image"),
    "nul": ("a.png\0,1\n", "cannot be read as a list"),
    "missing-files": ("a.png,1\nb.png,2\n", "cannot be used: '[ab].png' cannot be opened"),
    "no-image": ("a.png,1\nb.txt,2\n", "Line 2 of 'list.csv' names no image file"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_lists_that_mean_nothing_certain_are_refused(tmp_path: Path, kind: str) -> None:
    content, reason = REFUSED[kind]
    (tmp_path / "list.csv").write_text(content)
    with pytest.raises(DataError, match=reason):
        load_images(str(tmp_path / "list.csv"), "train")


@pytest.mark.parametrize("text", ["../o.png", "/etc/o.png", "images/../../o.png", "link.png"])
def test_s12_a_list_that_leads_outside_is_refused_whole(
    folder: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    here = write_tree(folder / "here", {f"{i}.png": png(i) for i in range(30)})
    (folder / "o.png").write_bytes(png(99))
    (here / "link.png").symlink_to(folder / "o.png")
    (here / "list.csv").write_text("".join(f"{i}.png,0\n" for i in range(30)) + f"{text},1\n")
    with pytest.raises(DataError, match=r"Line 31 .* leads outside") as caught:
        load_images(str(here / "list.csv"), "train")
    assert "o.png" not in str(caught.value)
    if text != "/etc/o.png":
        monkeypatch.setenv("MIMIC_ROOTS", str(folder))
        if "images" not in text:
            halves = [load_images(str(here / "list.csv"), "train", image_size=8),
                      load_images(str(here / "list.csv"), "test", image_size=8)]  # fmt: skip
            assert sum(map(len, halves)) == 31


def test_s12_what_a_list_says_is_never_shown(tmp_path: Path) -> None:
    (tmp_path / "passwd").write_text("root:x:0:0:secret\ndaemon:x:1:1:secret\n")
    with pytest.raises(DataError) as caught:
        load_images(str(tmp_path / "passwd"), "train")
    assert "secret" not in str(caught.value)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_s9_any_text_is_a_list_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "list"
    path.write_bytes(content)
    with pytest.raises(DataError):  # No such file exists, so nothing can be loaded.
        load_images(str(path), "train")
