"""Overview: what a backdoor in an encoder looks like, and what cleaning did to it."""

import streamlit as st

from ui import charts, examples, frame, run_list, scores, subject, text

frame.head(
    "MIMIC Studio",
    see="An image encoder, one example at a time: as it is, and with a small trigger stamped on.",
    why="Many products build on encoders that someone else trained. A backdoored encoder works "
    "normally until an image carries the attacker's trigger; then it answers what the attacker "
    "wants. MIMIC trains a fresh encoder that keeps the knowledge and leaves the backdoor behind.",
)
chosen = subject.current()
if chosen is None:
    frame.no_subject()
else:
    with frame.errors_as_cards():
        cleaned = chosen.latest("distill")
        outcome = cleaned.result() if cleaned else None
        teacher = chosen.result["scores"]["teacher"]
        twin = chosen.result["scores"]["clean_twin"]
        with st.container(border=True):
            target = text.plain(chosen.target_name)
            st.header(f"Verdict on “{text.plain(chosen.title)}”", anchor=False)
            st.markdown(scores.suspicion(teacher, twin, target))
            scores.headline(outcome["scores"] if outcome else chosen.result["scores"])
            if outcome:
                st.markdown(f"**After cleaning:** {scores.outcome(outcome['scores'])}")
        examples.stepper(chosen, cleaned)
        shown = outcome["scores"] if outcome else chosen.result["scores"]
        told = (
            scores.outcome(shown)
            if outcome
            else scores.suspicion(teacher, twin, chosen.target_name)
        )
        st.header("How often it is right, how often it obeys the trigger", anchor=False)
        for column, measure in zip(st.columns(2), charts.MEASURES, strict=True):
            column.plotly_chart(
                charts.before_after(shown, measure),
                config=charts.NO_TOOLS,
                key=f"overview-{measure}",
                alt=f"{charts.MEASURES[measure]} of each encoder with 95% intervals. {told}",
            )
        with st.expander("The numbers"):
            scores.table(shown)
    with st.container(horizontal=True):
        frame.link("suspect", "Inspect another encoder")
        frame.link("layers", "See what its layers know")
        frame.link("distil", "Clean it" if not outcome else "Clean it again")
        frame.link("embeddings", "Compare embeddings")

run_list.open_demo()
st.header("Jobs", anchor=False)
run_list.recent()
