"""The bars of step 3: a network's information without and with the sticker, as one length each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go

from ui import look, palette

HATCH = {"clean": "", "triggered": "/"}
"""The second code beside the name: what has the sticker on is hatched, as curves are dashed."""
ROW = 46
"""Pixels per bar."""
HEADROOM = 1.2
"""The axis ends this much beyond the longest bar, for the number at its end."""
Names = Mapping[tuple[str, str], str]


def mean_information(result: Mapping[str, Any], names: Names) -> dict[tuple[str, str], float]:
    """Nats, mean over the layers measured, by network and input, in the order of the names.

    The ratio of two of them is what ``mimic.verdict_words.kept`` tells.
    """
    found = {}
    for curve in result["curves"]:
        values = [value for value in curve["layers"].values() if value is not None]
        if values:
            found[curve["network"], curve["input"]] = sum(values) / len(values)
    return {of: found[of] for of in names if of in found}


def figure(result: Mapping[str, Any], names: Names) -> go.Figure:
    """One bar per network and input, its number at its end."""
    means = mean_information(result, names)
    drawn = go.Figure(
        go.Bar(
            x=list(means.values()),
            y=[names[of] for of in means],
            orientation="h",
            marker={
                "color": [palette.NETWORK_COLOUR[network] for network, _ in means],
                "pattern": {"shape": [HATCH[given] for _, given in means], "fillmode": "replace"},
                "cornerradius": 4,
            },
            text=[f"{value:.2f}" for value in means.values()],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{y}: %{x:.2f} nats<extra></extra>",
        )
    )
    look.styled(drawn, x="information (nats)", y="", height=ROW * len(means) + 60)
    drawn.update_yaxes(autorange="reversed", showgrid=False, ticksuffix="  ")
    drawn.update_xaxes(range=[0, HEADROOM * max(means.values(), default=1.0)])
    return drawn.update_layout(bargap=0.35)
