from typing import Any

import numpy as np
import pytest

from ui import selection


@pytest.fixture
def state(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A session's memory outside a running page."""
    memory: dict[str, Any] = {}
    monkeypatch.setattr(selection.st, "session_state", memory)
    return memory


def loop(state: dict[str, Any], side: str, ids: list[int]) -> None:
    """What a browser does when a loop is drawn in a map, or dropped."""
    key = selection.chart_key(side)
    state[key] = {"selection": {"points": [{"customdata": i} for i in ids]}}
    selection.brushed(side, key)


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("3", [3]),
        ("3, 17;4", [3, 4, 17]),
        (" 4-6 , 5", [4, 5, 6]),
        ("18–99999", [18, 19]),
        ("20, 6-4, x, 1.5, -3, 9999999", []),
        ("", []),
    ],
)
def test_numbers_are_read_and_nonsense_is_left_out(text: str, ids: list[int]) -> None:
    assert selection.parse(text, 20) == ids


def test_what_names_no_image_is_told() -> None:
    assert selection.misread("3, 17-19, x; 25, 6-4, ", 20) == ["x", "25", "6-4"]
    assert selection.misread("18-99999", 20) == []  # Some of these are images.


def test_a_loop_stresses_the_other_map_and_leaves_its_own_alone(state: dict[str, Any]) -> None:
    loop(state, "before", [1, 2])
    assert selection.current() == [1, 2]
    assert (selection.stressed("before"), selection.stressed("after")) == ([], [1, 2])


def test_the_latest_selection_wins(state: dict[str, Any]) -> None:
    loop(state, "before", [1, 2])
    loop(state, "after", [5])
    assert selection.current() == [5]
    assert (selection.stressed("before"), selection.stressed("after")) == ([5], [1, 2])
    state[selection.CLASSES] = [1]
    selection.chosen_classes(np.array([0, 1, 1]))
    assert selection.current() == selection.stressed("before") == selection.stressed("after")
    assert selection.current() == [1, 2]
    loop(state, "before", [0])
    assert (selection.current(), state[selection.CLASSES]) == ([0], [])
    state[selection.NUMBERS] = "7"
    selection.typed_numbers(9)
    assert selection.current() == [7]


def test_a_dropped_loop_drops_the_selection_only_where_it_came_from(state: dict[str, Any]) -> None:
    loop(state, "before", [1])
    loop(state, "after", [])
    assert selection.current() == [1]
    loop(state, "before", [])
    assert selection.current() == []
    assert selection.stressed("after") == []


def test_a_choice_that_no_loop_shows_mounts_the_charts_anew(state: dict[str, Any]) -> None:
    loop(state, "before", [1])
    key = selection.chart_key("before")
    selection.clear()
    assert selection.chart_key("before") != key
    assert selection.current() == []


def test_a_switch_of_layer_keeps_the_selection_and_stresses_both(state: dict[str, Any]) -> None:
    selection.settle("run", ("features", "umap"))
    loop(state, "before", [1, 4])
    selection.settle("run", ("features", "umap"))
    assert selection.stressed("before") == []
    selection.settle("run", ("layer4", "umap"))
    assert selection.current() == selection.stressed("before") == selection.stressed("after")
    selection.settle("run", ("layer4", "umap"))
    assert selection.stressed("before") == [1, 4]


def test_a_return_to_the_page_without_the_loop_stresses_both(state: dict[str, Any]) -> None:
    selection.settle("run", ("features",))
    loop(state, "after", [3])
    del state[selection.chart_key("after")]
    selection.settle("run", ("features",))
    assert selection.stressed("after") == [3]


def test_another_run_starts_without_a_selection(state: dict[str, Any]) -> None:
    selection.settle("run", ("features",))
    loop(state, "after", [3])
    selection.settle("other", ("features",))
    assert selection.current() == []
