"""S13: names of strangers reach pages as plain words, whatever they hold."""

import ast
import importlib.util
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from google.protobuf.message import Message
from streamlit.testing.v1 import AppTest

from mimic.run import Run, discard, write_note
from ui import text

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("overview", "suspect", "layers", "distil", "embeddings", "runs")
SOURCES = [
    ROOT / "app.py",
    *sorted((ROOT / "ui").rglob("*.py")),
    *sorted((ROOT / "pages").glob("*")),
]


def module(path: Path) -> ModuleType:
    """A neighbouring file of helpers: the tests are no package."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


hostile = module(Path(__file__).with_name("hostile.py"))
fabricated = module(ROOT / "tests" / "ui" / "conftest.py")

PLAIN_FIELDS = (
    "plotly_chart", "vega_lite_chart", "arrow_vega_lite_chart", "arrow_data_frame", "selectbox",
    "multiselect", "code", "text_input", "text_area", "query_string", ".alt", ".url", "arrow_data",
)  # fmt: skip
"""Places that show text as it is: there, only tags, hidden characters and length can do harm."""
MARKUP = {
    "link": r"(?<!\\)\]\(",
    "picture": r"(?<!\\)!\[",
    "address": r"(?<!\\):(?!\u2060)//attacker|https?://attacker",
    "icon or colour": r"(?<!\\):(?:material/bug|red\[warn)",
    "formula": r"(?<!\\)\$\\+frac",
    "bold": r"(?<!\\)\*\*bold",
}


def strings(message: Message, path: str = "") -> Iterator[tuple[str, str]]:
    """Every string of a message, with where it stands."""
    for field, value in message.ListFields():
        place = f"{path}.{field.name}"
        many = value if field.is_repeated else [value]
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            many = [str(v) for v in value.values()]
        for one in many:
            if isinstance(one, Message):
                yield from strings(one, place)
            elif isinstance(one, str):
                yield place, one
            elif isinstance(one, bytes) and "arrow" in place:
                yield place, one.decode("utf-8", "ignore")


def shown(app: AppTest) -> Iterator[tuple[str, str]]:
    """Every string that the page sends to the browser, with the kind of element that shows it."""
    nodes: list[Any] = [app._tree]
    while nodes:
        node = nodes.pop()
        nodes += list(getattr(node, "children", {}).values())
        proto = getattr(node, "proto", None)
        if isinstance(proto, Message):
            kind = getattr(node, "type", "") or ""
            found = strings(proto, f"{kind}:{type(proto).__name__.lower()}")
            yield from (  # Ids name a widget to the server and are never drawn.
                (place, said) for place, said in found if not place.endswith((".id", "_id"))
            )


def open_page(name: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "ui" / "shell.py"), default_timeout=60).run()
    if name != "overview":
        app.switch_page(f"../pages/{name}.py").run()
    return app


def open_runs(*chosen: str) -> AppTest:
    """The page of runs with some of them chosen, as a link does it."""
    app = AppTest.from_file(str(ROOT / "ui" / "shell.py"), default_timeout=60).run()
    app.switch_page("../pages/runs.py")
    app.query_params["runs"] = ",".join(chosen)
    return app.run()


def hidden(place: str, said: str) -> set[str]:
    """Characters without a visible sign; in the bytes of a table, only those we planted."""
    if "arrow_data" in place:
        return set(said) & {*"\u202e\u200b\u2066"}
    return {c for c in said if unicodedata.category(c) in {"Cc", "Cf"}} - {*"\u2060\n\t"}


def faults(app: AppTest) -> list[str]:
    """What of the hostile names would do more than be read."""
    found = []
    for place, said in shown(app):
        if re.search(r"<(img|script)", said) and not place.startswith(("code", "text_area")):
            found.append(f"tag in {place}")
        if hidden(place, said):
            found.append(f"hidden characters {hidden(place, said)} in {place}")
        if "A" * 1_100 in said:
            found.append(f"length in {place}")
        if not any(field in place for field in PLAIN_FIELDS):
            found += [
                f"{what} in {place}: {said[:160]!r}"
                for what, sign in MARKUP.items()
                if re.search(sign, said)
            ]
    return found


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Runs of an encoder, with data and a run folder, whose names are all hostile."""
    root = tmp_path / "runs"
    root.mkdir()
    monkeypatch.setenv("MIMIC_RUNS", str(root))
    monkeypatch.setattr("mimic.run.listing.ASSETS", tmp_path / "no-assets")
    return root


def write(root: Path, first: int, monkeypatch: pytest.MonkeyPatch, **kind: Any) -> None:
    subject = {
        **fabricated.SUBJECT,
        "encoder": f"/somewhere/{hostile.file_name(first)}.pth",
        "data": f"/somewhere/{hostile.file_name(first + 1)}.npz",
    }
    monkeypatch.setattr(fabricated, "SUBJECT", subject)
    fabricated.write_demo(root)
    fabricated.write_sweep(root)
    said = hostile.name(first)
    fabricated.write_distill(
        root, "distill-failed", "failed", cause=said, remedy=said, message=said
    )
    fabricated.write_distill(root, "distill-running", "running", message=said)
    fabricated.write_inspect(root, hostile.file_name(first + 2))
    fabricated.write_distill(root, hostile.file_name(first + 3), "stopped", message=said)
    hostile.poison_runs(root, first, **kind)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(
    "first", [0, *(pytest.param(i, marks=pytest.mark.slow) for i in range(1, len(hostile.PIECES)))]
)
def test_s13_hostile_names_are_words_on_every_page(
    page: str, first: int, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(runs, first, monkeypatch)
    app = open_page(page)
    assert not app.exception
    assert any("marker" in said or "attacker" in said for _, said in shown(app))
    wrong = sorted(set(faults(app)))
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("page", PAGES)
def test_s13_hostile_layer_names_are_words_on_every_page(
    page: str, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(runs, 0, monkeypatch, layer="layer3")
    app = open_page(page)
    assert not app.exception
    wrong = sorted(set(faults(app)))
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("chosen", [("demo-distill",), ("demo-distill", "distill-failed")])
@pytest.mark.parametrize("first", [0, 2])
def test_s13_hostile_names_are_words_beside_chosen_runs(
    first: int, chosen: tuple[str, ...], runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(runs, first, monkeypatch)
    for run_id in chosen:
        write_note(Run(runs / run_id), hostile.name(first)[:900])
    discard(Run(runs / "demo-embed"))
    app = open_runs(*chosen)
    assert not app.exception
    assert any("side by side" in h.value or "Cleaning of" in h.value for h in app.header)
    wrong = sorted(set(faults(app)))
    assert not wrong, "\n".join(wrong)


def test_s13_the_check_would_find_markup(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(runs, 2, monkeypatch)
    monkeypatch.setattr(text, "bare", lambda value, limit=80: str(value))
    monkeypatch.setattr(text, "plain", lambda value, limit=80: str(value))
    found = " ".join(faults(open_page("suspect")))
    for what in ("tag", "hidden", "length", "link", "picture", "icon or colour", "bold"):
        assert what in found, what


@pytest.mark.parametrize("value", ["=1+1", "+1", "-1", "@SUM(A1)", "=cmd|' /C calc'!A0"])
def test_s13_no_table_cell_becomes_a_formula(value: str) -> None:
    assert text.cell(value) == "'" + text.bare(value)
    assert text.cell("\t" + value).startswith("'")
    assert text.cell("\r\n" + value).startswith("'")


def test_s13_code_keeps_what_can_be_seen_and_drops_the_rest() -> None:
    assert text.code("a <b>\n--x '\u202etxt.\u200bexe\x07'") == "a <b>\n--x 'txt.exe'"


FORBIDDEN = {"html", "iframe", "components", "unsafe_allow_html", "unsafe_allow_javascript"}


def without_our_style_sheet(path: Path, tree: ast.Module) -> ast.Module:
    """A source without the one line that hands Streamlit a style sheet of ours."""
    if path.name == "shell.py":
        tree.body = [node for node in tree.body if ast.unparse(node) != "st.html(LOOK)"]
    return tree


def test_s13_our_style_sheet_is_one_constant_file_that_fetches_nothing() -> None:
    shell = (ROOT / "ui" / "shell.py").read_text(encoding="utf-8")
    assert 'LOOK = ROOT / "assets" / "look.css"\n' in shell
    assert (shell.count("st.html(LOOK)\n"), shell.count("LOOK")) == (1, 2)
    sheet = (ROOT / "assets" / "look.css").read_text(encoding="utf-8")
    assert not re.search(r"url\(|@import|<|expression", sheet)


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.name)
def test_s13_no_page_writes_markup_or_scripts(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(without_our_style_sheet(path, tree)):
        if isinstance(node, ast.Attribute):
            assert node.attr not in FORBIDDEN, f"{path.name}:{node.lineno}"
        if isinstance(node, ast.keyword):
            assert node.arg not in FORBIDDEN, f"{path.name}:{node.value.lineno}"
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [getattr(node, "module", "") or "", *(alias.name for alias in node.names)]
            assert not any("components" in name for name in names), f"{path.name}:{node.lineno}"
