import html
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mimic.run import Run, find_run
from tests.ui.test_pages import open_page
from ui.report.document import document
from ui.report.material import gather


def tables(runs: str) -> list[Any]:
    """The rows of every table that the page on runs shows of some."""
    return [shown.value.to_dict("records") for shown in open_page("runs", runs=runs).dataframe]


def test_our_own_commit_is_not_listed_as_a_library(
    runs_root: Path, fabricate: Callable[[Path], None], distill_run: Callable[..., Run]
) -> None:
    fabricate(runs_root)
    distill_run(runs_root, "distill-b")
    for name in ("demo-distill", "distill-b"):
        run = find_run(name, runs_root)
        run.write_json("run.json", {**run.about(), "versions": {"torch": "2.15.0", "commit": name}})
    listed = tables("demo-distill,distill-b")
    assert [{"component": "MIMIC Studio's commit", "A": "demo-distill", "B": "distill-b"}] in listed
    listed = tables("distill-b")
    own = {"component": "MIMIC Studio's commit", "version": "distill-b"}
    assert [{"component": "torch", "version": "2.15.0"}, own] in listed
    told = html.unescape(document(gather(find_run("demo-distill", runs_root))))
    assert "torch 2.15.0, MIMIC Studio's commit demo-distill" in told
    assert "<td>MIMIC Studio's commit</td>" in told
