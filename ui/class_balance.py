"""How many images each class has: a chart, and the one sentence it says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from ui import charts, downloads, mode, numbers, palette, picture_file, provenance, text

NAMED_CLASSES = 20
"""Up to this many classes stand under their own bars; more are ranked by size."""
PROBED = "the training images that the probe is fitted on, drawn at random where there are more"
Counts = Sequence[tuple[str, int]]


def show(result: Mapping[str, Any], run_id: str = "") -> None:
    """The balance of the images, and of the downstream images where these are others.

    Args:
        result: of an inspection.
        run_id: the inspection's, for the names of saved files.
    """
    sets = {"all training images": result["data"]}
    if result["downstream"]["name"] != result["data"]["name"]:
        sets[PROBED] = result["downstream"]
    st.subheader("Class balance", anchor=False)
    for number, (column, which) in enumerate(zip(st.columns(len(sets)), sets, strict=True)):
        data = sets[which]
        counts = counts_of(data)
        of_which = f"{numbers.count(data['images'])} images: {which}"
        with column:
            st.markdown(f"**{text.plain(data['name'])}** ({of_which}): {told(counts)}")
            if counts:
                figure, name = bars(counts), f"class-balance-{number}-{data['name']}"
                st.plotly_chart(
                    figure,
                    config=picture_file.named(name, run_id),
                    key=f"class-balance-{number}",
                    alt=f"Images per class of {text.bare(data['name'])} ({of_which}). "
                    f"{told(counts)}",
                )
                if mode.is_expert():
                    facts = provenance.of(run_id, data=data["name"], set=which)
                    downloads.figure_csv(figure, picture_file.file_name(name, run_id), facts)


def counts_of(data: Mapping[str, Any]) -> Counts:
    """Images per class by name or number; empty when unlabelled."""
    names = data["class_names"]
    return [
        (text.bare(names[k], 24) if k < len(names) else str(k), int(count))
        for k, count in enumerate(data["class_counts"])
    ]


def told(counts: Counts) -> str:
    """The balance in words."""
    if not counts:
        return "No labels, so classes are unknown and no accuracy can be measured."
    rare, common = min(counts, key=lambda c: c[1]), max(counts, key=lambda c: c[1])
    if len(counts) == 1:
        return f"One class ({text.plain(rare[0], 24)})."
    if rare[1] == common[1]:
        return f"{numbers.count(len(counts))} classes of {numbers.count(rare[1])} images each."
    return (
        f"{numbers.count(len(counts))} classes; the rarest ({text.plain(rare[0], 24)}) has "
        f"{numbers.count(rare[1])} images, the most frequent ({text.plain(common[0], 24)}) "
        f"{numbers.count(common[1])}."
    )


def bars(counts: Counts) -> go.Figure:
    """Images per class: named bars for few classes, an outline by rank for many."""
    few = len(counts) <= NAMED_CLASSES
    shown = list(counts) if few else sorted(counts, key=lambda c: -c[1])
    names, values = [name for name, _ in shown], [count for _, count in shown]
    places = list(range(1, len(shown) + 1))
    figure = go.Figure(
        go.Bar(
            x=places,
            y=values,
            customdata=names,
            marker={"color": palette.CLEANED, "line": {"width": 0}},
            hovertemplate="class %{customdata}: %{y} images<extra></extra>",
        )
    )
    axis = "class" if few else "class by size (rank)"
    figure = charts.styled(figure, x=axis, y="images (count)", height=240)
    figure.update_layout(bargap=0.35 if few else 0.0)
    figure.update_yaxes(rangemode="tozero")
    if few:
        figure.update_xaxes(tickvals=places, ticktext=names)
    return figure
