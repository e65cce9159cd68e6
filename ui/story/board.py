"""The picture a visitor puts the sticker on, by mouse, by touch or by numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt
import numpy as np
import streamlit as st

from ui.story.placements import Place, Placement

PLOT = 256
"""Pixels; on a phone the instruction, the picture and the answer fit on one screen."""
FIRST = 2
"""The image shown at first; the encoder is as sure of the one before as it is often right, and the
same number with two meanings confuses."""
IMAGE, PLACE, TURN = "story_image", "story_place", "story_turn"
ROW, COLUMN = "story_row", "story_column"
TAP = "tap"
"""Name of the chart's selection."""


def image_of(seen: Placement) -> int:
    """Which of the images is shown."""
    return int(st.session_state.get(IMAGE, FIRST)) % len(seen.arrays["images"])


def another() -> None:
    """Show the next image. Use as a callback."""
    st.session_state[IMAGE] = int(st.session_state.get(IMAGE, FIRST)) + 1


def place() -> Place | None:
    """Where the sticker is, or None while it is off."""
    stored = st.session_state.get(PLACE)
    return None if stored is None else (int(stored[0]), int(stored[1]))


def put(where: Place | None) -> None:
    """Put the sticker somewhere, or take it off. Use as a callback."""
    st.session_state[PLACE] = where
    st.session_state[TURN] = st.session_state.get(TURN, 0) + 1
    if where is not None:
        st.session_state[ROW], st.session_state[COLUMN] = where


def tapped(seen: Placement, name: str) -> None:
    """Put the sticker where the picture was tapped. Use as a callback."""
    pixel = tapped_pixel(st.session_state[name])
    if pixel:
        put(seen.around(*pixel))


def tapped_pixel(event: Mapping[str, Any]) -> Place | None:
    """Row and column of the pixel that a selection names, if it names one."""
    found = (event.get("selection") or {}).get(TAP) or []
    return (int(found[0]["row"]), int(found[0]["column"])) if found else None


def typed(seen: Placement) -> None:
    """Put the sticker at the row and column given by number. Use as a callback."""
    put(seen.nearest(st.session_state[ROW], st.session_state[COLUMN]))


def draw(seen: Placement) -> None:
    """The picture with the sticker, to be tapped."""
    image, where = image_of(seen), place()
    name = f"story_board_{image}_{st.session_state.get(TURN, 0)}"
    stuck = (
        "no sticker on it" if where is None else f"a sticker at row {where[0]}, column {where[1]}"
    )
    st.altair_chart(
        chart(seen.picture(image, where)),
        width=PLOT,
        height=PLOT,
        theme=None,
        key=name,
        on_select=lambda: tapped(seen, name),
        selection_mode=TAP,
        alt=f"A handwritten {seen.truth(image)} with {stuck}. Row and Column below place it too.",
    )


def fields(seen: Placement) -> None:
    """The sticker's place by number, for those without a mouse, and the way to take it off."""
    st.session_state.setdefault(ROW, seen.trained[0])
    st.session_state.setdefault(COLUMN, seen.trained[1])
    with st.container(horizontal=True, vertical_alignment="bottom"):
        for key, label, lines in ((ROW, "Row", seen.rows), (COLUMN, "Column", seen.columns)):
            st.number_input(
                label, lines[0], lines[-1], step=lines[1] - lines[0] if len(lines) > 1 else 1,
                key=key, persist_state="session", on_change=typed, args=(seen,), width=120,
                help="Counted in pixels from the top left corner; moves the sticker without a "
                "mouse.",
            )  # fmt: skip
        st.button("Take it off", on_click=put, args=(None,), disabled=place() is None)
    st.caption("The sticker snaps to every second pixel, so it may land one beside your tap.")


def attackers_place(seen: Placement) -> None:
    """The button that puts the sticker where the attacker had it."""
    st.button(
        "Put it where the attacker did", icon=":material/place_item:", on_click=put,
        args=(seen.trained,), disabled=place() == seen.trained,
    )  # fmt: skip


def chart(picture: np.ndarray) -> Any:
    """The image, uint8 (H, W, 3), as squares to tap; each knows its pixel.

    Vega-Lite, because one tap of a finger is one press there. Plotly takes the first tap for the
    pointer's coming, shows its label, and puts what is tapped next where the first tap was.
    """
    height, width = picture.shape[:2]
    rows = [
        {
            "row": row,
            "column": column,
            "colour": "#{:02x}{:02x}{:02x}".format(*picture[row, column]),
        }
        for row in range(height)
        for column in range(width)
    ]
    pick = alt.selection_point(name=TAP, fields=["row", "column"], toggle=False, clear=False)
    return (
        alt.Chart(alt.InlineData(values=rows))
        .mark_rect(cursor="pointer", tooltip=None)
        .encode(
            x=alt.X("column:O", axis=None, scale=alt.Scale(padding=0)),
            y=alt.Y("row:O", axis=None, scale=alt.Scale(padding=0)),
            fill=alt.Fill("colour:N", scale=None),
            stroke=alt.Stroke("colour:N", scale=None),  # Or screens show seams between the squares.
        )
        .add_params(pick)
        .properties(width=PLOT, height=PLOT, padding=0, autosize="none")
        .configure(aria=False)
        .configure_mark(aria=False)
        .configure_view(stroke=None)
    )
