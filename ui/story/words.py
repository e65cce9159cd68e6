"""Charts that other pages share, in the words of the story."""

from __future__ import annotations

from typing import Any

import altair as alt

INSTEAD = {
    "accuracy": "right answers",
    "suspect: accuracy": "suspect: right answers",
    "floor (clean twin)": "never attacked",
    "training (epochs)": "training (rounds)",
}
TITLES = {"epoch": "round", "percent": "share (%)"}
"""How the pointer's label names a field."""


def in_story_words(chart: alt.LayerChart) -> alt.LayerChart:
    """The same chart with the story's words for measures, references and the axis."""
    return alt.LayerChart.from_dict(reworded(chart.to_dict()))


def reworded(part: Any) -> Any:
    """Any part of a chart's specification in the story's words."""
    if isinstance(part, list):
        return [reworded(one) for one in part]
    if isinstance(part, dict):
        said = {key: reworded(value) for key, value in part.items()}
        if part.get("field") in TITLES and "title" not in part:
            said["title"] = TITLES[part["field"]]
        return said
    return INSTEAD.get(part, part) if isinstance(part, str) else part
