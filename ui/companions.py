"""The information beside its companions: small charts on one axis of layers, and what they say."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from ui import (
    charts,
    companion_charts,
    companion_words,
    cross_check,
    downloads,
    layer_focus,
    numbers,
    picture_file,
    probe_error,
    provenance,
    text,
)
from ui.companion_words import Bands, Order, Values, agreement, compare, course, order_words

Result = Mapping[str, Any]
WIDTHS = (4, 3, 3)
"""Of the charts in a row; the first one also holds the networks' names."""
NUMBERED = re.compile(r"^(\D+)(\d+)$")
SHORT = {
    "information": "information",
    "cka": "CKA",
    "effective_rank": "effective rank",
    "probe_accuracy": "probe accuracy",
    "separability": "AUC",
}
UNITS = {
    "information": "nats",
    "cka": "CKA (0 to 1)",
    "effective_rank": "directions",
    "probe_accuracy": "right (%)",
    "separability": "AUC (0.5 to 1)",
}
RULE = (
    "Two layers count as told apart by information where the bands of its critics do not overlap. "
    "Each critic holds out other ones of the same images; new ones may move a layer further. By "
    "another number they count as told apart where the 95% interval of their difference leaves "
    "zero out (Newcombe 1998). Where its intervals are not known, they must differ by more than 2% "
    "of its range and 0.5% of its size, whatever its sampling error."
)
WHISKERS = {
    "cka": "from leaving out each twelfth of the images in turn",
    "effective_rank": "from leaving out each twelfth of the images in turn",
    "probe_accuracy": "from the number of test images",
    "separability": "from the number of images it is scored on, wide because they are few",
}
"""What the 95% intervals of each companion come from."""
TITLES = {
    "information": "Information (nats)",
    **{k: v[0] for k, v in companion_charts.COMPANIONS.items()},
}
ABOUT = {
    "information": "How much of the output can be read from the layer, on clean images.",
    **{k: v[1] for k, v in companion_charts.COMPANIONS.items()},
}


def show(result: Result, layer: str, inspection: Result | None = None, *, run_id: str = "") -> None:
    """All measures of the layers with the layer in focus stressed.

    Args:
        result: of a measurement.
        layer: the layer in focus.
        inspection: result of the subject's inspection.
        run_id: the measurement's, for the names of saved files.
    """
    rows = [row for row in result.get("companions") or [] if row.get("layer")]
    if not rows:
        return
    rows = [*information_rows(result), *probe_error.with_intervals(rows, inspection)]
    layers, images = list(result["layers"]), result.get("clean_images")
    shown = [name for name in TITLES if any(row.get(name) is not None for row in rows)]
    orders = {name: order_of(result, rows, name) for name in shown if name != "information"}
    st.markdown("**Cross-check**: the information beside numbers that need no critic.")
    st.caption(text.plain(companion_words.images_said(rows, result), cross_check.LONG))
    with st.container(border=True):
        st.markdown(text.plain(told(orders), cross_check.LONG))
        st.markdown(text.plain(in_focus(rows, shown, layer), cross_check.LONG))
        st.caption(RULE)
    for start in range(0, len(shown), len(WIDTHS)):
        columns = st.columns(WIDTHS, gap="medium")
        for name, column in zip(shown[start : start + len(WIDTHS)], columns, strict=False):
            with column:
                panel(rows, name, layers, layer, orders.get(name), run_id, images)
    unsure = [SHORT[name] for name in orders if not intervals_of(rows, name)]
    if unsure:
        st.caption(text.plain(companion_words.without_error(unsure, result), cross_check.LONG))
    missing = [TITLES[name] for name in companion_charts.COMPANIONS if name not in shown]
    if missing:
        st.caption(f"Not measured here: {', '.join(missing)} (needs labels or a trigger).")
    table = [companion_charts.table_row(row) for row in rows if "information" not in row]
    st.expander("The numbers of the cross-check").dataframe(table, hide_index=True)


def panel(
    rows: list[Mapping[str, Any]],
    name: str,
    layers: list[str],
    layer: str,
    order: Order | None,
    run_id: str,
    images: int | None,
) -> None:
    """One measure: its chart, what it is, and what it says of the suspect."""
    values = suspect_values(rows, name)
    said = text.bare(
        course(values, companion_charts.LAYOUTS[name], intervals_of(rows, name)), cross_check.LONG
    )
    known = [row for row in rows if row.get(name) is not None]
    figure = companion_charts.companion_chart(known, name, layers)
    figure.update_xaxes(
        title_text="layer",
        tickvals=[text.bare(name) for name in layers],
        ticktext=folded(layers),
        tickangle=0,
    )
    figure.update_yaxes(title_text=UNITS[name])
    layer_focus.stress(figure, layers, layer)
    if name == "information":
        charts.label_line_ends(figure, figure.data[0].x[-1])
        figure.update_layout(margin={"r": 72})
    st.markdown(f"**{TITLES[name]}**")
    st.plotly_chart(
        figure,
        config=picture_file.named(f"layers-{name}", run_id),
        key=f"companion-{name}",
        alt=f"{TITLES[name]} per layer. {companion_charts.in_words(rows, name)} {said}",
    )
    said = f"{said} {order_words(order)}" if order else said
    if intervals_of(rows, name):
        said = f"{said} Whiskers: 95% intervals, {WHISKERS[name]}."
    st.caption(f"{ABOUT[name]} {text.plain(said, cross_check.LONG)}")
    facts = provenance.of_companion(run_id, name, known, images)
    downloads.figure_csv(figure, picture_file.file_name(f"layers-{name}", run_id), facts)


def folded(layers: Sequence[str]) -> list[str]:
    """Names with their number on a second line: upright side by side even in a narrow chart."""
    return [NUMBERED.sub(r"\1<br>\2", text.bare(layer)) for layer in layers]


def information_rows(result: Result) -> list[Mapping[str, Any]]:
    """Nats on clean images in the form of companions: a row per network and layer."""
    return [
        {"network": curve["network"], "layer": layer, "information": nats}
        for curve in result["curves"]
        for layer, nats in curve["layers"].items()
        if curve["input"] == "clean" and nats is not None
    ]


def suspect_values(rows: list[Mapping[str, Any]], name: str) -> Values:
    """One measure of the suspect by layer, as far as it is known."""
    return {
        row["layer"]: float(row[name])
        for row in rows
        if row["network"] == "teacher" and row.get(name) is not None
    }


def order_of(result: Result, rows: list[Mapping[str, Any]], name: str) -> Order:
    """How a companion's order of the suspect's layers compares with the information's.

    How well a layer tells triggered from clean images is compared with how far its estimate
    falls when the trigger is put on, where that was measured.
    """
    of_input = {c["input"]: c for c in result["curves"] if c["network"] == "teacher"}
    information, bands = suspect_values(rows, "information"), clean_bands(of_input)
    if name == "separability":
        stamped = of_input.get("triggered", {}).get("layers", {})
        information = {
            n: v - stamped[n] for n, v in information.items() if stamped.get(n) is not None
        }
        bands = {}
    return compare(information, suspect_values(rows, name), bands, intervals_of(rows, name))


def intervals_of(rows: list[Mapping[str, Any]], name: str) -> Bands:
    """The suspect's 95% intervals of a measure by layer, as far as they are known."""
    field = companion_charts.INTERVALS.get(name, "")
    return {
        row["layer"]: row[field] for row in rows if row["network"] == "teacher" and row.get(field)
    }


def clean_bands(of_input: Mapping[str, Mapping[str, Any]]) -> Bands:
    """Lowest and highest critic by layer on clean images; none where they were not kept."""
    bands: Bands = of_input.get("clean", {}).get("bands") or {}
    return bands


def told(orders: Mapping[str, Order]) -> str:
    """The sentence above the charts."""
    said = agreement({SHORT[name]: order for name, order in orders.items()})
    if not said:
        return "Nothing was measured that could be compared."
    lost = ""
    if "separability" in orders:
        lost = " AUC is compared with how far the layer's curve falls when the trigger is on."
    return f"{said[0].upper()}{said[1:]}{lost}"


def in_focus(rows: list[Mapping[str, Any]], shown: list[str], layer: str) -> str:
    """The suspect's numbers in the layer in focus."""
    said = []
    for name in shown:
        value = suspect_values(rows, name).get(layer)
        number = numbers.NOTHING if value is None else companion_charts.LAYOUTS[name].format(value)
        said.append(number if name == "information" else f"{SHORT[name]} {number}")
    return f"{layer} of the suspect: {', '.join(said)}."
