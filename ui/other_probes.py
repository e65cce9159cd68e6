"""What other classifiers on top of a cleaned encoder make of the trigger."""

from __future__ import annotations

import streamlit as st

from mimic import other_probes
from mimic.config import EvaluateConfig
from mimic.run import Run
from ui import frame, jobs, live, mode, numbers, text
from ui.subject import Subject

RUN = "evaluate_run"
PROBES = ("linear", "knn", "mlp")


def section(subject: Subject, cleaned: Run) -> None:
    """All probes of the newest evaluation beside each other, and the job that makes one."""
    if not subject.has_trigger:
        return
    evaluation = other_probes.newest(subject.runs("evaluate"), cleaned.id)
    with st.expander("Other classifiers on top"), frame.errors_as_cards():
        st.markdown(
            "The scores above are those of one kind of classifier, a linear one, put on top of the "
            "encoder. Another kind may see more of a backdoor, or less."
        )
        at_work = live.pending(RUN)
        if at_work and jobs.state_of(at_work).is_active:
            jobs.controls(at_work)
            live.follow(at_work)
        if evaluation:
            st.dataframe(rows(evaluation), hide_index=True, width="stretch")
            st.caption(
                "In brackets: 95% intervals. Right with the trigger on: of the same images as "
                f"attack success. Run {text.plain(evaluation.id)}."
            )
        if mode.is_expert() or evaluation is None:
            config = EvaluateConfig(**subject.settings, student=cleaned.id, probes=PROBES)
            jobs.start_button(
                "Try other classifiers", "evaluate", config, RUN, icon=":material/rule:"
            )


def rows(evaluation: Run) -> list[dict[str, str]]:
    """A row per probe."""
    return [
        {
            "classifier": one.name.removeprefix("a "),
            "accuracy": share(one.scores["student"], "accuracy"),
            "attack success": share(one.scores["student"], "asr"),
            "clean twin": share(one.scores.get("clean_twin"), "asr"),
            "untrained": share(one.scores.get("untrained"), "asr"),
            "right, trigger on": share(one.scores["student"], "stamped_accuracy"),
            "verdict": one.verdict.title,
        }
        for one in other_probes.verdicts(evaluation)
    ]


def share(scores: dict[str, object] | None, field: str) -> str:
    """A share with its interval; a dash where it was not measured."""
    value = (scores or {}).get(field)
    if not isinstance(value, int | float):
        return numbers.NOTHING
    bounds = (scores or {}).get(f"{field}_interval")
    told = numbers.percent(value)
    return f"{told} ({numbers.interval(bounds)})" if isinstance(bounds, list | tuple) else told
