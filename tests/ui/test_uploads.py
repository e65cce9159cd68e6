from pathlib import Path

import pytest

from mimic.errors import StorageError
from ui import uploads


@pytest.mark.parametrize(
    "name", ["../../evil.pth", "/etc/passwd.pth", "a\x00b.pth", "CON.pth", "ü" * 500 + ".pth"]
)
def test_nothing_of_a_strangers_name_is_used(runs_root: Path, name: str) -> None:
    path = uploads.store(b"bytes", name, uploads.ENCODER_SUFFIXES)
    assert path.parent == runs_root.resolve() / "uploads"
    assert path.suffix == ".pth"
    assert len(path.stem) == 16
    assert path.read_bytes() == b"bytes"


def test_unknown_endings_become_the_first_known(runs_root: Path) -> None:
    assert uploads.store(b"x", "program.exe", ("npz",)).suffix == ".npz"


def test_an_empty_file_is_refused_and_leaves_nothing(runs_root: Path) -> None:
    with pytest.raises(StorageError, match="empty"):
        uploads.store(b"", "a.pth", uploads.ENCODER_SUFFIXES)
    assert not list(runs_root.iterdir())
