"""What a child may still do once it holds a suspect file, and what each limit is worth.

The kernel enforces memory, processor time and file size; on Linux also the absent network, for root
(and others, where it lets them) by a network of its own, for all by ``mimic.parsing.syscalls``. The
audit hook sees Python only: it stops a pickle that got past every check, not machine code.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import sys
from pathlib import Path
from typing import Any

FORBIDDEN_STATUS = 77
MEMORY_SLACK = 2**30
MEMORY_FACTOR = 3
CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1
PR_SET_NO_NEW_PRIVS = 38
SIGKILL = 9
FORBIDDEN = (
    "socket.", "subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork",
    "pty.", "shutil.", "os.remove", "os.rename", "os.rmdir", "os.chmod", "os.chown", "os.link",
    "os.symlink", "os.truncate", "os.kill", "os.putenv", "os.unsetenv", "ctypes.", "urllib.",
    "http.", "ftplib.", "smtplib.", "webbrowser.", "pickle.find_class", "mmap.",
)  # fmt: skip
WRITE_FLAGS = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def leave_network() -> bool:
    """Move this process into a network of its own without any way out.

    Works for root, and for others where the kernel allows user namespaces; says whether it did.
    """
    if sys.platform != "linux":
        return False
    library = ctypes.CDLL(None, use_errno=True)
    flags = CLONE_NEWNET if os.geteuid() == 0 else CLONE_NEWNET | CLONE_NEWUSER
    return bool(library.unshare(flags) == 0)


def die_with_parent() -> None:
    """Have the kernel end this process when the one that forked it ends."""
    if sys.platform == "linux":
        library = ctypes.CDLL(None)
        library.prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0)
        library.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def growth_cap(size: int) -> int:
    """Bytes a child may add to what it started with, for a file of this size."""
    return MEMORY_FACTOR * size + MEMORY_SLACK


def set_limits(size: int, seconds: float) -> None:
    """Cap memory growth, processor time, written files, open files; no core dump."""
    cap(resource.RLIMIT_CORE, 0)
    cap(resource.RLIMIT_CPU, int(seconds) + 2)
    cap(resource.RLIMIT_FSIZE, 2 * size + 64 * 2**20)
    cap(resource.RLIMIT_NOFILE, 64)
    used = memory_used()
    if "VmData" in used:
        cap(resource.RLIMIT_DATA, used["VmData"] + growth_cap(size))
        cap(resource.RLIMIT_AS, used["VmSize"] + growth_cap(size))


def cap(kind: int, value: int) -> None:
    """Lower one limit, for good."""
    hard = resource.getrlimit(kind)[1]
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(kind, (value, value))


def memory_used() -> dict[str, int]:
    """Linux's account of this process in bytes; empty elsewhere."""
    path = Path("/proc/self/status")
    if not path.is_file():
        return {}
    rows = [line.split() for line in path.read_text().splitlines() if line.startswith("Vm")]
    return {row[0].rstrip(":"): int(row[1]) * 1024 for row in rows}


def forbid_python_exits(folder: Path) -> None:
    """End this process at once if Python code tries to reach out of it.

    Reading is left to the interpreter, which may still import parts of torch; writing is allowed in
    ``folder`` only.
    """
    inside = str(folder) + os.sep

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            writes = bool((flags or 0) & WRITE_FLAGS)
            if writes and not isinstance(path, int) and not str(path).startswith(inside):
                os._exit(FORBIDDEN_STATUS)
        elif event.startswith(FORBIDDEN):
            os._exit(FORBIDDEN_STATUS)

    sys.addaudithook(hook)
