"""Executing a run: device, queue, progress, stopping, and the translation of every failure."""

from __future__ import annotations

import contextlib
import signal
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import filelock
import torch

from mimic.compute import choose_device, describe_device
from mimic.config import Config
from mimic.errors import MimicError, RunError, TrainingError
from mimic.run import Progress, Run, storage_errors
from mimic.verbs.attack import attack
from mimic.verbs.attention import attention
from mimic.verbs.distill import distill_encoder
from mimic.verbs.embed import embed
from mimic.verbs.evaluate import evaluate
from mimic.verbs.information import information
from mimic.verbs.inspect import inspect
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
    "embed": embed,
    "attention": attention,
}
TRAININGS = ("pretrain", "attack", "distill", "sweep")
"""Verbs that take turns on a device; the others are short and may run beside them."""


def perform(kind: str, config: Config, *, root: Path, run_id: str | None = None) -> Run:
    """Create a run and execute it in this process.

    Raises:
        MimicError: if it fails.
    """
    run = Run.create(root, kind, config, run_id=run_id)
    execute(run)
    if run.status().state != "finished":
        raise RunError(f"Run {run.id} was stopped.", "Start again when you are ready.")
    return run


def execute(run: Run, *, on_progress: Callable[[float, str], None] | None = None) -> dict[str, Any]:
    """Execute a run directory in this process and write its result.

    Args:
        run: a new run, or one to continue.
        on_progress: called with the share done and what is being done.

    Returns:
        The result; empty if the run was stopped.

    Raises:
        MimicError: if it failed; the run's status then carries the same cause and remedy.
    """
    config = run.config()
    progress = Progress(run)
    try:
        device = choose_device(config.device)
        progress.set_device(describe_device(device))
        work = Work(run, config, device, progress, on_progress)
        with stop_signals(run), turn(run, device, progress, work):
            result = {
                **EXECUTORS[run.kind](work),
                "warnings": work.warnings,
                "encoders": work.encoders,
            }
        run.write_json("result.json", result)
        progress.set_state("finished", message="finished")
        return result
    except Stopped:
        progress.set_state("stopped", message="stopped")
        return {}
    except Exception as error:
        with contextlib.suppress(OSError), (run.directory / "log.txt").open("a") as log:
            traceback.print_exc(file=log)  # Pages and terminals show the two sentences only.
        failure = explain_failure(error)
        with contextlib.suppress(MimicError):  # A full disk must not hide why the run failed.
            progress.set_state("failed", error=failure)
        raise failure from error


def explain_failure(error: Exception) -> MimicError:
    """Cause and remedy of any exception."""
    if isinstance(error, MimicError):
        return error
    if isinstance(error, MemoryError | torch.OutOfMemoryError) or "alloc" in str(error).lower():
        return TrainingError("Memory ran out.", "Choose a smaller batch size or fewer images.")
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
    """Wait for the device: one training per device and runs folder at a time."""
    if run.kind not in TRAININGS:
        yield
        return
    name = f"{device.type}-{device.index or 0}"  # cuda and cuda:0 are one device.
    with storage_errors():
        lock = filelock.FileLock(run.directory.parent / f".{name}.lock")
        while not lock.is_locked:
            try:
                lock.acquire(timeout=0.5)
            except filelock.Timeout:
                if progress.status.state != "queued":
                    progress.set_state("queued", message="waiting for another training to end")
                work.check_stop()
    try:
        if progress.status.state == "queued":
            progress.set_state("running", message="starting")
        yield
    finally:
        lock.release()


@contextlib.contextmanager
def stop_signals(run: Run) -> Iterator[None]:
    """Turn Ctrl-C and termination into a request to stop, so that state is saved."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handlers = {}
    for name in (signal.SIGTERM, signal.SIGINT):
        handlers[name] = signal.signal(name, lambda *_: run.request_stop())
    try:
        yield
    finally:
        for name, handler in handlers.items():
            signal.signal(name, handler)
