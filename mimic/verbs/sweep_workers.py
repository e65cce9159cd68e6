"""Worker processes of a sweep: several distillations share one device."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import parent_process
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import torch

from mimic.compute import choose_device
from mimic.config import SweepConfig
from mimic.errors import TrainingError
from mimic.run import Progress, Run
from mimic.sweep import Cell
from mimic.verbs.sweep_bench import Bench
from mimic.verbs.work import Stopped, Work

REPORT_SECONDS = 0.3


def in_processes(
    run: Run,
    todo: list[Cell],
    nats: Mapping[str, float] | None,
    *,
    workers: int,
    told: Callable[[float, int], None],
) -> Iterator[dict[str, Any]]:
    """Distil cells in several processes and yield each record as soon as it is there.

    On a CPU the workers divide the threads among them; sums over fewer threads may round otherwise.

    Args:
        run: the sweep's run; a request to stop it ends the workers too.
        todo: the cells, in the order they are begun.
        nats: see ``Cell.weights``.
        workers: processes, at least 2.
        told: called with the cells' worth of work done and the number of cells ended; what it
            raises ends the workers.

    Raises:
        TrainingError: if a worker's process died, for example for lack of memory.
    """
    # Spawned, because a forked process cannot use CUDA and inherits locks held by other threads.
    context = multiprocessing.get_context("spawn")
    board = Board(context.RawArray("d", len(todo)), context.RawValue("b", 0))
    threads = max(1, torch.get_num_threads() // workers)
    pool = ProcessPoolExecutor(
        min(workers, len(todo)),
        mp_context=context,
        initializer=open_worker,
        initargs=(str(run.directory), board, threads),
    )
    with without_main():
        waiting = {pool.submit(work_on, number, cell, nats) for number, cell in enumerate(todo)}
    try:
        while waiting:
            ended, waiting = wait(waiting, REPORT_SECONDS, return_when=FIRST_COMPLETED)
            for future in ended:
                yield future.result()
            told(sum(board.shares), len(todo) - len(waiting))
    except BrokenProcessPool as error:
        if run.stop_requested():  # A signal to the whole group met a worker that was just starting.
            raise Stopped from error
        raise TrainingError(
            "A worker process of the sweep ended, most likely for lack of memory.",
            "Resume the sweep, or start one with fewer workers.",
        ) from error
    finally:
        board.abandoned.value = 1
        pool.shutdown(cancel_futures=True)


@contextlib.contextmanager
def without_main() -> Iterator[None]:
    """While processes are spawned, hide the script this one runs.

    A spawned process runs its parent's script first, whatever that does: a page, a notebook.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


@dataclass(frozen=True)
class Board:
    """Memory that parent and workers share.

    Args:
        shares: the share done of each cell.
        abandoned: 1 once the parent no longer wants the cells.
    """

    shares: Any
    abandoned: Any


class Unwritten(Progress):
    """A worker's progress: its parent writes the status."""

    def _write(self) -> None:
        """Leave the file alone."""


class Worker:
    """One process: its bench and its way to tell the parent.

    Args:
        directory: the sweep's run.
        board: shared with the parent.
    """

    def __init__(self, directory: str, board: Board) -> None:
        run = Run(Path(directory))
        config = cast(SweepConfig, run.config())
        self.board = board
        self.work = Work(run, config, choose_device(config.device), Unwritten(run))
        self.bench = Bench(self.work)

    def outcome(self, number: int, cell: Cell, nats: Mapping[str, float] | None) -> dict[str, Any]:
        """A cell's record; see ``Bench.outcome``."""

        def on_step(share: float) -> None:
            self.board.shares[number] = share
            self.work.step(share)
            if self.board.abandoned.value:
                raise Stopped

        return self.bench.outcome(cell, nats, on_step=on_step)


WORKERS: list[Worker] = []
"""This process's one worker: a pool hands its tasks nothing but their arguments."""


def open_worker(directory: str, board: Board, threads: int) -> None:
    """Prepare a process for its cells."""
    for name in (
        signal.SIGINT,
        signal.SIGTERM,
    ):  # May reach the whole group; the parent sees to it.
        signal.signal(name, signal.SIG_IGN)
    threading.Thread(target=end_with_parent, daemon=True).start()
    torch.set_num_threads(threads)
    WORKERS[:] = [Worker(directory, board)]


def end_with_parent() -> None:
    """End this process when its parent is killed; a pool would wait for its next task forever."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def work_on(number: int, cell: Cell, nats: Mapping[str, float] | None) -> dict[str, Any]:
    """Distil a cell in this process."""
    return WORKERS[0].outcome(number, cell, nats)
