"""What the process at work tells about itself: state, share done, time left, and that it lives."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import psutil

from mimic.errors import MimicError
from mimic.run.directory import Run
from mimic.run.status import Status, oom_kills
from mimic.run.time_left import TimeLeft

BEAT_SECONDS = 3.0
TICK_SECONDS = 1.0
WRITE_SECONDS = 0.5


class Progress:
    """The status of a run, kept by the process at work on it.

    Status files are replaced at most twice a second, however often ``update`` is called.
    """

    def __init__(self, run: Run, *, device: str = "") -> None:
        self.run = run
        process = psutil.Process()
        now = time.time()
        self.status = Status(
            state="running",
            started=now,
            updated=now,
            pid=process.pid,
            pid_created=process.create_time(),
            device=device,
            oom_kills=oom_kills(),
            worked=self._worked_before(),
        )
        self._process = process
        self._left = TimeLeft()
        self._written = 0.0
        self._writing = threading.RLock()
        self._write()

    def _worked_before(self) -> float:
        """Seconds of the processes before this one; a damaged status is written anew."""
        with contextlib.suppress(MimicError):
            return self.run.status().worked
        return 0.0

    def update(self, share: float, message: str = "") -> None:
        """Tell how much is done (0 to 1) and what is being done now."""
        now = time.time()
        left = self._left.after(time.monotonic(), share)
        with self._writing:
            self.status = replace(
                self.status,
                progress=min(max(share, 0.0), 1.0),
                message=message or self.status.message,
                updated=now,
                seconds_left=left,
            )
        if now - self._written > WRITE_SECONDS or share >= 1:
            self._write()

    def set_device(self, device: str) -> None:
        """Tell which device does the work."""
        with self._writing:
            self.status = replace(self.status, device=device)
            self._write()

    def set_state(
        self, state: str, *, message: str = "", error: MimicError | None = None, place: int = 0
    ) -> None:
        """Tell of a change of state at once; ``place`` is that in the queue, from 1."""
        with self._writing:
            self.status = replace(
                self.status,
                state=state,
                message=message or self.status.message,
                updated=time.time(),
                progress=1.0 if state == "finished" else self.status.progress,
                seconds_left=None,
                cause=error.cause if error else "",
                remedy=error.remedy if error else "",
                place=place,
            )
            self._write()

    @contextlib.contextmanager
    def beating(self, on_tick: Callable[[], None] | None = None) -> Iterator[None]:
        """Write the heartbeat every 3 seconds while the block lasts, from a thread of its own.

        Args:
            on_tick: called every second.
        """
        ended = threading.Event()

        def beat() -> None:
            while not ended.wait(TICK_SECONDS):
                with contextlib.suppress(MimicError):  # The work itself meets a full disk soon.
                    if time.time() - self._written > BEAT_SECONDS - TICK_SECONDS:
                        self._write()
                if on_tick is not None:
                    on_tick()

        thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def _write(self) -> None:
        with self._writing:
            memory = self._process.memory_info().rss / 2**20
            self.status = replace(
                self.status, memory_mb=max(self.status.memory_mb, memory), beat=time.time()
            )
            self.run.write_status(self.status)
            self._written = time.time()
