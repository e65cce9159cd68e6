"""R7, R9, R11, R12, R13: processes that vanish, hang, wait, or are asked to end."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mimic import job
from mimic.config import DistillConfig, InspectConfig
from mimic.errors import RunError
from mimic.run import Progress, Run, Status
from mimic.turns import Ticket
from mimic.verbs import execute
from mimic.verbs.execution import EXECUTORS
from mimic.verbs.work import Work
from tests.reliability.conftest import Jobs

PATIENCE = 60.0
REPOSITORY = Path(__file__).resolve().parents[2]


def wait(condition: Callable[[], bool], seconds: float = PATIENCE) -> float:
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < seconds
        time.sleep(0.02)
    return time.monotonic() - started


def forked(run: Run, work: Callable[[Work[Any]], dict[str, Any]], *, may_exit: bool = False) -> int:
    """Execute a run in a fork with other work in the verb's place; its process id."""
    pid = os.fork()
    if pid == 0:
        try:
            EXECUTORS[run.kind] = work
            execute(run, may_exit=may_exit)
            os._exit(0)
        finally:
            os._exit(2)
    return pid


def sleeping(work: Work[Any]) -> dict[str, Any]:
    """Work that never looks for a request to stop."""
    work.step(0.5, "sleeping")
    time.sleep(600)
    return {}


def watchful(work: Work[Any]) -> dict[str, Any]:
    """Work that looks for it at every step."""
    for step in range(60_000):
        work.step(step / 60_000, "stepping")
        time.sleep(0.01)
    return {}


def end(pid: int) -> int:
    with_kill = time.monotonic() + PATIENCE
    while time.monotonic() < with_kill:
        found, code = os.waitpid(pid, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(code)
        time.sleep(0.02)
    os.kill(pid, signal.SIGKILL)
    raise AssertionError("the process did not end")


def test_r13_the_heart_beats_without_progress_and_silence_shows(
    jobs: Jobs, distillation: DistillConfig
) -> None:
    run = jobs.make("distill", distillation)
    pid = forked(run, sleeping)
    try:
        wait(lambda: run.status().state == "running")
        wait(lambda: run.status().progress == 0.5, 10)
        first = run.status()
        wait(lambda: run.status().beat > first.beat, 10)
        second = run.status()
        assert second.beat - first.beat < 5
        assert second.updated == first.updated  # It lives, and has no progress to tell.
        assert second.is_responding
        os.kill(pid, signal.SIGSTOP)
        run.write_status(replace(run.status(), beat=time.time() - 31))
        assert run.status().is_active
        assert not run.status().is_responding
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    assert run.status().state == "interrupted"


def test_r13_only_active_runs_can_be_silent() -> None:
    silent = Status(state="running", beat=time.time() - 40)
    assert not silent.is_responding
    assert replace(silent, state="finished").is_responding
    assert replace(silent, beat=time.time() - 20).is_responding
    assert Status(state="starting").is_responding  # It has not come to its first beat.


def test_r9_work_that_looks_stops_at_once(jobs: Jobs, distillation: DistillConfig) -> None:
    run = jobs.make("distill", distillation)
    pid = forked(run, watchful)
    wait(lambda: run.status().progress > 0)
    job.stop(run)
    assert run.status().state in ("stopping", "stopped")
    assert wait(lambda: run.status().state == "stopped") < 10
    assert end(pid) == 0


@pytest.mark.slow
def test_r9_work_that_does_not_look_is_ended_within_ten_seconds(
    jobs: Jobs, distillation: DistillConfig
) -> None:
    run = jobs.make("distill", distillation)
    pid = forked(run, sleeping, may_exit=True)
    wait(lambda: run.status().progress == 0.5)
    job.stop(run)
    assert run.status().state == "stopping"
    started = time.monotonic()
    assert end(pid) == 3
    assert time.monotonic() - started < 10
    assert run.status().state == "stopped"
    assert "too long to wait for" in (run.directory / "log.txt").read_text()


def test_r9_ctrl_c_stops_a_terminals_run_and_a_second_one_ends_it(
    jobs: Jobs, distillation: DistillConfig
) -> None:
    first, second = (jobs.make("distill", distillation) for _ in range(2))
    pid = forked(first, watchful)
    wait(lambda: first.status().progress > 0)
    os.kill(pid, signal.SIGINT)
    assert end(pid) == 0
    assert first.status().state == "stopped"
    pid = forked(second, sleeping)
    wait(lambda: second.status().progress == 0.5)
    os.kill(pid, signal.SIGINT)
    wait(second.stop_requested)
    os.kill(pid, signal.SIGINT)
    assert end(pid) == 2
    assert second.status().state == "interrupted"


def test_r12_a_second_process_cannot_execute_the_same_run(
    jobs: Jobs, distillation: DistillConfig
) -> None:
    run = jobs.make("distill", distillation)
    pid = forked(run, watchful)
    wait(lambda: run.status().progress > 0)
    before = run.status()
    with pytest.raises(RunError, match="at work already"):
        execute(run)
    assert run.status().pid == before.pid
    assert run.status().state == "running"
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    wait(lambda: run.status().state == "interrupted", 5)


def test_r12_five_sessions_at_once_get_ids_of_their_own_and_wait_in_order(
    jobs: Jobs, distillation: DistillConfig
) -> None:
    runs: list[Run] = []
    gate = threading.Barrier(5)

    def session() -> None:
        gate.wait()
        runs.append(jobs.make("distill", distillation))

    threads = [threading.Thread(target=session) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({run.id for run in runs}) == 5

    pids = []
    for place, run in enumerate(runs):
        pids.append(forked(run, watchful))
        if place == 0:
            wait(lambda: runs[0].status().progress > 0)
        else:
            wait(lambda run=run, place=place: run.status().place == place + 1)  # type: ignore[misc]
            assert run.status().state == "queued"
            assert f"place {place + 1} of the queue" in run.status().message
    assert [run.status().state for run in runs] == ["running"] + ["queued"] * 4
    os.kill(pids[2], signal.SIGKILL)  # One in the middle gives up its place.
    os.waitpid(pids[2], 0)
    wait(lambda: runs[3].status().place == 3, 5)
    os.kill(pids[0], signal.SIGKILL)  # The lock of a killed process holds nobody up.
    os.waitpid(pids[0], 0)
    assert wait(lambda: runs[1].status().state == "running") < 5
    assert sum(run.status().state == "running" for run in runs) == 1
    for number in (4, 3, 1):
        job.stop(runs[number])
        assert end(pids[number]) == 0
    assert list((jobs.root / ".cpu-0.queue").iterdir()) == []
    assert runs[3].status().state == runs[4].status().state == "stopped"


def test_r12_a_frozen_process_does_not_hold_up_the_line(tmp_path: Path) -> None:
    first, second = (Ticket(tmp_path, "cpu-0", name) for name in ("a", "b"))
    assert (first.place(), second.place()) == (1, 2)
    assert not second.try_turn()
    os.utime(first.path, (time.time() - 60,) * 2)
    assert second.try_turn()
    assert not first.try_turn()
    second.give_back()
    assert first.try_turn()
    first.give_back()


def test_r7_a_process_that_vanished_is_explained(
    jobs: Jobs, distillation: DistillConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = jobs.make("distill", distillation)
    gone = Status(state="running", pid=2**22 + 1, pid_created=1.0, memory_mb=10.0, oom_kills=3)
    run.write_status(gone)
    monkeypatch.setattr("mimic.run.status.oom_kills", lambda: 3)
    assert "it was killed, or the machine went off" in run.status().cause
    assert run.status().remedy == "Resume it."
    monkeypatch.setattr("mimic.run.status.oom_kills", lambda: 4)
    assert "most likely because memory ran out" in run.status().cause
    assert "a batch of at most 8 images" in run.status().remedy
    monkeypatch.setattr("mimic.run.status.oom_kills", lambda: None)
    monkeypatch.setattr("mimic.run.status.memory_limit_mb", lambda: 15.0)
    assert "(it used 10 MiB)" in run.status().cause
    other = jobs.make("inspect", InspectConfig())
    other.write_status(gone)
    assert "fewer images" in other.status().remedy


SERVER = """
import sys, time
from pathlib import Path
from mimic import job
from mimic.run import Run
from mimic.config import DistillConfig
import json
config = DistillConfig.from_json(json.loads(sys.argv[2]))
print(job.start("distill", config, root=Path(sys.argv[1])).id, flush=True)
time.sleep(600)
"""


@pytest.mark.slow
def test_r11_a_job_outlives_its_server_and_the_next_one_finds_it(
    jobs: Jobs, distillation: DistillConfig
) -> None:
    import json

    settings = json.dumps(replace(distillation, epochs=50_000, evaluate_every=60_000).to_json())
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(jobs.root), settings],
        cwd=REPOSITORY, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert server.stdout is not None
    run = Run.open(jobs.root / server.stdout.readline().strip())
    server.kill()
    server.wait()
    server.stdout.close()
    wait(lambda: len(run.metrics()) > 2)  # This process is the next server.
    assert run.status().state == "running"
    job.stop(run, wait=True)
    wait(lambda: not run.status().is_active, 10)
    assert run.status().state == "stopped"
    job.prepare_resume(run)


def test_r13_a_full_disk_does_not_stop_the_heart(
    jobs: Jobs, distillation: DistillConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mimic.errors import StorageError

    run = jobs.make("distill", distillation)
    progress, failures = Progress(run), []

    def full(_status: Status) -> None:
        failures.append(1)
        raise StorageError("The disk is full.", "Free some space.")

    monkeypatch.setattr(run, "write_status", full)
    monkeypatch.setattr("mimic.run.progress.TICK_SECONDS", 0.01)
    monkeypatch.setattr("mimic.run.progress.BEAT_SECONDS", 0.02)
    with progress.beating():
        wait(lambda: len(failures) > 2)
        monkeypatch.undo()
        before = run.status().beat
        wait(lambda: run.status().beat > before)
