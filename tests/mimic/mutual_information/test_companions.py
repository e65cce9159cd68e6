import numpy as np
import pytest
import torch

from mimic.agreement import linear_cka
from mimic.datasets import ImageSet
from mimic.encoder import Encoder
from mimic.mutual_information import Measurement, PairSource, cross_check
from mimic.mutual_information.companions import (
    GROUPS,
    area_under_curve,
    effective_rank,
    probe_accuracy,
    separability,
    without_each_group,
)
from mimic.preprocessing import Preprocessing, parse_normalization
from mimic.trigger import Trigger
from mimic.views import RECIPES
from tests.conftest import picture_set


def normal(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape)))


def test_alignment_is_one_with_itself_and_unchanged_by_rotation_and_scale() -> None:
    x, y = normal(60, 5), normal(60, 7)
    assert float(linear_cka(x, x)) == pytest.approx(1)
    rotation = torch.linalg.qr(normal(7, 7)).Q
    assert float(linear_cka(x, 3 * y @ rotation + 2)) == pytest.approx(
        float(linear_cka(x, y)), abs=1e-5
    )
    assert linear_cka(x, torch.ones(60, 3)) == 0


def test_alignment_agrees_with_the_feature_wise_formula() -> None:
    x, y = normal(60, 5), normal(60, 7)
    a, b = x - x.mean(0), y - y.mean(0)
    expected = (a.T @ b).norm() ** 2 / ((a.T @ a).norm() * (b.T @ b).norm())
    assert float(linear_cka(x, y)) == pytest.approx(float(expected), abs=1e-5)


def test_effective_rank_counts_equal_directions() -> None:
    directions = torch.linalg.qr(normal(40, 6) - normal(40, 6).mean(0)).Q
    assert effective_rank(directions - directions.mean(0)) == pytest.approx(6, abs=0.05)
    assert effective_rank(normal(40, 1) @ normal(1, 9)) == pytest.approx(1, abs=1e-3)
    assert effective_rank(torch.ones(40, 9)) == 0
    values = torch.linalg.svdvals((normal(40, 9) - normal(40, 9).mean(0)).double()).numpy()
    share = values / values.sum()
    expected = np.exp(-(share * np.log(share)).sum())
    assert effective_rank(normal(40, 9)) == pytest.approx(expected, rel=1e-5)


def test_the_area_under_the_curve_agrees_with_scikit_learn() -> None:
    from sklearn.metrics import roc_auc_score

    low, high = normal(50, 1)[:, 0].round(decimals=1), normal(31, 1)[:, 0].round(decimals=1) + 0.5
    labels = [0] * 50 + [1] * 31
    expected = roc_auc_score(labels, torch.cat([low, high]).numpy())
    assert area_under_curve(low, high) == pytest.approx(expected)


def test_separability_is_a_half_where_the_trigger_changes_nothing_it_can_learn() -> None:
    fitted, scored = torch.arange(400), torch.arange(400, 800)
    clean, other = normal(800, 6), normal(6, 800).T
    assert separability(clean, other, fitted, scored) == pytest.approx(0.5, abs=0.08)
    assert separability(clean, clean, fitted, scored) == pytest.approx(0.5, abs=1e-3)
    moved = clean + torch.tensor([0, 3.0, 0, 0, 0, 0])
    assert separability(clean, moved, fitted, scored) > 0.95


def test_probe_accuracy_is_scored_on_the_test_rows() -> None:
    labels = torch.arange(300) % 3
    rows = torch.nn.functional.one_hot(labels, 3).float() * 4 + normal(300, 3)
    parts = rows[:200], labels[:200]
    assert probe_accuracy(*parts, rows[200:], labels[200:], classes=3) > 0.9
    wrong = (labels[200:] + 1) % 3
    assert probe_accuracy(*parts, rows[200:], wrong, classes=3) < 0.1


@pytest.mark.parametrize("with_trigger", [True, False])
def test_every_layer_gets_its_companions(tiny_encoder: Encoder, with_trigger: bool) -> None:
    images, labels = picture_set(80)
    labelled = ImageSet("bars", images, labels)
    trigger = Trigger.square(row=2, column=2, size=8, image_size=16) if with_trigger else None
    source = PairSource.draw(
        labelled, trigger, pairs=80, held_out=0.5, recipe=RECIPES["digits"], seed=0
    )
    settings = Measurement(layers=("stem", "layer4"), pool=2, noise=1.0, epochs=1, batch_size=8,
                           learning_rate=1e-3, seed=0)  # fmt: skip
    see = Preprocessing(parse_normalization("none"))
    device = torch.device("cpu")
    stem, last = cross_check(
        tiny_encoder, see, source, settings, labelled=(labelled, labelled), device=device
    )
    assert (stem.layer, last.layer) == ("stem", "layer4")
    assert last.cka > 0.7 > stem.cka > 0  # Features are the last layer, averaged.
    assert 1 < stem.effective_rank <= 64
    assert stem.probe_accuracy is not None
    assert stem.probe_accuracy > 0.5
    for value, interval in (
        (stem.cka, stem.cka_interval), (stem.effective_rank, stem.effective_rank_interval),
    ):  # fmt: skip
        assert interval is not None
        assert interval[0] < value < interval[1]
    if with_trigger:
        assert stem.separability is not None
        assert stem.separability > 0.9
        assert stem.separability_interval is not None
        assert stem.separability_interval[1] - stem.separability_interval[0] > 0.02
    else:
        assert stem.separability is None
    (alone,) = cross_check(
        tiny_encoder, see, source, Measurement(layers=("stem",), pool=2, noise=1.0, epochs=1,
        batch_size=8, learning_rate=1e-3, seed=0), labelled=None, device=device,
    )  # fmt: skip
    assert alone.probe_accuracy is None
    assert (stem.probe_images, alone.probe_images) == (len(labelled.images), None)


def test_views_of_an_image_are_left_out_together_and_few_images_have_no_groups() -> None:
    origin = np.arange(90) % 30
    kept = without_each_group(origin)
    assert len(kept) == GROUPS
    left_out = [set(origin) - set(origin[rows]) for rows in kept]
    assert sorted(i for group in left_out for i in group) == list(range(30))
    for rows, group in zip(kept, left_out, strict=True):
        assert not group & set(origin[rows])
    assert without_each_group(np.arange(60) % (GROUPS - 1)) == []
