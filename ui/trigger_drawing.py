"""Drawing a trigger on an enlarged image: pick pixels, give them a colour, keep it as a trigger."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import numpy as np
import streamlit as st

from mimic.trigger import PatchTrigger
from ui import frame, maps, picture_file, uploads
from ui.sticker import PICKS, Stroke, as_trigger, canvas, rectangle


def draw(side: int, image: np.ndarray | None, key: str) -> str:
    """Let the person draw a trigger.

    Args:
        side: side of the images it is for.
        image: the image to draw on, uint8 (side, side, 3); None draws on mid-grey.
        key: begins the names of all widgets and of what is remembered.

    Returns:
        The stored trigger's file, as a setting names it; nothing while nothing is painted.
    """
    strokes: list[Stroke] = st.session_state.setdefault(f"{key}_strokes", [])
    background = np.full((side, side, 3), 128, np.uint8) if image is None else image
    pick = brush(key)
    trigger = as_trigger(strokes, side)
    name = f"{key}_canvas_{st.session_state.get(f'{key}_turn', 0)}"
    st.plotly_chart(
        canvas(background if trigger is None else trigger.apply(background), pick),
        width="content",
        config=picture_file.named("trigger-drawn"),
        key=name,
        on_select=lambda: paint(key, tuple(maps.selected_ids(st.session_state[name]))),
        selection_mode=("points", "box", "lasso"),
        alt="The image as squares; picking squares paints them.",
    )
    by_keyboard(side, key)
    stored = ""
    if trigger is not None:
        with frame.errors_as_cards():
            stored = keep(trigger, key)
    return stored


def brush(key: str) -> str:
    """Colour, eraser, undo and clear; how squares are picked is the answer."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.color_picker("Colour", "#FFFFFF", key=f"{key}_colour", persist_state="session")
        st.toggle("Erase", key=f"{key}_erase")
        empty = not st.session_state[f"{key}_strokes"]
        st.button("Undo", key=f"{key}_undo", on_click=undo, args=(key,), disabled=empty)
        st.button("Clear", key=f"{key}_clear", on_click=clear, args=(key,), disabled=empty)
    pick = st.segmented_control(
        "Paint by dragging or clicking on the image", list(PICKS), default="select", required=True,
        format_func=lambda name: PICKS.get(name, name), key=f"{key}_pick", persist_state="session",
    )  # fmt: skip
    return pick or "select"


def by_keyboard(side: int, key: str) -> None:
    """The way to paint without a mouse: a rectangle by its numbers."""
    with st.expander("Paint by numbers"):
        columns = st.columns(4)
        starts = (("Row", 0, side - 6), ("Column", 0, side - 6), ("Height", 1, 4), ("Width", 1, 4))
        numbers = [
            int(column.number_input(label, least, side, value=max(least, value),
                                    key=f"{key}_{label.lower()}"))
            for column, (label, least, value) in zip(columns, starts, strict=True)
        ]  # fmt: skip
        row, column, height, width = numbers
        cells = rectangle(row, column, height, width, side)
        st.button("Paint the rectangle", key=f"{key}_paint", on_click=paint, args=(key, cells))


def paint(key: str, cells: tuple[int, ...]) -> None:
    """Give cells the brush's colour; a new chart follows, in which nothing is selected."""
    if cells:
        state = st.session_state
        colour = "" if state.get(f"{key}_erase") else state.get(f"{key}_colour", "#FFFFFF")
        state[f"{key}_strokes"] = [*state.get(f"{key}_strokes", []), Stroke(cells, colour)]
        turn(key)


def undo(key: str) -> None:
    """Take the last stroke back."""
    st.session_state[f"{key}_strokes"] = st.session_state.get(f"{key}_strokes", [])[:-1]
    turn(key)


def clear(key: str) -> None:
    """Take all strokes back."""
    st.session_state[f"{key}_strokes"] = []
    turn(key)


def turn(key: str) -> None:
    """Count the strokes that changed the chart: a chart's selection cannot be cleared otherwise."""
    st.session_state[f"{key}_turn"] = st.session_state.get(f"{key}_turn", 0) + 1


def keep(trigger: PatchTrigger, key: str) -> str:
    """Store the trigger once, offer it for download, and name its file."""
    buffer = io.BytesIO()
    trigger.write(buffer)
    content = buffer.getvalue()
    stored: dict[str, str] = st.session_state.setdefault(f"{key}_stored", {})
    digest = hashlib.sha256(content).hexdigest()
    if digest not in stored or not Path(stored[digest]).is_file():
        stored[digest] = str(uploads.store(content, "drawn.npz", ("npz",)))
    st.download_button(
        "Download the trigger (.npz)", content, file_name="trigger.npz",
        mime="application/octet-stream", icon=":material/download:", key=f"{key}_download",
        on_click="ignore",
    )  # fmt: skip
    return stored[digest]
