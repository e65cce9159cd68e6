"""The numbers of a sweep as a table: a row per layer set, scale and losses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from mimic.run import Run
from mimic.sweep import set_name
from ui import downloads, numbers, provenance, sweep_map, text
from ui.sweep_plan import Plan, ended


def numbers_of(plan: Plan, run: Run) -> None:
    """Every tile with its range, and notes of the run."""
    rows = plan.rows(ended(run, plan))
    for note in (run.result() or {}).get("notes", [])[1:]:
        st.warning(text.sentence(note), icon=":material/warning:")
    if rows:
        facts = provenance.of(run, encoder=provenance.CLEANED)
        with st.expander("The numbers"):
            st.dataframe(table(rows, plan), hide_index=True, width="stretch")
            downloads.rows_csv(
                lambda: provenance.added(rows, facts), f"sweep-{run.id}", "CSV of both maps",
                "Each row has accuracy and attack success, also over all classes.",
            )  # fmt: skip


def of_map(
    tiles: Sequence[Mapping[str, Any]], measure: str, plan: Plan, run: Run, losses: str
) -> list[dict[str, Any]]:
    """One map as CSV rows: a row per tile, a hole without a number.

    The row none of the map, one measurement whatever the weight, is one row with the weight 0.

    Args:
        tiles: see ``sweep_map.tiles``.
        measure: ``asr``, which leaves out images of the target class, or ``accuracy``.
        plan: of the sweep.
        run: the sweep.
        losses: the losses that the map speaks of.
    """
    tiles = list({(tile["set"], tile["weight"]): tile for tile in tiles}.values())
    title = f"{sweep_map.MEASURES[measure].lower()} (%)"
    scored = (plan.teacher or {}).get("stamped_images" if measure == "asr" else "test_images")
    trained = next((line["clean_images"] for line in run.metrics() if "clean_images" in line), None)
    shared = provenance.of(
        run, images=scored, training_images=trained, interval=provenance.SEEDS, losses=losses
    )
    rows = [
        {
            "layers": tile["set"], "weight per layer": tile["weight"], title: tile["percent"],
            "interval from": tile["bounds"][0], "interval to": tile["bounds"][1],
            "learned enough": sweep_map.ENOUGH[tile["weak"]], "encoder": provenance.CLEANED,
        }
        for tile in tiles
    ]  # fmt: skip
    seeds = [", ".join(str(seed) for seed in tile["measured"]) for tile in tiles]
    told = provenance.added(rows, shared)
    return [{**row, "seed": of_row} for row, of_row in zip(told, seeds, strict=True)]


def table(rows: Sequence[Mapping[str, Any]], plan: Plan) -> list[dict[str, str]]:
    """One table row per layer set, scale and losses."""
    return [
        {
            "layers": text.cell(set_name(row["layers"], plan.config.layers)),
            "weight per layer": sweep_map.scale_name(row["scale"]),
            "losses": text.cell(row["losses"]),
            "seeds": str(len(row["seeds"])),
            "ASR": numbers.percent(row["asr"]),
            "ASR, range over seeds": numbers.interval(row["asr_range"]),
            "ASR, all classes": numbers.percent(row["asr_all"]),
            "accuracy": numbers.percent(row["accuracy"]),
            "accuracy, range over seeds": numbers.interval(row["accuracy_range"]),
            "learned enough": sweep_map.ENOUGH[row.get("is_weak")],
        }
        for row in rows
    ]
