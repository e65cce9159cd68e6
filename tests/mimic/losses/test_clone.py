import math

import pytest
import torch

from mimic.losses import clone_loss


def test_loss_agrees_with_a_loop() -> None:
    torch.manual_seed(0)
    student, teacher = torch.randn(4, 5), torch.randn(4, 5)
    cosines = []
    for s, t in zip(student.tolist(), teacher.tolist(), strict=True):
        dot = sum(a * b for a, b in zip(s, t, strict=True))
        cosines.append(dot / math.sqrt(sum(a * a for a in s)) / math.sqrt(sum(b * b for b in t)))
    assert float(clone_loss(student, teacher)) == pytest.approx(-sum(cosines) / 4, rel=1e-5)


def test_loss_is_minus_one_for_equal_and_one_for_opposite_directions() -> None:
    torch.manual_seed(1)
    features = torch.randn(6, 8)
    assert float(clone_loss(features, features)) == pytest.approx(-1)
    assert float(clone_loss(features, 3 * features)) == pytest.approx(-1)
    assert float(clone_loss(features, -features)) == pytest.approx(1)
    assert float(clone_loss(torch.eye(4), torch.eye(4).roll(1, 0))) == pytest.approx(0)


def test_gradient_descent_turns_the_student_towards_a_fixed_teacher() -> None:
    torch.manual_seed(2)
    teacher = torch.randn(4, 6)
    student = torch.randn(4, 6)
    before, kept = float(clone_loss(student, teacher)), teacher.clone()
    student.requires_grad_(True)
    for _ in range(200):
        (grad,) = torch.autograd.grad(clone_loss(student, teacher), student)
        student = (student - grad).detach().requires_grad_(True)
    assert float(clone_loss(student.detach(), teacher)) < min(before, -0.99)
    assert torch.equal(teacher, kept)
    assert not teacher.requires_grad


def test_half_precision_features_give_a_float32_loss() -> None:
    features = torch.randn(3, 4, generator=torch.Generator().manual_seed(0)).bfloat16()
    loss = clone_loss(features, features)
    assert loss.dtype == torch.float32
    assert float(loss) == pytest.approx(-1, abs=1e-6)
