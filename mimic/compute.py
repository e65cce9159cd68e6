"""Where the arithmetic runs: device, number format, and what to do with them."""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from mimic.errors import ConfigError


def choose_device(text: str = "auto") -> torch.device:
    """The device a setting names; ``auto`` prefers CUDA, then MPS, then the CPU.

    Of several processes on one machine each gets a GPU of its own.

    Raises:
        ConfigError: if the device does not exist on this machine.
    """
    has_mps = torch.backends.mps.is_available()
    if text == "auto":
        if torch.cuda.is_available():
            return torch.device(own_gpu())
        return torch.device("mps" if has_mps else "cpu")
    try:
        device = torch.device(own_gpu() if text == "cuda" else text)
    except RuntimeError:
        device = None
    known = device is not None and (
        device.type == "cpu"
        or (device.type == "mps" and has_mps)
        or (device.type == "cuda" and (device.index or 0) < torch.cuda.device_count())
    )
    if device is None or not known:
        raise ConfigError(
            f"The device '{text}' is not available on this machine.",
            "Choose auto, cpu, or a device that is present.",
        )
    return device


def own_gpu() -> str:
    """``cuda``, or the GPU of this process among those that torchrun started."""
    rank = os.environ.get("LOCAL_RANK", "")
    return f"cuda:{rank}" if rank.isdecimal() else "cuda"


def describe_device(device: torch.device) -> str:
    """The device's name for a person."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    threads = torch.get_num_threads()
    plural = "" if threads == 1 else "s"
    return {"cpu": f"CPU, {threads} thread{plural}", "mps": "Apple GPU"}[device.type]


def machine(device: torch.device, precision: torch.dtype) -> dict[str, Any]:
    """What decides how sums round, beside code and settings: the same run elsewhere may differ.

    Args:
        device: the one that does the work.
        precision: number format of the matrix products, as chosen.

    Returns:
        ``device``, ``threads`` of the CPU, ``precision``, ``processor`` (its architecture) and
        ``instructions`` (the widest that torch uses on it).
    """
    return {
        "device": "CPU" if device.type == "cpu" else describe_device(device),
        "threads": torch.get_num_threads(),
        "precision": str(precision).removeprefix("torch."),
        "processor": platform.machine(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
    }


def choose_precision(text: str, device: torch.device) -> torch.dtype:
    """Number format of the matrix products; ``auto`` takes bfloat16 only where it is native."""
    if text != "auto":
        return {"float32": torch.float32, "bfloat16": torch.bfloat16}[text]
    native = (
        device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    ) or (
        device.type == "cpu"
        and (torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
    )
    return torch.bfloat16 if native else torch.float32


def autocast(device: torch.device, dtype: torch.dtype) -> contextlib.AbstractContextManager[Any]:
    """Automatic mixed precision, or nothing for float32."""
    if dtype == torch.float32:
        return contextlib.nullcontext()
    return torch.autocast(device.type, dtype)


@contextlib.contextmanager
def one_thread(device: torch.device) -> Iterator[None]:
    """Compute on one CPU thread: matrices this small lose more by meeting than they win."""
    with threads_kept():
        if device.type == "cpu":
            torch.set_num_threads(1)
        yield


@contextlib.contextmanager
def threads_kept() -> Iterator[None]:
    """Leave torch the number of CPU threads it had: it decides how later sums round.

    Code compiled by numba, such as UMAP's, sets OpenMP's number, which is torch's too.
    """
    threads = torch.get_num_threads()
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def keep_freed_memory() -> bool:
    """Let this process keep the memory an update frees, for the next update to use.

    By default glibc hands it back and fetches it anew, page by page, at every update: 5 to 12 % of
    a training on the CPU. The numbers are glibc's M_TRIM_THRESHOLD and M_MMAP_THRESHOLD (malloc.h)
    and their largest values.

    Returns:
        Whether the allocator could be told; only glibc can.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):
        return False
    return bool(mallopt(-1, 2**31 - 1) and mallopt(-3, 2**25))


def seed_everything(seed: int) -> None:
    """Seed Python, NumPy and torch, for the few places that take no generator (initial weights)."""
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002
    torch.manual_seed(seed)


def host_generator(seed: int) -> torch.Generator:
    """A seeded random stream on the CPU, whatever the device.

    Trainings draw from it, so that a run is the same run on every kind of device and drawing never
    waits for an accelerator.
    """
    return torch.Generator().manual_seed(seed)


def hand_over(tensor: torch.Tensor, device: torch.device) -> torch.Tensor:
    """Move a small tensor from the CPU to the device without waiting for the device."""
    if device.type == "cuda":
        tensor = tensor.pin_memory()
    return tensor.to(device, non_blocking=True)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that a device's or the machine's memory ran out."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    told = str(error).lower()  # The CPU's and MPS's allocators raise plain RuntimeErrors.
    return isinstance(error, RuntimeError) and (
        "can't allocate memory" in told or "out of memory" in told or "not enough memory" in told
    )


def generator(device: torch.device, seed: int) -> torch.Generator:
    """A seeded random stream on the device; on MPS it stays on the CPU."""
    place = "cpu" if device.type == "mps" else device
    return torch.Generator(place).manual_seed(seed)
