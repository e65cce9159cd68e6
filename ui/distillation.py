"""A distillation: its charts while it works, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from mimic.run import Run, Status
from ui import (
    address,
    agreement_chart,
    downloads,
    frame,
    jobs,
    live,
    live_charts,
    numbers,
    scores,
    text,
    training_charts,
    verdict,
)
from ui.subject import Subject, has_result

BESIDE_BOTH = live_charts.HEIGHT + agreement_chart.HEIGHT + 56
"""Pixels: a chart beside those of scores and of agreement, which have a title between them."""
RUN = "run"
"""The key of the chosen run; it is the name in the URL too, so a reload finds the run again."""


def choose(runs: Mapping[str, Run]) -> Run:
    """The run to look at, the newest unless one is picked, with its Stop or Resume button."""
    address.adopt(RUN, runs)
    newest = next(iter(runs))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        picked = st.selectbox(
            "Run",
            list(runs),
            index=None,
            placeholder=f"newest: {jobs.label(runs[newest])}",
            format_func=lambda run_id: jobs.label(runs[run_id]) if run_id in runs else run_id,
            key=RUN,
            persist_state="session",
        )
        run = runs.get(picked or "", runs[newest])
        address.keep(RUN, picked)
        jobs.controls(run)
    return run


def compare_link(runs: Mapping[str, Run], run: Run) -> None:
    """The way to this distillation beside the one before it; the first one's is beside the next.

    Args:
        runs: distillations of one encoder, newest first.
        run: one of them.
    """
    ended = [name for name, other in runs.items() if name == run.id or has_result(other)]
    place = ended.index(run.id)
    if len(ended) > 1:
        other = ended[place + 1] if place + 1 < len(ended) else ended[place - 1]
        both = sorted((run.id, other), key=ended.index, reverse=True)  # The older one first.
        frame.link("runs", "Compare with another distillation", runs=",".join(both))


@dataclass(frozen=True)
class Drawing:
    """Draws the charts of a distillation, finished or at work."""

    subject: Subject

    def __call__(self, run: Run, status: Status) -> None:
        """Loss terms beside accuracy, attack success and agreement."""
        records = run.metrics()
        if not records and not status.is_active:
            return
        agreed = status.is_active or any(r.get("agreement") is not None for r in records)
        left, right = st.columns(2, gap="large")
        left.markdown("**Loss terms**, as they enter the total")
        right.markdown("**Accuracy and attack success** of the student")
        if not records:
            left.skeleton(BESIDE_BOTH)
            right.skeleton(BESIDE_BOTH)
            st.caption("The first epoch has not ended yet; charts appear here.")
            return
        epochs = int(records[-1]["epochs"])
        height = BESIDE_BOTH if agreed else live_charts.HEIGHT
        said, measured = loss_sentence(records), score_sentence(records)
        references = live_charts.reference_rows(self.subject.result["scores"])
        live_charts.show(
            left, "losses", live.alt("Loss terms by epoch.", said, status), status,
            lambda: live_charts.losses(records, epochs, height),
            lambda: training_charts.losses(records, height),
        )  # fmt: skip
        live_charts.show(
            right, "scores",
            live.alt("Accuracy and attack success by epoch.", measured, status), status,
            lambda: live_charts.scores(records, epochs, references),
            lambda: training_charts.scores(records, references, live_charts.HEIGHT),
        )  # fmt: skip
        if agreed:
            told = agreement_sentence(records)
            right.markdown("**Agreement** with the suspect (linear CKA)")
            live_charts.show(
                right, "agreement",
                live.alt("Agreement with the suspect by epoch.", told, status), status,
                lambda: agreement_chart.drawn(records, epochs),
                lambda: training_charts.agreement(records, agreement_chart.HEIGHT),
            )  # fmt: skip
            measured = f"{measured} {told}"
        final = ((run.result() or {}).get("scores") or {}).get("student")
        st.caption(f"{said} {measured}{quick_sentence(records, final)}")


def loss_sentence(records: list[dict[str, Any]]) -> str:
    """The newest loss in words."""
    trained = [r for r in records if r.get("loss") is not None]
    if not trained:
        return "No epoch has been trained yet."
    last = trained[-1]
    return f"Epoch {last['epoch']} of {last['epochs']}: total loss {last['loss']:.3f}."


def score_sentence(records: list[dict[str, Any]]) -> str:
    """The newest measurement in words."""
    measured = [r for r in records if r.get("evaluation")]
    if not measured:
        return "Not measured yet."
    last = measured[-1]
    found = last["evaluation"]
    images = found.get("test_images")
    on = f" on {numbers.count(images)} test images" if images else ""
    return (
        f"Measured at epoch {last['epoch']}{on}: accuracy "
        f"{numbers.percent(found.get('accuracy'))}, attack success "
        f"{numbers.percent(found.get('asr'))}."
    )


def quick_sentence(records: list[dict[str, Any]], final: Mapping[str, Any] | None) -> str:
    """Why a finished run's last measurement is not its score, where that is so."""
    measured = [r["evaluation"] for r in records if r.get("evaluation")]
    quick, whole = (measured or [{}])[-1].get("test_images"), (final or {}).get("test_images")
    if not quick or not whole or quick == whole:
        return ""
    return (
        f" This is the quick measurement of the training, with fewer images for classifier and "
        f"test; the scores below are the final ones, on {numbers.count(whole)} test images."
    )


def agreement_sentence(records: list[dict[str, Any]]) -> str:
    """The newest agreement in words."""
    agreed = [r["agreement"] for r in records if r.get("agreement") is not None]
    if not agreed:
        return "The agreement with the suspect is not measured yet."
    return f"Agreement with the suspect, from 0 to 1: {agreed[-1]:.3f}."


def epochs_csv(run: Run) -> None:
    """The numbers behind the charts: a row per epoch and term or measure."""
    downloads.rows_csv(
        lambda: [
            {"epoch": row["epoch"], "name": row.get("term") or row["measure"],
             "value": row.get("value"), "percent": row.get("percent")}
            for records in [run.metrics()]
            for row in (*live_charts.loss_rows(records), *live_charts.score_rows(records),
                        *agreement_chart.rows_of(records))
        ],
        f"epochs-{run.id}",
    )  # fmt: skip


def show(result: Mapping[str, Any]) -> None:
    """Before, after and floor, with an honest sentence."""
    st.header("Before and after", anchor=False)
    verdict.card(verdict.of_cleaning(result["scores"]), "the cleaned encoder")
    scores.table(result["scores"])
    used = ", ".join(f"{text.plain(k)} {w:,.1f}" for k, w in result["weights"].items())
    path = ", reference path" if result.get("reference") else ""
    st.caption(
        f"{numbers.count(result['clean_images'])} clean images "
        f"({numbers.percent(result['clean_fraction'])} of the data), {lasted(result)} in "
        f"{numbers.duration(result['seconds'])} on {text.plain(result['device'])} "
        f"({text.plain(result['precision'])}{path}). Layer weights: {used or 'none'}."
    )
    for note in result.get("notes", []):
        st.info(text.sentence(note), icon=":material/info:")


def lasted(result: Mapping[str, Any]) -> str:
    """How many epochs were trained, and whether the training ended by itself."""
    early = result.get("stopped_early_at")
    if early is None:
        return f"{result['epochs']} epochs"
    return f"ended early at epoch {early} of {result['epochs']}"
