import math

import pytest
import torch

from mimic.losses import attention_loss, attention_map


def loop_map(image: torch.Tensor) -> list[float]:
    channels, height, width = image.shape
    energy = [
        sum(float(image[c, h, w]) ** 2 for c in range(channels))
        for h in range(height)
        for w in range(width)
    ]
    length = math.sqrt(sum(e * e for e in energy))
    return [e / length for e in energy]


def loop_loss(student: torch.Tensor, teacher: torch.Tensor) -> float:
    squares = [
        (s - t) ** 2
        for a, b in zip(student, teacher, strict=True)
        for s, t in zip(loop_map(a), loop_map(b), strict=True)
    ]
    return sum(squares) / len(squares)


def test_map_and_loss_agree_with_loops_over_every_pixel() -> None:
    torch.manual_seed(0)
    student, teacher = torch.randn(3, 5, 4, 2), torch.randn(3, 7, 4, 2)
    expected = torch.tensor([loop_map(image) for image in student])
    torch.testing.assert_close(attention_map(student), expected)
    assert float(attention_loss(student, teacher)) == pytest.approx(
        loop_loss(student, teacher), rel=1e-5
    )


def test_loss_is_zero_for_equal_maps_and_positive_for_different_ones() -> None:
    torch.manual_seed(1)
    one, other = torch.randn(2, 3, 4, 4), torch.randn(2, 3, 4, 4)
    assert float(attention_loss(one, one)) == 0
    assert float(attention_loss(one, -one)) == 0
    assert float(attention_loss(one, other)) > 1e-4


@pytest.mark.parametrize("factor", [1e-3, 0.5, 40.0])
def test_loss_ignores_positive_scaling_of_either_side(factor: float) -> None:
    torch.manual_seed(2)
    student, teacher = torch.randn(2, 3, 4, 4), torch.randn(2, 3, 4, 4)
    plain = attention_loss(student, teacher)
    torch.testing.assert_close(attention_loss(student * factor, teacher), plain)
    torch.testing.assert_close(attention_loss(student, teacher * factor), plain)


def test_loss_reaches_but_never_exceeds_two_over_the_pixels() -> None:
    left, right = torch.zeros(2, 1, 3, 4), torch.zeros(2, 1, 3, 4)
    left[:, :, 0, 0] = 5
    right[:, :, 2, 3] = 0.1
    assert float(attention_loss(left, right)) == pytest.approx(2 / 12)
    torch.manual_seed(3)
    for _ in range(20):
        a, b = torch.randn(2, 2, 4, 3, 4).pow(5)
        assert float(attention_loss(a, b)) <= 2 / 12 + 1e-6


def test_an_inactive_layer_gives_finite_loss_and_gradient() -> None:
    silent = torch.zeros(2, 3, 4, 4, requires_grad=True)
    loss = attention_loss(silent, torch.ones(2, 3, 4, 4))
    loss.backward()
    assert math.isfinite(float(loss.detach()))
    assert silent.grad is not None
    assert torch.isfinite(silent.grad).all()


def test_half_precision_activations_are_compared_in_float32() -> None:
    torch.manual_seed(4)
    student, teacher = torch.randn(2, 3, 4, 4).bfloat16(), torch.randn(2, 3, 4, 4).bfloat16()
    loss = attention_loss(student, teacher)
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss, attention_loss(student.float(), teacher.float()))


def test_gradient_equals_a_finite_difference_and_lowers_the_loss() -> None:
    torch.manual_seed(5)
    student, teacher = torch.randn(1, 2, 2, 2, requires_grad=True), torch.randn(1, 2, 2, 2)
    attention_loss(student, teacher).backward()
    grad = student.grad
    assert grad is not None
    plain = student.detach()
    for place in [(0, 0, 0, 0), (0, 1, 1, 0)]:
        up, down = plain.clone(), plain.clone()
        up[place] += 1e-3
        down[place] -= 1e-3
        slope = (loop_loss(up, teacher) - loop_loss(down, teacher)) / 2e-3
        assert float(grad[place]) == pytest.approx(slope, rel=1e-2, abs=1e-4)
    assert attention_loss(plain - 0.1 * grad, teacher) < attention_loss(plain, teacher)
