"""Step 5: the same sticker on the cleaned encoder, the verdict, and where to go next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from mimic import other_probes
from mimic.answers import kept_by
from mimic.run import Run
from mimic.score_differences import with_pairs
from ui import gentler_cleaning, numbers, onward, text, verdict
from ui.story import board, cleaning, placements, steps, totals, words
from ui.story.placements import Placement
from ui.story.sources import source
from ui.subject import Subject, has_result

OPENED = "story_last_step_opened"
Scores = Mapping[str, Mapping[str, Any] | None]


def again(subject: Subject, seen: Placement) -> None:
    """The comparison of both encoders, or what there is to wait for until it can be made."""
    run = cleaning.newest(subject)
    if run is None:
        st.markdown("The cleaned encoder is not there yet.")
        with st.container(horizontal=True):
            st.button("Clean it first", type="primary", on_click=steps.go, args=(4,))
            cleaning.offer_finished(cleaning.finished(subject))
    elif not has_result(run):
        st.markdown(
            "The cleaned encoder is **still learning**. This step goes on by itself when it is "
            "done."
        )
        cleaning.at_work(subject, run)
    else:
        cleaned, outcome = placements.find(subject, run.id), run.result()
        if cleaned is None or outcome is None:
            cleaning.try_sticker(subject, run)
        else:
            compare(subject, seen, cleaned, run, with_pairs(outcome["scores"], kept_by(run)))


def leave() -> None:
    """Note that another step is shown, so that this one opens with the sticker on again."""
    st.session_state.pop(OPENED, None)


def opened(seen: Placement, cleaned: Placement) -> bool:
    """When the step opens: the sticker on, and a picture that the cleaned encoder gets right.

    The sticker lies where the visitor put it, or else where the attacker did.

    Returns:
        Whether the step opened with such a picture.
    """
    if OPENED in st.session_state:
        return bool(st.session_state[OPENED])
    if board.place() is None:
        board.put(seen.trained)
    where, first = board.place(), board.image_of(seen)
    images = len(seen.arrays["images"])
    turns = [(first + turn) % images for turn in range(images)]
    saved = [image for image in turns if cleaned.answer(image, where)[0] == seen.truth(image)]
    fooled = [image for image in saved if seen.answer(image, where)[0] == seen.target]
    if saved:  # The picture of the steps before stays if it is such a one.
        st.session_state[board.IMAGE] = (fooled or saved)[0]
    st.session_state[OPENED] = bool(saved)
    return bool(saved)


def compare(
    subject: Subject, seen: Placement, cleaned: Placement, run: Run, scores: Scores
) -> None:
    """The suspect's answer beside the cleaned encoder's, and what it all comes to."""
    chosen = opened(seen, cleaned)
    told = "Tap the picture again: the **same sticker**, two encoders."
    if chosen:
        told += (
            " The first picture is one that the cleaned encoder gets right; the shares below count "
            "all test pictures."
        )
    st.markdown(told)
    left, right = st.columns([1, 1.8], gap="medium")
    with left:
        board.draw(seen)
    with right:
        answers(seen, cleaned)
        with st.container(horizontal=True):
            st.button(
                "Try another picture", icon=":material/shuffle:", type="primary",
                on_click=board.another,
            )  # fmt: skip
            board.attackers_place(seen)
        board.fields(seen)
        here(seen, cleaned)
    totals.whole(scores, seen.target)
    found = other_probes.judged(run, subject.runs("evaluate"))
    judged(run, found)
    source(
        (run, "The figures: both encoders were scored on all test pictures of the data set."),
        (cleaned.run, "The answers: the sticker was put on test pictures for the cleaned encoder."),
    )
    st.subheader("Where to go next", anchor=False)
    onward.after_cleaning(found.level, run.id)


def answers(seen: Placement, cleaned: Placement) -> None:
    """What each encoder takes the picture for, as it lies there."""
    image, where = board.image_of(seen), board.place()
    for column, title, one in zip(
        st.columns(2), ("The suspect", "The cleaned encoder"), (seen, cleaned), strict=True
    ):
        answer, sure = one.answer(image, where)
        sign = how_right(answer, seen.truth(image), seen.target)
        with column, st.container(border=True):
            st.markdown(f"{title} says")
            st.subheader(text.plain(answer), anchor=False)
            st.markdown(f"{sign} ({numbers.percent(sure)} sure)")


def how_right(answer: str, truth: str, target: str) -> str:
    """Right, wrong as the attacker wanted, or wrong for another reason: not the sticker's doing."""
    if answer == truth:
        return ":material/check_circle: right"
    if answer == target:
        return f":material/cancel: wrong: the attacker's {text.plain(target)}"
    return f":material/error: wrong, but not the attacker's {text.plain(target)}"


def here(seen: Placement, cleaned: Placement) -> None:
    """Attack success off the attacker's place: before, after, and on an encoder never attacked.

    At the attacker's place the figures on more images follow below, and one number is enough.
    """
    where = board.place() or seen.trained
    if where == seen.trained:
        return
    told = f"At row {where[0]}, column {where[1]} the sticker fools the suspect on "
    told += (
        f"{numbers.percent(seen.asr(where))} of {seen.result['scored_images']} test pictures, the "
    )
    told += f"cleaned encoder on {numbers.percent(cleaned.asr(where))}"
    floor = seen.floor(where)
    told += "" if floor is None else f", one never attacked on {numbers.percent(floor)}"
    st.markdown(f"{told}.", help=words.help_for("attack success", "floor"))


def judged(run: Run, found: verdict.Verdict) -> None:
    """The verdict, without the figures that stand above it, and the way on if it is bad."""
    colour, icon = verdict.LOOKS[found.level]
    with st.container(border=True):
        st.badge(found.title, icon=icon, color=colour)
        st.subheader(
            text.sentence(words.said(found.headline)),
            anchor=False,
            help=words.help_for("backdoor", "attack success", "floor"),
        )
        st.markdown(f"**How sure.** {text.sentence(words.said(found.confidence))}")
        st.markdown("**What to do**\n" + verdict.bullets(tuple(map(words.said, found.actions))))
        gentler_cleaning.offer(run, found, cleaning.RUN)
