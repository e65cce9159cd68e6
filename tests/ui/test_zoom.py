import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mimic.run import Run
from tests.ui.test_pages import open_page
from ui import agreement_chart, charts, live_charts, zoom


def records(count: int) -> list[dict[str, Any]]:
    evaluation = {"accuracy": 0.9, "asr": 0.02}
    return [
        {"epoch": e, "epochs": 20, "loss": 5.0 + e, "agreement": 0.5, "evaluation": evaluation}
        for e in range(1, count + 1)
    ]


def spec(chart: Any) -> dict[str, Any]:
    found: dict[str, Any] = chart.to_dict()
    del found["datasets"]
    return found


def test_a_part_of_the_training_is_drawn_and_its_losses_fit_the_height() -> None:
    drawn = live_charts.losses(records(12), 10, since=5)
    assert [row["epoch"] for row in drawn.datasets["lines"]] == [5, 6, 7, 8, 9, 10]
    line = drawn.to_dict()["layer"][0]["encoding"]
    assert line["x"]["scale"]["domain"] == [5, 10]
    assert line["y"]["scale"]["zero"] is False
    whole = live_charts.losses(records(12), 20).to_dict()["layer"][0]["encoding"]
    assert whole["y"]["scale"]["zero"] is True
    assert live_charts.ticks(10, 5) == [5, 6, 7, 8, 9, 10]
    assert live_charts.ticks(37, 11) == [15, 20, 25, 30, 35]


def test_new_epochs_leave_the_zoomed_chart_as_it_is_but_for_its_data() -> None:
    """The browser keeps a chart's node only where nothing but the data has changed."""
    for draw in (
        lambda lines: live_charts.losses(lines, 15, since=5),
        lambda lines: live_charts.scores(lines, 15, [], since=5),
        lambda lines: agreement_chart.drawn(lines, 15, 5),
    ):
        before, after = draw(records(8)), draw(records(14))
        assert spec(before) == spec(after)
        assert len(after.datasets["lines"]) > len(before.datasets["lines"])


def test_experts_zoom_into_a_run_at_work(
    runs_root: Path, fabricate: Callable[[Path], None], distill_run: Callable[..., Run]
) -> None:
    fabricate(runs_root)
    run = distill_run(runs_root, "distill-now", "running")
    app = open_page("distil", run=run.id, mode="expert")
    key = zoom.key(run.id)
    lowest, highest = app.slider(key=key).min, app.slider(key=key).max
    assert app.slider(key=key).value == (lowest, highest)
    app.slider(key=key).set_value((1, 3)).run()
    assert not app.exception
    specs = [json.loads(chart.proto.spec) for chart in app.get("vega_lite_chart")]
    assert [s["layer"][-1]["encoding"]["x"]["datum"] for s in specs] == [3, 3, 3]
    simple = open_page("distil", run=run.id, mode="simple")
    assert key not in [slider.key for slider in simple.slider]


def test_charts_of_an_ended_training_have_buttons_to_zoom() -> None:
    buttons = [name for group in charts.ZOOM_TOOLS["modeBarButtons"] for name in group]
    assert {"zoomIn2d", "zoomOut2d", "resetScale2d", "toImage"} == set(buttons)
