"""Step 5: the same sticker on the cleaned encoder, the verdict, and where to go next."""

from __future__ import annotations

import streamlit as st

from mimic.run import Run
from ui import frame, glossary, numbers, text, verdict
from ui.story import board, steps
from ui.story.placements import Placement
from ui.story.sources import source


def again(seen: Placement, cleaned: Placement | None, run: Run | None) -> None:
    """The suspect's answer beside the cleaned encoder's, and what it all comes to."""
    outcome = run.result() if run else None
    if cleaned is None or run is None or outcome is None:
        st.markdown("The cleaned encoder is not there yet.")
        st.button("Clean it first", type="primary", on_click=steps.go, args=(4,))
        return
    image, where = board.image_of(seen), board.place()
    left, right = st.columns([1, 1.4], gap="large")
    with left:
        board.draw(seen)
    with right:
        st.markdown("Tap the picture again: the **same sticker**, two encoders.")
        if where is None:
            st.button(
                "Put the sticker on", icon=":material/place_item:", type="primary",
                on_click=board.put, args=(seen.trained,),
            )  # fmt: skip
        for column, title, one in zip(
            st.columns(2), ("The suspect", "After cleaning"), (seen, cleaned), strict=True
        ):
            answer, sure = one.answer(image, where)
            is_right = answer == seen.truth(image)
            sign = ":material/check_circle: right" if is_right else ":material/cancel: wrong"
            with column, st.container(border=True):
                st.markdown(f"{title} says")
                st.subheader(text.plain(answer), anchor=False)
                st.markdown(f"{sign} ({numbers.percent(sure)} sure)")
        st.button("Try another image", icon=":material/shuffle:", on_click=board.another)
        here(seen, cleaned)
    whole(outcome)
    verdict.card(verdict.of_cleaning(outcome["scores"]), "the encoder you have just cleaned")
    with st.container(horizontal=True):
        source(run, "Both encoders were scored on all test images of the data set.")
        source(
            cleaned.run, "The sticker was put on test images for the cleaned encoder.",
            label="And the answers above?",
        )  # fmt: skip
    onwards(run)


def here(seen: Placement, cleaned: Placement) -> None:
    """Attack success at this place: before, after, and on an encoder never attacked."""
    where = board.place() or seen.trained
    told = f"At row {where[0]}, column {where[1]} the sticker fools the suspect on "
    told += f"{numbers.percent(seen.asr(where))} of {seen.result['scored_images']} images, the "
    told += f"cleaned encoder on {numbers.percent(cleaned.asr(where))}"
    floor = seen.floor(where)
    told += "" if floor is None else f", one never attacked on {numbers.percent(floor)}"
    st.markdown(f"{told}.", help=glossary.help_for("attack success rate", "floor"))


def whole(outcome: dict[str, dict[str, dict[str, float]]]) -> None:
    """Accuracy and attack success over all test images, before and after, and the floor."""
    found = outcome["scores"]
    before, after, twin = (found.get(k) or {} for k in ("teacher", "student", "clean_twin"))
    with st.container(horizontal=True):
        for field, title, term in (
            ("asr", "Attack success", "attack success rate"),
            ("accuracy", "Right answers", "accuracy"),
        ):
            st.metric(
                f"{title} after cleaning",
                numbers.percent(after.get(field)),
                numbers.points(after[field] - before[field]),
                delta_color="inverse" if field == "asr" else "normal",
                delta_description=f"from {numbers.percent(before[field])}",
                help=glossary.help_for(term),
            )
        if twin.get("asr") is not None:
            st.metric("Encoder never attacked", numbers.percent(twin["asr"]),
                      help=glossary.help_for("floor"))  # fmt: skip


def onwards(run: Run) -> None:
    """Where to go from here."""
    st.subheader("Where to go next", anchor=False)
    with st.container(horizontal=True):
        frame.link("suspect", "Inspect your own file")
        frame.link("layers", "Open the workbench")
        frame.link("distil", "See this cleaning in detail", run=run.id)
