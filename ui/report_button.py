"""The report of a distillation as a download."""

from __future__ import annotations

import functools
import html

import streamlit as st

from mimic.errors import MimicError
from mimic.reporting import current_report
from mimic.run import Run
from ui import subject

REFUSED = '<!doctype html><meta charset="utf-8"><title>No report</title><p>{}</p><p>{}</p>'


def offer(run: Run) -> None:
    """The download button, for finished distillations; a stored report is given at once."""
    if run.kind != "distill" or not subject.has_result(run):
        return
    st.download_button(
        "Report (.html)",
        functools.partial(content, run),
        file_name=f"report-{run.id}.html",
        mime="text/html",
        icon=":material/description:",
        key=f"report-{run.id}",
        on_click="ignore",
        help="One file with verdict, figures, settings, hashes and versions; opens without a "
        "network. The first time it takes a few seconds to draw.",
    )


def content(run: Run) -> bytes:
    """The report, drawn now where it is not there yet or has become old.

    This runs after the click, when no card can be shown any more: a failure is told in the file.
    """
    try:
        return current_report(run).read_bytes()
    except MimicError as error:
        return REFUSED.format(html.escape(error.cause), html.escape(error.remedy)).encode()
