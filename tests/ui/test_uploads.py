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
    assert re.fullmatch(r"(?:[A-Za-z0-9]{1,24}-)?[0-9a-f]{16}", path.stem)
    assert path.read_bytes() == b"bytes"


def test_unknown_endings_become_the_first_known(runs_root: Path) -> None:
    assert uploads.store(b"x", "program.exe", ("npz",)).suffix == ".npz"


def test_an_empty_file_is_refused_and_leaves_nothing(runs_root: Path) -> None:
    with pytest.raises(StorageError, match="empty"):
        uploads.store(b"", "a.pth", uploads.ENCODER_SUFFIXES)
    assert not list(runs_root.iterdir())
