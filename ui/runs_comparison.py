"""Two or more runs side by side: curves overlaid, what differs, how far the scores lie apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from mimic.comparison import Record, compare, record, scores_of
from mimic.tables import DIFFERING, name_of
from ui import (
    address,
    downloads,
    jobs,
    mode,
    numbers,
    palette,
    picture_file,
    provenance,
    runs_charts,
    runs_choice,
    runs_details,
    runs_scores,
    runs_seeds,
    runs_settings,
    text,
    training_end,
)
from ui.progress_words import IN_SAMPLE
from ui.runs_entry import Entry

MOST = 6
"""Runs that still have a colour and a dash of their own."""
LOSSES = ("loss", "contrastive", "attention", "clone", "agreement")
CURVE = "curve"


def show(entries: Sequence[Entry]) -> None:
    """The comparison of the chosen runs with the first of them."""
    st.header(f"{len(entries)} runs side by side", anchor=False)
    if len(entries) > MOST:
        st.info(f"The first {MOST} of them are compared.", icon=":material/info:")
    shown = entries[:MOST]
    named = runs_charts.letters([e.run.id for e in shown])
    st.markdown("  \n".join(legend(e, named[e.run.id]) for e in shown))
    records = [record(e.run) for e in shown]
    found = compare(records)
    runs = list(named)
    settings(found["config"], {e.run.id: e.kind for e in shown}, named)
    if mode.is_expert():
        machine(found["machine"], named)
    curves(found["curves"], runs, records)
    information(found["information"], runs)
    sweeps(found["sweep"], runs)
    if not any(found[part] for part in ("curves", "information", "sweep")):
        st.caption("These runs have no curves in common: only jobs of one kind have.")
    runs_seeds.show(found["seeds"], named)
    runs_scores.show(found["scores"], named)
    for part in ("inputs", "versions") if mode.is_expert() else ():
        differing(found, named, part)
    runs_choice.permalink(
        runs=",".join(e.run.id for e in entries), curve=str(st.query_params.get(CURVE) or "")
    )


def legend(entry: Entry, letter: str) -> str:
    """What a letter stands for, on one line."""
    kind = jobs.KINDS.get(entry.kind, text.plain(entry.kind))
    noted = f" · {text.plain(entry.note, 60)}" if entry.note else ""
    return (
        f"**{letter}** {kind} of {text.plain(entry.subject)} · {text.plain(entry.run.id)} · "
        f"{numbers.ago(entry.started)}{noted}"
    )


def chart(figure: Any, name: str, title: str, told: str) -> None:
    """A chart with its title, its words for those who do not see it, and its numbers."""
    st.markdown(f"**{title}**")
    saved = (f"compare-{name}", *(chosen := runs_choice.chosen()))
    st.plotly_chart(figure, config=picture_file.named(*saved), key=saved[0], alt=f"{title}. {told}")
    st.caption(told)
    facts = provenance.of_compared(runs_charts.letters(chosen), name)
    downloads.figure_csv(figure, picture_file.file_name(*saved), facts)


def curves(found: Mapping[str, Any], runs: Sequence[str], records: Sequence[Record]) -> None:
    """Accuracy, attack success and a chosen loss by epoch."""
    if not found:
        return
    columns = st.columns(2, gap="large")
    shown = [name for name in ("accuracy", "asr") if name in found]
    for name, column in zip(shown, columns, strict=False):
        with column:
            title = f"{runs_charts.CURVES[name][0]} of the cleaned encoder while training"
            came = {
                r.id: end
                for r in records
                if r.id in found[name]["values"]
                and (end := training_end.end_of(r.metrics, scores_of(r).get("student"), name))
            }
            named = runs_charts.letters(runs)
            told = training_end.in_words({named[run]: end for run, end in came.items()})
            chart(runs_charts.by_epoch(found[name], name, runs, came), name, title, told)
    losses = [name for name in LOSSES if name in found]
    if losses:
        address.adopt(CURVE, losses)
        if st.session_state.get(CURVE) is None:
            st.session_state[CURVE] = losses[0]
        name = st.segmented_control(
            "Curve", losses, required=True, key=CURVE, wrap=True,
            format_func=lambda curve: runs_charts.CURVES[curve][0], persist_state="session",
        ) or losses[0]  # fmt: skip
        address.keep(CURVE, None if name == losses[0] else name)
        chart(runs_charts.by_epoch(found[name], name, runs), name, runs_charts.CURVES[name][0],
              ends(found[name], name, runs))  # fmt: skip


def ends(aligned: Mapping[str, Any], name: str, runs: Sequence[str]) -> str:
    """Where each curve of a loss ends, in words."""
    named, said = runs_charts.letters(runs), []
    for run, values in aligned["values"].items():
        last = next(v for v in reversed(values) if v is not None)
        said.append(f"{named[run]} {last:.3f}")
    where = f" {IN_SAMPLE[0].upper()}{IN_SAMPLE[1:]}." if name == "agreement" else ""
    return f"At the end: {', '.join(said)}.{where}"


def information(rows: Sequence[Mapping[str, Any]], runs: Sequence[str]) -> None:
    """Nats per layer, one chart per network and input."""
    for start in range(0, len(rows), 2):
        for row, column in zip(rows[start : start + 2], st.columns(2, gap="large"), strict=False):
            network = palette.NETWORK_NAME.get(row["network"], text.plain(row["network"]))
            given = runs_charts.INPUT_NAME.get(row["input"], text.plain(row["input"]))
            named = runs_charts.letters(runs)
            last = {
                named[run]: next((v for v in reversed(list(own.values())) if v is not None), None)
                for run, own in row["values"].items()
            }
            told = ", ".join(f"{k} {v:.2f} nats" for k, v in last.items() if v is not None)
            with column:
                chart(
                    runs_charts.information(row, runs), f"{row['network']}-{row['input']}",
                    f"Information of the {network}, {given}", f"In the last layer: {told}.",
                )  # fmt: skip


def sweeps(rows: Sequence[Mapping[str, Any]], runs: Sequence[str]) -> None:
    """Cells that the sweeps share."""
    if not rows:
        return
    for measure, column in zip(("asr", "accuracy"), st.columns(2, gap="large"), strict=True):
        apart = [gap for row in rows if (gap := runs_charts.widest(row, measure)) is not None]
        told = f"The runs lie up to {100 * max(apart):.1f} points apart." if apart else ""
        with column:
            chart(
                runs_charts.sweep(rows, measure, runs), f"sweep-{measure}",
                f"{runs_charts.CURVES[measure][0]} by layers × weight per layer", told,
            )  # fmt: skip


def settings(
    rows: Sequence[Mapping[str, Any]], kinds: Mapping[str, str], named: Mapping[str, str]
) -> None:
    """Settings, only where the runs differ, in words."""
    listed(
        "Settings that differ",
        [
            {"setting": runs_settings.name(row["setting"]),
             **{letter: runs_settings.shown(kinds[run], row["setting"], row["values"].get(run))
                for run, letter in named.items()}}
            for row in rows
        ],
    )  # fmt: skip


def machine(rows: Sequence[Mapping[str, Any]], named: Mapping[str, str]) -> None:
    """What the runs computed on, only where that differs or is not known."""
    word, title = DIFFERING["machine"]
    listed(
        title,
        [
            {word: runs_details.MACHINE[row["fact"]],
             **{letter: runs_details.recorded(row["values"].get(run))
                for run, letter in named.items()}}
            for row in rows
        ],
    )  # fmt: skip
    if rows:
        st.caption(
            "Threads, number format and processor decide how sums are rounded. A training "
            "amplifies that: the same settings and seed may end at other figures."
        )


def differing(found: Mapping[str, Any], named: Mapping[str, str], part: str) -> None:
    """Inputs or versions, only where the runs differ."""
    word, title = DIFFERING[part]
    listed(
        title,
        [
            {word: text.cell(name_of(row[word], part)),
             **{letter: known(row["values"].get(run), part) for run, letter in named.items()}}
            for row in found[part]
        ],
    )  # fmt: skip


def known(found: object, part: str) -> str:
    """A library's version, or the hash of an input that the run came to read."""
    return "not read" if found is None and part == "inputs" else runs_details.value(found)


def listed(title: str, rows: Sequence[Mapping[str, str]]) -> None:
    """A table under its title, or the word that there is nothing to list."""
    st.markdown(f"**{title}**" + ("" if rows else ": none"))
    if rows:
        st.dataframe(list(rows), hide_index=True, width="stretch")
