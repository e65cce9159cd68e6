"""A distillation: its charts while it works, and what came of it."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from mimic.run import Run, Status
from ui import (
    address,
    agreement_chart,
    downloads,
    frame,
    gentler_cleaning,
    jobs,
    live,
    live_charts,
    missing_run,
    mode,
    numbers,
    progress_words,
    run_chart,
    scores,
    text,
    training_charts,
    training_end,
    verdict,
    whose,
    zoom,
)
from ui.subject import Subject, has_result

HEIGHT = live_charts.HEIGHT
BESIDE_BOTH = HEIGHT + agreement_chart.HEIGHT + 56
"""Pixels: a chart beside those of scores and of agreement, which have a title between them."""
RUN = "run"
"""The key of the chosen run; it is the name in the URL too, so a reload finds the run again."""


def choose(runs: Mapping[str, Run]) -> Run:
    """The run to look at, the newest unless one is picked, with its Stop or Resume button."""
    missing_run.adopt(RUN, runs)
    newest = next(iter(runs))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        picked = st.selectbox(
            "Run",
            list(runs),
            index=None,
            placeholder=f"newest: {jobs.label(runs[newest])}",
            format_func=jobs.labels(runs),
            key=RUN,
            persist_state="session",
        )
        run = runs.get(picked or "", runs[newest])
        address.keep(RUN, run.id)  # The newest, too: a link to it stays a link to this run.
        jobs.controls(run)
    missing_run.tell(RUN, runs)
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
        frame.link("runs", "Compare with another cleaning", runs=",".join(both))


@dataclass(frozen=True)
class Drawing:
    """Draws the charts of a distillation, finished or at work."""

    subject: Subject
    run_id: str

    def __call__(self, run: Run, status: Status) -> None:
        """Accuracy and attack success; in Expert the loss terms and the agreement, too."""
        records = run.metrics()
        if not records and not status.is_active:
            return
        final = ((run.result() or {}).get("scores") or {}).get("student")
        if mode.is_expert():
            told = self.everything(records, status, final)
        else:
            told = self.scores(st.container(), records, status, final)
        if not records:
            st.caption(f"The first {mode.word('epoch')} has not ended yet; charts appear here.")
            return
        st.caption(f"{told}{progress_words.quick_sentence(records, final)}")
        if status.is_active:
            zoom.choose(self.run_id, int(records[-1]["epochs"]))

    def scores(
        self,
        place: DeltaGenerator,
        records: progress_words.Records,
        status: Status,
        final: Mapping[str, Any] | None,
        waiting: int = HEIGHT,
    ) -> str:
        """Accuracy and attack success; returns the newest in words."""
        place.markdown("**Accuracy and attack success** while training")
        if not records:
            place.skeleton(waiting)
            return ""
        first, last = zoom.shown(self.run_id, int(records[-1]["epochs"]))
        measured = progress_words.score_sentence(records)
        references = live_charts.reference_rows(self.subject.result["scores"])
        run_chart.show(
            place, "scores",
            live.alt(f"Accuracy and attack success by {mode.word('epoch')}.", measured, status),
            status,
            lambda: live_charts.scores(records, last, references, first),
            lambda: training_charts.scores(records, references, HEIGHT, final), self.run_id,
        )  # fmt: skip
        return measured

    def everything(
        self, records: progress_words.Records, status: Status, final: Mapping[str, Any] | None
    ) -> str:
        """Loss terms beside scores and agreement; returns the newest in words."""
        agreed = status.is_active or any(r.get("agreement") is not None for r in records)
        left, right = st.columns(2, gap="large")
        left.markdown("**Loss terms**, as they enter the total")
        if not records:
            left.skeleton(BESIDE_BOTH)
            return self.scores(right, records, status, final, BESIDE_BOTH)
        first, last = zoom.shown(self.run_id, int(records[-1]["epochs"]))
        said = progress_words.loss_sentence(records)
        height = BESIDE_BOTH if agreed else HEIGHT
        run_chart.show(
            left, "losses", live.alt("Loss terms by epoch.", said, status), status,
            lambda: live_charts.losses(records, last, height, first),
            lambda: training_charts.losses(records, height), self.run_id,
        )  # fmt: skip
        told = f"{said} {self.scores(right, records, status, final)}"
        if not agreed:
            return told
        alike = progress_words.agreement_sentence(records)
        right.markdown("**Agreement** on the training images (linear CKA)")
        run_chart.show(
            right, "agreement",
            live.alt("Agreement on the training images by epoch.", alike, status), status,
            lambda: agreement_chart.drawn(records, last, first),
            lambda: training_charts.agreement(records, agreement_chart.HEIGHT), self.run_id,
        )  # fmt: skip
        return f"{told} {alike}"


def epochs_csv(run: Run) -> None:
    """The numbers behind the charts that are shown: a row per epoch and term or measure."""
    every = mode.is_expert()

    def rows() -> list[dict[str, Any]]:
        records = run.metrics()
        hidden = (*live_charts.loss_rows(records), *agreement_chart.rows_of(records))
        final = ((run.result() or {}).get("scores") or {}).get("student")
        scored = (*live_charts.score_rows(records), *training_end.rows(records, final))
        return [
            {"epoch": row["epoch"], "name": row.get("term") or row["measure"],
             "value": row.get("value"), "percent": row.get("percent"),
             "test images": row.get("images")}
            for row in (*scored, *(hidden if every else ()))
        ]  # fmt: skip

    downloads.rows_csv(rows, f"epochs-{run.id}")


def show(run: Run, result: Mapping[str, Any]) -> None:
    """Before, after and floor, with an honest sentence, and the way on where it did not work."""
    st.header("Before and after", anchor=False)
    found = verdict.of_run(run)
    again = functools.partial(gentler_cleaning.offer, run, found, RUN)
    verdict.card(found, "the cleaned encoder", again)
    whose.told(run)
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
        return f"{result['epochs']} {mode.word('epochs')}"
    return f"ended early at {mode.word('epoch')} {early} of {result['epochs']}"
