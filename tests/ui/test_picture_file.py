import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from mimic.run import Run
from tests.ui.test_pages import open_page
from ui import picture_file

WriteRun = Callable[..., Run]


@pytest.fixture
def made(
    runs_root: Path, fabricate: Callable[[Path], None], attention_run: WriteRun,
    sweep_run: WriteRun,
) -> Path:  # fmt: skip
    """A subject with a finished run of each kind that has charts."""
    fabricate(runs_root)
    attention_run(runs_root)
    sweep_run(runs_root)
    return runs_root


def saved(app: AppTest) -> list[dict[str, str]]:
    """What the camera of each Plotly chart of a page would save."""
    charts = app.get("plotly_chart")
    return [json.loads(chart.proto.config)["toImageButtonOptions"] for chart in charts]


@pytest.mark.parametrize("page", ["overview", "layers", "distil", "embeddings", "suspect"])
def test_every_figure_of_a_page_is_saved_under_a_name_of_its_own(made: Path, page: str) -> None:
    app = open_page(page, mode="expert")
    names = [options["filename"] for options in saved(app)]
    assert names
    assert len(set(names)) == len(names)
    runs = {folder.name for folder in made.iterdir()}
    assert all(any(name.endswith(run) for run in runs) for name in names), names
    assert {options["format"] for options in saved(app)} == {"svg"}


@pytest.mark.parametrize("page", ["overview", "layers", "suspect", "distil"])
def test_every_figure_of_a_page_gives_its_numbers_as_csv(made: Path, page: str) -> None:
    app = open_page(page, mode="expert")
    offered = {button.proto.id for button in app.get("download_button")}
    for options in saved(app):
        assert any(options["filename"] in one for one in offered), options["filename"]


def test_each_embedding_map_gives_its_points_under_the_name_of_its_picture(
    made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offered: dict[str, str] = {}
    told = st.download_button

    def keep(label: str, data: Callable[[], str], **more: Any) -> object:
        if label.startswith("Points"):
            offered[more["file_name"]] = data()
        return told(label, data, **more)

    monkeypatch.setattr(st, "download_button", keep)
    app = open_page("embeddings", mode="expert")
    assert not app.exception
    assert list(offered) == [f"{options['filename']}.csv" for options in saved(app)]
    sides = [{line.split(",")[0] for line in t.splitlines()[1:]} for t in offered.values()]
    assert sides == [{"before"}, {"after"}]


def test_experts_choose_between_svg_and_png_for_all_charts(made: Path) -> None:
    app = open_page("layers", mode="expert")
    app.segmented_control(key=picture_file.KEY).set_value("png").run()
    assert not app.exception
    options = saved(app)
    assert {one["format"] for one in options} == {"png"}
    assert {one["scale"] for one in options} == {picture_file.PNG_SCALE}
    simple = open_page("layers", mode="simple")
    assert picture_file.KEY not in [control.key for control in simple.segmented_control]


def test_names_of_files_hold_nothing_that_a_file_system_minds() -> None:
    assert picture_file.file_name("a b/c", "run-1") == "a-b-c-run-1"
    assert len(picture_file.file_name("x", *["long-run-id" * 3] * 6)) <= 200


@pytest.mark.parametrize(
    ("step", "figures"),
    [("3", ["story-information-kept", "story-information-per-layer"]), ("4", ["story-scores"])],
)
def test_the_storys_charts_are_saved_like_all_others(
    made: Path, monkeypatch: pytest.MonkeyPatch, step: str, figures: list[str]
) -> None:
    monkeypatch.setattr("mimic.job.spawn", lambda run: None)
    for mode in ("simple", "expert"):
        app = open_page("story", step=step, mode=mode)
        assert not app.exception
        names = [options["filename"] for options in saved(app)]
        assert [name.rsplit("-demo-", 1)[0] for name in names] == figures
        offered = {b.proto.id.split("csv-")[-1] for b in app.get("download_button")}
        assert offered & set(names) == (set(names) if mode == "expert" else set())


def test_the_storys_chart_speaks_as_the_story_does_once_it_can_be_saved(
    made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mimic.job.spawn", lambda run: None)
    (chart,) = open_page("story", step="4", mode="expert").get("plotly_chart")
    drawn = json.loads(chart.proto.spec)
    assert {trace["name"] for trace in drawn["data"]} == {"right answers", "attack success"}
    notes = {note["text"] for note in drawn["layout"]["annotations"]}
    assert {"<b>right answers</b>", "suspect: right answers", "never attacked"} <= notes
    titles = [drawn["layout"][axis]["title"]["text"] for axis in ("xaxis", "yaxis")]
    assert titles == ["training (rounds)", "share of test pictures (%)"]
