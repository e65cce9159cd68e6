"""Which images are selected: by a loop in either map, by class or by number; the latest wins.

A map one draws in must not change while its loop stands: Streamlit mounts a changed figure anew,
which would drop the loop and the zoom. So the selection is kept here, and each map has a list of
its own of images to stress, which a loop changes in the other map only.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import streamlit as st

from ui import maps

SIDES = {"before": "Before: the suspect", "after": "After: the cleaned encoder"}
IDS, ORIGIN, STRESS, DRAWN = "map_ids", "map_origin", "map_stress", "map_drawn"
ROUND = "map_round"
CLASSES, NUMBERS, INSPECTED = "map_classes", "map_numbers", "map_inspected"
PAGE = "map_gallery_page"
SPAN = re.compile(r"^(\d{1,6})(?:\s*[-–]\s*(\d{1,6}))?$")


def current() -> list[int]:
    """Ids of the selected images, in order."""
    return list(st.session_state.get(IDS, []))


def stressed(side: str) -> list[int]:
    """Ids of the images one map stresses."""
    return list(st.session_state.get(STRESS, {}).get(side, []))


def chart_key(side: str) -> str:
    """The chart's key; a new round mounts both charts anew and so drops their loops."""
    return f"map-{side}-{st.session_state.get(ROUND, 0)}"


def choose(ids: Sequence[int], origin: str) -> None:
    """Make these images the selection. ``origin``: a side, ``classes``, ``numbers`` or nothing."""
    state = st.session_state
    state[IDS], state[ORIGIN] = list(ids), origin
    both = {side: list(ids) for side in SIDES}
    if origin in SIDES:
        both[origin] = stressed(origin)
    else:
        state[ROUND] = state.get(ROUND, 0) + 1
    state[STRESS] = both
    for name, nothing in ((CLASSES, []), (NUMBERS, "")):
        if origin != name.removeprefix("map_"):
            state[name] = nothing
    state.pop(INSPECTED, None)
    state.pop(PAGE, None)


def brushed(side: str, key: str) -> None:
    """Callback of a map: a loop, a box or a click selects; a double click drops it again."""
    ids = maps.selected_ids(st.session_state.get(key))
    if ids or st.session_state.get(ORIGIN) == side:
        choose(ids, side if ids else "")


def chosen_classes(labels: np.ndarray) -> None:
    """Callback of the class selector."""
    found = np.flatnonzero(np.isin(labels, st.session_state[CLASSES]))
    choose([int(i) for i in found], "classes")


def typed_numbers(count: int) -> None:
    """Callback of the number field."""
    choose(parse(st.session_state[NUMBERS], count), "numbers")


def clear() -> None:
    """Callback of the button that drops the selection."""
    choose([], "")


def parse(text: str, count: int) -> list[int]:
    """Image numbers such as ``3, 17, 40-52``; whatever is no number of an image is left out."""
    return sorted({i for word in parted(text) for i in span(word, count)})


def misread(text: str, count: int) -> list[str]:
    """The parts of such a text that name no image."""
    return [word for word in parted(text) if not span(word, count)]


def parted(text: str) -> list[str]:
    """The parts between commas."""
    return [word.strip() for word in re.split(r"[,;]", text) if word.strip()]


def span(word: str, count: int) -> range:
    """The images that one part names; none where it is no number or span of images."""
    match = SPAN.match(word)
    if not match:
        return range(0)
    first = int(match[1])
    return range(first, min(int(match[2] or first), count - 1) + 1)


def settle(run_id: str, drawn: Sequence[str]) -> None:
    """Before drawing: fit what is remembered to what will be drawn.

    Args:
        run_id: the run whose images the ids are; another run's selection is dropped.
        drawn: what figures depend on. When it changes, charts lose their loops, so that both
            maps stress the selection.
    """
    state = st.session_state
    known = state.get(DRAWN)
    if known and known[0] != run_id and state.get(IDS):
        clear()
    origin = state.get(ORIGIN)
    loop_stands = origin in SIDES and bool(maps.selected_ids(state.get(chart_key(origin))))
    if known != (run_id, *drawn) or (origin in SIDES and not loop_stands):
        state[STRESS] = dict.fromkeys(SIDES, current())
        if origin in SIDES:
            state[ORIGIN] = "kept"
    state[DRAWN] = (run_id, *drawn)
