"""Overview: the verdict on the chosen encoder, what cleaning did to it, and the jobs."""

import streamlit as st

from mimic import other_probes
from mimic.run import is_bundled, list_runs
from ui import (
    charts,
    downloads,
    examples,
    frame,
    glossary,
    mode,
    onward,
    picture_file,
    placement_map,
    provenance,
    report_button,
    run_list,
    same_file,
    scores,
    subject,
    text,
    verdict,
)

frame.head(
    "MIMIC Studio",
    see="An image encoder, one example at a time: as it is, and with a small trigger on it.",
    why="Many products build on encoders that someone else trained. A backdoored encoder works "
    "normally until an image carries the attacker's trigger; then it answers what the attacker "
    "wants. MIMIC trains a fresh encoder that keeps the knowledge and leaves the backdoor behind.",
)
run_list.news()
chosen = subject.current()
if subject.named(subject.DEMO):
    frame.story_hero(newcomer=all(is_bundled(run) for run in list_runs()))
if chosen is None:
    frame.no_subject()
else:
    with frame.errors_as_cards():
        cleaned = chosen.latest("distill")
        outcome = cleaned.result() if cleaned else None
        judged = verdict.on_suspect(chosen)
        same_file.told(chosen)
        verdict.card(judged, f"“{text.plain(chosen.title)}”")
        shown = outcome["scores"] if outcome else chosen.result["scores"]
        if cleaned and outcome:
            whose = "the demo's" if is_bundled(cleaned) else "the"
            judged = other_probes.judged(cleaned, chosen.runs("evaluate"))
            verdict.card(judged, f"{whose} cleaned encoder")
        examples.stepper(chosen, cleaned)
        owner = (cleaned or chosen.run).id
        told = " ".join((judged.headline, *judged.reasons))
        measured = charts.measured(shown)
        if measured:
            st.header(
                " and ".join(
                    charts.MEASURES[m].split(" (")[0].lower() for m in measured
                ).capitalize(),
                anchor=False,
                help=glossary.help_for("accuracy", "attack success", "clean twin"),
            )
        for column, measure in zip(st.columns(2), measured, strict=False):
            figure = charts.before_after(shown, measure)
            with column:
                st.plotly_chart(
                    figure,
                    config=picture_file.named(measure, owner),
                    key=f"overview-{measure}",
                    alt=f"{charts.MEASURES[measure]} of each encoder with 95% intervals. {told}",
                )
                if mode.is_expert():
                    facts = provenance.of_scores(owner, shown, measure)
                    downloads.figure_csv(figure, picture_file.file_name(measure, owner), facts)
        if mode.is_expert() and measured:
            with st.expander("The numbers"):
                scores.table(shown)
        if "asr" not in measured:
            frame.empty(
                "Attack success has not been measured.",
                "It takes labelled images and the trigger you suspect: give both on the page "
                "“Suspect encoder”.",
            )
        placement_map.section(chosen)
        if cleaned:
            report_button.offer(cleaned)
        if cleaned and outcome:
            onward.after_cleaning(judged.level, cleaned.id)
        else:
            onward.after_inspection(judged.level)
    with st.container(horizontal=True):
        frame.link("embeddings", "Compare embeddings")
        if not (cleaned and judged.level in onward.WELL):  # Which already leads there.
            frame.link("suspect", "Inspect another encoder")

run_list.open_demo()
st.header("Jobs", anchor=False)
run_list.recent()
frame.link("runs", "All runs: compare, note, repeat, delete")
