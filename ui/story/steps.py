"""Where the visitor stands in the story: the progress line, Back and Next, the address."""

from __future__ import annotations

import streamlit as st

from ui import address

KEY = "step"
"""The step's key in the session, and its name in the address: ``?step=3``."""
TITLES = {
    "1": "Meet the encoder",
    "2": "Put the sticker on",
    "3": "See what is left of the picture",
    "4": "Clean it",
    "5": "Try the sticker again",
}


def choose() -> str:
    """The progress line, which also leads to any step; the step that is shown."""
    address.adopt(KEY, TITLES)
    st.session_state.setdefault(KEY, "1")
    now = st.session_state[KEY]
    st.progress(int(now) / len(TITLES), text=f"Step {now} of {len(TITLES)}: {TITLES[now]}")
    picked = st.segmented_control(
        "Steps of the story",
        list(TITLES),
        required=True,
        format_func=lambda step: f"{step} {TITLES[step]}" if step in TITLES else step,
        key=KEY,
        persist_state="session",
        label_visibility="collapsed",
        wrap=True,
    )
    address.keep(KEY, None if picked == "1" else picked)
    return str(picked)


def buttons(step: str, *, ready: bool) -> None:
    """Back, and Next, which stands there from the beginning where a step can be read only.

    It always stands out, and where a step has to be done first it is not there: a browser puts a
    new button in the place of one whose type changes, and whoever presses in that moment presses
    nothing.

    Args:
        step: the step that is shown.
        ready: whether the next step has something to show.
    """
    number = int(step)
    with st.container(horizontal=True):
        if number > 1:
            st.button(
                "Back", icon=":material/arrow_back:", key=f"story-back-{step}",
                on_click=go, args=(number - 1,),
            )  # fmt: skip
        if ready and number < len(TITLES):
            st.button(
                f"Next: {TITLES[str(number + 1)].lower()}",
                icon=":material/arrow_forward:",
                type="primary",
                key=f"story-next-{step}",  # Its own in each step: a double click walks one step.
                on_click=go,
                args=(number + 1,),
            )


def go(step: int) -> None:
    """Show another step. Use as a callback."""
    st.session_state[KEY] = str(step)
