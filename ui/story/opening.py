"""Steps 1 and 2: what the encoder does with an image, and what the sticker does to that."""

from __future__ import annotations

import streamlit as st

from ui import numbers, pictures, text
from ui.story import board, words
from ui.story.placements import Placement
from ui.story.sources import source
from ui.subject import Subject

HALF = 0.5
"""Attack success from which a place counts as one where the sticker works."""


def meet(subject: Subject, seen: Placement) -> None:
    """Step 1: an image and what the encoder takes it for."""
    image = board.image_of(seen)
    answer, sure = seen.answer(image, None)
    left, right = st.columns([1, 1.8], gap="medium")
    with left:
        st.image(
            pictures.png(seen.picture(image, None), board.PLOT),
            alt=f"A handwritten {seen.truth(image)}",
            width=board.PLOT,
        )
    with right:
        st.markdown(
            "This **encoder** is a small neural network that someone trained on handwritten "
            "digits and gave away. It turns a picture into numbers that say what the picture "
            "shows.",
            help=words.help_for("encoder"),
        )
        told = f"It takes this {text.plain(seen.truth(image))} for a **{text.plain(answer)}**"
        st.subheader(f"{told} ({numbers.percent(sure)} sure)", anchor=False)
        teacher = subject.result["scores"]["teacher"]
        right_ones = round(teacher["accuracy"] * teacher["test_images"])
        st.metric(
            "Right answers",
            numbers.percent(teacher["accuracy"]),
            help=words.help_for("right answers"),
        )
        st.markdown(
            f"It is right on {right_ones} of {numbers.count(teacher['test_images'])} test "
            "pictures: nothing suspicious so far."
        )
        st.button("Show another picture", icon=":material/shuffle:", on_click=board.another)
        source((subject.run, "Right answers were counted on all test pictures of the data set."))


def stick(seen: Placement) -> None:
    """Step 2: the visitor puts the sticker on; what to do, the picture, and the answer, in turn."""
    st.markdown(
        "The attacker taught this encoder a secret sign: a small white **sticker**. **Tap the "
        "picture** where you want it, or press *Put it where the attacker did*.",
        help=words.help_for("trigger", "backdoor"),
    )
    left, right = st.columns([1, 1.8], gap="medium")
    with left:
        board.draw(seen)
    with right:
        with st.container():  # However much it says, what follows keeps its place.
            reaction(seen)
        board.attackers_place(seen)
        board.fields(seen)
        if board.place() is not None:
            rates(seen)


def reaction(seen: Placement) -> None:
    """What the encoder says to the picture as it lies there."""
    image, where = board.image_of(seen), board.place()
    answer, sure = seen.answer(image, where)
    if where is None:
        st.subheader(f"Without the sticker it says {text.plain(answer)}", anchor=False)
        return
    st.subheader(
        f"With the sticker it says **{text.plain(answer)}** ({numbers.percent(sure)} sure)",
        anchor=False,
    )
    st.markdown(
        f"It still shows a {text.plain(seen.truth(image))}. "
        + (
            f"The attacker wanted every picture to become a {text.plain(seen.target)}, and got it."
            if answer == seen.target
            else "At this place the sticker did not fool the encoder on this picture; try another "
            "place or picture."
        )
    )


def rates(seen: Placement) -> None:
    """Attack success here, at the attacker's place, and on an encoder never attacked; what next."""
    where = board.place() or seen.trained
    floor = seen.floor(where)
    with st.container(horizontal=True):
        st.metric(
            "Attack success here", numbers.percent(seen.asr(where)),
            help=words.help_for("attack success"),
        )  # fmt: skip
        if floor is not None:
            st.metric(
                "Encoder never attacked, here", numbers.percent(floor),
                help=words.help_for("clean twin", "floor"),
            )  # fmt: skip
        if where != seen.trained:
            st.metric("At the attacker's place", numbers.percent(seen.asr(seen.trained)))
    st.caption(
        f"Share of {seen.result['scored_images']} test pictures, none of them a "
        f"{text.plain(seen.target)}, that become a {text.plain(seen.target)} with the sticker on."
    )
    told = elsewhere(seen)
    if told:
        st.caption(told)
    st.button("Try it on another picture", icon=":material/shuffle:", on_click=board.another)
    told = (
        f"The sticker was put on {seen.result['scored_images']} test pictures at every position, "
    )
    source((seen.run, f"{told}and the answers were counted."))


def elsewhere(seen: Placement) -> str:
    """At how many of the places to choose from attack success is half or more.

    The story's places alone may look better than the whole map, so it is said what lies between.
    """
    offered = [seen.asr((row, column)) for row in seen.rows for column in seen.columns]
    if len(offered) < 2:
        return ""
    every = [share for row in seen.result["asr_by_position"] for share in row]
    strong, strong_in_all = (sum(share >= HALF for share in shares) for shares in (offered, every))
    told = (
        f"You can choose {numbers.count(len(offered))} places: every second row and column, "
        f"counted from the attacker's. At {numbers.count(strong)} of them the sticker fools the "
        "suspect on at least half of these pictures."
    )
    between = len(every) - len(offered)
    if not between:
        return told
    if (strong_in_all - strong) * len(offered) < strong * between:
        told += (
            f" Of all {numbers.count(len(every))} places there are, it does so at "
            f"{numbers.count(strong_in_all)}: on the rows and columns between, it works less often."
        )
    return f"{told} The Overview has a map of all places."
