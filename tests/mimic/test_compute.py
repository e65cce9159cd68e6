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


def test_generators_are_seeded_streams_of_their_own() -> None:
    first = torch.rand(3, generator=generator(CPU, 1))
    torch.manual_seed(9)
    assert torch.equal(first, torch.rand(3, generator=generator(CPU, 1)))
    assert not torch.equal(first, torch.rand(3, generator=generator(CPU, 2)))
