"""The numbers behind the charts of a training, for their CSVs: a row per epoch and line.

Charts leave epochs out of a long training, these rows do not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ui import agreement_chart, live_charts, provenance, training_end

LOSS, SCORE, AGREEMENT = "loss (no unit)", "share of test images (%)", "CKA (0 to 1)"
"""Columns are called as the charts' axes."""
REFERENCES = {
    "suspect: attack success": ("suspect", "teacher"),
    "suspect: accuracy": ("suspect", "teacher"),
    "floor (clean twin)": ("clean twin", "clean_twin"),
}
"""The encoder of each thin line, and its key among the scores."""
Row = dict[str, Any]
Records = Sequence[Mapping[str, Any]]
Scores = Mapping[str, Mapping[str, Any] | None]


def losses(records: Records, facts: Mapping[str, Any]) -> list[Row]:
    """Each loss term by epoch.

    Args:
        records: the run's lines by epoch.
        facts: what each row is of; the images are those the student trains on.
    """
    return [
        {"series": row["term"], "epoch": row["epoch"], LOSS: row["value"],
         "encoder": provenance.CLEANED, **facts}
        for row in live_charts.loss_rows(records, thin=False)
    ]  # fmt: skip


def agreement(records: Records, facts: Mapping[str, Any]) -> list[Row]:
    """The agreement with the suspect by epoch, arguments as for ``losses``."""
    return [
        {"series": row["measure"], "epoch": row["epoch"], AGREEMENT: row["value"],
         "encoder": provenance.CLEANED, **facts}
        for row in agreement_chart.rows_of(records, thin=False)
    ]  # fmt: skip


def scores(
    records: Records,
    before: Scores,
    final: Mapping[str, Any] | None,
    facts: Mapping[str, Any],
) -> list[Row]:
    """Accuracy and attack success by epoch, the final scores, and the lines to compare with.

    A line to compare with has no epoch. Attack success leaves out images of the target class, so
    its rows stand on fewer images; none are told where an old run did not say how many.

    Args:
        records: the run's lines by epoch.
        before: scores by encoder that the thin lines stand for.
        final: the student's final scores.
        facts: what each row is of, without its images, which differ.
    """
    measured = [
        {**of_line(row, provenance.CLEANED, row["images"]), "epoch": row["epoch"]}
        for row in (*live_charts.score_rows(records), *training_end.rows(records, final))
    ]
    compared = []
    for row in live_charts.reference_rows(before):
        encoder, key = REFERENCES[row["name"]]
        behind = before.get(key) or {}
        told = {"measure": row["name"], "percent": row["percent"]}
        field = "test_images" if "accuracy" in row["name"] else "stamped_images"
        compared.append(of_line(told, encoder, behind.get(field)))
    return [{**row, **facts} for row in (*measured, *compared)]


def of_line(row: Mapping[str, Any], encoder: str, images: int | None) -> Row:
    """A row of the chart of scores, with the images it stands on."""
    return {"series": row["measure"], "epoch": None, SCORE: row["percent"], "encoder": encoder,
            "images": images}  # fmt: skip
