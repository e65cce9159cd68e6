"""Good files of every kind, and archives put together by hand."""

from __future__ import annotations

import io
import warnings
import zipfile
from collections.abc import Callable, Mapping

import safetensors.torch
import torch
from torch import nn


def small_state() -> dict[str, torch.Tensor]:
    """A few tensors of several number formats."""
    generator = torch.Generator().manual_seed(0)
    return {
        "conv1.weight": torch.randn(4, 3, 3, 3, generator=generator),
        "conv1.half": torch.randn(5, generator=generator).half(),
        "bn1.running_mean": torch.randn(4, generator=generator),
        "bn1.num_batches_tracked": torch.tensor(7),
        "empty": torch.zeros(0, 3),
    }


def small_module() -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return nn.Sequential(
            nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Sequential(nn.ReLU(), nn.Conv2d(4, 2, 1))
        ).eval()


def saved(value: object, *, legacy: bool = False) -> bytes:
    """What torch.save writes."""
    buffer = io.BytesIO()
    torch.save(value, buffer, _use_new_zipfile_serialization=not legacy)
    return buffer.getvalue()


def scripted(module: nn.Module, *, trace: bool = True) -> bytes:
    """A TorchScript archive."""
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if trace:
            dtype = next(module.parameters()).dtype
            made = torch.jit.trace(module, torch.zeros(1, 3, 8, 8, dtype=dtype))
        else:
            made = torch.jit.script(module)
        torch.jit.save(made, buffer)
    return buffer.getvalue()


GOOD: dict[str, Callable[[], bytes]] = {
    "zip": lambda: saved({"epoch": 3, "state_dict": small_state(), "optimizer": {"lr": 0.1}}),
    "legacy": lambda: saved({"epoch": 3, "state_dict": small_state()}, legacy=True),
    "safetensors": lambda: safetensors.torch.save(small_state(), metadata={"who": "me"}),
    "torchscript": lambda: scripted(small_module()),
}


def members_of(content: bytes) -> dict[str, bytes]:
    """The members of an archive by name."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(members: Mapping[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    """An archive of these members."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def changed(content: bytes, **members: bytes | None) -> bytes:
    """An archive with members added, exchanged or, for None, left out; ``__`` stands for ``/``."""
    now = members_of(content)
    top = next(iter(now)).partition("/")[0]
    for name, new in members.items():
        now.pop(f"{top}/{name}", None)
        if new is not None:
            now[f"{top}/{name}"] = new
    return packed(now)
