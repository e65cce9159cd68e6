"""The cleaned encoder as files."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from mimic.run import Run
from ui import figure_data, numbers, provenance, text

FORMATS = {
    "student_file": ("Cleaned encoder (.safetensors)", "cleaned-encoder.safetensors"),
    "original_layout_file": ("In the layout of the original", "cleaned-encoder-as-original"),
    "model_card_file": ("Model card (.md)", "MODEL_CARD.md"),
}


def student(run: Run, result: Mapping[str, Any]) -> None:
    """Download buttons; a file is read only when its button is pressed."""
    st.header("Take the cleaned encoder home", anchor=False)
    with st.container(horizontal=True):
        for field, (label, name) in FORMATS.items():
            path = run.directory / Path(result.get(field) or "-").name
            if path.is_file():
                st.download_button(
                    f"{label}, {numbers.size(path.stat().st_size)}",
                    functools.partial(path.read_bytes),
                    file_name=name if "." in name else name + path.suffix,
                    mime="application/octet-stream",
                    icon=":material/download:",
                    key=f"download-{field}-{run.id}",
                    on_click="ignore",
                )
    st.caption(
        "Both encoder files hold the same weights. The first loads without running any code; the "
        "second has every tensor name, shape and number format of the original file, for the "
        "programs written for that."
    )
    renewed = result.get("renewed_tensors", [])
    if renewed:
        with st.expander(f"{len(renewed)} tensors of the original layout were begun anew"):
            st.caption(
                "They lie outside the encoder (heads, queues, classifiers). Fresh random numbers "
                "stand in their place, because the suspect's own could carry the backdoor along."
            )
            st.dataframe(
                [{"tensor": text.bare(name, 80)} for name in renewed[:500]],
                hide_index=True, width="stretch",
            )  # fmt: skip


def figure_csv(
    figure: go.Figure, name: str, facts: Mapping[str, Any] | provenance.Facts | None = None
) -> None:
    """The numbers behind a chart, as CSV.

    Args:
        figure: the chart.
        name: of the file, and of the button among those of the page.
        facts: what each row is of, see ``provenance``.
    """
    if facts is None:
        rows_csv(lambda: figure_data.rows(figure), name)
    else:
        rows_csv(lambda: provenance.added(figure_data.points(figure), facts), name)


def rows_csv(
    rows: Callable[[], Sequence[Mapping[str, Any]]],
    name: str,
    label: str = "CSV",
    help_text: str = "The numbers behind this chart.",
) -> None:
    """The same for a chart whose rows are known.

    Args:
        rows: gives them once the button is pressed.
        name: as for ``figure_csv``.
        label: on the button.
        help_text: its explanation.
    """
    st.download_button(
        label,
        lambda: figure_data.as_csv(rows()).encode(),
        file_name=f"{text.bare(name)}.csv",
        mime="text/csv",
        icon=":material/download:",
        type="tertiary",
        key=f"csv-{name}",
        on_click="ignore",
        help=help_text,
    )
