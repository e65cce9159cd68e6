import torch
from torch import nn

from mimic.mutual_information.critics import (
    CRITICS,
    ConditionalGaussians,
    JointCritics,
    SeparableCritics,
    off_diagonal,
)

CPU = torch.device("cpu")


def sides(*widths: tuple[int, int], critics: int = 2, count: int = 6) -> list[list[torch.Tensor]]:
    random = torch.Generator().manual_seed(0)
    return [
        [torch.randn(critics, count, width[side], generator=random) for width in widths]
        for side in (0, 1)
    ]


def test_off_diagonal_entries_stay_in_their_rows() -> None:
    scores = torch.arange(16.0).view(1, 4, 4)
    expected = [[1, 2, 3], [4, 6, 7], [8, 9, 11], [12, 13, 14]]
    assert off_diagonal(scores)[0].tolist() == expected


def test_the_joint_critic_is_the_authors_mlp_on_the_joined_pair() -> None:
    x, y = sides((5, 3), (4, 3))
    critics = JointCritics([(5, 3), (4, 3)], [0, 1], CPU)
    order = torch.stack([torch.randperm(6), torch.randperm(6)])
    joint, product = critics(x, y, order)
    assert joint.shape == (4, 6)
    assert product.shape == (4, 6, 1)
    for problem, width in ((0, 5), (1, 4)):
        for seed in (0, 1):
            number = 2 * problem + seed
            layers = [nn.Linear(width + 3, 512), nn.Linear(512, 512), nn.Linear(512, 1)]
            halves = [critics.x_first[problem][seed], critics.y_first[problem][seed]]
            values = [
                (torch.cat(halves), critics.bias), (critics.middle[number], critics.middle_bias),
                (critics.last[number], critics.last_bias),
            ]  # fmt: skip
            with torch.no_grad():
                for layer, (weight, bias) in zip(layers, values, strict=True):
                    layer.weight.copy_(weight.T)
                    layer.bias.copy_(bias[number, 0])
            mlp = nn.Sequential(layers[0], nn.ReLU(), layers[1], nn.ReLU(), layers[2])
            for scores, partner in (
                (joint[number], y[problem][seed]),
                (product[number, :, 0], y[problem][seed][order[seed]]),
            ):
                pairs = torch.cat([x[problem][seed], partner], dim=1)
                torch.testing.assert_close(scores, mlp(pairs).squeeze(1))


def test_the_joint_critic_starts_within_an_undivided_layers_bounds() -> None:
    critics = JointCritics([(75, 25)], [0], CPU)
    for parameter in (critics.x_first[0], critics.y_first[0], critics.bias):
        assert 0.08 < float(parameter.detach().abs().max()) <= 0.1


def test_the_separable_critic_scores_all_pairs_as_one_by_one() -> None:
    x, y = sides((5, 3), critics=1)
    critics = SeparableCritics([(5, 3)], [4], CPU)
    joint, product = critics(x, y)
    assert product.shape == (1, 6, 5)
    swapped, _ = critics(x, [y[0].roll(-1, 1)])  # pairs x_n with y_(n+1)
    for row in range(5):
        torch.testing.assert_close(swapped[0, row], product[0, row, row])
    assert not torch.allclose(joint, swapped)


def test_the_conditional_model_is_a_gaussian_log_density() -> None:
    x, y = sides((4, 3), critics=1)
    model = ConditionalGaussians([(4, 3)], [0], CPU)
    joint, product = model(x, y)
    hidden = torch.relu(x[0][0] @ model.x_first[0][0] + model.bias[0])
    mean, raw = (hidden @ model.last[0][0] + model.last_bias[0][0]).chunk(2, dim=1)
    mean = mean + x[0][0] @ model.skip[0][0]
    deviation = (6 * torch.tanh(raw / 6)).exp().sqrt()
    for row in range(6):
        density = torch.distributions.Normal(mean[row], deviation[row]).log_prob(y[0][0]).sum(1)
        torch.testing.assert_close(joint[0, row], density[row], atol=1e-4, rtol=1e-4)
        others = torch.cat([density[:row], density[row + 1 :]])
        torch.testing.assert_close(product[0, row], others, atol=1e-4, rtol=1e-4)


def test_initial_critics_depend_on_their_own_seed_only() -> None:
    for kind in CRITICS.values():
        many = kind([(5, 3), (7, 3)], [3, 9], CPU).state_dict()
        one = kind([(7, 3)], [9], CPU).state_dict()
        stacked = [value for name, value in many.items() if "." not in name]
        alone = [value for name, value in one.items() if "." not in name]
        for value, expected in zip(stacked, alone, strict=True):
            torch.testing.assert_close(value[3:], expected)
