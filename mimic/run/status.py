"""Where a run stands, and whether the process that says so is still there."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import psutil

ACTIVE_STATES = ("starting", "queued", "running", "stopping")
RESUMABLE = ("distill", "sweep")
"""Verbs that save their state, so that a stopped or killed run continues where it was."""
SILENT_SECONDS = 30.0
"""A process that has not written its heartbeat for so long is not responding."""
LIKELY_SHARE = 0.6
"""A process that used this share of the memory and vanished was most likely ended for it."""


@dataclass(frozen=True, kw_only=True)
class Status:
    """Where a run stands.

    ``state`` is one of starting, queued, running, stopping, stopped, finished, failed, interrupted.
    ``progress`` is a share of 1; times are seconds since 1970. ``updated`` is when the work itself
    told something last, ``beat`` when its process did. ``place`` is the place in the queue, from 1.
    ``oom_kills`` is the system's count of processes ended for lack of memory, at the run's start.
    ``worked`` are the seconds that earlier processes took, before the run was resumed.
    """

    state: str = "starting"
    progress: float = 0.0
    message: str = ""
    started: float = 0.0
    updated: float = 0.0
    seconds_left: float | None = None
    pid: int = 0
    pid_created: float = 0.0
    device: str = ""
    memory_mb: float = 0.0
    cause: str = ""
    remedy: str = ""
    beat: float = 0.0
    place: int = 0
    oom_kills: int | None = None
    worked: float = 0.0

    @property
    def lasted(self) -> float:
        """Seconds that all processes at work on the run have taken so far."""
        if not self.started:
            return self.worked
        return self.worked + max(0.0, max(self.updated, self.beat) - self.started)

    @property
    def is_active(self) -> bool:
        """Whether a process is at work on the run, or about to be."""
        return self.state in ACTIVE_STATES

    @property
    def is_responding(self) -> bool:
        """False where a process is at work but its heartbeat has been silent for 30 seconds."""
        return not (self.is_active and self.beat > 0 and time.time() - self.beat > SILENT_SECONDS)


def process_lives(pid: int, created: float) -> bool:
    """Whether the process with this id, started at this time, still runs."""
    try:
        process = psutil.Process(pid)
        same = abs(process.create_time() - created) < 2
        return bool(same and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def oom_kills() -> int | None:
    """How many processes the system has ended for lack of memory; None where it does not tell."""
    try:
        lines = Path("/proc/vmstat").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))
    except (OSError, ValueError, StopIteration):
        return None


def memory_limit_mb() -> float:
    """Memory that processes here may use: the machine's, or the control group's if it is less."""
    limit = float(psutil.virtual_memory().total)
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        try:
            limit = min(limit, float(Path("/sys/fs/cgroup", name).read_text(encoding="ascii")))
        except (OSError, ValueError):  # No such group, or "max".
            continue
    return limit / 2**20


def explain_vanished(status: Status, batch_size: int | None, *, resumable: bool) -> tuple[str, str]:
    """Cause and remedy for a run whose process ended without a word.

    Args:
        status: the last one it wrote.
        batch_size: images per update, where the run has such a setting.
        resumable: whether the run can be continued.
    """
    again = "Resume it" if resumable else "Start it again"
    now = oom_kills()
    counted = now is not None and status.oom_kills is not None and now > status.oom_kills
    if counted or status.memory_mb > LIKELY_SHARE * memory_limit_mb():
        smaller = (
            "fewer images"
            if batch_size is None
            else f"a batch of at most {max(2, batch_size // 2)} images"
        )
        return (
            "The run's process was ended from outside, most likely because memory ran out "
            f"(it used {status.memory_mb:,.0f} MiB).",
            f"{again} with other programs closed, or start a new run with {smaller}.",
        )
    return (
        "The run's process ended before its work was done: it was killed, or the machine went off.",
        f"{again}.",
    )
