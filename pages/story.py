"""Guided story: five short steps on the demo, one idea in each."""

import streamlit as st

from ui import frame, subject, text
from ui.story import cleaning, closing, opening, placements, remaining, steps

with st.container():
    st.title("A backdoor in five steps", anchor=False)
    frame.pending_error()
chosen = subject.named(subject.DEMO)
seen = placements.find(chosen) if chosen else None
if chosen is None or seen is None:
    frame.empty("The demo is not installed.", "Inspect an encoder of your own.", "suspect")
    st.stop()

now = subject.current()
if now and now.run.id != chosen.run.id:
    st.caption(
        ":material/info: The story always uses the demo's encoder, not "
        f"“{text.plain(now.title)}”, which is chosen in the sidebar."
    )
step = steps.choose()
st.header(steps.TITLES[step], anchor=False)
if step != "5":
    closing.leave()
ready = step != "4"
with frame.from_the_top("step", step), frame.errors_as_cards():
    if step == "1":
        opening.meet(chosen, seen)
    elif step == "2":
        opening.stick(seen)
    elif step == "3":
        remaining.picture(chosen)
    elif step == "4":
        ready = cleaning.clean(chosen)
    else:
        closing.again(chosen, seen)
steps.buttons(step, ready=ready)
if step in ("1", "2", "3"):
    cleaning.meanwhile(chosen)
if step != "3":
    remaining.meanwhile()
