"""Executing a run: device, queue, progress, stopping, and the translation of every failure."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch

from mimic import distributed
from mimic.compute import choose_device, describe_device, is_out_of_memory, machine
from mimic.config import Config
from mimic.errors import MimicError, RunError, StorageError, TrainingError
from mimic.inspected import create_run
from mimic.run import RESUMABLE, Progress, Run, note_machine, require_space
from mimic.run.unchanged import require_unchanged
from mimic.turns import POLL_SECONDS, Ticket, own_run
from mimic.verbs.attack import attack
from mimic.verbs.attention import attention
from mimic.verbs.distill import distill_encoder
from mimic.verbs.embed import embed
from mimic.verbs.evaluate import evaluate
from mimic.verbs.information import information
from mimic.verbs.inspect import inspect
from mimic.verbs.placement import placement
from mimic.verbs.pretrain import pretrain_encoder
from mimic.verbs.sweep import sweep
from mimic.verbs.work import Stopped, Work

EXECUTORS: dict[str, Callable[[Work[Any]], dict[str, Any]]] = {
    "pretrain": pretrain_encoder,
    "attack": attack,
    "inspect": inspect,
    "information": information,
    "distill": distill_encoder,
    "sweep": sweep,
    "evaluate": evaluate,
    "placement": placement,
    "embed": embed,
    "attention": attention,
}
TRAININGS = ("pretrain", "attack", "distill", "sweep")
"""Verbs that take turns on a device; the others are short and may run beside them."""
STOP_SECONDS = 7.5
"""How long a request to stop may go unheeded; the process is to be gone within 10 seconds."""
EXIT_STOPPED = 3


def perform(kind: str, config: Config, *, root: Path, run_id: str | None = None) -> Run:
    """Create a run and execute it in this process.

    Raises:
        MimicError: if it fails.
    """
    run = create_run(kind, config, root, run_id=run_id)
    execute(run)
    if run.status().state != "finished":
        raise RunError(f"Run {run.id} was stopped.", "Start again when you are ready.")
    return run


def execute(
    run: Run,
    *,
    on_progress: Callable[[float, str], None] | None = None,
    may_exit: bool = False,
) -> dict[str, Any]:
    """Execute a run directory in this process and write its result.

    Args:
        run: a new run, or one to continue.
        on_progress: called with the share done and what is being done.
        may_exit: whether this process exists for the run alone, so that it may end itself where a
            request to stop is not obeyed in time.

    Returns:
        The result; empty if the run was stopped.

    Raises:
        MimicError: if it failed; the run's status then carries the same cause and remedy.
    """
    with own_run(run.directory) as is_own:
        if not is_own:
            raise RunError(f"Run {run.id} is at work already.", "Wait for it or stop it first.")
        progress = Progress(run)
        watch = Overdue(progress) if may_exit else None
        with progress.beating(watch):
            return _execute(run, progress, on_progress)


def _execute(
    run: Run, progress: Progress, on_progress: Callable[[float, str], None] | None
) -> dict[str, Any]:
    """Do the work of a run whose lock is held, and write down how it ended."""
    try:
        config = run.config()
        require_unchanged(run)
        require_space(run.directory)
        if run.kind not in RESUMABLE:
            run.keep_metrics(lambda _line: False)  # It begins anew, wherever it was interrupted.
        device = choose_device(config.device)
        progress.set_device(describe_device(device))
        work = Work(run, config, device, progress, on_progress)
        note_machine(run, {**machine(device, work.precision), "processes": distributed.count()})
        with stop_signals(run), turn(run, device, progress, work):
            result = {
                **EXECUTORS[run.kind](work),
                "warnings": work.warnings,
                "encoders": work.encoders,
            }
        run.write_json("result.json", result)
        progress.set_state("finished", message="finished")
        run.log("finished.")
        return result
    except Stopped:
        progress.set_state("stopped", message="stopped")
        run.log("stopped.")
        return {}
    except KeyboardInterrupt:
        progress.set_state("interrupted", message="ended at once")
        run.log("ended at once by a second Ctrl-C.")
        raise
    except Exception as error:
        with contextlib.suppress(OSError), (run.directory / "log.txt").open("a") as log:
            traceback.print_exc(file=log)  # Pages and terminals show the two sentences only.
        failure = explain_failure(error, batch_size(run))
        run.log(f"failed: {failure}")
        with contextlib.suppress(MimicError):  # A full disk must not hide why the run failed.
            progress.set_state("failed", error=failure)
        raise failure from error


class Overdue:
    """Ends this process where a request to stop is not obeyed: asked every second.

    The work looks for the request at every step; this is for a step that takes too long. What is
    lost is what came after the last checkpoint.
    """

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.seen: float | None = None

    def __call__(self) -> None:
        """Look at the request and the clock."""
        if not self.progress.run.stop_requested():
            return
        if self.seen is None:
            self.seen = time.monotonic()
        if time.monotonic() - self.seen < STOP_SECONDS:
            return
        telling = threading.Thread(target=self.tell, daemon=True)
        telling.start()
        telling.join(timeout=1.0)  # Where the disk hangs too, the process ends without a word.
        os._exit(EXIT_STOPPED)

    def tell(self) -> None:
        """Write that the run was stopped."""
        with contextlib.suppress(MimicError):
            self.progress.set_state("stopped", message="stopped in the middle of a step")
        self.progress.run.log("stopped in the middle of a step, which took too long to wait for.")


def batch_size(run: Run) -> int | None:
    """Images per update, where the run has such a setting that can be read."""
    with contextlib.suppress(MimicError):
        return getattr(run.config(), "batch_size", None)
    return None


def explain_failure(error: Exception, batch: int | None = None) -> MimicError:
    """Cause and remedy of any exception; ``batch`` is the number of images per update, if any."""
    if isinstance(error, MimicError):
        return error
    if is_out_of_memory(error) or "alloc" in str(error).lower():
        if batch is None or batch < 4:
            return TrainingError("Memory ran out.", "Close other programs, or choose fewer images.")
        return TrainingError(
            f"Memory ran out with batches of {batch} images.",
            f"Start a new run with a batch of at most {batch // 2}, or close other programs.",
        )
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StorageError("The disk is full.", "Free some space, then resume or repeat the run.")
    if isinstance(error, torch.distributed.DistError) or "gloo" in str(error):
        return RunError(
            "Another process of the training failed or ended.",
            "Read what it printed, then resume the run.",
        )
    return RunError(
        f"Something unforeseen failed ({type(error).__name__}).",
        "The run's log.txt has the details; please report them.",
    )


@contextlib.contextmanager
def turn(run: Run, device: torch.device, progress: Progress, work: Work[Any]) -> Iterator[None]:
    """Wait for the device: one training per device and runs folder at a time, in order."""
    if run.kind not in TRAININGS:
        yield
        return
    name = f"{device.type}-{device.index or 0}"  # cuda and cuda:0 are one device.
    ticket = Ticket(run.directory.parent, name, run.id)
    try:
        while not ticket.try_turn():
            place = ticket.place()
            if (progress.status.state, progress.status.place) != ("queued", place):
                waits = f"waiting for another training to end, at place {place} of the queue"
                progress.set_state("queued", message=waits, place=place)
            work.check_stop()
            time.sleep(POLL_SECONDS)
        if progress.status.state == "queued":
            progress.set_state("running", message="starting")
        yield
    finally:
        ticket.give_back()


@contextlib.contextmanager
def stop_signals(run: Run) -> Iterator[None]:
    """Turn Ctrl-C and termination into a request to stop; a second Ctrl-C ends the work at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handlers = {}

    def ask(number: int, _frame: object) -> None:
        run.request_stop()
        if number == signal.SIGINT:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    for name in (signal.SIGTERM, signal.SIGINT):
        handlers[name] = signal.signal(name, ask)
    try:
        yield
    finally:
        for name, handler in handlers.items():
            signal.signal(name, handler)
