import ctypes
import platform
import random

import numpy as np
import pytest
import torch

from mimic.compute import (
    autocast,
    choose_device,
    choose_precision,
    describe_device,
    generator,
    hand_over,
    host_generator,
    is_out_of_memory,
    keep_freed_memory,
    seed_everything,
)
from mimic.errors import ConfigError

CPU = torch.device("cpu")


def test_the_cpu_is_always_there() -> None:
    assert choose_device("cpu") == CPU
    assert choose_device("auto").type in {"cpu", "cuda", "mps"}
    assert "CPU" in describe_device(CPU)


@pytest.mark.parametrize("text", ["tpu9", "cuda:99", "", "cpu:x", "meta", "xpu"])
def test_devices_that_are_not_there_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="not available"):
        choose_device(text)


def test_precision_is_as_asked_and_auto_chooses_one_of_both() -> None:
    assert choose_precision("float32", CPU) == torch.float32
    assert choose_precision("bfloat16", CPU) == torch.bfloat16
    assert choose_precision("auto", CPU) in {torch.float32, torch.bfloat16}


def test_autocast_changes_products_only_when_asked() -> None:
    a = torch.ones(2, 2)
    with autocast(CPU, torch.float32):
        assert (a @ a).dtype == torch.float32
    with autocast(CPU, torch.bfloat16):
        assert (a @ a).dtype == torch.bfloat16


def test_seeding_reaches_every_library() -> None:
    def draws() -> tuple[float, float, float]:
        seed_everything(5)
        return random.random(), float(np.random.rand()), float(torch.rand(()))  # noqa: NPY002

    assert draws() == draws()


def test_trainings_draw_on_the_host_and_small_tensors_move_as_they_are() -> None:
    assert host_generator(3).device == CPU
    assert torch.equal(torch.rand(3, generator=host_generator(3)),
                       torch.rand(3, generator=generator(CPU, 3)))  # fmt: skip
    assert torch.equal(hand_over(torch.arange(3), CPU), torch.arange(3))


def test_each_process_of_a_machine_has_its_own_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    assert choose_device("auto") == choose_device("cuda") == torch.device("cuda")
    monkeypatch.setenv("LOCAL_RANK", "3")
    assert choose_device("auto") == choose_device("cuda") == torch.device("cuda:3")
    assert choose_device("cuda:1") == torch.device("cuda:1")
    monkeypatch.setenv("LOCAL_RANK", "4")
    with pytest.raises(ConfigError, match="not available"):
        choose_device("cuda")


def test_lack_of_memory_is_told_from_other_errors() -> None:
    assert is_out_of_memory(MemoryError())
    assert is_out_of_memory(torch.OutOfMemoryError("x"))
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**60, dtype=torch.uint8)  # a real refusal of this machine's allocator
    assert is_out_of_memory(caught.value)
    assert not is_out_of_memory(RuntimeError("shapes do not match"))
    assert not is_out_of_memory(ValueError("out of memory"))


def test_only_glibc_can_be_told_to_keep_freed_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    assert keep_freed_memory() == (platform.libc_ver()[0] == "glibc")
    monkeypatch.setattr(ctypes, "CDLL", lambda _name: object())  # as on macOS: no mallopt
    assert not keep_freed_memory()


def test_generators_are_seeded_streams_of_their_own() -> None:
    first = torch.rand(3, generator=generator(CPU, 1))
    torch.manual_seed(9)
    assert torch.equal(first, torch.rand(3, generator=generator(CPU, 1)))
    assert not torch.equal(first, torch.rand(3, generator=generator(CPU, 2)))
