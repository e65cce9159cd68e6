import math

import pytest
import torch

from mimic.mutual_information.distributions import correlated, correlation_for
from mimic.mutual_information.nearest_neighbors import ksg_information, principal_components


@pytest.mark.parametrize("nats", [0.0, 0.5, 2.0])
def test_gaussians_of_few_dimensions_are_estimated_near_the_truth(nats: float) -> None:
    draw = correlated(2, correlation_for(nats, 2), 2)
    found = ksg_information(*draw(2_000, torch.Generator().manual_seed(0)))
    assert found == pytest.approx(nats, abs=0.03 + 0.06 * nats)


def test_the_formula_agrees_with_counting_by_hand() -> None:
    random = torch.Generator().manual_seed(0)
    x, y = torch.randn(40, 2, generator=random), torch.randn(40, 1, generator=random)
    total = 0.0
    for i in range(40):
        far_x = [float((x[i] - x[j]).abs().max()) for j in range(40) if j != i]
        far_y = [float((y[i] - y[j]).abs().max()) for j in range(40) if j != i]
        radius = sorted(max(pair) for pair in zip(far_x, far_y, strict=True))[2]
        for far in (far_x, far_y):
            inside = sum(distance < radius for distance in far)
            total += float(torch.digamma(torch.tensor(inside + 1.0)))
    psi = [float(torch.digamma(torch.tensor(float(n)))) for n in (3, 40)]
    assert ksg_information(x, y, neighbors=3) == pytest.approx(sum(psi) - total / 40, abs=1e-5)


def test_principal_components_keep_what_varies_most() -> None:
    random = torch.Generator().manual_seed(0)
    wide = torch.randn(200, 8, generator=random) * torch.tensor([9.0, 1, 1, 7, 1, 1, 1, 1])
    kept = principal_components(wide, torch.arange(150), components=2)
    assert kept.shape == (200, 2)
    for column, strong in ((0, 0), (1, 3)):
        both = torch.stack([kept[:, column], wide[:, strong]])
        assert abs(float(torch.corrcoef(both)[0, 1])) > 0.85
    narrow = principal_components(wide[:, :2], torch.arange(150), components=5)
    torch.testing.assert_close(narrow, wide[:, :2] - wide[:150, :2].mean(0))


def test_a_linear_map_with_noise_is_seen() -> None:
    random = torch.Generator().manual_seed(1)
    x = torch.randn(1_000, 1, generator=random)
    y = x + torch.randn(1_000, 1, generator=random)
    assert ksg_information(x, y) == pytest.approx(math.log(2) / 2, abs=0.08)
