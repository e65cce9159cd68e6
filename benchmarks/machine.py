"""The machine a benchmark ran on: its name, and how fast it multiplies matrices."""

from __future__ import annotations

import platform
import time
from statistics import median
from typing import Any

import psutil
import torch
from torch.utils.flop_counter import FlopCounterMode

from mimic.compute import choose_device
from mimic.encoder import Architecture, build_encoder

ROUNDS = 5


def describe(device: torch.device) -> dict[str, Any]:
    """Processor, cores, memory, device and versions."""
    return {
        "processor": processor(),
        "cores": psutil.cpu_count(),
        "threads": torch.get_num_threads(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "float32_gflops": round(matrix_rate(device, torch.float32) / 1e9),
        "bfloat16_gflops": round(matrix_rate(device, torch.bfloat16) / 1e9),
    }


def processor() -> str:
    """The processor's name as the system gives it."""
    try:
        with open("/proc/cpuinfo") as lines:  # noqa: PTH123 - a system file, not a path to keep
            names = [line.split(":", 1)[1].strip() for line in lines if "model name" in line]
    except OSError:
        names = []
    return names[0] if names else platform.processor() or platform.machine()


def matrix_rate(device: torch.device, dtype: torch.dtype) -> float:
    """Floating-point operations per second of a large square product: the practical ceiling."""
    side = 8192 if device.type == "cuda" else 2048
    left, right = (torch.randn(side, side, device=device).to(dtype) for _ in range(2))
    seconds = []
    for _ in range(ROUNDS + 1):
        wait(device)
        started = time.perf_counter()
        left @ right
        wait(device)
        seconds.append(time.perf_counter() - started)
    return 2 * side**3 / median(seconds[1:])


def wait(device: torch.device) -> None:
    """Let the device finish what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def update_flops(width: int, batch: int) -> float:
    """Operations one update cannot do without.

    Two views of each image through the student, forward and backward (three times the forward),
    and one through the teacher, forward only.
    """
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        build_encoder(Architecture("resnet18", width=width))(torch.empty(1, 3, 32, 32))
    return batch * (2 * 3 + 1) * float(counter.get_total_flops())


def memory_peak(device: torch.device) -> float:
    """Largest memory of this process so far, in MiB: the device's on CUDA, else the process's."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


def device_of(text: str) -> torch.device:
    """The device an option names."""
    return choose_device(text)
