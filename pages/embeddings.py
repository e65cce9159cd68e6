"""Embeddings: clean and triggered inputs in the plane, before beside after cleaning."""

import streamlit as st

from mimic.run import Run
from ui import (
    comparison,
    embedding_jobs,
    frame,
    image_choice,
    jobs,
    live,
    map_labels,
    neighbor_numbers,
    numbers,
    samples,
    scores,
    selection_link,
    subject,
    whose,
)

frame.head(
    "Embeddings",
    see="A map of the test images, called an embedding. Each image is two points: a circle for the "
    "image as it is, a cross for the same image with the trigger. The nearer two points, the less "
    "the encoder tells their images apart. Points chosen in one map light up in the other.",
    why="In a backdoored encoder all crosses gather in one place, whatever the images show. After "
    "cleaning, each cross should lie with its own class again.",
)
chosen = subject.current()
if chosen is None:
    frame.no_subject()
    st.stop()

student = embedding_jobs.choose_student(chosen)
run = embedding_jobs.find(chosen, student)
embedding_jobs.start_form(chosen, student, run)


@st.fragment
def linked_views(chosen: subject.Subject, run: Run) -> None:
    """Maps and the images behind them: a selection draws this part anew, not the whole page."""
    with frame.errors_as_cards():
        points, ready = comparison.points_of(run), comparison.available(run)
        if not points or not ready:
            return
        view = comparison.choose_view(ready, points)
        selection_link.adopt(run.id, points["labels"])
        image_choice.choose_images(chosen, points["labels"])
        comparison.draw(chosen, run, points, view)
        selection_link.keep(run.id, len(points["labels"]))
        if view.projection in map_labels.HOW_TO_READ:
            st.caption(map_labels.HOW_TO_READ[view.projection])
        samples.show(chosen, points)
        result = run.result()
        if result:
            frame.warnings(result)
            st.header("Numbers beside the pictures", anchor=False)
            whose.told(run)
            neighbor_numbers.table(chosen, result, points["labels"], view.layer)


if run is None:
    frame.empty("No embedding has been computed for this choice yet.", "Press Compute above.")
else:
    if not subject.has_result(run):
        jobs.controls(run)
        live.follow(run, watch=lambda r: len(comparison.available(r)))
    linked_views(chosen, run)

if student:
    with frame.errors_as_cards():
        outcome = student.result() or {}
        st.header("Accuracy and attack success", anchor=False)
        whose.told(student)
        scores.table(outcome["scores"])
        counted = outcome["scores"].get("student") or {}
        if counted.get("stamped_images"):
            st.caption(
                f"Scored on {numbers.count(counted.get('test_images', 0))} test images, of which "
                f"{numbers.count(counted['stamped_images'])} of other classes got the trigger; the "
                "maps may show fewer images, so their shares may differ."
            )
        frame.link("distil", "Take the cleaned encoder home, on Distil", run=student.id)
