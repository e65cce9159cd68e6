"""A measurement of the layers: the curves, what they say, and the fit behind each point."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from mimic import curve_reading
from mimic.run import Run, Status
from ui import (
    charts,
    cross_check,
    curve_words,
    downloads,
    glossary,
    mode,
    numbers,
    palette,
    picture_file,
    provenance,
    text,
    whose,
)

Result = Mapping[str, Any]


def suspect_on_clean(result: Result) -> dict[str, float]:
    """Nats per layer of the suspect on clean images; empty where they were not measured."""
    curves = result["curves"]
    wanted = [c for c in curves if (c["network"], c["input"]) == ("teacher", "clean")]
    return {layer: float(nats) for curve in wanted for layer, nats in curve["layers"].items()}


def show(run: Run, result: Result) -> None:
    """The curves with their sentence; for experts also the fit of a chosen point."""
    expert = mode.is_expert()
    told = curve_reading.explain(result["curves"]) if expert else curve_words.summary(result)
    told = told or result["sentence"]
    with st.container(border=True):
        st.markdown(
            text.plain(told, cross_check.LONG),
            help=glossary.help_for(
                "mutual information", "nat", "layer", "clean twin", "triggered image"
            ),
        )
    whose.told(run)
    figure = charts.information_curves(drawn(result), result["layers"])
    st.plotly_chart(
        figure,
        config=picture_file.named("information", run.id),
        key="information-curves",
        alt=f"Mutual information per layer. {text.bare(told, cross_check.LONG)}",
    )
    comparing = curve_words.comparing if expert else curve_words.simple_caption
    st.caption(text.plain(comparing(result), cross_check.LONG))
    if expert:
        shared = provenance.of(run, **counted(result), interval=provenance.CRITICS)
        downloads.figure_csv(
            figure, picture_file.file_name("information", run.id), provenance.by_series(shared)
        )
    cross_check.warnings(result, plain=not expert)
    if not expert:
        return
    st.caption(caption(result))
    cross_check.explain_limits(result)
    with st.expander("The numbers"):
        st.dataframe(rows(result), hide_index=True, width="stretch")
    with st.expander("The fit behind each point"):
        fit(run, result)


def counted(result: Result) -> dict[str, Any]:
    """On how many images, and scored on how many pairs of them, a curve stands."""
    scored = result.get("held_out_pairs") or result.get("pairs")
    return {"images": result.get("clean_images"), "scored_pairs": scored}


def drawn(result: Result) -> list[Mapping[str, Any]]:
    """The curves on the chart: the untrained network's only for experts.

    It lies above all others and would be read as knowing most.
    """
    curves = list(result["curves"])
    trained = [curve for curve in curves if curve["network"] != "random"]
    return curves if mode.is_expert() or not trained else trained


def caption(result: Result) -> str:
    """What was measured, on which images, and how to read the lines."""
    noise = (
        f"plus noise ({numbers.percent(result['noise'])} of its spread)"
        if result["noise"]
        else "without noise"
    )
    pairs, held_out = result["pairs"], result["held_out_pairs"]
    scored = (
        f"{numbers.count(held_out)} held-out of {numbers.count(pairs)} pairs"
        if held_out
        else f"the {numbers.count(pairs)} pairs the critic was fitted to"
    )
    return (
        f"{cross_check.meaning(result)} between a layer and the encoder's output {noise}, measured "
        f"on {scored} from {numbers.count(result['clean_images'])} clean images. Solid line and "
        f"circle: clean images; dashed and cross: triggered ones. {curve_words.spread(result)}"
    ).strip()


def rows(result: Result) -> list[dict[str, str]]:
    """One row per curve: nats per layer, from the lowest to the highest critic in brackets."""
    return [
        {
            "network": palette.NETWORK_NAME.get(curve["network"], text.cell(curve["network"])),
            "images": text.cell(curve["input"]),
            **{
                text.cell(layer): "–" if nats is None else f"{nats:.2f} nats{band(curve, layer)}"
                for layer, nats in curve["layers"].items()
            },
        }
        for curve in result["curves"]
    ]


def band(curve: Mapping[str, Any], layer: str) -> str:
    """How far the critics of a point lie apart; nothing where one alone was fitted."""
    bounds = (curve.get("bands") or {}).get(layer)
    return f" ({bounds[0]:.2f}–{bounds[1]:.2f})" if bounds else ""


def fit(run: Run, result: Result) -> None:
    """The critic's estimate by epoch for one network, input and layer."""
    names = {f"{c['network']}/{c['input']}": c for c in result["curves"]}
    key = st.segmented_control(
        "Curve",
        list(names),
        default=next(iter(names)),
        required=True,
        format_func=curve_name,
        key="fit_curve",
        wrap=True,
    )
    layer = st.segmented_control(
        "Layer", result["layers"], default=result["layers"][-1], required=True, key="fit_layer",
        format_func=text.plain,
    )  # fmt: skip
    network, given = str(key or next(iter(names))).split("/")
    records = [
        r
        for r in run.metrics()
        if (r["network"], r["input"], r["layer"]) == (network, given, layer)
    ]
    if not records:
        st.caption("This run kept no fit.")
        return
    last, shown = records[-1], f"critic-fit-{network}-{given}-{layer}"
    st.plotly_chart(
        charts.critic_fit(records),
        config=picture_file.named(shown, run.id),
        key="critic-fit",
        alt=f"Estimate by critic epoch; held-out pairs end at {last['held_out']:.2f} nats.",
    )
    st.caption(
        "A critic learns to tell true pairs from shuffled ones. Where the held-out line has "
        "levelled off, the point can be trusted; a wide gap between the lines means it learned "
        "its pairs by heart."
    )
    facts = provenance.of(run, encoder=palette.NETWORK_NAME.get(network), **counted(result))
    rows = provenance.added(records, facts)
    downloads.rows_csv(lambda: rows, picture_file.file_name(shown, run.id))


def curve_name(key: str) -> str:
    """A curve on screen."""
    network, _, given = key.partition("/")
    return f"{palette.NETWORK_NAME.get(network, text.plain(network))}, {text.plain(given)}"


def draw_progress(run: Run, status: Status) -> None:
    """The estimate of the critic at work."""
    records = run.metrics()
    if status.is_active and records:
        last = records[-1]
        name = curve_name(f"{last['network']}/{last['input']}")
        done = {(r["network"], r["input"], r["layer"]) for r in records}
        told = f"{len(done)} curve points so far; now {name}, {text.plain(last['layer'])}"
        if mode.is_expert():
            told += (
                f": {last['held_out']:.2f} nats on held-out pairs after {last['epoch']} critic "
                "epochs"
            )
        st.caption(f"{told}.")
