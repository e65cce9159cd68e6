import math

import pytest
import torch

from mimic.mutual_information.distributions import (
    TAIL,
    correlated,
    correlation_for,
    half_cube,
    known_cases,
    mapped,
    spiral,
    student,
    student_excess,
)
from mimic.mutual_information.nearest_neighbors import ksg_information


def log_student(values: torch.Tensor, covariance: torch.Tensor, freedom: int) -> torch.Tensor:
    """Log density of a multivariate Student-t, written out."""
    dims = values.shape[1]
    distance = (values @ torch.linalg.inv(covariance) * values).sum(1)
    constant = math.lgamma((freedom + dims) / 2) - math.lgamma(freedom / 2)
    constant -= dims / 2 * math.log(freedom * math.pi) + float(torch.logdet(covariance)) / 2
    return constant - (freedom + dims) / 2 * torch.log1p(distance / freedom)


@pytest.mark.parametrize("dims", [1, 2, 10])
def test_students_information_agrees_with_monte_carlo(dims: int) -> None:
    rho = correlation_for(1.0, dims)
    random = torch.Generator().manual_seed(0)
    x, y = (side.double() for side in student(correlated(dims, rho, dims))(100_000, random))
    eye = torch.eye(dims, dtype=torch.float64)
    covariance = torch.cat([torch.cat([eye, rho * eye], 1), torch.cat([rho * eye, eye], 1)])
    gain = log_student(torch.cat([x, y], 1), covariance, TAIL)
    gain = gain - log_student(x, eye, TAIL) - log_student(y, eye, TAIL)
    error = 4 * float(gain.std()) / math.sqrt(len(gain))
    assert float(gain.mean()) == pytest.approx(1.0 + student_excess(dims, dims), abs=error)
    assert error < 0.03


@pytest.mark.parametrize("nats", [0.0, 0.5, 2.0, 5.0])
def test_gaussians_carry_what_they_are_made_to(nats: float) -> None:
    dims = 4
    x, y = correlated(dims, correlation_for(nats, dims), dims)(
        200_000, torch.Generator().manual_seed(0)
    )
    joint = torch.corrcoef(torch.cat([x, y], 1).double().T)
    parts = joint[:dims, :dims], joint[dims:, dims:]
    found = (sum(torch.logdet(part) for part in parts) - torch.logdet(joint)) / 2
    assert float(found) == pytest.approx(nats, abs=0.01)


def test_sparse_gaussians_interact_in_two_coordinates_only() -> None:
    (sparse,) = [case for case in known_cases(10) if case.name == "sparse gaussian"]
    x, y = sparse.pairs(50_000, 0)
    cross = (x.T @ y / len(x)).abs()
    rho = correlation_for(2.0, 2)
    assert cross.diagonal()[:2].tolist() == pytest.approx([rho, rho], abs=0.02)
    cross.diagonal()[:2] = 0
    assert float(cross.max()) < 0.03


def test_the_maps_can_be_undone() -> None:
    values = torch.randn(500, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    curved = half_cube(values)
    torch.testing.assert_close(curved.sign() * curved.abs().pow(2 / 3), values)
    turned = spiral(values)
    assert not torch.allclose(turned, values, atol=0.1)
    pairs = torch.view_as_complex(turned.view(500, 3, 2))
    back = pairs * torch.polar(torch.ones_like(pairs.real), -pairs.abs().pow(2) / 4)
    torch.testing.assert_close(torch.view_as_real(back).flatten(1), values)


def test_mapping_a_case_leaves_its_information_alone() -> None:
    draw = correlated(2, correlation_for(1.0, 2), 2)
    plain = ksg_information(*draw(3_000, torch.Generator().manual_seed(0)))
    turned = ksg_information(*mapped(draw)(3_000, torch.Generator().manual_seed(0)))
    assert plain == pytest.approx(1.0, abs=0.08)
    assert turned == pytest.approx(plain, abs=0.2)


def test_cases_are_standardised_and_repeat_by_seed() -> None:
    for case in known_cases(4):
        x, y = case.pairs(300, 1)
        assert x.shape == y.shape == (300, 4)
        for side in (x, y):
            torch.testing.assert_close(side.mean(0), torch.zeros(4), atol=1e-5, rtol=0)
            torch.testing.assert_close(side.std(0), torch.ones(4))
        assert torch.equal(case.pairs(300, 1)[1], y)
        assert not torch.equal(case.pairs(300, 2)[1], y)
    truths = {case.name: case.truth for case in known_cases(4)}
    assert truths["independent"] == 0
    assert truths["sparse gaussian"] == 2.0
    assert truths["student-t"] > 1.0
