"""The parsing server: imports torch once, then forks one child per suspect file.

It reads requests and writes answers as lines of JSON, and never looks at a suspect byte itself. It
ends when its input closes, which happens when the process that uses it ends in any way.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from mimic.parsing import limits, syscalls

POLL_SECONDS = 0.01
Parse = Callable[[int, Path, str], None]


def main(parse: Parse, warm_up: Callable[[], None]) -> None:
    """Answer requests until the input closes.

    Args:
        parse: reads an opened file and leaves an answer in a folder; runs in the child.
        warm_up: runs here once, before any request.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that uses us.
    os.setsid()
    sys.dont_write_bytecode = True
    limits.leave_network()
    warm_up()
    say({"ready": True})
    while line := sys.stdin.buffer.readline():
        say({"outcome": run_child(json.loads(line), parse)})


def say(message: dict[str, Any]) -> None:
    """Send one line."""
    os.write(1, json.dumps(message).encode() + b"\n")


def run_child(request: dict[str, Any], parse: Parse) -> str:
    """Fork a child for one file and wait for its end.

    Args:
        request: ``path``, ``folder``, ``name``, ``size`` and ``seconds``.
        parse: see ``main``.

    Returns:
        ``done``, ``timeout``, ``memory``, ``forbidden`` or ``crash``.
    """
    folder = Path(request["folder"])
    process = os.fork()
    if process == 0:
        be_child(request, folder, parse)
    try:
        return watch(process, request, folder)
    finally:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process, signal.SIGKILL)  # Whatever the child may have started.


def be_child(request: dict[str, Any], folder: Path, parse: Parse) -> None:
    """Give up all rights that reading a file does not need, then read it. Never returns."""
    status = 1
    try:
        os.setsid()
        descriptor = os.open(request["path"], os.O_RDONLY | os.O_NONBLOCK)
        nowhere = os.open(os.devnull, os.O_RDWR)
        for standard in (0, 1, 2):
            os.dup2(nowhere, standard)
        limits.die_with_parent()
        limits.set_limits(request["size"], request["seconds"])
        syscalls.forbid_system_calls()
        limits.forbid_python_exits(folder)
        parse(descriptor, folder, request["name"])
        status = 0
    except MemoryError:
        status = MEMORY_STATUS
    except BaseException:  # Nothing may run on in the copy of the server that this process is.
        status = 1
    finally:
        os._exit(status)


MEMORY_STATUS = 78


def watch(process: int, request: dict[str, Any], folder: Path) -> str:
    """Wait for a child; end it when it takes too long or too much, or when nobody waits for it."""
    deadline = time.monotonic() + request["seconds"]
    start = resident(process)
    killed = ""
    while True:
        ended, code = os.waitpid(process, os.WNOHANG)
        if ended:
            return killed or meaning(os.waitstatus_to_exitcode(code))
        if time.monotonic() > deadline:
            killed = "timeout"
        elif resident(process) - start > limits.growth_cap(request["size"]):
            killed = "memory"
        if killed:
            os.kill(process, signal.SIGKILL)
        if select.select([0], [], [], POLL_SECONDS)[0]:  # Nothing is due: the other end is gone.
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
            shutil.rmtree(folder, ignore_errors=True)
            os._exit(0)


def resident(process: int) -> int:
    """Bytes of main memory a process occupies; 0 once it has ended."""
    try:
        return int(psutil.Process(process).memory_info().rss)
    except psutil.Error:
        return 0


def meaning(status: int) -> str:
    """How a child ended, from its exit status."""
    known = {
        0: "done", MEMORY_STATUS: "memory", limits.FORBIDDEN_STATUS: "forbidden",
        -signal.SIGXCPU: "timeout", -signal.SIGSYS: "forbidden", -signal.SIGKILL: "killed",
    }  # fmt: skip
    return known.get(status, "crash")
