import base64
import csv
import hashlib
import io
import json
import re
import shutil
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import pytest

from mimic.config import EvaluateConfig
from mimic.run import Run, find_run, write_note
from tests.mimic.test_other_probes import scores
from tests.ui.conftest import SUBJECT, write_run
from ui import figure_data
from ui.report import escape
from ui.report.document import document, named
from ui.report.figures import all_figures, weights_said
from ui.report.material import gather
from ui.report.sections import weighed

ROOT = Path(__file__).resolve().parents[2]
ATTACK = "<img src=x onerror=alert(1)></script><script>alert(2)</script>\"'&\u202e"
WriteRun = Callable[..., Run]


class Page(HTMLParser):
    """The elements of a page, with the text inside scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.words = ""
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            self.scripts[-1] += data
        elif self._inside != "style":
            self.words += data


@pytest.fixture
def filled(
    runs_root: Path,
    fabricate: Callable[[Path], None],
    sweep_run: WriteRun,
    attention_run: WriteRun,
) -> Path:
    fabricate(runs_root)
    sweep_run(runs_root)
    attention_run(runs_root)
    return runs_root


def test_a_sweep_of_another_file_under_the_same_path_is_left_out(filled: Path) -> None:
    sweep = find_run("sweep-a", filled)
    about = sweep.about()
    about["inputs"] = {"encoder": {"path": "same", "sha256": "another"}}
    sweep.write_json("run.json", about)
    page = Page(document(gather(find_run("demo-distill", filled))))
    assert "sweep-a" not in page.words
    assert "sweep-asr-all" not in json.loads(page.scripts[0])


def test_the_inspection_is_the_one_the_run_was_made_for(filled: Path) -> None:
    cleaned, first = (find_run(f"demo-{kind}", filled) for kind in ("distill", "inspect"))
    later = filled / "inspect-later"
    shutil.copytree(first.directory, later)
    about = first.about() | {"id": "inspect-later", "created": cleaned.about()["created"] + 60}
    Run(later).write_json("run.json", about)

    def inspection() -> str:
        found = gather(cleaned).inspection
        assert found is not None
        return found.run.id

    assert inspection() == "demo-inspect"
    bound = cleaned.about()
    bound["inputs"].setdefault("encoder", {})["inspected"] = "inspect-later"
    cleaned.write_json("run.json", bound)
    assert inspection() == "inspect-later"


def test_the_report_holds_everything_of_the_subject(filled: Path) -> None:
    write_note(find_run("demo-distill", filled), "kept for the talk")
    page = Page(document(gather(find_run("demo-distill", filled))))
    for words in (
        "Before cleaning 99.8%, now 3.1% of 447 images", "Accuracy went from 99.2% to 96.6%",
        "At a glance", "Suspect encoder", "seed 0", "demo-attention",
        "In layer3 the suspect puts 60.0% there.", "cannot be told apart",
        "one short distillation per seed", "The more a layer tells,",
        "kept for the talk", "arXiv 2406.03508", "python -m mimic distill",
        "python -m mimic inspect", "demo-information", "demo-embed", "sweep-a", "torch",
        "Only 497 test images: intervals are wide.", "How to reproduce",
    ):  # fmt: skip
        assert words in page.words, words
    figures = json.loads(page.scripts[0])
    assert {"accuracy", "asr", "scores-by-epoch", "losses-by-epoch", "information", "weights",
            "attention", "umap-before", "umap-after", "plane-before", "plane-after",
            "sweep-asr-all", "sweep-accuracy-all"} <= set(figures)  # fmt: skip
    assert all(trace["type"] != "scattergl" for f in figures.values() for trace in f["data"])
    images = [a for tag, a in page.tags if tag == "img"]
    assert images
    assert all(str(a["src"]).startswith("data:image/png;base64,") and a["alt"] for a in images)
    charts = [a for tag, a in page.tags if (a.get("id") or "").startswith("chart-")]
    assert len(charts) == len(figures)
    assert all(a["aria-label"] for a in charts)


def test_the_commands_name_the_python_that_knows_the_project(
    filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.prefix", str(ROOT / ".venv"))
    page = Page(document(gather(find_run("demo-distill", filled))))
    assert ".venv/bin/python -m mimic distill" in page.words
    assert " python -m mimic" not in page.words


def test_the_report_names_no_address_and_allows_only_its_own_scripts(filled: Path) -> None:
    page = Page(document(gather(find_run("demo-distill", filled))))
    policy = next(a["content"] for t, a in page.tags if a.get("http-equiv")) or ""
    assert "default-src 'none'" in policy
    assert "http" not in policy
    assert "unsafe-eval" not in policy
    running = [s for s in page.scripts if not s.startswith("{")]
    hashes = {
        f"'sha256-{base64.b64encode(hashlib.sha256(s.encode()).digest()).decode()}'"
        for s in running
    }
    named_there = set(re.findall(r"'sha256-[^']+'", policy))
    assert hashes == named_there
    for _, attributes in page.tags:
        for name in ("src", "href"):
            assert str(attributes.get(name) or "data:").startswith("data:")
        assert not [name for name in attributes if name.startswith("on")]


def test_hostile_words_stay_words(filled: Path, inspect_run: WriteRun) -> None:
    run = find_run("demo-distill", filled)
    write_note(run, ATTACK)
    for run_id in ("demo-inspect", "demo-distill", "demo-information"):
        other = find_run(run_id, filled)
        about, result = other.about(), other.result() or {}
        about["config"]["data_root"] = ATTACK
        about["inputs"] = {ATTACK: {"path": ATTACK, "sha256": ATTACK}}
        about["versions"] = {ATTACK: ATTACK}
        result |= {"warnings": [ATTACK], "device": ATTACK, "sentence": ATTACK}
        for part in ("data", "downstream"):
            if part in result:
                result[part]["class_names"] = [ATTACK] * 10
        other.write_json("run.json", about)
        other.write_json("result.json", result)
    clean = Page(document(gather(find_run("demo-distill", filled))))
    tags = {tag for tag, _ in clean.tags}
    assert tags <= {
        "html", "head", "meta", "link", "title", "style", "body", "main", "section", "h1", "h2",
        "h3", "p", "div", "figure", "figcaption", "img", "button", "details", "summary", "table",
        "thead", "tbody", "tr", "th", "td", "ul", "li", "pre", "script", "dl", "dt", "dd", "code",
    }  # fmt: skip
    assert len(clean.scripts) == 3
    assert all(str(a["src"]).startswith("data:") for t, a in clean.tags if t == "img")
    assert "onerror" in clean.words
    assert "\u202e" not in clean.words
    for figure in json.loads(clean.scripts[0]).values():  # Plotly reads tags in its labels.
        assert "<img" not in json.dumps({k: figure[k] for k in ("data", "layout")})


def test_s18_the_report_names_files_and_no_folder_of_this_machine(
    runs_root: Path, distill_run: WriteRun
) -> None:
    run = distill_run(runs_root, "only")
    about, result = run.about(), run.result() or {}
    about["config"] |= {
        "encoder": "/srv/hidden a/suspect.pth", "clean_twin": "~/hidden/twin.pth",
        "data": "/srv/hidden/images.npz", "trigger": "patch:/srv/hidden/cat.png:1:2:4",
        "data_root": "/srv/hidden", "information": "/srv/hidden/run-7",
    }  # fmt: skip
    about["inputs"] = {
        "encoder": {"path": "/srv/hidden a/suspect.pth", "sha256": "ab" * 32},
        "/srv/hidden/images.npz (train)": {"images": 9, "sha256": "cd" * 32},
    }
    result["warnings"] = ["The file '/srv/hidden a/x.npz' and /srv/hidden/y.npz are alike."]
    run.write_json("run.json", about)
    run.write_json("result.json", result)
    told = document(gather(run))
    assert "hidden/" not in told
    assert "/srv" not in told
    words = Page(told).words
    assert "--encoder suspect.pth --clean-twin twin.pth" in words
    assert "In place of these names" in words
    assert "ab" * 32 in words
    assert "The file 'x.npz' and y.npz are alike." in words


def test_on_paper_the_record_is_open_and_charts_fit_a_column(filled: Path) -> None:
    whole = document(gather(find_run("demo-distill", filled)))
    assert whole.count('<details class="record">') == 6
    assert "details.record:not([open])" in whole


def test_points_to_be_read_with_care_are_in_the_report(filled: Path) -> None:
    run = find_run("demo-information", filled)
    result = run.result() or {}
    rising = {"state": "still rising", "sentence": "It was still rising."}
    result["curves"][1]["verdicts"] = dict.fromkeys(("layer1", "layer2"), rising)
    run.write_json("result.json", result)
    told = Page(document(gather(find_run("demo-distill", filled)))).words
    assert "Information, suspect, triggered: layer1 and layer2: still rising." in told
    assert "Does the conclusion from the information stand? Yes:" in told


def test_without_an_inspection_or_any_other_run_there_is_still_a_report(
    runs_root: Path, distill_run: WriteRun
) -> None:
    page = Page(document(gather(distill_run(runs_root, "only"))))
    assert "Before cleaning 99.8%" in page.words
    assert set(json.loads(page.scripts[0])) >= {"accuracy", "asr", "losses-by-epoch"}


def test_every_figure_has_numbers_and_a_takeaway(filled: Path) -> None:
    figures = named(all_figures(gather(find_run("demo-distill", filled))))
    for name, figure in figures.items():
        assert re.fullmatch(r"[a-z0-9-]+", name)
        assert figure.rows, name
        assert figure.takeaway.endswith("."), name
        assert figure.section


def test_equal_weights_have_no_winner() -> None:
    assert weights_said({"layer1": 10.0, "layer2": 10.0}) == "All counted the same, 10.0 each."
    assert weights_said({"layer1": 9.0, "layer2": 11.0}) == "layer2 counted most, with 11.0."
    told = weights_said({"layer1": 11.0, "layer2": 11.01, "layer3": 9.0})
    assert told == "layer1 and layer2 counted most, with 11.0 each."


@pytest.mark.parametrize(
    ("config", "weights", "said"),
    [
        ({"information": "measure"}, {"layer1": 9.0, "layer2": 11.0}, "The more a layer tells"),
        ({"information": "uniform"}, {"layer1": 9.0, "layer2": 9.0}, "alike, whatever it tells"),
        (
            {"weights": ["layer1=2"], "information": "measure"},
            {"layer1": 2.0},
            "by hand or from Layers",
        ),
        ({"information": "measure"}, {}, "no layer was copied"),
    ],
)
def test_the_method_says_what_decided_the_weights(
    config: dict[str, Any], weights: dict[str, float], said: str
) -> None:
    told = weighed(config, weights)
    assert said in told
    assert ("The more" in told) == (said == "The more a layer tells")
    assert not weights or weights_said(weights) in told


def test_the_numbers_of_a_figure_are_those_drawn() -> None:
    figure = go.Figure()
    figure.add_scatter(x=[1, 2], y=[0.5, None], name="one")
    figure.add_scatter(x=[1], y=[3.0], name="=two", customdata=[7],
                       error_y={"array": [0.5], "arrayminus": [0.25]})  # fmt: skip
    figure.update_layout(xaxis_title="epoch", yaxis_title="loss (no unit)")
    rows = figure_data.rows(figure)
    assert rows[0] == {"series": "one", "epoch": 1, "loss (no unit)": 0.5}
    assert rows[2] == {"series": "=two", "epoch": 1, "loss (no unit)": 3.0, "id": 7,
                       "interval from": 2.75, "interval to": 3.5}  # fmt: skip
    read = list(csv.DictReader(io.StringIO(figure_data.as_csv(rows))))
    assert read[1]["loss (no unit)"] == ""
    assert read[2]["series"] == "'=two"


@pytest.mark.parametrize("value", ["</script>", "<!--", "a&b", "\u2028", {"k": ["<", None, 1.5]}])
def test_data_in_a_script_element_ends_nothing_and_reads_back(value: Any) -> None:
    told = escape.data(value)
    assert not set("<>&\u2028") & set(told)
    assert json.loads(told) == value


def test_no_other_file_of_the_report_escapes_by_itself() -> None:
    folder = Path(escape.__file__).parent
    for path in folder.glob("*.py"):
        if path.name != "escape.py":
            assert "import html" not in path.read_text()


def test_each_csv_tells_its_run_and_a_sweeps_seeds(filled: Path) -> None:
    found = gather(find_run("demo-distill", filled))
    files = {figure.file for figure in all_figures(found)}
    for figure in all_figures(found):
        rows = list(csv.DictReader(io.StringIO(figure.csv)))
        assert len(rows) == len(figure.rows)
        (run,) = {row["run"] for row in rows}
        assert run in figure.file
        if found.sweep and run == found.sweep.id:
            assert {row["seed"] for row in rows} == {"0, 1"}
    assert len(files) == len(all_figures(found))


def test_the_evaluation_that_decided_the_verdict_is_on_record(filled: Path) -> None:
    assert gather(find_run("demo-distill", filled)).evaluation is None
    probes = {
        probe: {"teacher": scores(0.99, 1.0), "student": scores(0.97, asr),
                "clean_twin": scores(0.99, 0.005), "untrained": scores(0.9, 0.02)}
        for probe, asr in (("linear", 0.01), ("knn", 0.3))
    }  # fmt: skip
    config = EvaluateConfig(**SUBJECT, student="demo-distill", probes=tuple(probes))
    run = write_run(filled, "evaluate", config, "evaluate-a", "finished")
    run.write_json("result.json", {"probes": probes})
    page = Page(document(gather(find_run("demo-distill", filled))))
    assert "With a nearest-neighbour classifier (kNN) on top" in page.words
    assert "Evaluation, run evaluate-a, seed 0" in page.words
