"""Guided story: five short steps on the demo, one thing to press in each."""

import streamlit as st

from ui import frame, subject
from ui.story import cleaning, closing, lost, opening, placements, steps

st.title("A backdoor in five steps", anchor=False)
frame.pending_error()
chosen = subject.named(subject.DEMO)
seen = placements.find(chosen) if chosen else None
if chosen is None or seen is None:
    frame.empty("The demo is not installed.", "Inspect an encoder of your own.", "suspect")
    st.stop()

step = steps.choose()
st.header(steps.TITLES[step], anchor=False)
ready = False
with frame.errors_as_cards():
    if step == "1":
        ready = opening.meet(chosen, seen)
    elif step == "2":
        ready = opening.stick(seen)
    elif step == "3":
        ready = lost.lost(chosen)
    elif step == "4":
        ready = cleaning.clean(chosen)
    else:
        run = cleaning.finished(chosen)
        if run:
            cleaning.try_sticker(chosen, run)
        closing.again(seen, placements.find(chosen, run.id) if run else None, run)
steps.buttons(step, ready=ready)
