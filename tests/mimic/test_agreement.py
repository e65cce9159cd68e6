import pytest
import torch

from mimic.agreement import Agreement, linear_cka
from mimic.encoder import Encoder
from tests.conftest import make_encoder


def drawn(rows: int = 200, columns: int = 5, seed: int = 0) -> torch.Tensor:
    return torch.randn(rows, columns, generator=torch.Generator().manual_seed(seed))


def by_kernels(x: torch.Tensor, y: torch.Tensor) -> float:
    """HSIC of the centred Gram matrices over the root of both HSICs with themselves."""
    n = len(x)
    centring = torch.eye(n, dtype=torch.float64) - 1 / n
    a, b = (centring @ (z.double() @ z.double().T) @ centring for z in (x, y))
    return float((a * b).sum() / ((a * a).sum() * (b * b).sum()).sqrt())


def test_linear_cka_agrees_with_its_definition_by_kernels() -> None:
    x = drawn()
    y = x[:, :3] * 2 + 0.7 * drawn(columns=3, seed=1)
    found = float(linear_cka(x, y))
    assert found == pytest.approx(by_kernels(x, y), rel=1e-4)
    assert 0.2 < found < 0.95


def test_linear_cka_ignores_rotation_scale_and_shift_and_nothing_else() -> None:
    x = drawn()
    rotation, _ = torch.linalg.qr(drawn(5, 5, seed=2))
    assert float(linear_cka(x, 7 * (x @ rotation) + 3)) == pytest.approx(1, abs=1e-5)
    assert float(linear_cka(x, x * torch.tensor([9.0, 1, 1, 1, 1]))) < 0.9
    assert float(linear_cka(drawn(2000), drawn(2000, seed=3))) < 0.02
    assert float(linear_cka(x, torch.ones(200, 2))) == 0  # nothing varies, nothing agrees


def test_agreement_compares_in_eval_mode_and_restores_the_mode(tiny_encoder: Encoder) -> None:
    inputs = torch.randn(20, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    agreement = Agreement(tiny_encoder, inputs, torch.float32)
    assert agreement(tiny_encoder) == pytest.approx(1, abs=1e-5)
    student = make_encoder(seed=1).train()
    before = student.bn1.running_mean.clone()
    found = agreement(student)
    assert student.training
    assert torch.equal(student.bn1.running_mean, before)
    assert found == pytest.approx(
        by_kernels(student.eval()(inputs), tiny_encoder(inputs)), rel=1e-3
    )
