"""A kernel filter that ends a child which asks for a network, another program, or other processes.

Unlike the audit hook it binds machine code too. The numbers are Linux's system-call tables
(``arch/x86/entry/syscalls/syscall_64.tbl``, ``include/uapi/asm-generic/unistd.h``); the program is
classic BPF as described in the kernel's ``seccomp_filter.rst``.
"""

from __future__ import annotations

import ctypes
import platform
import struct
import sys

PR_SET_SECCOMP = 22
SECCOMP_MODE_FILTER = 2
KILL_PROCESS = 0x80000000
ALLOW = 0x7FFF0000
LOAD, EQUAL, AT_LEAST, RETURN = 0x20, 0x15, 0x35, 0x06
X32_BIT = 0x40000000
"""x86-64 has a second set of numbers for the same calls above this bit."""

ARCHITECTURES = {
    "x86_64": (0xC000003E, {
        "socket": 41, "connect": 42, "bind": 49, "socketpair": 53, "fork": 57, "vfork": 58,
        "execve": 59, "kill": 62, "ptrace": 101, "mount": 165, "open_by_handle_at": 304,
        "process_vm_readv": 310, "process_vm_writev": 311, "bpf": 321, "execveat": 322,
        "io_uring_setup": 425, "pidfd_getfd": 438,
    }),
    "aarch64": (0xC00000B7, {
        "mount": 40, "ptrace": 117, "kill": 129, "socket": 198, "socketpair": 199, "bind": 200,
        "connect": 203, "execve": 221, "open_by_handle_at": 265, "process_vm_readv": 270,
        "process_vm_writev": 271, "bpf": 280, "execveat": 281, "io_uring_setup": 425,
        "pidfd_getfd": 438,
    }),
}  # fmt: skip


class Program(ctypes.Structure):
    """The kernel's ``sock_fprog``: a count of instructions and where they are."""

    _fields_ = (("count", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def forbid_system_calls() -> bool:
    """Install the filter for the rest of this process; says whether the kernel took it.

    ``PR_SET_NO_NEW_PRIVS`` must have been set.
    """
    if sys.platform != "linux" or platform.machine() not in ARCHITECTURES:
        return False
    code = filter_code(*ARCHITECTURES[platform.machine()])
    program = Program(len(code) // 8, code)
    library = ctypes.CDLL(None)
    taken = library.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0)
    return bool(taken == 0)


def filter_code(architecture: int, numbers: dict[str, int]) -> bytes:
    """The filter's instructions: end the process on a foreign table or a listed call."""

    def step(code: int, value: int, then: int = 0, otherwise: int = 0) -> bytes:
        return struct.pack("=HBBI", code, then, otherwise, value)

    count = len(numbers)
    kill = step(RETURN, KILL_PROCESS)
    code = step(LOAD, 4) + step(EQUAL, architecture, 1, 0) + kill  # Which table is in use.
    code += step(LOAD, 0) + step(AT_LEAST, X32_BIT, count + 1, 0)  # Which call it is.
    for index, number in enumerate(numbers.values()):
        code += step(EQUAL, number, count - index, 0)
    return code + step(RETURN, ALLOW) + kill
