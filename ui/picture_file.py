"""A chart saved as a picture: named after its figure and run, as SVG or as PNG."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import streamlit as st

from ui import charts, mode

KEY = "picture_format"
FORMATS = {"svg": "SVG", "png": "PNG"}
PNG_SCALE = 3
"""Pixels of a PNG per pixel of the page: sharp in print. An SVG has no pixels."""
MOST_LETTERS, MOST_RUNS = 60, 3
"""Of a file's name: letters that tell the figure, and runs that are named."""
UNFIT = re.compile(r"[^A-Za-z0-9.-]+")


def choose() -> None:
    """How charts are saved, asked once for all pages; Plotly's button has one format at a time."""
    if not mode.is_expert():
        return
    st.session_state.setdefault(KEY, "svg")
    with st.sidebar:
        st.segmented_control(
            "Save charts as",
            list(FORMATS),
            required=True,
            format_func=lambda name: FORMATS.get(name, name),
            key=KEY,
            persist_state="session",
            help="What the camera above each chart saves: SVG stays sharp at any size, PNG opens "
            "everywhere. CSV, below a chart, has its numbers.",
        )


def named(figure: str, *runs: str, tools: Mapping[str, Any] = charts.NO_TOOLS) -> dict[str, Any]:
    """A chart's configuration, whose button saves it under a name of its own.

    Args:
        figure: what it shows.
        runs: ids of the runs whose numbers it shows.
        tools: the configuration without a name.
    """
    saved = st.session_state.get(KEY) if mode.is_expert() else None
    options = {"format": saved if saved in FORMATS else "svg", "filename": file_name(figure, *runs)}
    if options["format"] == "png":
        options["scale"] = PNG_SCALE
    return {**tools, "toImageButtonOptions": options}


def file_name(figure: str, *runs: str) -> str:
    """A file's name without its ending: figure first, then its runs."""
    what, *whose = (UNFIT.sub("-", part) for part in (figure, *runs) if part)
    return "-".join([what[:MOST_LETTERS], *whose[:MOST_RUNS]])
