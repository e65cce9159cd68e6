"""R2, R5 and R8: every write, flush and rename fails once; checkpoints are cut and flipped."""

import builtins
import errno
import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mimic import job
from mimic.config import DistillConfig
from mimic.errors import MimicError, RunError, StorageError
from mimic.run import Checkpoints, Run, list_runs, require_space
from mimic.run.checkpoints import NEWEST, PREVIOUS, RECORD
from tests.reliability.conftest import Jobs, metric_lines, note_process, timeless, unfinished_files

Counted = Callable[[str], None]
FAULTS: dict[str, Callable[[], BaseException]] = {
    "exception": lambda: RuntimeError("injected"),
    "ENOSPC": lambda: OSError(errno.ENOSPC, "No space left on device"),
    "EIO": lambda: OSError(errno.EIO, "Input/output error"),
}


class Faults:
    """Lets the n-th write, flush or rename under a folder fail; counts them where n is 0.

    Args:
        folder: only what happens beneath it counts.
        number: which one fails, from 1.
        make: makes what is raised.
        forever: whether all later ones fail too, as on a disk that stays full.
    """

    def __init__(
        self, folder: Path, number: int, make: Callable[[], BaseException], *, forever: bool = False
    ) -> None:
        self.folder, self.number, self.make, self.forever = str(folder), number, make, forever
        self.seen: list[str] = []

    def meet(self, what: str, place: object) -> None:
        if isinstance(place, int):
            place = Path(f"/proc/self/fd/{place}").readlink()
        if not str(place).startswith(self.folder):
            return
        self.seen.append(f"{what} {Path(str(place)).name}")
        here = len(self.seen)
        if here == self.number or (self.forever and 0 < self.number <= here):
            raise self.make()


@contextmanager
def injected(faults: Faults) -> Iterator[Faults]:
    """Put the faults under everything this process writes with."""
    with pytest.MonkeyPatch.context() as patch:
        for name, place in (("fsync", 0), ("write", 0), ("replace", 1), ("rename", 1)):
            original = getattr(os, name)

            def wrapped(
                *args: Any, _o: Any = original, _n: str = name, _p: int = place, **named: Any
            ) -> Any:
                faults.meet(_n, args[_p])
                return _o(*args, **named)

            patch.setattr(os, name, wrapped)
        opened = builtins.open

        class Writing:
            """A file object whose writes are counted."""

            def __init__(self, file: Any, place: object) -> None:
                self.file, self.place = file, place

            def write(self, data: Any) -> Any:
                faults.meet("write", self.place)
                return self.file.write(data)

            def __getattr__(self, name: str) -> Any:
                return getattr(self.file, name)

            def __enter__(self) -> "Writing":
                return self

            def __exit__(self, *_: object) -> None:
                self.file.close()

            def __iter__(self) -> Any:
                return iter(self.file)

        def watched(file: Any, mode: str = "r", *args: Any, **named: Any) -> Any:
            made = opened(file, mode, *args, **named)
            return Writing(made, file) if set(mode) & set("wax+") else made

        patch.setattr(builtins, "open", watched)
        patch.setattr(io, "open", watched)  # Path.open, Path.write_text and Path.write_bytes
        yield faults


def writers(run: Run) -> dict[str, tuple[Path, Callable[[str], None]]]:
    """Each kind of state file: where it is, and how a content is written to it."""
    checkpoints = Checkpoints(run)
    folder = run.directory
    return {
        "status and other JSON": (
            folder / "status.json", lambda text: run.write_json("status.json", {"message": text})
        ),
        "arrays": (
            folder / "arrays" / "points.npz",
            lambda text: run.write_arrays("points", x=np.array([text])),
        ),
        "checkpoint": (
            folder / NEWEST, lambda text: checkpoints.save(lambda path: path.write_text(text))
        ),
        "metrics": (folder / "metrics.jsonl", lambda text: run.record({"text": text})),
        "metrics after a resume": (
            folder / "metrics.jsonl",
            lambda text: run.keep_metrics(lambda line: line["text"] == text or text == "old"),
        ),
    }  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_r2_every_write_flush_and_rename_fails_once(
    tmp_path: Path, fault: str, count: Counted
) -> None:
    injections = 0
    for name in writers(Run(tmp_path)):
        number = 0
        while True:
            number += 1
            run = Run.create(tmp_path / f"{name}-{number}", "distill", DistillConfig())
            if name == "metrics after a resume":
                run.record({"text": "old"})
                run.record({"text": "new"})
            path, write = writers(run)[name]
            write("old")
            old = path.read_bytes()
            with injected(Faults(run.directory, number, FAULTS[fault])) as faults:
                try:
                    write("new")
                except (MimicError, RuntimeError) as error:
                    raised: BaseException | None = error
                else:
                    raised = None
            if len(faults.seen) < number:
                assert raised is None
                assert number >= 2
                break
            injections += 1
            after_the_rename = any("replace" in seen for seen in faults.seen[:-1])
            check_fault(run, name, old, faults, raised, may_be_new=after_the_rename)
    count(f"R2 and R8, {fault}: {injections} faults injected, old or new bytes whole each time")


def check_fault(
    run: Run,
    name: str,
    old: bytes,
    faults: Faults,
    raised: BaseException | None,
    *,
    may_be_new: bool,
) -> None:
    path, write = writers(run)[name]
    assert raised is not None, faults.seen
    assert isinstance(raised, StorageError | RuntimeError)
    assert unfinished_files(run.directory) == []
    if name == "checkpoint":  # The newest may have stepped back for a file that never came.
        checkpoint = Checkpoints(run).latest()
        assert checkpoint is not None
        assert checkpoint.damaged == ()
        kept = checkpoint.path.read_bytes()
    else:
        kept = path.read_bytes()
    if not may_be_new:
        assert kept == old, faults.seen
    elif kept != old:
        fresh = Run.create(run.directory.parent, "distill", DistillConfig())
        if name == "metrics after a resume":
            fresh.record({"text": "new"})
        writers(fresh)[name][1]("new")
        assert kept == writers(fresh)[name][0].read_bytes(), faults.seen
    write("new")  # The fault is over: everything works again.


def test_r8_a_metric_line_torn_by_a_full_disk_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run.create(tmp_path, "distill", DistillConfig())
    run.record({"epoch": 1})
    write, calls = os.write, []

    def half(handle: int, data: bytes) -> int:
        calls.append(handle)
        if len(calls) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(handle, data[:5])

    monkeypatch.setattr(os, "write", half)
    with pytest.raises(StorageError, match="The disk is full"):
        run.record({"epoch": 2})
    monkeypatch.setattr(os, "write", write)
    run.record({"epoch": 3})
    assert [line["epoch"] for line in run.metrics()] == [1, 3]


def test_r8_too_little_space_is_refused_before_the_work(
    tmp_path: Path, jobs: Jobs, distillation: DistillConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    used = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: used._replace(free=100 * 2**20))
    require_space(tmp_path / "absent" / "folder", 90 * 2**20)
    with pytest.raises(StorageError, match="100 MiB left and the run needs 200 MiB"):
        job.start("distill", distillation, root=jobs.root)
    assert not jobs.root.exists()
    run = jobs.make("distill", distillation)
    assert jobs.start(run).wait() == 1
    assert (run.status().state, run.metrics()) == ("failed", [])
    assert "MiB left" in run.status().cause
    # Enough for the reserve, too little for two checkpoints on top.
    monkeypatch.setattr(shutil, "disk_usage", lambda _: used._replace(free=200 * 2**20 + 1000))
    job.prepare_resume(run)
    assert jobs.start(run).wait() == 1
    assert "MiB left" in run.status().cause


def full_disk(run: Run, number: int) -> int:
    """Execute with a disk that is full from the n-th write on; the child's exit status."""
    from mimic.verbs import execute

    pid = os.fork()
    if pid == 0:
        try:
            with injected(Faults(run.directory, number, FAULTS["ENOSPC"], forever=True)):
                execute(run)
            os._exit(0)
        except MimicError:
            os._exit(1)
        finally:
            os._exit(2)
    note_process(run, pid)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def disk_fills_up(jobs: Jobs, config: DistillConfig, numbers: list[int]) -> int:
    """Fill the disk at several moments of a run, make room, resume; how many ended the run."""
    expected = jobs.make("distill", config)
    assert jobs.start(expected).wait() == 0
    failed = 0
    for number in numbers:
        run = jobs.make("distill", config)
        if full_disk(run, number) == 0:
            continue
        if run.status().state == "finished":  # Full only once all was in place.
            assert timeless(run.result()) == timeless(expected.result())
            assert metric_lines(run) == metric_lines(expected)
            continue
        failed += 1
        assert run.status().state in ("failed", "interrupted")  # The latter: no room to say so.
        assert unfinished_files(run.directory) == []
        if run.metrics() and max(m["epoch"] for m in run.metrics()) > 1:
            assert Checkpoints(run).latest() is not None
        job.prepare_resume(run)
        assert jobs.start(run).wait() == 0
        assert metric_lines(run) == metric_lines(expected)
        assert timeless(run.result()) == timeless(expected.result())
    return failed


@pytest.mark.slow
def test_r8_a_disk_that_fills_up_costs_no_checkpoint(
    jobs: Jobs, distillation: DistillConfig
) -> None:
    assert disk_fills_up(jobs, replace(distillation, epochs=3), [60]) == 1


@pytest.mark.slow
def test_r8_a_disk_may_fill_up_at_any_write(
    jobs: Jobs, distillation: DistillConfig, count: Counted
) -> None:
    numbers = list(range(1, 200, 21))
    failed = disk_fills_up(jobs, replace(distillation, epochs=3), numbers)
    assert failed >= 4
    count(f"R8: the disk filled up at {failed} moments of a run, {failed} resumed, 0 lost")


def test_r5_a_damaged_checkpoint_gives_way_to_the_one_before_it(
    tmp_path: Path, count: Counted
) -> None:
    other = Run.create(tmp_path, "distill", DistillConfig(), run_id="other")
    run = Run.create(tmp_path, "distill", DistillConfig(), run_id="mine")
    checkpoints = Checkpoints(run)
    assert checkpoints.latest() is None
    older, newer = (bytes([value]) * 1000 for value in (1, 2))
    for content in (older, newer):
        checkpoints.save(lambda path, content=content: path.write_bytes(content))  # type: ignore[misc]
    newest = run.directory / NEWEST
    found = checkpoints.latest()
    assert found is not None
    assert (found.path, found.damaged) == (newest, ())
    damages = [newer[: len(newer) * tenth // 10] for tenth in range(10)]
    for place in range(0, 1000, 50):
        flipped = bytearray(newer)
        flipped[place] ^= 1 << place % 8
        damages.append(bytes(flipped))
    for damage in damages:
        newest.write_bytes(damage)
        found = checkpoints.latest()
        assert found is not None
        assert found.path.name == PREVIOUS
        assert found.path.read_bytes() == older
        assert found.damaged == (NEWEST,)
        assert {known.id for known in list_runs(tmp_path)} >= {run.id, other.id}
    (run.directory / PREVIOUS).write_bytes(older[:-1])
    with pytest.raises(RunError, match=f"{NEWEST} and {PREVIOUS} are damaged"):
        checkpoints.latest()
    (run.directory / RECORD).write_text('{"known": [')
    with pytest.raises(RunError, match=f"{RECORD} is damaged"):
        checkpoints.latest()
    count(f"R5: {len(damages)} damaged checkpoints, {len(damages)} times the one before was taken")


@pytest.mark.slow
def test_r5_a_run_continues_from_the_checkpoint_before_a_damaged_one(
    jobs: Jobs, distillation: DistillConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = jobs.make("distill", distillation)
    record = Run.record

    def die(self: Run, values: dict[str, Any]) -> None:
        record(self, values)
        if values["epoch"] == 5:
            os._exit(9)

    monkeypatch.setattr(Run, "record", die)
    assert jobs.start(run).wait() == 9
    monkeypatch.setattr(Run, "record", record)
    path = run.directory / NEWEST
    path.write_bytes(path.read_bytes()[:-100])
    job.prepare_resume(run)
    assert jobs.start(run).wait() == 0
    result = run.result()
    assert result is not None
    told = f"The checkpoint {NEWEST} was damaged; the run continued from the one before it."
    assert result["warnings"].count(told) == 1
    assert [m["epoch"] for m in run.metrics()] == list(range(distillation.epochs + 1))
