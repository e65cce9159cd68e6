import json
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from mimic.run import Run
from tests.ui.test_pages import open_page, without_escapes
from ui import attention_chart, attention_grid, layer_focus, palette

WriteRun = Callable[..., Run]


@pytest.fixture
def looked(runs_root: Path, fabricate: Callable[[Path], None], attention_run: WriteRun) -> Run:
    """A subject with a measurement, a distillation and a look into its layers."""
    fabricate(runs_root)
    return attention_run(runs_root)


def focus(app: AppTest) -> AppTest:
    return app.segmented_control(key=layer_focus.KEY)


def test_the_lens_begins_where_the_suspect_looks_at_the_trigger_most(looked: Run) -> None:
    app = open_page("layers")
    assert not app.exception
    assert focus(app).value == "layer3"
    told = without_escapes(app)
    assert "In layer3 the suspect puts 60.0% there." in told
    assert "Image 1, class" in told
    assert "Image 5, class" not in told  # Six images, four to a page.


def test_another_layer_changes_sentence_maps_and_address(looked: Run) -> None:
    app = open_page("layers")
    focus(app).set_value("layer1").run()
    assert not app.exception
    told = without_escapes(app)
    assert "In layer1 the suspect puts" in told
    assert "In layer3 the suspect puts" not in told
    assert "map's 16 × 16 fields" in told
    assert app.query_params[layer_focus.KEY] in ("layer1", ["layer1"])
    again = open_page("layers", **{layer_focus.KEY: "layer4"})
    assert "In layer4 the suspect puts" in without_escapes(again)


def test_a_layer_the_run_left_out_is_said_to_be_missing(looked: Run) -> None:
    path = looked.directory / "result.json"
    result = json.loads(path.read_text())
    result["layers"] = ["layer3"]
    result["numbers"] = [row for row in result["numbers"] if row["layer"] == "layer3"]
    path.write_text(json.dumps(result))
    app = open_page("layers", **{layer_focus.KEY: "layer1"})
    assert not app.exception
    told = without_escapes(app)
    assert "layer1 was not looked into, only layer3." in told
    assert "or add it in “Look again” below." in told
    assert "Look again" in [e.label for e in app.expander]


def test_simple_shows_where_a_layer_looks_and_leaves_the_rest_to_experts(
    looked: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ui.mode.DEFAULT", "simple")
    app = open_page("layers")
    assert not app.exception
    told = without_escapes(app)
    assert "In layer3 the suspect puts 60.0% there." in told
    assert "Share of attention on the trigger" not in told
    assert "The numbers of the attention" not in [e.label for e in app.expander]


def test_every_picture_and_chart_says_what_it_shows(looked: Run) -> None:
    app = open_page("layers")
    charts = [chart.proto.alt for chart in app.get("plotly_chart")]
    (share,) = [words for words in charts if "Share of attention" in words]
    assert "suspect: stem 12.0%, layer1 13.0%, layer2 14.0%, layer3 60.0%" in share
    assert "covers 9.8% of the picture" in share
    tiles = [picture for image in app.get("image") for picture in image.proto.imgs]
    assert len(tiles) == 4 * (2 + 3 * 2) + 1  # Four images, and the scale of colours.
    assert all(tile.alt for tile in tiles)
    maps = looked.arrays("maps-layer3") or {}
    expected = attention_grid.place(maps["teacher_triggered"][0])
    (first,) = [
        t for t in tiles if t.alt.startswith("Image 1") and "the suspect on the tr" in t.alt
    ]
    assert first.caption == "suspect"
    assert first.alt.endswith(f"on the triggered image, layer3, looks most at the {expected}.")


def test_without_a_look_the_page_says_what_to_press(
    runs_root: Path, fabricate: Callable[[Path], None]
) -> None:
    fabricate(runs_root)
    app = open_page("layers")
    told = without_escapes(app)
    assert "Open “Look into the layers” above and press Look." in told
    assert "Look into the layers" in [e.label for e in app.expander]
    assert "python -m mimic attention" in told
    assert "--student demo-distill" in told


def test_a_failed_look_says_why_and_what_to_do(
    runs_root: Path, fabricate: Callable[[Path], None], attention_run: WriteRun
) -> None:
    fabricate(runs_root)
    run = attention_run(runs_root)
    (run.directory / "result.json").unlink()
    from dataclasses import replace

    failed = replace(run.status(), state="failed", cause="The file is gone.", remedy="Restore it.")
    run.write_status(failed)
    app = open_page("layers", attention_run=run.id)
    assert "The file is gone." in "".join(e.value for e in app.error).replace("\\", "")


def test_lines_differ_by_shape_and_the_area_is_drawn_beside_them(looked: Run) -> None:
    result = looked.result() or {}
    figure = attention_chart.share_by_layer(result)
    lines = {trace.name: trace for trace in figure.data}
    looks = {(t.line.color, t.marker.symbol) for t in list(lines.values())[:3]}
    assert len(looks) == 3
    assert lines["suspect"].line.color == palette.SUSPECT
    assert list(lines["suspect"].y) == pytest.approx([12, 13, 14, 60, 16])
    assert set(lines["trigger's area"].y) == {100 * 25 / 256}
    assert list(lines["suspect"].error_y.array) == pytest.approx([2.0] * 5)
    band = layer_focus.stress(figure, result["layers"], "layer2").layout.shapes[-1]
    assert (band.x0, band.x1) == (1.7, 2.3)


def test_the_table_has_a_row_per_layer_and_network(looked: Run) -> None:
    rows = attention_chart.rows(looked.result() or {})
    assert len(rows) == 15
    assert rows[0]["attention on the trigger"] == "12.0% (10.0–14.0%)"
    assert rows[0]["like suspect, clean"] == "–"


def test_maps_of_an_older_cleaning_say_so(
    looked: Run, runs_root: Path, distill_run: WriteRun
) -> None:
    newest = "These maps do not show the newest cleaning"
    assert newest not in without_escapes(open_page("layers"))
    distill_run(runs_root, "distill-20990101-000000-abcd")
    assert newest in without_escapes(open_page("layers"))
