"""The sweep of a subject: which layers bring the backdoor along, and at which attention scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import streamlit as st

from mimic.run import Run, Status
from mimic.sweep import explain
from ui import (
    frame,
    jobs,
    live,
    missing_run,
    numbers,
    run_chart,
    sweep_inputs,
    sweep_map,
    sweep_table,
    text,
)
from ui.report import tiles
from ui.subject import Subject
from ui.sweep_plan import Plan, ended

RUN = "sweep_run"
LONG = 2_000


def section(subject: Subject) -> str | None:
    """The newest sweep of the subject with its map and sentence, and the form that starts one.

    Returns the id of the sweep that is shown, for the address.
    """
    st.header("Which layers bring the backdoor along", anchor=False)
    st.markdown(
        "Each tile is one short distillation that teaches the student from these layers at this "
        "attention weight, and nothing else changes between tiles."
    )
    runs = {run.id: run for run in subject.runs("sweep")}
    missing_run.adopt(RUN, runs)
    run = runs.get(st.session_state.get(RUN, "")) or next(iter(runs.values()), None)
    missing_run.tell(RUN, runs, what="a sweep")
    title = "Sweep again" if run else "Sweep layers and scales"
    with jobs.form(title, "sweep", opened=False):
        config = sweep_inputs.sweep(subject)
        st.caption(sweep_inputs.estimate(config, list(runs.values()), subject.runs("distill")))
        jobs.start_button("Sweep", "sweep", config, RUN, icon=":material/grid_on:")
    if run is None:
        frame.empty(
            "No sweep has been made of this encoder.", f"Open “{title}” above and press Sweep."
        )
        return None
    with frame.errors_as_cards():
        plan = Plan.of(run, subject)
        jobs.controls(run)
        live.follow(run, Drawing(plan, choose_losses(plan)))
        if not jobs.state_of(run).is_active:
            sweep_table.numbers_of(plan, run)
    return run.id


def choose_losses(plan: Plan) -> str:
    """The losses the maps speak of, asked where the sweep has several."""
    words = list(dict.fromkeys(cell.losses for cell in plan.cells))
    if len(words) == 1:
        return words[0]
    picked = st.segmented_control(
        "Losses", words, default=words[0], required=True, key=f"sweep_losses_{'_'.join(words)}"
    )
    return picked or words[0]


@dataclass(frozen=True)
class Drawing:
    """Draws the maps of a sweep, finished or at work."""

    plan: Plan
    losses: str

    def __call__(self, run: Run, status: Status) -> None:
        """The sentence, and a map per measure with holes where nothing has been measured."""
        plan = self.plan
        records = ended(run, plan)
        if not records and not status.is_active:
            return
        rows = plan.rows(records)
        told = self.sentence(rows, len(records))
        with st.container(border=True):
            st.markdown(
                "\n".join(f"- {text.plain(said, LONG)}" for said in sweep_map.sentences(told))
            )
        several = len({cell.losses for cell in plan.cells}) > 1
        which = f"-{self.losses}" if several else ""
        for column, (measure, title) in zip(
            st.columns(2, gap="large"), sweep_map.MEASURES.items(), strict=True
        ):
            with column:
                st.markdown(f"**{title}** of the student · {self.references(measure)}")
                found = sweep_map.tiles(
                    plan.cells, rows, measure, every=plan.config.layers, losses=self.losses
                )
                shown = live.alt(
                    f"{title} by layer set and attention weight per layer.",
                    text.bare(told, LONG), status,
                )  # fmt: skip
                run_chart.show(
                    column, f"sweep-{measure}{which}", shown, status,
                    partial(sweep_map.heat_map, found), partial(tiles.heat_map, found), run.id,
                    partial(sweep_table.of_map, found, measure, plan, run, self.losses),
                )  # fmt: skip
        st.caption(self.settings())
        run_chart.offer_camera(status)

    def sentence(self, rows: Sequence[Mapping[str, Any]], done: int) -> str:
        """What the sweep says so far."""
        told = explain(
            rows,
            teacher=self.plan.teacher,
            floor=self.plan.floor,
            every=self.plan.config.layers,
            losses=self.losses,
        )
        total = len(self.plan.cells)
        return told if done == total else f"{told} So far {done} of {total} cells have ended."

    def references(self, measure: str) -> str:
        """The suspect's value and the floor's, which the map is read against."""
        said = [f"suspect {numbers.percent((self.plan.teacher or {}).get(measure))}"]
        if self.plan.floor:
            name = "floor (clean twin)" if measure == "asr" else "clean twin"
            said.append(f"{name} {numbers.percent(self.plan.floor.get(measure))}")
        if self.plan.untrained:
            said.append(f"untrained network {numbers.percent(self.plan.untrained.get(measure))}")
        return ", ".join(said)

    def settings(self) -> str:
        """How the cells were made."""
        config = self.plan.config
        shared = (
            "equally"
            if config.information == "uniform"
            else f"by the information of run {text.plain(config.information)}"
        )
        return (
            "Large: the mean over seeds; small: the lowest and the highest seed, if they differ. "
            "Brighter is higher, on one scale from 0 to 100% in both maps. "
            "The preset gentle is 10 per layer on average, authors is 3,500. "
            f"Each cell: {config.epochs} epochs on {numbers.percent(config.clean_fraction)} of the "
            f"data; layers of a set share their weight {shared}. "
            f"{text.plain(sweep_map.rows_said(config), LONG)} "
            f"{sweep_map.WEAK_SAID if self.plan.untrained else ''}"
        )
