"""The picture a visitor puts the sticker on, by mouse, by touch or by numbers."""

from __future__ import annotations

import base64

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from ui import maps, pictures
from ui.story.placements import Place, Placement

PLOT = 320
IMAGE, PLACE, TURN = "story_image", "story_place", "story_turn"
ROW, COLUMN = "story_row", "story_column"


def image_of(seen: Placement) -> int:
    """Which of the images is shown."""
    return int(st.session_state.get(IMAGE, 0)) % len(seen.arrays["images"])


def another() -> None:
    """Show the next image. Use as a callback."""
    st.session_state[IMAGE] = int(st.session_state.get(IMAGE, 0)) + 1


def place() -> Place | None:
    """Where the sticker is, or None while it is off."""
    stored = st.session_state.get(PLACE)
    return None if stored is None else (int(stored[0]), int(stored[1]))


def begun() -> bool:
    """Whether the visitor has put the sticker somewhere, even if it is off again."""
    return TURN in st.session_state


def put(where: Place | None) -> None:
    """Put the sticker somewhere, or take it off. Use as a callback."""
    st.session_state[PLACE] = where
    st.session_state[TURN] = st.session_state.get(TURN, 0) + 1
    if where is not None:
        st.session_state[ROW], st.session_state[COLUMN] = where


def tapped(seen: Placement, name: str) -> None:
    """Put the sticker where the picture was tapped. Use as a callback."""
    cells = maps.selected_ids(st.session_state[name])
    if cells:
        put(seen.around(*divmod(cells[0], seen.arrays["images"].shape[2])))


def typed(seen: Placement) -> None:
    """Put the sticker at the row and column given by number. Use as a callback."""
    put(seen.nearest(st.session_state[ROW], st.session_state[COLUMN]))


def draw(seen: Placement) -> None:
    """The picture with the sticker, and the ways to place it."""
    image, where = image_of(seen), place()
    name = f"story_board_{image}_{st.session_state.get(TURN, 0)}"
    stuck = (
        "no sticker on it" if where is None else f"a sticker at row {where[0]}, column {where[1]}"
    )
    st.plotly_chart(
        figure(seen.picture(image, where)),
        width="content",
        config={"displayModeBar": False},
        key=name,
        on_select=lambda: tapped(seen, name),
        selection_mode=("points",),
        alt=f"A handwritten {seen.truth(image)} with {stuck}. Row and Column below place it too.",
    )
    st.session_state.setdefault(ROW, seen.trained[0])
    st.session_state.setdefault(COLUMN, seen.trained[1])
    with st.container(horizontal=True, vertical_alignment="bottom"):
        for key, label, lines in ((ROW, "Row", seen.rows), (COLUMN, "Column", seen.columns)):
            st.number_input(
                label, lines[0], lines[-1], step=lines[1] - lines[0] if len(lines) > 1 else 1,
                key=key, persist_state="session", on_change=typed, args=(seen,), width=120,
                help="Counted in pixels from the top left corner; moves the sticker without a "
                "mouse, by two pixels of the picture, which are one of the handwriting.",
            )  # fmt: skip
        st.button("Take it off", on_click=put, args=(None,), disabled=where is None)


def attackers_place(seen: Placement) -> None:
    """The button that puts the sticker where the attacker had it."""
    st.button(
        "Put it where the attacker did", icon=":material/place_item:", on_click=put,
        args=(seen.trained,), disabled=place() == seen.trained,
    )  # fmt: skip


def figure(picture: np.ndarray) -> go.Figure:
    """The image, uint8 (H, W, 3), under invisible squares to tap; each knows its pixel."""
    height, width = picture.shape[:2]
    encoded = base64.b64encode(pictures.png(picture, PLOT)).decode()
    rows, columns = (places.ravel() for places in np.mgrid[:height, :width])
    unseen = {"symbol": "square", "size": PLOT / width, "color": "rgba(0,0,0,0)"}
    still = {"marker": {"opacity": 1}}
    drawn = go.Figure(
        go.Scatter(
            x=columns, y=rows, mode="markers", customdata=np.arange(height * width), marker=unseen,
            selected=still, unselected=still,
            hovertemplate="row %{y}, column %{x}<extra></extra>",
        )
    )  # fmt: skip
    drawn.add_layout_image(
        source=f"data:image/png;base64,{encoded}", xref="x", yref="y", x=-0.5, y=-0.5,
        sizex=width, sizey=height, sizing="stretch", layer="below",
    )  # fmt: skip
    drawn.update_xaxes(range=[-0.5, width - 0.5], visible=False, fixedrange=True)
    drawn.update_yaxes(range=[height - 0.5, -0.5], visible=False, fixedrange=True)
    drawn.update_layout(
        width=PLOT, height=PLOT * height // width, margin={"l": 0, "r": 0, "t": 0, "b": 0},
        dragmode="pan", clickmode="event+select", hovermode="closest", showlegend=False,
    )  # fmt: skip
    return drawn
