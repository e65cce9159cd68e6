"""A distillation: its charts while it works, and what came of it."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from mimic import other_probes
from mimic.config import DistillConfig
from mimic.run import Run, Status, find_run, is_bundled
from ui import (
    address,
    agreement_chart,
    epoch_numbers,
    frame,
    gentler_cleaning,
    glossary,
    jobs,
    live,
    live_charts,
    missing_run,
    mode,
    numbers,
    progress_words,
    provenance,
    run_chart,
    scores,
    text,
    training_charts,
    verdict,
    whose,
    zoom,
)
from ui.subject import Subject, has_result

HEIGHT = live_charts.HEIGHT
CSV_HEIGHT = 56
"""Pixels of the button below a chart, with the gap above it."""
BESIDE_BOTH = HEIGHT + agreement_chart.HEIGHT + CSV_HEIGHT + 56
"""Pixels: a chart beside those of scores and agreement, a button and a title between them."""
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
            run_chart.offer_camera(status)

    def trained_on(self) -> int:
        """The clean images that the student learns from."""
        run = find_run(self.run_id)
        told, config = (run.result() or {}).get("clean_images"), cast(DistillConfig, run.config())
        return int(told or config.clean_images(int(self.subject.result["data"]["images"])))

    def scores(
        self,
        place: DeltaGenerator,
        records: progress_words.Records,
        status: Status,
        final: Mapping[str, Any] | None,
        waiting: int = HEIGHT,
    ) -> str:
        """Accuracy and attack success; returns the newest in words."""
        place.markdown(
            "**Accuracy and attack success** while training",
            help=glossary.help_for("accuracy", "attack success", "floor"),
        )
        if not records:
            place.skeleton(waiting)
            return ""
        first, last = zoom.shown(self.run_id, int(records[-1]["epochs"]))
        measured = progress_words.score_sentence(records)
        before, facts = self.subject.result["scores"], provenance.of(self.run_id)
        references = live_charts.reference_rows(before)
        span = (first, last) if status.is_active else None
        run_chart.show(
            place, "scores",
            live.alt(f"Accuracy and attack success by {mode.word('epoch')}.", measured, status),
            status,
            lambda: live_charts.scores(records, last, references, first),
            lambda: training_charts.scores(records, references, HEIGHT, final, span), self.run_id,
            lambda: epoch_numbers.scores(records, before, final, facts),
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
        span = (first, last) if status.is_active else None
        facts = provenance.of(self.run_id, images=self.trained_on())
        run_chart.show(
            left, "losses", live.alt("Loss terms by epoch.", said, status), status,
            lambda: live_charts.losses(records, last, height, first),
            lambda: training_charts.losses(records, height, span), self.run_id,
            lambda: epoch_numbers.losses(records, facts),
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
            lambda: training_charts.agreement(records, agreement_chart.HEIGHT, span), self.run_id,
            lambda: epoch_numbers.agreement(records, facts),
        )  # fmt: skip
        return f"{told} {alike}"


def show(subject: Subject, run: Run, result: Mapping[str, Any]) -> None:
    """Before, after and floor, with an honest sentence, and the way on where it did not work."""
    st.header("Before and after", anchor=False)
    found = other_probes.judged(run, subject.runs("evaluate"))
    again = functools.partial(gentler_cleaning.offer, run, found, RUN)
    verdict.card(found, "the cleaned encoder", again)
    whose.told(run)
    scores.table(result["scores"])
    st.caption(how(run, result))
    for note in result.get("notes", []):
        st.info(text.sentence(note), icon=":material/info:")


def how(run: Run, result: Mapping[str, Any]) -> str:
    """On how many images, how long, where; for experts also how exactly, and with which weights."""
    told = (
        f"{numbers.count(result['clean_images'])} clean images "
        f"({numbers.percent(result['clean_fraction'])} of the data), {lasted(result)} in "
        f"{numbers.duration(result['seconds'])}"
    )
    if not mode.is_expert():
        where = "the machine that made the demo" if is_bundled(run) else "this machine"
        return f"{told} on {where}."
    used = ", ".join(f"{text.plain(k)} {w:,.1f}" for k, w in result["weights"].items())
    path = ", reference path" if result.get("reference") else ""
    return (
        f"{told} on {text.plain(result['device'])} ({text.plain(result['precision'])}{path}). "
        f"Layer weights: {used or 'none'}."
    )


def lasted(result: Mapping[str, Any]) -> str:
    """How many epochs were trained, and whether the training ended by itself."""
    early = result.get("stopped_early_at")
    if early is None:
        return f"{result['epochs']} {mode.word('epochs')}"
    return f"ended early at {mode.word('epoch')} {early} of {result['epochs']}"
