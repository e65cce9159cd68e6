"""The layer in focus: chosen once, stressed in every chart that has layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from ui import address, text

KEY = "focus_layer"
BAND = "rgba(124, 136, 150, 0.22)"


def choose(layers: Sequence[str], usual: str) -> str:
    """Ask for a layer; the choice is kept in the address.

    Args:
        layers: names, input side first.
        usual: the layer to begin with.
    """
    address.adopt(KEY, layers)
    if st.session_state.get(KEY) is None:
        st.session_state[KEY] = usual
    picked = st.segmented_control(
        "Layer in focus",
        list(layers),
        required=True,
        format_func=text.plain,
        key=KEY,
        persist_state="session",
        help="A layer is one step of the network: early ones see edges, late ones whole shapes. "
        "The choice is stressed in the charts below and decides which maps are shown.",
    )
    chosen = picked if picked and picked in layers else usual
    address.keep(KEY, None if chosen == usual else chosen)
    return chosen


def telling(attention: Mapping[str, Any] | None, layers: Sequence[str]) -> str:
    """The layer to begin with: where the suspect looks at the trigger most beyond the floor."""
    rows = (attention or {}).get("numbers") or []
    above = {
        row["layer"]: row["above_twin"]["mean"]
        for row in rows
        if row["network"] == "teacher" and row.get("above_twin") and row["layer"] in layers
    }
    return max(above, key=lambda layer: above[layer]) if above else layers[-1]


def stress(figure: go.Figure, layers: Sequence[str], layer: str) -> go.Figure:
    """Put a band behind one layer of a chart whose x axis has layers."""
    if layer in layers:
        place = list(layers).index(layer)
        figure.add_vrect(
            x0=place - 0.3, x1=place + 0.3, fillcolor=BAND, line_width=0, layer="below"
        )
    return figure
