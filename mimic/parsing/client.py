"""The using side of the parsing server: starts it, asks it, ends it."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mimic.errors import CutShortError

START_SECONDS = 60.0
"""For the server itself, once per process: importing torch can be slow on a busy machine."""
PARSE_SECONDS = 24.0
"""Of the 30 s that reading one file may take in all; the rest is for hashing and taking over."""
GRACE_SECONDS = 3.0
MAX_LINE = 10_000
MAX_SERVERS = 3
CODE_ROOT = Path(__file__).resolve().parents[2]
CHILD_MODULE = "mimic.parsing.child"
START = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from mimic.parsing import server; import {module} as child; "
    "server.main(child.parse, child.warm_up)"
)
KEPT_VARIABLES = ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT", "LANG", "LC_ALL")


class ParsingServer:
    """A running server and the pipes to it; used by one thread at a time.

    Args:
        module: module whose ``parse`` the children run; ours to name, never a file's.
        folders: where else the server may import from.
    """

    def __init__(self, module: str = CHILD_MODULE, folders: Sequence[Path] = ()) -> None:
        paths = [str(CODE_ROOT), *map(str, folders), *(p for p in sys.path if p)]
        kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
        one_thread = dict.fromkeys(
            ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"
        )
        self.owner = os.getpid()
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-c", START.format(module=module), json.dumps(paths)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**kept, **one_thread, "CUDA_VISIBLE_DEVICES": "", "PYTHONUTF8": "1"},
        )
        self.ready = False

    def ask(self, request: dict[str, Any]) -> str:
        """Have one file parsed; how it ended, or ``lost`` if the server itself is gone.

        Raises:
            CutShortError: if the server cannot be started.
        """
        if not self.ready:
            self.ready = self.receive(START_SECONDS).get("ready") is True
        if not self.ready:
            self.close()
            raise CutShortError(
                "The separate process that reads suspect files could not be started.",
                "Check the installation: 'python -c \"import torch, psutil\"' must work.",
            )
        try:
            os.write(self.process.stdin.fileno(), json.dumps(request).encode() + b"\n")  # type: ignore[union-attr]
        except OSError:
            return "lost"
        outcome = self.receive(request["seconds"] + GRACE_SECONDS).get("outcome")
        return outcome if isinstance(outcome, str) else "lost"

    def receive(self, seconds: float) -> dict[str, Any]:
        """The next line of the server; empty if none comes in time, or it is no JSON object."""
        line, end = b"", time.monotonic() + seconds
        pipe = self.process.stdout.fileno()  # type: ignore[union-attr]
        poll = select.poll()
        poll.register(pipe, select.POLLIN)
        while not line.endswith(b"\n"):
            left = end - time.monotonic()
            if left <= 0 or not poll.poll(left * 1000):
                return {}
            part = os.read(pipe, MAX_LINE)
            line += part
            if not part or len(line) > MAX_LINE:
                return {}
        try:
            message = json.loads(line)
        except ValueError:
            return {}
        return message if isinstance(message, dict) else {}

    @property
    def is_usable(self) -> bool:
        """Whether this process started it and it still runs."""
        return self.owner == os.getpid() and self.process.poll() is None

    def close(self) -> None:
        """End the server; its child, if any, ends with it."""
        if self.owner != os.getpid():  # A fork of ours: the server is not its own.
            return
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        try:
            self.process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


_idle: list[ParsingServer] = []
_lock = threading.Lock()
_places = threading.BoundedSemaphore(MAX_SERVERS)


def parse_apart(path: Path, folder: Path, name: str, size: int) -> str:
    """Have a file parsed in a child process; how that ended.

    Args:
        path: the file.
        folder: an own empty folder for the answer.
        name: what to call the file in a refusal.
        size: its bytes.

    Returns:
        ``done``, ``timeout``, ``memory``, ``forbidden``, ``killed``, ``crash`` or ``lost``.
    """
    request = {
        "path": os.path.realpath(path), "folder": str(folder), "name": name, "size": size,
        "seconds": PARSE_SECONDS,
    }  # fmt: skip
    with _places:
        server = take_server()
        try:
            outcome = server.ask(request)
        except BaseException:
            server.close()
            raise
        if outcome == "lost":
            server.close()
        else:
            with _lock:
                _idle.append(server)
    return outcome


def start_ahead() -> None:
    """Start a server now, so that it imports its libraries while this process does the same."""
    with _lock:
        if not _idle:
            _idle.append(ParsingServer())


def take_server() -> ParsingServer:
    """A server that is idle, or a new one."""
    with _lock:
        while _idle:
            server = _idle.pop()
            if server.is_usable:
                return server
            server.close()
    return ParsingServer()


def close_servers() -> None:
    """End all idle servers; the next file starts a new one."""
    with _lock:
        while _idle:
            _idle.pop().close()


atexit.register(close_servers)
