import re
from pathlib import Path

import pytest

from mimic.errors import StorageError
from ui import uploads


@pytest.mark.parametrize(
    "name", ["../../evil.pth", "/etc/passwd.pth", "a\x00b.pth", "CON.pth", "ü" * 500 + ".pth"]
)
def test_s12_only_letters_and_digits_of_a_strangers_name_are_used(
    runs_root: Path, name: str
) -> None:
    path = uploads.store(b"bytes", name, uploads.ENCODER_SUFFIXES)
    assert path.parent == runs_root.resolve() / "uploads"
    assert path.suffix == ".pth"
    assert re.fullmatch(
        r"(?:[A-Za-z0-9](?:[A-Za-z0-9_-]{,22}[A-Za-z0-9])?-)?[0-9a-f]{16}", path.stem
    )
    assert path.read_bytes() == b"bytes"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("clean-twin.pth", "clean-twin.pth"), ("clean_twin.pth", "clean_twin.pth"),
        ("my encoder (v1.2).pth", "my-encoder-v1-2.pth"), ("--rf.pth", "rf.pth"),
        ("a" * 23 + "_b.pth", "a" * 23 + ".pth"), ("../../evil.pth", "evil.pth"),
    ],
)  # fmt: skip
def test_a_visitor_knows_the_file_by_its_name(runs_root: Path, name: str, shown: str) -> None:
    path = uploads.store(b"bytes", name, uploads.ENCODER_SUFFIXES)
    assert uploads.as_given(path.name) == shown


def test_unknown_endings_become_the_first_known(runs_root: Path) -> None:
    assert uploads.store(b"x", "program.exe", ("npz",)).suffix == ".npz"


def test_an_empty_file_is_refused_and_leaves_nothing(runs_root: Path) -> None:
    with pytest.raises(StorageError, match="empty"):
        uploads.store(b"", "a.pth", uploads.ENCODER_SUFFIXES)
    assert not list(runs_root.iterdir())
