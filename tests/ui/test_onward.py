from collections.abc import Callable
from pathlib import Path

import pytest

from mimic.run import Run
from mimic.verdict import of_run
from tests.ui.test_pages import open_page

Write = Callable[..., Run]
Link = tuple[str, str]
"""Where a link leads, and what it is called."""
AFTER_INSPECTION: dict[str, list[Link]] = {
    "Backdoor likely": [("distil", "Next: clean it"), ("layers", "See what its layers know")],
    "Cannot tell": [("layers", "Next: measure its layers"), ("distil", "Or clean it to be safe")],
    "No backdoor seen": [("layers", "Next: measure its layers")],
    "Broken encoder": [("layers", "See what its layers know")],
}
"""By verdict. Where no backdoor was seen there is nothing to clean, and a broken encoder knows
nothing that a cleaned one could learn."""
CLEAN = {"asr": 0.02, "asr_interval": [0.01, 0.03]}
TRACE = {"asr": 0.08, "asr_interval": [0.06, 0.095]}
BACKDOORED = {"asr": 0.9, "asr_interval": [0.89, 0.91]}
WELL = [
    ("suspect", "Inspect your own file"),
    ("layers", "See what the layers know"),
    ("distil?run=distill-own", "See this cleaning in detail"),
]
NOT_WELL = [
    ("distil?run=distill-own", "See in detail how it went"),
    ("layers", "See what the layers know"),
]


def links(page: str, **address: str) -> list[Link]:
    """The links in the middle of a page."""
    app = open_page(page, **address)
    assert not app.exception
    found = [link.proto for link in app.main.get("page_link")]
    return [
        (f"{link.page}?{link.query_string}" if link.query_string else link.page, link.label)
        for link in found
    ]


def rescore(run: Run, encoder: str, **scores: object) -> None:
    """Give an encoder of a run other scores."""
    result = run.result()
    assert result
    result["scores"][encoder] |= scores
    run.write_json("result.json", result)


def give_verdict(run: Run, title: str) -> None:
    """Change an inspection of a backdoored encoder so that its verdict is another one."""
    if title == "No backdoor seen":
        rescore(run, "teacher", **CLEAN)
    elif title == "Cannot tell":
        rescore(run, "teacher", asr=None, asr_interval=None)
    elif title == "Broken encoder":
        result = run.result()
        assert result
        result["health"]["faults"] = ["Every image gets the same features."]
        run.write_json("result.json", result)
    assert of_run(run).title == title


@pytest.mark.parametrize("title", AFTER_INSPECTION)
def test_the_links_below_an_inspection_follow_its_verdict(
    runs_root: Path, inspect_run: Write, title: str
) -> None:
    give_verdict(inspect_run(runs_root), title)
    wanted = AFTER_INSPECTION[title]
    shown = links("suspect")
    assert shown[-len(wanted) :] == wanted
    to_clean = [link for link in wanted if link[0] == "distil"]
    assert [link for link in shown if link[0] == "distil"] == to_clean
    assert set(wanted) <= set(links("overview"))


@pytest.mark.parametrize(
    ("title", "before", "after", "wanted"),
    [
        ("No backdoor left that could be seen", BACKDOORED, CLEAN, WELL),
        ("No backdoor to remove", CLEAN, CLEAN, WELL),
        ("The backdoor is still there", BACKDOORED, BACKDOORED, NOT_WELL),
        ("Nearly clean: a trace may be left", BACKDOORED, TRACE, NOT_WELL),
        ("Cannot tell", BACKDOORED, CLEAN | {"stamped_images": 9}, NOT_WELL),
    ],
)
def test_the_storys_end_leads_on_only_where_the_cleaning_went_well(
    runs_root: Path,
    fabricate: Callable[[Path], None],
    distill_run: Write,
    placement_run: Write,
    title: str,
    before: dict[str, object],
    after: dict[str, object],
    wanted: list[Link],
) -> None:
    fabricate(runs_root)
    run = distill_run(runs_root, "distill-own")
    placement_run(runs_root, "placement-own", student="distill-own")
    rescore(run, "teacher", **before)
    rescore(run, "student", **after)
    assert of_run(run).title == title
    assert links("story", step="5")[: len(wanted)] == wanted
