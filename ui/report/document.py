"""The report as one HTML document."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
import plotly.offline

from ui.report.attention import SECTION as LOOKS
from ui.report.attention import pictures
from ui.report.escape import data, script_hash, words
from ui.report.figure import Figure
from ui.report.figures import all_figures
from ui.report.material import Material
from ui.report.script import SCRIPT
from ui.report.sections import (
    appendix,
    example_images,
    method,
    own_note,
    reproduce,
    scores_table,
    table,
    warnings_list,
)
from ui.report.style import STYLE
from ui.report.summary import at_a_glance, verdict
from ui.report.tiles import SECTION as SWEEP
from ui.report.tiles import findings

MOST_ROWS = 200
"""Rows of a figure's table; the CSV has all of them."""


def document(material: Material) -> str:
    """The whole file."""
    figures = named(all_figures(material))
    plotly_script = plotly.offline.get_plotlyjs()
    policy = (
        "default-src 'none'; "
        f"script-src {script_hash(plotly_script)} {script_hash(SCRIPT)}; "
        "style-src 'unsafe-inline'; img-src data: blob:; font-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    drawn = {
        name: {**plain_figure(f.figure), "csv": f.csv, "file": f.file or name}
        for name, f in figures.items()
    }
    return "\n".join(
        (
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark">',
            '<link rel="icon" href="data:,">',
            f"<title>{words(material.title)}: MIMIC Studio report</title>",
            f"<style>{STYLE}</style>\n</head>\n<body>\n<main>",
            *body(material, figures),
            "</main>",
            f'<script type="application/json" id="figures">{data(drawn)}</script>',
            f"<script>{plotly_script}</script>",
            f"<script>{SCRIPT}</script>",
            "</body>\n</html>\n",
        )
    )


def body(material: Material, figures: Mapping[str, Figure]) -> Iterator[str]:
    """The document's parts in reading order."""
    made = datetime.datetime.now(tz=datetime.UTC).strftime("%d %B %Y, %H:%M UTC").lstrip("0")
    yield f"<h1>Cleaning “{words(material.title)}”</h1>"
    yield f'<p class="soft">MIMIC Studio report on run {words(material.run.id)}, {made}</p>'
    yield from verdict(material)
    yield from own_note(material)
    yield from at_a_glance(material)
    yield from scores_table(material)
    yield from example_images(material)
    for section in dict.fromkeys(f.section for f in figures.values()):
        yield f"<h2>{words(section)}</h2>"
        if section == SWEEP:
            yield from findings(material)
        yield '<div class="grid">'
        for name, figure in figures.items():
            if figure.section == section:
                yield figure_element(name, figure)
        yield "</div>"
        if section == LOOKS:
            yield from pictures(material)
    yield from warnings_list(material)
    yield from method(material)
    yield from reproduce(material)
    yield from appendix(material)


def named(figures: Sequence[Figure]) -> dict[str, Figure]:
    """Figures by a name that is safe as an element's id and as a file's name."""
    found: dict[str, Figure] = {}
    for figure in figures:
        name = re.sub(r"[^a-z0-9]+", "-", figure.name.lower()).strip("-") or "figure"
        found[name if name not in found else f"{name}-{len(found)}"] = figure
    return found


def plain_figure(figure: go.Figure) -> dict[str, Any]:
    """Data and layout as JSON, without plotly's own look."""
    figure.update_layout(template=go.layout.Template())
    told = json.loads(figure.to_json())
    return {"data": told["data"], "layout": told["layout"]}


def figure_element(name: str, figure: Figure) -> str:
    """A chart with its takeaway, its buttons and its numbers."""
    height = int(figure.figure.layout.height or 400)
    shown = table(figure.rows[:MOST_ROWS])
    more = len(figure.rows) - MOST_ROWS
    rest = f"<p class='soft'>And {more:,} more rows in the CSV.</p>" if more > 0 else ""
    run = figure.facts.get("run")
    of_run = f" (run {words(run)}, seed {words(figure.facts.get('seed'))})" if run else ""
    buttons = "".join(
        f'<button type="button" data-figure="{name}" data-as="{kind}" '
        f'aria-label="Save {words(figure.title)} as {kind.upper()}">{kind.upper()}</button>'
        for kind in ("csv", "png", "svg")
    )
    return (
        f"<figure{' class=wide' * figure.wide}><h3>{words(figure.title)}</h3>"
        f'<figcaption id="says-{name}">{words(figure.takeaway)}</figcaption>'
        f'<div class="chart" id="chart-{name}" style="height:{height}px" role="img" '
        f'aria-label="{words(figure.title)}. {words(figure.takeaway)}"></div>'
        f'<div class="tools">{buttons}</div>'
        f"<details><summary>The numbers{of_run}</summary>{shown}{rest}</details></figure>"
    )
