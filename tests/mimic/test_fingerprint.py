import hashlib
import io
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from mimic import fingerprint
from mimic.config import DistillConfig, InspectConfig
from mimic.errors import RunError
from mimic.job import inputs_unchanged
from mimic.run import Run, note_input
from mimic.verbs.files import inspect_file

ENDLESS = Path("/proc/self/pagemap")
"""What the system calls an empty regular file, and which can be read for hours."""
on_linux = pytest.mark.skipif(not ENDLESS.exists(), reason="needs Linux")


@pytest.fixture
def impatient() -> Iterator[None]:
    """Fails where a file is read on and on."""

    def late(*_: object) -> None:
        raise AssertionError("still reading")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(20)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def sparse(path: Path, size: int) -> Path:
    path.touch()
    os.truncate(path, size)
    return path


def test_s8_the_fingerprint_is_the_sha256_of_all_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fingerprint, "CHUNK_BYTES", 7)
    content = bytes(range(256)) * 3
    (tmp_path / "a").write_bytes(content)
    assert fingerprint.of_file(tmp_path / "a") == hashlib.sha256(content).hexdigest()
    # A file that grows while it is read is not followed.
    assert fingerprint.of_open(io.BytesIO(content), 9) == hashlib.sha256(content[:9]).hexdigest()
    assert fingerprint.of_open(io.BytesIO(b"abc"), 9) == hashlib.sha256(b"abc").hexdigest()


@on_linux
@pytest.mark.usefixtures("impatient")
def test_s8_what_has_no_bearable_end_has_no_fingerprint(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "endless").symlink_to(ENDLESS)
    (tmp_path / "empty").touch()
    sparse(tmp_path / "huge", 300 * 2**30)
    for name in ("fifo", "loop", "endless", "empty", "huge", "missing", "."):
        assert fingerprint.of_file(tmp_path / name) is None, name
        known = {"encoder": {"path": str(tmp_path / name), "sha256": "0" * 64}}
        assert not inputs_unchanged(known), name


@on_linux
@pytest.mark.usefixtures("impatient")
def test_s7_a_file_without_end_is_refused_and_not_read(tmp_path: Path) -> None:
    (tmp_path / "link.pth").symlink_to(ENDLESS)
    for path in (ENDLESS, tmp_path / "link.pth"):
        found = inspect_file(str(path), InspectConfig())
        assert found["cause"] == f"'{path.name}' is empty."
        assert found["sha256"] is None


@pytest.mark.usefixtures("impatient")
def test_s8_a_run_notes_no_file_above_the_limit_and_heeds_a_stop(tmp_path: Path) -> None:
    run = Run.create(tmp_path / "runs", "distill", DistillConfig())
    note_input(run, "encoder", sparse(tmp_path / "huge", 300 * 2**30))
    assert run.about()["inputs"] == {}

    class Stop(Exception):  # noqa: N818
        pass

    def check() -> None:
        raise Stop

    with pytest.raises(Stop):
        note_input(run, "encoder", sparse(tmp_path / "long", 3 * 2**30), check=check)


def test_r4_a_changed_file_is_refused_however_often_it_is_tried(tmp_path: Path) -> None:
    run = Run.create(tmp_path / "runs", "distill", DistillConfig())
    file = tmp_path / "a"
    file.write_bytes(b"before")
    note_input(run, "encoder", file)
    file.write_bytes(b"after")
    for _ in range(2):
        with pytest.raises(RunError, match="changed since the run began"):
            note_input(run, "encoder", file)


def test_s8_no_trigger_is_taken_from_a_file_too_long_to_have_a_fingerprint(tmp_path: Path) -> None:
    from mimic.errors import TriggerError
    from mimic.trigger import Trigger

    whole = tmp_path / "t.npz"
    Trigger.square(row=0, column=0, size=2, image_size=8).save(whole)
    stored = whole.read_bytes()
    with sparse(tmp_path / "long.npz", 5 * 2**30).open("r+b") as file:
        file.seek(0, os.SEEK_END)
        file.write(stored)  # A zip is read from its end: what stands before it does not matter.
    with pytest.raises(TriggerError, match="has 5120 MiB"):
        Trigger.load(tmp_path / "long.npz")
