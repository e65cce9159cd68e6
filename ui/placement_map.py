"""Attack success by position of the trigger: a heat map, and the job that makes it."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from mimic.config import PlacementConfig
from ui import charts, downloads, jobs, live, mode, numbers, palette, picture_file, provenance
from ui.story.placements import find
from ui.subject import Subject

RUN = "placement_run"
WIDTH, HEIGHT = 420, 474
"""Pixels: what the axes and the scale leave of it is square, as the map is."""
SCALE = {
    "title": {"text": "attack success (%)<br> ", "side": "top"},
    "orientation": "h", "thickness": 10,
    "y": 1, "yref": "container", "yanchor": "top", "len": 1, "outlinewidth": 0,
}  # fmt: skip
"""Above the map, where a phone has room for it."""
STRIPED = 0.3
"""Rows or columns differ this much, as a share of the images, before it counts as stripes."""


def section(subject: Subject) -> None:
    """The map of the suspect, or the button that makes it."""
    if not subject.has_trigger:
        return
    with st.expander("Does the trigger work at other places?"):
        at_work = live.pending(RUN)
        if at_work and (jobs.state_of(at_work).is_active or not find(subject)):
            live.follow(at_work)
        found = find(subject)
        if found is None:
            st.caption("This takes images with the trigger at every position; for a patch only.")
        else:
            told = sentence(found.result)
            st.markdown(told)
            st.plotly_chart(
                heat_map(found.result), width=WIDTH, key="placement-map", alt=told,
                config=picture_file.named("placement", found.run.id),
            )  # fmt: skip
            if mode.is_expert():
                facts = provenance.of(
                    found.run, encoder="suspect", images=found.result["scored_images"]
                )
                downloads.rows_csv(
                    lambda: provenance.added(rows(found.result), facts),
                    picture_file.file_name("placement", found.run.id),
                )
            explained = stripes(found.result)
            if explained:
                st.caption(explained)
        if mode.is_expert() or found is None:
            config = PlacementConfig(**subject.settings)
            jobs.start_button(
                "Try every place", "placement", config, RUN, icon=":material/grid_on:"
            )


def rows(result: dict[str, Any]) -> list[dict[str, Any]]:
    """The map as a row per place in percent, beside what the trigger does to the clean twin."""
    floor = result.get("floor_by_position")
    return [
        {"row": row, "column": column, "attack success (%)": 100 * success,
         **({"clean twin (floor) (%)": 100 * floor[i][j]} if floor else {})}
        for i, (row, line) in enumerate(
            zip(result["rows"], result["asr_by_position"], strict=True)
        )
        for j, (column, success) in enumerate(zip(result["columns"], line, strict=True))
    ]  # fmt: skip


def sentence(result: dict[str, Any]) -> str:
    """What the map says."""
    row, column = result["trained_place"]
    told = (
        f"At the attacker's place (row {row}, column {column}) the trigger works on "
        f"{numbers.percent(result['trained']['looked_at']['asr'])} of "
        f"{numbers.count(result['scored_images'])} images"
    )
    shares = [share for line in result["asr_by_position"] for share in line]
    strong = sum(share >= 0.5 for share in shares)
    if result["elsewhere"]:
        others = result["elsewhere"]
        told += (
            f"; on average over the other places, {numbers.percent(others['mean'])}, but from "
            f"{numbers.percent(others['lowest'])} to {numbers.percent(others['highest'])} "
            "depending on the place"
        )
    return (
        f"{told}. At {numbers.count(strong)} of {numbers.count(len(shares))} places it works on at "
        "least half of them."
    )


def stripes(result: dict[str, Any]) -> str:
    """Why the map is striped; nothing where it is not.

    The encoder makes the stripes, not its pictures: on the demo, pictures moved by one row or by
    one column leave them where they are.
    """
    shares = np.array(result["asr_by_position"])
    row, column = result["trained_place"]
    for axis, name, lines, trained in (
        (0, "row", result["rows"], row), (1, "column", result["columns"], column),
    ):  # fmt: skip
        means = shares.mean(axis=1 - axis)
        near = (np.array(lines) - trained) % 2 == 0
        if near.all() or not near.any():
            continue
        with_it, between = float(means[near].mean()), float(means[~near].mean())
        if abs(with_it - between) >= STRIPED:
            return (
                f"The stripes are real: at every second {name}, counted from the attacker's, the "
                f"trigger works on {numbers.percent(with_it)} of the images on average, at the "
                f"{name}s between on {numbers.percent(between)}. Most likely this is because the "
                "encoder shrinks a picture on its way through the layers, in steps of two pixels, "
                f"so that a trigger moved by one {name} is not the same trigger to it."
            )
    return ""


def heat_map(result: dict[str, Any]) -> go.Figure:
    """Attack success in percent at each place of the trigger's top left corner."""
    scale = [[i / (len(palette.SEQUENTIAL) - 1), c] for i, c in enumerate(palette.SEQUENTIAL)]
    percent = [[100 * share for share in line] for line in result["asr_by_position"]]
    figure = go.Figure(
        go.Heatmap(
            x=result["columns"], y=result["rows"], z=percent, zmin=0, zmax=100, colorscale=scale,
            xgap=1, ygap=1, colorbar=SCALE,
            hovertemplate="row %{y}, column %{x}: %{z:.0f}%<extra></extra>",
        )
    )  # fmt: skip
    row, column = result["trained_place"]
    figure.add_scatter(
        x=[column], y=[row], mode="markers", hoverinfo="skip",
        marker={"symbol": "x-thin", "size": 14, "line": {"width": 3, "color": palette.DARK_INK}},
    )  # fmt: skip
    charts.styled(figure, x="column (px); × the attacker's place",
                  y="row of the top left corner (px)", height=HEIGHT)  # fmt: skip
    figure.update_yaxes(
        autorange="reversed", scaleanchor="x", constrain="domain", constraintoward="top"
    )
    figure.update_xaxes(constrain="domain", constraintoward="left")
    figure.update_layout(margin={"t": 66})
    return figure
