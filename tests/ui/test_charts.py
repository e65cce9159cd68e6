import pytest

from ui import charts, live_charts, palette

CURVES = [
    {"network": n, "input": g, "layers": {"stem": 0.2, "layer1": v}}
    for n, g, v in (
        ("teacher", "clean", 1.0),
        ("teacher", "triggered", 0.01),
        ("random", "clean", 1),
    )
]
SCORES = {
    "teacher": {"accuracy": 0.99, "accuracy_interval": [0.97, 1.0], "asr": 1.0,
                "asr_interval": [0.98, 1.0]},
    "student": {"accuracy": 0.97, "accuracy_interval": [0.95, 0.98], "asr": None,
                "asr_interval": None},
    "clean_twin": None,
}  # fmt: skip


def test_each_curve_is_told_by_colour_and_by_shape() -> None:
    figure = charts.information_curves(CURVES, ["stem", "layer1"])
    looks = [(t.line.color, t.line.dash, t.marker.symbol) for t in figure.data]
    assert looks[0] == (palette.SUSPECT, "solid", "circle")
    assert looks[1] == (palette.SUSPECT, "dash", "x")
    assert looks[2][0] == palette.RANDOM
    assert figure.layout.yaxis.title.text == "information (nats)"


def test_every_line_has_its_name_at_its_end() -> None:
    figure = charts.information_curves(CURVES, ["stem", "layer1"])
    named = {a.text for a in figure.layout.annotations}
    assert named == {"suspect, clean", "suspect, triggered", "untrained, clean"}


def test_a_missing_value_leaves_a_gap_and_no_label() -> None:
    gap = [{"network": "teacher", "input": "clean", "layers": {"stem": 1.0, "layer1": None}}]
    figure = charts.information_curves(gap, ["stem", "layer1"])
    assert figure.data[0].y[1] is None
    assert not figure.layout.annotations


def test_spread_keeps_order_and_makes_room() -> None:
    placed = charts.spread([1.0, 1.0, 1.01, 5.0], gap=0.5)
    assert all(b - a >= 0.49 for a, b in zip(sorted(placed)[:-1], sorted(placed)[1:], strict=True))
    assert placed[3] == 5.0
    assert placed[2] > placed[1]


def test_before_after_draws_only_what_was_measured() -> None:
    accuracy, success = (charts.before_after(SCORES, m) for m in ("accuracy", "asr"))
    assert {t.y[0]: t.x[0] for t in accuracy.data} == {
        "suspect": pytest.approx(99.0),
        "after cleaning": pytest.approx(97.0),
    }
    assert {t.y[0]: t.x[0] for t in success.data} == {"suspect": pytest.approx(100.0)}
    error = success.data[0].error_x
    assert error.array[0] == pytest.approx(0.0)
    assert error.arrayminus[0] == pytest.approx(2.0)


def test_switched_off_layers_say_so() -> None:
    bars = charts.weight_bars({"layer1": 3.25, "layer2": 0.0})
    assert list(bars.data[0].text) == ["3.2", "off"]


def records(epochs: int) -> list[dict[str, object]]:
    terms = {"loss": 2.0, "contrastive": 1.5, "attention": 0.5, "clone": None}
    untrained = {"epoch": 0, "evaluation": {"accuracy": 0.5, "asr": None}}
    return [untrained, *({"epoch": epoch, **terms} for epoch in range(1, epochs + 1))]


def test_loss_rows_leave_out_missing_terms_and_the_untrained_epoch() -> None:
    rows = live_charts.loss_rows(records(2))
    assert {r["term"] for r in rows} == {"total", "contrastive", "attention"}
    assert min(r["epoch"] for r in rows) == 1


def test_long_runs_are_thinned_but_keep_the_newest() -> None:
    thin = live_charts.thinned(records(5000))
    assert len(thin) <= live_charts.MOST_POINTS + 1
    assert thin[-1]["epoch"] == 5000


def test_scores_are_in_percent_and_skip_what_is_unknown() -> None:
    assert live_charts.score_rows(records(3)) == [
        {"epoch": 0, "measure": "accuracy", "percent": 50.0, "images": None}
    ]


def test_references_name_suspect_and_floor() -> None:
    rows = live_charts.reference_rows(
        {"teacher": {"accuracy": 0.6, "asr": 0.99}, "clean_twin": {"asr": 0.01}}
    )
    assert [round(r["percent"]) for r in rows] == [99, 60, 1]
    assert live_charts.reference_rows({"teacher": {"accuracy": None, "asr": None}}) == []


def test_live_charts_are_valid_vega_lite() -> None:
    lines = records(12)
    losses = live_charts.losses(lines, 12).to_dict()
    assert losses["layer"][0]["mark"]["type"] == "line"
    assert {row["term"] for row in losses["datasets"]["heads"]} == {
        "total",
        "contrastive",
        "attention",
    }
    layered = live_charts.scores(lines, 12, live_charts.reference_rows({})).to_dict()
    assert len(layered["layer"]) == 6
