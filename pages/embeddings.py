"""Embeddings: clean and triggered inputs in the plane, before beside after cleaning."""

import streamlit as st

from ui import comparison, downloads, embedding_jobs, frame, jobs, live, scores, subject

frame.head(
    "Embeddings",
    see="Each test image as two points: a circle for the image as it is, a cross for the same "
    "image with the trigger. Points close together look alike to the encoder.",
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
if run is None:
    frame.empty("No embedding has been computed for this choice yet.", "Press Compute above.")
else:
    if not subject.has_result(run):
        jobs.controls(run)
        live.follow(run, watch=lambda r: len(comparison.available(r)))
    with frame.errors_as_cards():
        points = run.arrays("points")
        ready = comparison.available(run)
        if points and ready:
            view = comparison.choose_view(chosen, ready, points["labels"])
            selected = comparison.draw(chosen, run, points, view)
            st.caption(
                "Directions mean nothing here, and distances in UMAP little: read the numbers too."
            )
            comparison.gallery(chosen, points, selected)
            result = run.result()
            if result:
                frame.warnings(result)
                st.subheader("Numbers beside the pictures", anchor=False)
                embedding_jobs.numbers_table(chosen, result, view.layer)

if student:
    with frame.errors_as_cards():
        outcome = student.result() or {}
        st.subheader("Accuracy and attack success", anchor=False)
        scores.table(outcome["scores"])
        downloads.student(student, outcome)
