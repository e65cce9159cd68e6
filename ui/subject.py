"""Which subject is chosen: an inspected encoder with its data and trigger, kept in the URL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import streamlit as st

from mimic.run import Run, list_runs, run_created
from mimic.subjects import (
    builtin_subjects,
    clean_share,
    recommended_distillation,
    subject_words,
)
from mimic.subjects import fields_of as fields_of
from mimic.subjects import identity as identity
from mimic.subjects import settled as settled
from ui import address, missing_run, numbers, text, uploads

DEMO = "demo-inspect"
NEXT = "next_subject"


@dataclass(frozen=True)
class Subject:
    """An inspected encoder.

    Args:
        run: the inspection.
        result: its outcome.
        fields: settings that any further run of this subject shares.
    """

    run: Run
    result: dict[str, Any]
    fields: dict[str, Any]

    @property
    def title(self) -> str:
        """What to call it on screen."""
        return title(self.run)

    @property
    def settings(self) -> dict[str, Any]:
        """Settings for further runs of this subject, a built-in one's name among them."""
        stored = self.run.about()["config"]
        places = {k: stored[k] for k in ("data_root", "download", "image_size") if k in stored}
        return {"subject": stored.get("subject", ""), **self.fields, **places}

    def recommended(self, kind: str = "distill") -> dict[str, Any]:
        """Settings of a verb that suit this subject, by what was measured or by its images."""
        images = int(self.result["data"]["images"])
        return recommended_distillation(self.settings["subject"], kind, images=images)

    @property
    def layers(self) -> list[str]:
        """Names of the encoder's layers, input side first."""
        return [text.bare(layer["name"]) for layer in self.result["encoder"]["layers"]]

    @property
    def has_twin(self) -> bool:
        """Whether a clean encoder of the same kind is known."""
        return bool(self.fields["clean_twin"])

    @property
    def has_trigger(self) -> bool:
        """Whether a trigger is known, so that attack success can be measured."""
        return bool(self.fields["trigger"])

    @property
    def clean_share(self) -> float:
        """The share of its images that suits as the clean ones."""
        return clean_share(int(self.result["data"]["images"]))

    @property
    def is_example(self) -> bool:
        """Whether the encoder ships with the project."""
        return self.fields["encoder"] in {s.get("encoder") for s in builtin_subjects().values()}

    @property
    def target_name(self) -> str:
        """The class the trigger leads to."""
        target = self.result["target_class"]
        return self.class_name(-1 if target is None else target)

    def runs(self, kind: str) -> list[Run]:
        """Runs of a kind on this subject, newest first."""
        wanted = identity(self.fields)
        return [r for r in list_runs(kind=kind) if identity(fields_of(r)) == wanted]

    def latest(self, kind: str) -> Run | None:
        """The newest finished run of a kind, if there is one."""
        return next((r for r in self.runs(kind) if has_result(r)), None)

    def class_name(self, label: int) -> str:
        """A class of the downstream data by name, or by number, or a dash."""
        names = self.result["downstream"]["class_names"]
        if label < 0:
            return "–"
        return text.bare(names[label], 24) if label < len(names) else str(label)


def has_result(run: Run) -> bool:
    """Whether the run is finished with an outcome."""
    return (run.directory / "result.json").is_file()


def inspected() -> list[Run]:
    """Inspections that can be chosen as subjects, newest first."""
    return [r for r in list_runs(kind="inspect") if has_result(r)]


def title(run: Run) -> str:
    """A subject's title: the built-in one's, or the encoder's file name and its data."""
    name, *data = subject_words(fields_of(run))
    if not data:
        return text.bare(name, 48)
    folder = data[0].rstrip("/").rsplit("/", 1)[-1]
    return f"{text.bare(uploads.as_given(name), 32)} · {text.bare(folder, 20)}"


def file_name(run: Run) -> str:
    """The name of the encoder's file as its owner knows it: of an upload, without our addition."""
    name = str(fields_of(run).get("encoder", "")).rsplit("/", 1)[-1].removeprefix("asset:")
    return uploads.as_given(name)


TRIGGER_WORDS = {
    "": "no trigger", "square": "white square", "patch": "picture", "random-patch": "picture",
    "blend": "blended picture", "pattern": "pattern", "sig": "waves", "ctrl": "colours",
    "npz-resize": "trigger file", "npz-row": "trigger file",
}  # fmt: skip
"""A trigger by the first word of its text (``mimic.trigger.text``), short for the sidebar."""


def told_apart(runs: list[Run]) -> dict[str, str]:
    """Titles by run; inspections that share one get what differs: trigger, then time, then id.

    The file's name is cut there, so that the difference is in sight in the narrow selector.
    """
    named = {run.id: title(run) for run in runs}
    for tell in (trigger_words, lambda run: numbers.moment(run_created(run)), id_end):
        held = list(named.values())
        for run in runs:
            if held.count(named[run.id]) > 1:
                start = named[run.id]
                if tell is trigger_words:
                    start = text.bare(file_name(run), 16) if "." in start else start
                named[run.id] = f"{start} · {tell(run)}"
    return named


def trigger_words(run: Run) -> str:
    """With which trigger an encoder was inspected."""
    kind = str(fields_of(run).get("trigger", "")).partition(":")[0]
    return TRIGGER_WORDS.get(kind, "trigger file")


def id_end(run: Run) -> str:
    """The end of a run's id: the same in no two runs of one minute."""
    return text.bare(run.id[-4:])


def choose() -> None:
    """The selector all pages share; it stands in the shell so that its value outlives pages."""
    options = [run.id for run in inspected()]
    wanted = st.session_state.pop(NEXT, None)
    if wanted in options:
        st.session_state["subject"] = wanted
    missing_run.adopt("subject", options)
    if not options:
        return
    titles = told_apart(inspected())
    usual = DEMO if DEMO in options else options[0]
    st.session_state.setdefault("subject", usual)
    with st.sidebar:
        picked = st.selectbox(
            "Encoder under suspicion",
            options,
            format_func=lambda run_id: titles.get(run_id, run_id),
            key="subject",
            persist_state="session",
            help="Every page speaks of this encoder. Inspect another one to add it here.",
        )
    implied = picked == usual and "subject" not in st.query_params
    address.keep("subject", None if implied else picked)


def choose_next(run: Run) -> None:
    """Make an inspection the chosen subject in the next run of the script."""
    st.session_state[NEXT] = run.id


def current() -> Subject | None:
    """The chosen subject, or None where nothing has been inspected yet."""
    return named(st.session_state.get("subject", ""))


def named(run_id: str) -> Subject | None:
    """The subject that an inspection stands for, or None where there is no such inspection."""
    run = next((run for run in inspected() if run.id == run_id), None)
    return opened(run) if run else None


def opened(run: Run) -> Subject | None:
    """The subject that a finished inspection stands for; None where its outcome is gone."""
    result = run.result()
    return Subject(run=run, result=result, fields=settled(run, result)) if result else None
