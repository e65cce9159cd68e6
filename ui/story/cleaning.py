"""Step 4: a fresh encoder learns from the suspect, live, and the sticker is tried on it."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from mimic.config import DistillConfig, PlacementConfig
from mimic.run import Run, Status, is_bundled
from mimic.subjects import recommended_distillation
from ui import distillation, glossary, jobs, live, live_charts, numbers
from ui.story import placements
from ui.story.sources import source
from ui.subject import Subject, has_result

EVALUATE_EVERY = 10
"""Half as often as recommended, which changes the waiting but not what is learned."""
RUN, PLACEMENT = "story_distill_run", "story_placement_run"


def config(subject: Subject) -> DistillConfig:
    """The recommended cleaning, seed 0; layer weights come from the newest measurement."""
    measured = subject.latest("information")
    return DistillConfig(
        **subject.settings,
        **recommended_distillation(subject.settings["subject"]),
        information=measured.id if measured else "measure",
        evaluate_every=EVALUATE_EVERY,
    )


def newest(subject: Subject) -> Run | None:
    """The newest cleaning made on this machine that is finished or at work."""
    for run in subject.runs("distill"):
        if not is_bundled(run) and (has_result(run) or jobs.state_of(run).is_active):
            return run
    return None


def finished(subject: Subject) -> Run | None:
    """The newest finished cleaning made on this machine."""
    return next((r for r in subject.runs("distill") if not is_bundled(r) and has_result(r)), None)


def clean(subject: Subject) -> bool:
    """The button, the live chart, and the result; whether there is one."""
    st.markdown(
        "A **fresh, empty encoder** now learns from the suspect, by looking at a few clean "
        "pictures only. It never sees the sticker. Watch two things: how often it is **right** "
        "should climb to the suspect's, and how often the sticker **fools** it should be far below "
        "the suspect's from the start, and stay there.",
        help=glossary.help_for("distillation", "clean images", "student"),
    )
    chosen = config(subject)
    run = newest(subject)
    started = live.pending(RUN)
    ended = started if started and not has_result(started) and started != run else None
    if run is None:
        if ended is not None and not jobs.state_of(ended).is_active:
            live.follow(ended)
        st.button(
            "Clean it", icon=":material/cleaning_services:", type="primary",
            on_click=jobs.start, args=("distill", chosen, RUN),
        )  # fmt: skip
        st.caption(
            f"A real training of {numbers.count(chosen.epochs)} rounds on this machine; "
            "usually half a minute.",
            help=glossary.help_for("epoch", "seed"),
        )
        return False
    if not has_result(run):
        with st.container(horizontal=True):
            jobs.controls(run)
        live.follow(run, Falling(subject))
        return False
    return ended_well(subject, run, chosen)


def ended_well(subject: Subject, run: Run, chosen: DistillConfig) -> bool:
    """A finished cleaning, old or new, and the try of the sticker that follows by itself."""
    made = run.config()
    rounds = made.epochs if isinstance(made, DistillConfig) else 0
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(
            f":material/check_circle: **Cleaned {numbers.ago(jobs.state_of(run).updated)}** "
            f"({numbers.count(rounds)} rounds, seed {made.seed})"
        )
        st.button(
            "Clean again", icon=":material/refresh:", type="tertiary",
            on_click=jobs.start, args=("distill", chosen, RUN),
        )  # fmt: skip
    Falling(subject)(run, jobs.state_of(run))
    with st.container(horizontal=True):
        source(run, "A fresh encoder was trained, and scored on all test images as it learned.")
    return try_sticker(subject, run)


def try_sticker(subject: Subject, run: Run) -> bool:
    """See to it that the sticker is tried on the cleaned encoder; whether that is done."""
    if placements.find(subject, run.id):
        return True
    trial = next((r for r in subject.runs("placement") if placements.student_of(r) == run.id), None)
    if trial is None:
        jobs.start("placement", sticker_trial(subject, run), PLACEMENT)
        trial = live.pending(PLACEMENT)
    if trial is None:
        return False
    st.markdown("Now the sticker is put on test pictures for the cleaned encoder.")
    live.follow(trial)
    if jobs.state_of(trial).state in jobs.ENDED_EARLY:
        st.button(
            "Try again", on_click=jobs.start,
            args=("placement", sticker_trial(subject, run), PLACEMENT),
        )  # fmt: skip
    return False


def sticker_trial(subject: Subject, run: Run) -> PlacementConfig:
    """The sticker on the cleaned encoder, at the places the story uses."""
    return PlacementConfig(**subject.settings, student=run.id, stride=placements.STRIDE)


@dataclass(frozen=True)
class Falling:
    """Draws attack success falling while accuracy stays."""

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
                delta_color="off", delta_arrow="off", help=glossary.help_for("accuracy"),
            )  # fmt: skip
            st.metric(
                "Attack success", numbers.percent(now["asr"]),
                delta=f"the suspect: {numbers.percent(before['asr'])}",
                delta_color="off", delta_arrow="off",
                help=glossary.help_for("attack success rate"),
            )  # fmt: skip
        references = live_charts.reference_rows(self.subject.result["scores"])
        st.altair_chart(
            live_charts.scores(records, int(records[-1]["epochs"]), references),
            width="stretch", key="story-scores", alt=distillation.score_sentence(measured),
        )  # fmt: skip
