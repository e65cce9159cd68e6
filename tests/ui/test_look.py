"""All figures of the app share one template: sizes, units, alternative text."""

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from mimic.config import SweepConfig
from mimic.sweep import cells
from ui import (
    agreement_chart,
    charts,
    class_balance,
    line_names,
    live_charts,
    look,
    maps,
    sticker,
    sweep_map,
    training_charts,
)

ROOT = Path(__file__).resolve().parents[2]
FILES = [*sorted((ROOT / "ui").rglob("*.py")), *sorted((ROOT / "pages").glob("*.py"))]
LAYERS = ["stem", "layer1"]
SCORE = {"accuracy": 0.9, "accuracy_interval": [0.8, 0.95], "asr": 0.1, "asr_interval": None}


def cloud() -> maps.Cloud:
    places = np.zeros((4, 2), np.float32)
    return maps.Cloud(clean=places, triggered=places + 1, labels=np.arange(4))


def embedding_map(axes: tuple[str, str]) -> go.Figure:
    return maps.embedding_map(
        cloud(), ranges=((0, 1), (0, 1)), axes=axes, colour="class", class_name=str
    )


RECORDS = [
    {"epoch": e, "epochs": 2, "loss": 1.0, "clone": -0.5, "agreement": 0.9,
     "evaluation": {"accuracy": 0.9, "asr": 0.9}}
    for e in (1, 2)
]  # fmt: skip
REFERENCES = [{"name": "floor", "percent": 90.0, "colour": "#000000"}]

FIGURES: dict[str, Callable[[], go.Figure]] = {
    "information": lambda: charts.information_curves(
        [{"network": "teacher", "input": "clean", "layers": dict.fromkeys(LAYERS, 1.0)}], LAYERS
    ),
    "fit": lambda: charts.critic_fit([{"epoch": 1, "fit": 0.5, "held_out": 0.4}]),
    "weights": lambda: charts.weight_bars({"layer1": 3.0}),
    "ended losses": lambda: training_charts.losses(RECORDS, 300),
    "ended scores": lambda: training_charts.scores(RECORDS, REFERENCES, 300),
    "ended agreement": lambda: training_charts.agreement(RECORDS, 150),
    "scores": lambda: charts.before_after({"teacher": SCORE}, "accuracy"),
    "balance": lambda: class_balance.bars([("cat", 3), ("dog", 5)]),
    "many classes": lambda: class_balance.bars([(str(k), k) for k in range(30)]),
    "map": lambda: embedding_map(("UMAP 1 (no unit)", "UMAP 2 (no unit)")),
    "plane": lambda: embedding_map(maps.PLANE_AXES),
    "sticker": lambda: sticker.canvas(np.zeros((16, 16, 3), np.uint8)),
}


def lists_names(figure: go.Figure, axis: str) -> bool:
    """Whether an axis lists names instead of measuring something."""
    values = [value for trace in figure.data for value in (trace[axis] if len(trace[axis]) else [])]
    return any(isinstance(v, str) for v in values) or bool(figure.layout[f"{axis}axis"].ticktext)


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_has_units_at_its_axes_and_the_sizes_of_all(name: str) -> None:
    figure = FIGURES[name]()
    assert figure.layout.font.size == look.TEXT_SIZE
    for axis in ("x", "y"):
        title = figure.layout[f"{axis}axis"].title
        assert title.font.size == look.TITLE_SIZE
        assert lists_names(figure, axis) or title.text.endswith(")"), title.text


def altair_charts() -> dict[str, Any]:
    records = [{"epoch": e, "loss": 1.0, "evaluation": {"accuracy": 0.5}} for e in (1, 2)]
    planned = cells(SweepConfig())
    tiles = sweep_map.tiles(planned, [], "asr", every=("layer1",), losses=planned[0].losses)
    return {
        "losses": live_charts.losses(records, 2),
        "scores": live_charts.scores(records, 2, []),
        "agreement": agreement_chart.drawn(records, 2),
        "sweep": sweep_map.heat_map(tiles),
    }


@pytest.mark.parametrize("name", ["losses", "scores", "agreement", "sweep"])
def test_live_charts_wear_the_same_sizes_and_leave_words_to_the_whole(name: str) -> None:
    spec = altair_charts()[name].to_dict()
    assert spec["config"]["axis"]["titleFontSize"] == look.TITLE_SIZE
    assert spec["config"]["axis"]["labelFontSize"] == look.TEXT_SIZE
    assert spec["config"]["aria"] is spec["config"]["mark"]["aria"] is False
    titles = {
        channel["title"]
        for part in spec["layer"]
        for way in ("x", "y")
        if (channel := part.get("encoding", {}).get(way)) and channel.get("title")
    }
    assert titles
    assert all(title.endswith(")") for title in titles), titles


def test_new_data_leave_a_live_chart_as_it_is() -> None:
    def spec(upto: int) -> tuple[dict[str, Any], ...]:
        records = [
            {"epoch": e, "loss": 1.0 / e, "agreement": 0.9, "evaluation": {"accuracy": 0.5}}
            for e in range(1, upto + 1)
        ]
        drawn = live_charts.losses(records, 9).to_dict(), live_charts.scores(records, 9, [])
        parts = drawn[0], drawn[1].to_dict(), agreement_chart.drawn(records, 9).to_dict()
        return tuple({k: v for k, v in part.items() if k != "datasets"} for part in parts)

    assert spec(3) == spec(4)


@pytest.mark.parametrize("name", ["losses", "scores", "agreement"])
def test_an_ended_training_is_drawn_as_it_was_while_at_work(name: str) -> None:
    """Only Plotly's chart can be saved as SVG, only Altair's grows without being drawn anew."""
    live = {
        "losses": live_charts.losses(RECORDS, 2),
        "scores": live_charts.scores(RECORDS, 2, REFERENCES),
        "agreement": agreement_chart.drawn(RECORDS, 2),
    }[name].datasets
    ended = FIGURES[f"ended {name}"]()
    values = {"losses": "value", "scores": "percent", "agreement": "value"}[name]
    assert sorted(y for trace in ended.data for y in trace.y) == sorted(
        row[values] for row in live["lines"]
    )
    names = live["heads"] + live.get("references", [])
    if name != "agreement":
        assert sorted(a.y for a in ended.layout.annotations) == sorted(n["place"] for n in names)
    assert len(ended.layout.annotations) == len(names)
    assert charts.PICTURE["toImageButtonOptions"]["format"] == "svg"


def gaps(places: list[float]) -> np.ndarray:
    return np.diff(np.sort(places))


def test_names_at_line_heads_do_not_overlap() -> None:
    rows = [{"term": t, "epoch": e, "value": 1.0} for e in (1, 2) for t in "abc"]
    heads = line_names.with_places(line_names.heads_of(rows, "term"), "value", 0.5, None)
    assert [h["epoch"] for h in heads] == [2, 2, 2]
    assert gaps([h["place"] for h in heads]).min() >= 0.5 - 1e-9


@pytest.mark.parametrize("seed", range(40))
def test_names_beside_the_scores_never_meet_and_stay_in_the_chart(seed: int) -> None:
    """Also where the student's figures are the suspect's and the floor's, at either end."""
    draw = np.random.default_rng(seed)
    accuracy, asr, suspect, before, floor = draw.choice([0.0, 0.01, 0.5, 0.97, 0.99, 1.0], 5)
    records = [{"epoch": 9, "epochs": 9, "evaluation": {"accuracy": accuracy, "asr": asr}}]
    references = live_charts.reference_rows(
        {"teacher": {"accuracy": suspect, "asr": before}, "clean_twin": {"asr": floor}}
    )
    drawn = live_charts.scores(records, 9, references).datasets
    places = [row["place"] for row in (*drawn["heads"], *drawn["references"])]
    assert len(places) == 5
    assert gaps(places).min() >= live_charts.NAME_GAP - 1e-9
    assert min(places) >= live_charts.LOWEST - 1e-9
    assert max(places) <= live_charts.HIGHEST + 1e-9


def test_what_is_moved_apart_is_moved_as_little_as_possible() -> None:
    draw = np.random.default_rng(0)
    for _ in range(20):
        wanted = draw.uniform(0, 10, 6)
        placed = np.array(look.spread(wanted, 1.0))
        assert gaps(list(placed)).min() >= 1.0 - 1e-9
        assert (np.argsort(placed) == np.argsort(wanted)).all()
        cost = np.square(placed - wanted).sum()
        for _ in range(200):  # No other places with these gaps lie closer to those wanted.
            other = np.sort(placed + draw.normal(0, 0.3, 6))
            if np.diff(other).min() >= 1.0:
                assert np.square(other - np.sort(wanted)).sum() >= cost - 1e-9
    assert look.spread([], 1.0) == []
    assert look.spread([5.0, 5.0], 1.0, (0.0, 5.0)) == [4.0, 5.0]
    assert look.spread([1.0, 2.0, 3.0], 9.0, (0.0, 4.0)) == [0.0, 2.0, 4.0]


@pytest.mark.parametrize("epochs", [1, 3, 5, 24, 60, 200, 1000])
def test_epoch_ticks_are_few_and_stay_within_the_training(epochs: int) -> None:
    ticks = live_charts.ticks(epochs)
    assert ticks[0] == 0
    assert ticks[-1] <= epochs
    assert 2 <= len(ticks) <= 12


def calls(name: str) -> list[tuple[Path, ast.Call]]:
    return [
        (path, node)
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        if node.func.attr == name
    ]


@pytest.mark.parametrize("name", ["plotly_chart", "altair_chart", "image"])
def test_everything_drawn_is_told_in_words(name: str) -> None:
    found = calls(name)
    assert found
    for path, call in found:
        assert "alt" in {k.arg for k in call.keywords}, f"{path.name}, line {call.lineno}"


def test_every_figure_is_made_by_the_template() -> None:
    pictures = {"board.py", "trigger_drawing.py"}  # Pictures to press on have no axes to style.
    for path in (f for f in FILES if f.name not in pictures):
        for function in ast.walk(ast.parse(path.read_text())):
            if isinstance(function, ast.FunctionDef):
                names = {n.id for n in ast.walk(function) if isinstance(n, ast.Name)}
                names |= {n.attr for n in ast.walk(function) if isinstance(n, ast.Attribute)}
                source = ast.unparse(function)
                source = source.replace("go.Figure(layout=figure.layout)", "")  # styled already
                if "go.Figure(" in source:
                    assert "styled" in names, f"{path.name}: {function.name}"
