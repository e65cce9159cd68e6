"""The cleaned encoder as files."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from mimic.run import Run
from ui import numbers

FORMATS = {
    "student_file": ("Cleaned encoder (.safetensors)", "cleaned-encoder.safetensors"),
    "original_layout_file": ("In the layout of the original (.pth)", "cleaned-encoder.pth"),
}


def student(run: Run, result: Mapping[str, Any]) -> None:
    """Download buttons; a file is read only when its button is pressed."""
    st.subheader("Take the cleaned encoder home", anchor=False)
    with st.container(horizontal=True):
        for field, (label, name) in FORMATS.items():
            path = run.directory / Path(result.get(field) or "-").name
            if path.is_file():
                st.download_button(
                    f"{label}, {numbers.size(path.stat().st_size)}",
                    functools.partial(path.read_bytes),
                    file_name=name,
                    mime="application/octet-stream",
                    icon=":material/download:",
                    key=f"download-{field}-{run.id}",
                    on_click="ignore",
                )
    st.caption(
        "Both hold the same weights. The first loads without running any code; the second fits "
        "programs written for the original file."
    )
