import pytest
import torch
from torch import nn

from mimic.config import DistillConfig
from mimic.encoder import Encoder, ProjectionHead
from mimic.errors import TrainingError
from mimic.update import Objective, gradient_in_memory, split_gradient, untouched_statistics
from tests.conftest import make_encoder

INPUTS = torch.randn(24, 3, 16, 16, generator=torch.Generator().manual_seed(0))  # 12 images


def objective(teacher: Encoder, *, training: bool, **changes: float) -> Objective:
    torch.manual_seed(1)
    student, head = make_encoder(seed=1).requires_grad_(True), ProjectionHead(32, 8)
    config = DistillConfig(temperature=0.3, clone_weight=2.0, **changes)  # type: ignore[arg-type]
    made = Objective(student, head, teacher, {"layer2": 5.0, "layer4": 30.0}, config, torch.float32)
    return made.train(training)


def gradients(module: nn.Module) -> dict[str, torch.Tensor]:
    return {k: p.grad.clone() for k, p in module.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("parts", [2, 3, 5, 12])
@pytest.mark.parametrize("changes", [{}, {"contrastive_weight": 0.0}])
def test_a_split_batch_has_the_gradient_of_the_whole(
    tiny_encoder: Encoder, parts: int, changes: dict[str, float]
) -> None:
    """Exactly so in eval mode, where batch-norm does not look at the batch."""
    whole = objective(tiny_encoder, training=False, **changes)
    loss, expected = whole(INPUTS)
    loss.backward()
    split = objective(tiny_encoder, training=False, **changes)
    terms = split_gradient(split, INPUTS, parts)
    torch.testing.assert_close(terms, expected, atol=1e-5, rtol=1e-4)
    found, wanted = gradients(split), gradients(whole)
    assert found.keys() == wanted.keys()
    assert max(float(g.abs().max()) for g in wanted.values()) > 1e-2
    for key, value in wanted.items():
        torch.testing.assert_close(found[key], value, atol=1e-5, rtol=1e-3, msg=key)


def test_each_row_moves_the_running_statistics_once(tiny_encoder: Encoder) -> None:
    split = objective(tiny_encoder, training=True)
    split_gradient(split, INPUTS, 3)
    assert int(split.student.bn1.num_batches_tracked) == 3
    assert all(m.track_running_stats for m in split.modules() if isinstance(m, nn.BatchNorm2d))
    before = {k: v.clone() for k, v in split.state_dict().items()}
    with torch.no_grad(), untouched_statistics(split):
        split.student(INPUTS)
    for key, value in split.state_dict().items():
        assert torch.equal(value, before[key]), key


class Narrow:
    """Raises as an allocator does when more rows than fit come in."""

    def __init__(self, rows: int, error: Exception) -> None:
        self.rows, self.error, self.seen = rows, error, list[int]()

    def __call__(self, _module: nn.Module, inputs: tuple[torch.Tensor]) -> None:
        self.seen.append(len(inputs[0]))
        if len(inputs[0]) > self.rows:
            raise self.error


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        RuntimeError("[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: "
                     "can't allocate memory: you tried to allocate 9 bytes."),
        RuntimeError("MPS backend out of memory (MPS allocated: 1 GB)."),
        MemoryError(),
    ],
    ids=["cuda", "cpu", "mps", "python"],
)  # fmt: skip
def test_when_memory_runs_out_the_batch_is_split_until_it_fits(
    tiny_encoder: Encoder, error: Exception
) -> None:
    whole = objective(tiny_encoder, training=False)
    _, expected = whole(INPUTS)
    split = objective(tiny_encoder, training=False)
    narrow = Narrow(8, error)
    split.student.register_forward_pre_hook(narrow)
    terms, parts = gradient_in_memory(split, split, INPUTS, 1)
    assert parts == 4
    assert narrow.seen == [24, 12] + [6] * 8  # whole, halves, then both passes over the quarters
    torch.testing.assert_close(terms, expected, atol=1e-5, rtol=1e-4)


def test_an_error_that_is_not_about_memory_is_not_hidden(tiny_encoder: Encoder) -> None:
    split = objective(tiny_encoder, training=False)
    narrow = Narrow(0, RuntimeError("shapes do not match"))
    split.student.register_forward_pre_hook(narrow)
    with pytest.raises(RuntimeError, match="shapes do not match"):
        gradient_in_memory(split, split, INPUTS, 1)
    assert narrow.seen == [24]


def test_the_smallest_micro_batch_that_does_not_fit_ends_it(tiny_encoder: Encoder) -> None:
    split = objective(tiny_encoder, training=True)
    split.student.register_forward_pre_hook(Narrow(2, torch.OutOfMemoryError("simulated")))
    with pytest.raises(TrainingError, match="even on micro-batches of 3 images"):
        gradient_in_memory(split, split, INPUTS, 1)
