import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from mimic.run import list_runs
from tests.ui.test_pages import open_page, without_escapes
from ui import charts, companion_charts, glossary, palette

LAYERS = ["stem", "layer1", "layer2", "layer3", "layer4"]
CONVERGED = {"state": "converged", "sentence": "The fit has levelled off."}
OVERFITS = {"state": "overfits", "sentence": "The critic learns its pairs by heart."}
NEW = {
    "estimator": "infonce",
    "estimator_title": "InfoNCE",
    "direction": "lower",
    "ceiling": 5.7,
    "critics": 4,
    "reference": "van den Oord et al., 2018",
    "data_processing": "True information cannot rise with depth; estimates can.",
    "companions": [
        {"network": network, "layer": layer, "cka": 0.2 * place, "effective_rank": 3.0 + place,
         "probe_accuracy": 0.5, "separability": None}
        for network in ("teacher", "random")
        for place, layer in enumerate(LAYERS)
    ],
}  # fmt: skip


@pytest.fixture
def measured(runs_root: Path, fabricate: Callable[[Path], None]) -> Callable[..., AppTest]:
    """Opens the Layers page on a measurement with changed result keys."""
    fabricate(runs_root)
    path = runs_root / "demo-information" / "result.json"

    def opened(**changes: Any) -> AppTest:
        result = json.loads(path.read_text()) | NEW | changes
        for curve in result["curves"]:
            values = curve["layers"]
            curve["bands"] = {layer: [v - 0.1, v + 0.2] for layer, v in values.items()}
            curve["verdicts"] = dict.fromkeys(values, CONVERGED)
        result["curves"][1]["verdicts"] |= {"layer1": OVERFITS, "layer2": OVERFITS}
        path.write_text(json.dumps(result))
        return open_page("layers")

    return opened


def test_points_that_cannot_be_trusted_get_one_plain_warning_per_reason(
    measured: Callable[..., AppTest],
) -> None:
    app = measured()
    assert not app.exception
    (warning,) = [w.value.replace("\\", "") for w in app.info]  # No warning: the conclusion stands.
    assert not app.warning
    assert "**suspect, triggered: layer1 and layer2**: overfits. The critic learns" in warning
    assert "levelled off" not in warning
    assert "Does the conclusion stand?** Yes: counting only stem, layer3 and layer4," in warning


def test_doubts_warn_where_the_conclusion_may_not_stand(measured: Callable[..., AppTest]) -> None:
    app = measured()
    (run,) = [r for r in list_runs() if r.kind == "information"]
    result = run.result() or {}
    result["curves"][1]["verdicts"] = dict.fromkeys(result["layers"], OVERFITS)
    run.write_json("result.json", result)
    app = app.run()
    (warning,) = [w.value.replace("\\", "") for w in app.warning]
    assert "Does the conclusion stand?** Perhaps" in warning
    assert "How sure are these curves?" in [h.value for h in app.header]


def test_simple_tells_doubts_and_lines_in_plain_words(
    measured: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ui.mode.DEFAULT", "simple")
    app = measured()
    (warning,) = [w.value.replace("\\", "") for w in app.info]  # No warning: the conclusion stands.
    assert not app.warning
    assert "learned by heart from too few images" in warning
    assert "critic" not in warning
    told = without_escapes(app)
    assert "Heights of different networks do not compare" in told
    assert "CKA" not in told.replace(glossary.entry("CKA"), "")  # Where it is asked for.
    (chart,) = [c.proto for c in app.get("plotly_chart")]
    assert "untrained" not in chart.spec


def test_experts_see_the_untrained_network_with_its_caveat(
    measured: Callable[..., AppTest],
) -> None:
    app = measured()
    assert "So the untrained network lies on top although it has learned nothing." in (
        without_escapes(app)
    )
    assert "untrained" in app.get("plotly_chart")[0].proto.spec


def test_the_caption_and_the_limits_say_what_a_curve_may_say(
    measured: Callable[..., AppTest],
) -> None:
    told = without_escapes(measured())
    assert "Lower bound on the mutual information (InfoNCE) between a layer" in told
    assert "True information cannot rise with depth" in told
    assert "more than 5.70 nats" in told
    assert "lowest to the highest of 4 critics" in told
    assert "Estimate (no bound on either side)" in without_escapes(measured(direction="neither"))


def test_the_cross_check_draws_what_there_is_and_names_what_is_missing(
    measured: Callable[..., AppTest],
) -> None:
    app = measured()
    told = without_escapes(app)
    assert "Not measured here: Triggered or clean? (AUC)" in told
    alts = [c.proto.alt for c in app.get("plotly_chart")]
    assert sum("per layer. Suspect: stem" in words for words in alts) == 4  # Information first.
    assert "Likeness to the output (CKA) per layer. Suspect: stem 0.00, layer1 0.20" in " ".join(
        alts
    )


def test_a_run_from_before_shows_none_of_it(
    runs_root: Path, fabricate: Callable[[Path], None]
) -> None:
    fabricate(runs_root)
    app = open_page("layers")
    assert not app.exception
    told = without_escapes(app)
    assert "Lower bound on the mutual information between a layer" in told
    assert not app.warning
    assert "Cross-check" not in told
    assert "What may a curve say?" not in [e.label for e in app.expander]


def test_scores_on_fitting_pairs_are_called_that(measured: Callable[..., AppTest]) -> None:
    told = without_escapes(measured(held_out_pairs=0, noise=0))
    assert "the encoder's output without noise, measured on the 900 pairs the critic was" in told


def test_whiskers_reach_to_the_lowest_and_highest_critic() -> None:
    curve = {
        "network": "teacher", "input": "clean", "layers": {"stem": 1.0, "layer1": 2.0, "x": None},
        "bands": {"stem": [0.8, 1.5], "x": [0.0, 1.0]},
    }  # fmt: skip
    figure = charts.information_curves([curve], ["stem", "layer1", "x"])
    error = figure.data[0].error_y
    assert error.array == pytest.approx((0.5, 0.0, 0.0))
    assert error.arrayminus == pytest.approx((0.2, 0.0, 0.0))
    del curve["bands"]
    assert charts.information_curves([curve], ["stem"]).data[0].error_y.array is None


def test_companions_differ_by_colour_and_shape_and_accuracy_is_in_percent() -> None:
    figure = companion_charts.companion_chart(NEW["companions"], "probe_accuracy", LAYERS)
    assert list(figure.data[0].y) == [50.0] * 5
    looks = {(t.line.color, t.marker.symbol) for t in figure.data}
    assert looks == {(palette.SUSPECT, "circle"), (palette.RANDOM, "square")}


def test_an_axis_does_not_blow_up_what_is_no_difference() -> None:
    rows = [
        {"network": "teacher", "layer": layer, "separability": 1 - 5e-5 * place,
         "probe_accuracy": 0.97 + 0.005 * place}
        for place, layer in enumerate(LAYERS)
    ]  # fmt: skip
    low, high = companion_charts.companion_chart(rows, "separability", LAYERS).layout.yaxis.range
    assert (low, high) == pytest.approx((0.48, 1.02))
    accuracy = companion_charts.companion_chart(rows, "probe_accuracy", LAYERS)
    assert accuracy.layout.yaxis.range == (-2, 102)
    assert accuracy.data[0].error_y.array is None
    counted = [row | {"probe_interval": (0.95, 0.995)} for row in rows]
    accuracy = companion_charts.companion_chart(counted, "probe_accuracy", LAYERS)
    assert accuracy.layout.yaxis.range == pytest.approx((89.0, 100.0))
    assert accuracy.data[0].error_y.arrayminus[0] == pytest.approx(2.0)
    assert companion_charts.in_words(rows[:1], "probe_accuracy") == "Suspect: stem 97.0%."


def test_every_companion_gets_whiskers_and_a_place_in_the_table_where_they_are_known() -> None:
    row = {
        "network": "teacher", "layer": "stem", "cka": 0.5, "cka_interval": [0.4, 0.6],
        "effective_rank": 30.0, "effective_rank_interval": [28.0, 32.0],
        "separability": 1.0, "separability_interval": [0.785, 1.0],
    }  # fmt: skip
    for name, below in (("cka", 0.1), ("effective_rank", 2.0), ("separability", 0.215)):
        figure = companion_charts.companion_chart([row], name, ["stem"])
        assert figure.data[0].error_y.arrayminus[0] == pytest.approx(below)
    assert companion_charts.companion_chart(
        [row | {"separability_interval": [0.3, 1.0]}], "separability", ["stem"]
    ).layout.yaxis.range[0] == pytest.approx(0.28)
    table = companion_charts.table_row(row)
    assert (table["CKA, 95%"], table["rank, 95%"]) == ("0.400 to 0.600", "28.0 to 32.0")
    assert table["AUC, 95%"] == "0.785 to 1.000"
    assert companion_charts.table_row(row | {"cka_interval": None})["CKA, 95%"] == "–"


def test_a_measurement_without_sampling_errors_says_on_how_many_images_it_rests(
    measured: Callable[..., AppTest],
) -> None:
    told = without_escapes(measured(clean_images=58))
    assert "No sampling error of CKA, effective rank and probe accuracy was kept" in told
    assert "They rest on 58 clean images" in told
    known = [
        row | {"cka_interval": [row["cka"] - 0.3, row["cka"] + 0.3], "probe_images": 10,
               "effective_rank_interval": [row["effective_rank"] - 9, row["effective_rank"] + 9]}
        for row in NEW["companions"]
    ]  # fmt: skip
    told = without_escapes(measured(companions=known))
    assert "No sampling error" not in told
    assert "which may be chance" in told
    assert "from leaving out each twelfth of the images in turn" in told
