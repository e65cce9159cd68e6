"""The grammar of trigger texts, and pictures as sources."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mimic.config import TRIGGER_FORMS
from mimic.errors import MimicError, TriggerError
from mimic.trigger import PatchTrigger, Trigger, trigger_file
from mimic.trigger.text import FORMS


def test_the_help_names_every_form() -> None:
    for word in FORMS:
        assert f"{word}:" in TRIGGER_FORMS or f"{word}[:" in TRIGGER_FORMS, word


@pytest.mark.parametrize(
    ("text", "file"),
    [
        ("square:1:2:3", ""),
        ("ctrl", ""),
        ("ctrl:50", ""),
        ("sig:20:6", ""),
        ("a/b.npz", "a/b.npz"),
        ("asset:demo/trigger.npz", "asset:demo/trigger.npz"),
        ("C:\\t.npz", "C:\\t.npz"),
        ("patch:asset:a.png:1:2:3", "asset:a.png"),
        ("patch:a:b.png:1:2:3", "a:b.png"),
        ("random-patch:a.png:5", "a.png"),
        ("random-patch:a.png:5:0.2:0.8", "a.png"),
        ("blend:a.png:0.25", "a.png"),
        ("pattern:a.png", "a.png"),
        ("npz-resize:a.npz", "a.npz"),
        ("npz-row:a.npz", "a.npz"),
    ],
)
def test_the_file_a_text_names(text: str, file: str) -> None:
    assert trigger_file(text) == file


@pytest.mark.parametrize(
    "text",
    ["square:", "square:1:2", "square:a:b:c", "square:1:2:3:4", "patch:a.png", "patch:a.png:1:2",
     "patch::1:2:3", "random-patch:a.png", "random-patch:a.png:x", "blend:a.png", "blend:a.png:-1",
     "blend:a.png:nan", "pattern:", "sig:1", "sig:1e9:2", "ctrl:x", "ctrl:1:2:3", "npz-row:",
     "npz-resize:"],
)  # fmt: skip
def test_a_malformed_text_is_refused_with_all_forms(text: str) -> None:
    with pytest.raises(TriggerError) as caught:
        Trigger.from_text(text, image_size=16)
    assert TRIGGER_FORMS in caught.value.remedy


def test_a_missing_file_is_refused_with_all_forms() -> None:
    with pytest.raises(TriggerError, match="no trigger file") as caught:
        Trigger.from_text("folder/absent.npz", image_size=16)
    assert TRIGGER_FORMS in caught.value.remedy


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(
        st.text(max_size=40),
        st.builds(
            lambda word, rest: f"{word}:{rest}",
            st.sampled_from(sorted(FORMS)),
            st.text(alphabet="0123456789.:-eax/", max_size=16),
        ),
    )
)
def test_any_text_makes_a_trigger_or_a_refusal_in_sentences(text: str) -> None:
    try:
        trigger = Trigger.from_text(text, image_size=16)
    except MimicError as error:
        refusal: MimicError | None = error
    else:
        refusal = None
    if refusal is not None:
        assert refusal.cause.endswith(".")
    else:
        assert trigger.apply(np.zeros((1, 16, 16, 3), np.uint8)).shape == (1, 16, 16, 3)


def test_a_picture_patch_covers_where_it_is_opaque(patch_png: Path) -> None:
    trigger = Trigger.from_text(f"patch:{patch_png}:5:7:4", image_size=16)
    assert isinstance(trigger, PatchTrigger)
    image = np.random.default_rng(0).integers(0, 256, (16, 16, 3)).astype(np.uint8)
    stamped = trigger.apply(image)
    expected = image.copy()
    with Image.open(patch_png) as opened:
        drawn = np.array(opened)
    for row in range(4):
        for column in range(4):
            if drawn[row, column, 3] >= 128:
                expected[5 + row, 7 + column] = drawn[row, column, :3]
    np.testing.assert_array_equal(stamped, expected)
    assert trigger.changed_pixels == 12


def test_a_picture_patch_is_resized_in_proportion(tmp_path: Path) -> None:
    Image.fromarray(np.full((20, 40, 3), 200, np.uint8)).save(tmp_path / "wide.png")
    trigger = Trigger.from_text(f"patch:{tmp_path / 'wide.png'}:0:0:10", image_size=16)
    assert isinstance(trigger, PatchTrigger)
    rows, columns = np.nonzero((trigger.mask == 0).any(-1))
    assert (rows.max(), columns.max()) == (4, 9)
    assert set(np.unique(trigger.patch)) == {0, 200}


@pytest.mark.parametrize("place", ["14:0:4", "0:14:4", "0:0:20", "0:0:0"])
def test_a_picture_patch_outside_the_image_is_refused(patch_png: Path, place: str) -> None:
    with pytest.raises(TriggerError):
        Trigger.from_text(f"patch:{patch_png}:{place}", image_size=16)


def test_a_transparent_picture_is_refused(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((4, 4, 4), np.uint8)).save(tmp_path / "none.png")
    for form in ("patch:{}:0:0:4", "random-patch:{}:4"):
        with pytest.raises(TriggerError):
            Trigger.from_text(form.format(tmp_path / "none.png"), image_size=16)


def bomb(side: int) -> bytes:
    """A valid one-bit PNG of side x side pixels in a few kilobytes."""

    def chunk(name: bytes, body: bytes) -> bytes:
        crc = struct.pack(">I", zlib.crc32(name + body))
        return struct.pack(">I", len(body)) + name + body + crc

    row = b"\0" + bytes(side // 8)
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(row * side, 9)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.mark.parametrize("side", [6000, 12000])
def test_s10_a_picture_of_many_pixels_is_refused(tmp_path: Path, side: int) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(bomb(side))
    assert path.stat().st_size < 2**18
    with pytest.raises(TriggerError):
        Trigger.from_text(f"blend:{path}:0.5", image_size=16)


def test_s10_formats_that_are_not_listed_and_damaged_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "p.png"
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(path, format="GIF")
    contents = [path.read_bytes(), b"", b"no picture", bomb(64)[:45]]
    for content in contents:
        path.write_bytes(content)
        with pytest.raises(TriggerError, match="not a readable picture"):
            Trigger.from_text(f"pattern:{path}", image_size=16)
    with pytest.raises(TriggerError, match="no picture"):
        Trigger.from_text(f"pattern:{tmp_path}", image_size=16)
