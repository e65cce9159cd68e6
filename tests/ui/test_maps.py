import json
from dataclasses import replace
from typing import Any

import numpy as np
import plotly.graph_objects as go
import plotly.io
import pytest

from ui import map_labels, maps, palette

AXES = ("UMAP 1 (no unit)", "UMAP 2 (no unit)")


def cloud() -> maps.Cloud:
    places = np.array([[0.0, 0.0], [1.0, 2.0], [4.0, 1.0]])
    right = {"clean": np.array([True, True, False]), "triggered": np.array([False, True, False])}
    return maps.Cloud(
        places, places + 1, np.array([0, 1, -1]), right=right, moved=np.array([0.1, 0.5, 0.8])
    )


def drawn(points: maps.Cloud, colour: str = "kind", **more: object) -> go.Figure:
    ranges = maps.shared_ranges({"a": points.clean, "b": points.triggered})
    settings = {"axes": AXES, "ranges": ranges, "class_name": str, **more}
    return maps.embedding_map(points, colour=colour, **settings)


def test_points_carry_image_ids_and_shapes() -> None:
    figure = drawn(cloud())
    clean, triggered = figure.data
    assert (clean.marker.symbol, triggered.marker.symbol) == ("circle-open", "x")
    assert list(clean.customdata) == list(triggered.customdata) == [0, 1, 2]
    assert {a.text for a in figure.layout.annotations} == {"<b>0</b>", "<b>1</b>"}


def test_stressed_images_are_drawn_last_and_all_others_fade() -> None:
    figure = drawn(cloud(), stressed=[1])
    faded, strong = figure.data[:2]
    assert (list(faded.customdata), list(strong.customdata)) == ([0, 2], [1])
    assert faded.marker.opacity < 0.2
    assert strong.marker.opacity == 1
    assert [t.showlegend for t in figure.data] == [False, True, False, True]


def points_of(figure: go.Figure) -> list[Any]:
    """Traces with points; where colour is a scale, the legend's symbols are traces, too."""
    return [t for t in figure.data if t.customdata is not None]


@pytest.mark.parametrize("colour", ["kind", "class", "correct", "displacement"])
@pytest.mark.parametrize("stressed", [(), (0, 2)])
def test_each_way_to_colour_shows_each_point_once(colour: str, stressed: tuple[int, ...]) -> None:
    figure = drawn(cloud(), colour, stressed=stressed)
    for symbols in ({"circle", "circle-open"}, {"x"}):
        traces = [t for t in points_of(figure) if t.marker.symbol in symbols]
        assert sorted(i for t in traces for i in t.customdata) == [0, 1, 2]
        for trace in traces:
            if not isinstance(trace.marker.color, str):
                assert len(trace.marker.color) == len(trace.x)
    named = [t.name for t in figure.data if t.showlegend]
    assert len(named) == len(set(named)) == (4 if colour == "correct" else 2)


def test_correctness_names_the_mistaken_points() -> None:
    found = {t.name: list(t.customdata) for t in drawn(cloud(), "correct").data}
    assert found["triggered, mistaken"] == [0, 2]
    assert found["clean, recognised"] == [0, 1]


def test_a_class_has_its_colour_on_the_stepped_scale() -> None:
    look = maps.class_look(np.array([0, 3, 12, -1]))
    scale = look["colorscale"]
    for number, shade in zip(
        look["color"],
        [*(palette.class_colour(k) for k in (0, 3, 12)), palette.RANDOM],
        strict=True,
    ):
        share = (number - look["cmin"]) / (look["cmax"] - look["cmin"])
        assert [c for s, c in scale if s <= share][-1] == shade


def test_displacement_has_one_scale_and_one_bar() -> None:
    figure = drawn(replace(cloud(), most_moved=1.25), "displacement")
    assert {t.marker.cmax for t in points_of(figure)} == {1.25}
    assert [t.marker.showscale for t in points_of(figure)] == [True, False]
    named = [t for t in figure.data if t.showlegend]  # Symbols without a shade of the scale.
    assert [t.marker.color for t in named] == [maps.OUTLINE] * 2
    assert [t.marker.symbol for t in named] == ["circle", "x"]
    assert "1 − cosine" in figure.data[0].marker.colorbar.title.text


def test_ten_thousand_images_make_a_small_figure_for_the_graphics_card() -> None:
    rng = np.random.default_rng(0)
    many = maps.Cloud(*rng.normal(size=(2, 10_000, 2)), labels=rng.integers(0, 10, 10_000))
    for colour in ("kind", "class"):
        figure = drawn(many, colour, stressed=range(0, 10_000, 3))
        assert {type(t) for t in figure.data} == {go.Scattergl}
        assert len(plotly.io.to_json(figure)) < 600_000
        assert json.loads(plotly.io.to_json(figure))
    assert {type(t) for t in drawn(cloud()).data} == {go.Scatter}


def test_the_plane_says_where_the_attack_succeeds_and_shows_its_zero_lines() -> None:
    figure = drawn(cloud(), axes=maps.PLANE_AXES)
    assert figure.layout.xaxis.zeroline
    assert {a.text for a in figure.layout.annotations} == {"recognised", "taken for the target"}


def test_shared_ranges_hold_every_point() -> None:
    (left, right), (bottom, top) = maps.shared_ranges({"a": cloud().clean, "b": cloud().triggered})
    assert left < 0
    assert right > 5
    assert bottom < 0
    assert top > 3


def test_selection_reads_ids_not_positions() -> None:
    points = [{"point_index": 0, "customdata": 41}, {"point_index": 0, "customdata": [7]},
              {"point_index": 3, "customdata": 41}, {"point_index": 3}]  # fmt: skip
    assert maps.selected_ids({"selection": {"points": points}}) == [7, 41]
    assert maps.selected_ids(None) == []


def test_a_class_in_two_groups_is_named_at_one_of_them_not_between() -> None:
    rng = np.random.default_rng(0)
    far = np.array([10.0, 0.0])
    left, right = rng.normal(size=(9, 2)) * 0.1, rng.normal(size=(20, 2)) * 0.1 + far
    places = np.concatenate([left, right, right[:1] + 4])
    at = map_labels.densest(places)
    assert np.linalg.norm(at - far) < 1
    assert any((places == at).all(axis=1))
    even = np.concatenate([left, left + far])
    assert min(np.linalg.norm(map_labels.densest(even) - c) for c in ((0, 0), (10, 0))) < 1
    assert map_labels.densest(places[:1]).tolist() == places[0].tolist()
    figure = drawn(maps.Cloud(even, even, np.zeros(18, int)))
    assert any((even == (figure.layout.annotations[0].x, figure.layout.annotations[0].y)).all(1))
