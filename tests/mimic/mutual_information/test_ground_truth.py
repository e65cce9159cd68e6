import pytest
import torch

from mimic.errors import ConfigError
from mimic.mutual_information.distributions import known_cases
from mimic.mutual_information.ground_truth import TableSettings, as_text, ground_truth_table, rows

CPU = torch.device("cpu")
SMALL = TableSettings(
    pairs=400, seeds=2, critics=1, epochs=3, batch_size=64, dimensions=(2,),
    estimators=("infonce", "ksg"),
)  # fmt: skip


def test_every_case_meets_every_estimator_and_its_exact_value() -> None:
    told: list[tuple[float, str]] = []
    table = ground_truth_table(SMALL, device=CPU, on_progress=lambda *step: told.append(step))
    cases = [(case.name, case.truth) for case in known_cases(2)]
    assert [(row["distribution"], row["truth"]) for row in table["rows"]] == 2 * cases
    assert [share for share, _ in told] == [0, 0.5]
    for row in table["rows"]:
        assert row["error"] == pytest.approx(row["estimate"] - row["truth"])
        assert row["seconds"] > 0
        assert (row["ceiling"] is not None) == (row["estimator"] == "infonce")
    assert table["settings"]["pairs"] == 400
    assert table["machine"].startswith("CPU")
    text = as_text(table)
    assert len(text.split("\n")) == 2 + len(table["rows"])
    assert "sparse gaussian" in text


def test_the_spread_is_that_of_independent_draws() -> None:
    both = list(rows(SMALL, device=CPU))
    single = TableSettings(
        pairs=400, seeds=1, critics=1, epochs=3, batch_size=64, dimensions=(2,),
        estimators=("ksg",),
    )  # fmt: skip
    assert all(row.spread == 0 for row in rows(single, device=CPU))
    assert max(row.spread for row in both if row.estimator == "ksg") > 0


def test_the_recommended_estimator_is_held_to_its_target_case() -> None:
    table = ground_truth_table(
        TableSettings(
            pairs=1_500, seeds=1, critics=1, epochs=8, batch_size=128, dimensions=(10,),
            estimators=("infonce",),
        ),
        device=CPU,
    )  # fmt: skip
    reached = table["recommended"]
    assert reached["estimator"] == "infonce"
    assert -0.35 < reached["relative_error"] < 0.1
    assert reached["nats_of_independent_pairs"] <= 0.05


def test_settings_that_make_no_table_are_refused() -> None:
    with pytest.raises(ConfigError, match="make no table"):
        TableSettings(seeds=0)
    with pytest.raises(ConfigError, match="no estimator 'guess'"):
        TableSettings(estimators=("guess",))
