"""Step 4: the cleaned encoder learns from the suspect, live, and the sticker is tried on it."""

from __future__ import annotations

import streamlit as st

from mimic.config import DistillConfig, PlacementConfig
from mimic.run import Run, is_bundled
from mimic.subjects import recommended_distillation, student_id
from ui import jobs, live, mode, numbers
from ui.story import own_pace, placements, words
from ui.story.falling import Falling
from ui.story.sources import source
from ui.subject import Subject, has_result

EVALUATE_EVERY = 10
"""Half as often as recommended, which changes the waiting but not what is learned."""
SECONDS_TO_CLEAN, SECONDS_TO_TRY = "30 to 60", "10"
"""On a laptop; told until this machine has its own figures."""
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
    """The cleaning made beforehand if it was chosen, or the newest of this machine.

    One of this machine counts if it is finished or at work. That the one made beforehand was chosen
    is also known, after a reload, by the try of the sticker that followed.
    """
    picked = live.pending(RUN)
    if picked:  # What became of one that ended early is told, not an older one shown instead.
        ended = not has_result(picked) and jobs.state_of(picked).state in jobs.ENDED_EARLY
        return None if ended else picked
    for run in subject.runs("distill"):
        if not is_bundled(run) and (has_result(run) or jobs.state_of(run).is_active):
            return run
    ready = beforehand(subject)
    return ready if ready and trials(subject, ready) else None


def beforehand(subject: Subject) -> Run | None:
    """The finished cleaning that ships with the demo."""
    found = (r for r in subject.runs("distill") if is_bundled(r) and has_result(r))
    return next(found, None)


def finished(subject: Subject) -> Run | None:
    """The newest finished cleaning of this machine, else the one made beforehand."""
    own = (r for r in subject.runs("distill") if not is_bundled(r) and has_result(r))
    return next(own, None) or beforehand(subject)


def pick(run: Run) -> None:
    """Go on with a finished cleaning, until another is begun. Use as a callback."""
    st.session_state[RUN] = run.id


def clean(subject: Subject) -> bool:
    """The button, the live chart, and the result; whether Next is the thing to press."""
    st.markdown(
        "**Cleaning** trains a new encoder, **the cleaned encoder**. It starts from random numbers "
        "and learns from the suspect, by looking at a few clean pictures only. It never sees the "
        "sticker. "
        "Watch two things: how often it is **right** should climb to the suspect's, and how often "
        "the sticker **fools** it should be far below the suspect's from the start, and stay "
        "there.",
        help=words.help_for("cleaning", "clean pictures"),
    )
    run = newest(subject)
    if run is None:
        begin(subject)
        return False
    if not has_result(run):
        at_work(subject, run)
        return True
    return ended_well(subject, run)


def begin(subject: Subject) -> None:
    """The button that starts the cleaning, below what became of one that did not finish."""
    chosen, started = config(subject), live.pending(RUN)
    if started and not has_result(started) and not jobs.state_of(started).is_active:
        with st.container(horizontal=True):
            jobs.controls(started)
        live.follow(started)
        st.caption(
            "*Resume* goes on where it stopped; *Clean it* starts a new one from the beginning."
        )
    ready = finished(subject)
    with st.container(horizontal=True):
        st.button(
            "Clean it", icon=":material/cleaning_services:", type="primary",
            on_click=jobs.start, args=("distill", chosen, RUN),
        )  # fmt: skip
        offer_finished(ready)
    st.caption(waiting(subject, chosen, offered=ready), help=words.help_for("round"))


def offer_finished(ready: Run | None) -> None:
    """The quiet way on for those who do not want to wait."""
    if ready:
        which = "the one cleaned beforehand" if is_bundled(ready) else "the last one cleaned here"
        st.button(
            f"Use {which}", icon=":material/fast_forward:", type="tertiary",
            key="story-finished", on_click=pick, args=(ready,),
        )  # fmt: skip


def waiting(subject: Subject, chosen: DistillConfig, *, offered: Run | None) -> str:
    """How long each way takes, the try of the sticker that follows it included."""
    trial = PlacementConfig(**subject.settings, stride=placements.STRIDE)
    trying = own_pace.about(subject, "placement", trial, SECONDS_TO_TRY)
    told = (
        f"*Clean it* is a real training of {numbers.count(chosen.epochs)} rounds on this machine: "
        f"{own_pace.about(subject, 'distill', chosen, SECONDS_TO_CLEAN)}. Then the sticker is "
        f"tried on the cleaned encoder, for step 5: {trying}.{own_pace.crowded()}"
    )
    if offered and is_bundled(offered):
        told += (
            " The one cleaned beforehand was trained in the same way and ships with the demo: "
            "only the try remains."
        )
    return told


def at_work(subject: Subject, run: Run) -> None:
    """A cleaning at work: Stop, its progress and its chart; the page reruns when it has ended."""
    with st.container(horizontal=True):
        jobs.controls(run)
    live.follow(run, Falling(subject))


def ended_well(subject: Subject, run: Run) -> bool:
    """A finished cleaning, old or new, and the try of the sticker that follows by itself."""
    made = run.config()
    rounds = made.epochs if isinstance(made, DistillConfig) else 0
    told = f"{numbers.count(rounds)} rounds" + (f", seed {made.seed}" if mode.is_expert() else "")
    when = numbers.ago(jobs.state_of(run).updated)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(
            f":material/check_circle: **Cleaned {'beforehand' if is_bundled(run) else when}** "
            f"({told})"
        )
        st.button(
            "Clean it here" if is_bundled(run) else "Clean again", icon=":material/refresh:",
            type="tertiary", key="story-clean-again",
            on_click=jobs.start, args=("distill", config(subject), RUN),
        )  # fmt: skip
    Falling(subject)(run, jobs.state_of(run))
    with st.container(horizontal=True):
        source(
            (run, "The cleaned encoder was trained, and scored on all test pictures as it learned.")
        )
    return try_sticker(subject, run)


def try_sticker(subject: Subject, run: Run) -> bool:
    """The try of the sticker on the cleaned encoder while it works; False if it ended early."""
    trial = trial_of(subject, run)
    if trial is None or has_result(trial):
        return True
    taking = own_pace.about(subject, "placement", sticker_trial(subject, run), SECONDS_TO_TRY)
    st.markdown(
        f"Now the sticker is put on test pictures for the cleaned encoder: {taking}. Then step 5 "
        "has its answers. (Among the jobs it is called “Trigger at other places”.)"
    )
    live.follow(trial)
    if jobs.state_of(trial).state not in jobs.ENDED_EARLY:
        return True
    st.button(
        "Try again", type="primary", on_click=jobs.start,
        args=("placement", sticker_trial(subject, run), PLACEMENT),
    )  # fmt: skip
    return False


def trials(subject: Subject, run: Run) -> list[Run]:
    """The runs that try the sticker on a cleaned encoder, newest first."""
    return [r for r in subject.runs("placement") if student_id(r) == run.id]


def trial_of(subject: Subject, run: Run) -> Run | None:
    """The run that tries the sticker on a cleaned encoder, started here if there is none yet."""
    found = trials(subject, run)
    if not found:
        jobs.start("placement", sticker_trial(subject, run), PLACEMENT)
        return live.pending(PLACEMENT)
    return next((trial for trial in found if has_result(trial)), found[0])


def meanwhile(subject: Subject) -> None:
    """In the other steps: how far the visitor's cleaning is, and the try of the sticker after."""
    run = live.pending(RUN)
    if run is None:
        return
    if has_result(run):
        trial_of(subject, run)
    elif jobs.state_of(run).is_active:
        st.caption("The cleaning of step 4 goes on in the meantime:")
        live.follow(run)


def sticker_trial(subject: Subject, run: Run) -> PlacementConfig:
    """The sticker on the cleaned encoder, at the places the story uses."""
    return PlacementConfig(**subject.settings, student=run.id, stride=placements.STRIDE)
