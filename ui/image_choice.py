"""Choosing images of a map without a mouse: by class or by number."""

from __future__ import annotations

import numpy as np
import streamlit as st

from ui import selection, text
from ui.subject import Subject

MOST_WRONG = 3
"""So many parts that name no image are repeated."""


def choose_images(subject: Subject, labels: np.ndarray) -> None:
    """Ways to select without a mouse, and the way back."""
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        st.multiselect(
            "Select classes",
            [int(c) for c in np.unique(labels) if c >= 0],
            format_func=subject.class_name,
            key=selection.CLASSES,
            placeholder="by class",
            persist_state="session",
            on_change=selection.chosen_classes,
            args=(labels,),
            help="Selects all images of these classes: the way to pick points without a mouse.",
        )
        st.text_input(
            "Select image numbers",
            key=selection.NUMBERS,
            placeholder="for example 3, 17, 40-52",
            persist_state="session",
            on_change=selection.typed_numbers,
            args=(len(labels),),
            help=f"Numbers from 0 to {len(labels) - 1}, as the points show them.",
        )
        st.button(
            "Clear selection",
            icon=":material/deselect:",
            on_click=selection.clear,
            disabled=not selection.current(),
        )
    wrong = selection.misread(st.session_state.get(selection.NUMBERS) or "", len(labels))
    if wrong:
        named = ", ".join(f"“{text.plain(word, 24)}”" for word in wrong[:MOST_WRONG])
        more = f" and {len(wrong) - MOST_WRONG} more" if len(wrong) > MOST_WRONG else ""
        st.warning(
            f"{named}{more}: no number of an image here.  \nGive numbers from 0 to "
            f"{len(labels) - 1}, or spans such as 40-52, with commas between them.",
            icon=":material/error:",
        )
