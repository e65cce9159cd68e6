"""The chart of step 4: attack success staying low while right answers climb."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import streamlit as st

from mimic.run import Run, Status
from ui import (
    epoch_numbers,
    live,
    live_charts,
    mode,
    numbers,
    progress_words,
    provenance,
    run_chart,
    training_charts,
)
from ui.story import words
from ui.subject import Subject


@dataclass(frozen=True)
class Falling:
    """Draws attack success staying low while right answers climb."""

    subject: Subject

    def __call__(self, run: Run, status: Status) -> None:
        """The newest figures, large, above their curves."""
        records = run.metrics()
        measured = [r for r in records if r.get("evaluation")]
        if not measured:
            if status.is_active:
                st.caption("The first figures appear in a few seconds.")
            return
        now, before = measured[-1]["evaluation"], self.subject.result["scores"]["teacher"]
        with st.container(horizontal=True):
            st.metric(
                "Right answers", numbers.percent(now["accuracy"]),
                delta=f"the suspect: {numbers.percent(before['accuracy'])}",
                delta_color="off", delta_arrow="off", help=words.help_for("right answers"),
            )  # fmt: skip
            st.metric(
                "Attack success", numbers.percent(now["asr"]),
                delta=f"the suspect: {numbers.percent(before['asr'])}",
                delta_color="off", delta_arrow="off",
                help=words.help_for("attack success"),
            )  # fmt: skip
        if not measured[0]["epoch"]:
            st.caption(starts_high(measured[0]["evaluation"]["accuracy"]))
        scores, facts = self.subject.result["scores"], provenance.of(run)
        references = live_charts.reference_rows(scores)
        rows = partial(epoch_numbers.scores, records, scores, None, facts)
        drawn = live_charts.scores(records, int(records[-1]["epochs"]), references)
        run_chart.show(
            st.container(), "story-scores",
            live.alt("Right answers and attack success by round.",
                     progress_words.score_sentence(measured), status),
            status, lambda: words.in_story_words(drawn),
            lambda: training_charts.reworded(
                training_charts.scores(records, references, live_charts.HEIGHT), words.INSTEAD
            ),
            run.id, rows if mode.is_expert() else None,
        )  # fmt: skip


def starts_high(accuracy: float) -> str:
    """Why an encoder that has learned nothing yet is right so often."""
    return (
        f"The share of right answers (accuracy) starts at {numbers.percent(accuracy)} because "
        "these digits are easy: at each point of the curve a simple classifier is trained anew on "
        "what the encoder makes of the pictures, and even an encoder that has learned nothing yet "
        "keeps such small pictures apart well enough for it."
    )
