"""The numbers of a sweep as a table: a row per layer set, scale and losses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from mimic.run import Run
from mimic.sweep import set_name
from ui import downloads, numbers, sweep_map, text
from ui.sweep_plan import Plan, ended


def numbers_of(plan: Plan, run: Run) -> None:
    """Every tile with its range, and notes of the run."""
    rows = plan.rows(ended(run, plan))
    for note in (run.result() or {}).get("notes", [])[1:]:
        st.warning(text.sentence(note), icon=":material/warning:")
    if rows:
        with st.expander("The numbers"):
            st.dataframe(table(rows, plan), hide_index=True, width="stretch")
        downloads.rows_csv(lambda: rows, f"sweep-{run.id}")


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
