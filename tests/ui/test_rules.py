import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = [
    ROOT / "app.py",
    *sorted((ROOT / "ui").rglob("*.py")),
    *sorted((ROOT / "pages").glob("*.py")),
]


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name)
def test_no_page_computes(path: Path) -> None:
    tops = {name.split(".")[0] for name in imported(ast.parse(path.read_text()))}
    assert not tops & {"torch", "torchvision", "umap", "sklearn"}


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name)
def test_files_stay_short(path: Path) -> None:
    limit = {"app.py": 40}.get(path.name, 120 if path.parent.name == "pages" else 220)
    assert len(path.read_text().splitlines()) <= limit


def test_importing_the_interface_does_not_import_torch() -> None:
    import subprocess

    code = "import sys; from ui import inputs, comparison, live; print('torch' in sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "False"


BUTTONS = {"button", "download_button", "form_submit_button", "link_button", "menu_button"}
LOOKS = {
    "label", "type", "icon", "help", "width", "icon_position", "shortcut", "url", "file_name",
    "mime",
}  # fmt: skip
"""What a button without a key is known by, as Streamlit hashes it."""


def changing_buttons(source: str) -> list[str]:
    """Buttons that may become another one from one run to the next, so that a click is lost.

    Without a key, any change of its looks makes it another one. A change of its type does so even
    with a key: the browser then puts a new element in its place.
    """
    found = []
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        given = {k.arg: k.value for k in node.keywords}
        looks = [*node.args[:1], *(value for name, value in given.items() if name in LOOKS)]
        changing = None in given or not all(isinstance(look, ast.Constant) for look in looks)
        retyped = not isinstance(given.get("type", ast.Constant("secondary")), ast.Constant)
        if node.func.attr in BUTTONS and (retyped or ("key" not in given and changing)):
            found.append(f"line {node.lineno}: {ast.unparse(node)[:60]}")
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_click_is_lost_because_a_button_changed_its_looks(path: Path) -> None:
    assert changing_buttons(path.read_text()) == []


@pytest.mark.parametrize(
    "line",
    [
        "st.button(label)", "st.button('Go', type=kind)",
        "st.button('Go', type='primary' if ready else 'secondary', key='go')",
        "st.button(f'Next: {title}', on_click=go)", "column.button('Go', icon=icon)",
        "st.button(label='a' + b)", "st.download_button('CSV', rows, file_name=f'{name}.csv')",
        "st.form_submit_button('Save', help=why)", "st.button('Go', width=wide)",
        "st.button('Go', **more)",
    ],
)  # fmt: skip
def test_the_rule_notices_a_changing_button(line: str) -> None:
    assert changing_buttons(line)


@pytest.mark.parametrize(
    "line",
    [
        "st.button('Go', icon='x', on_click=go, args=(n,), disabled=off)",
        "st.button(f'Next: {title}', type='primary', icon=icon, key='next')",
        "st.download_button('CSV', rows, file_name=name, key='csv')", "jobs.start_button(label)",
    ],
)  # fmt: skip
def test_the_rule_lets_a_button_pass_that_stays_the_same(line: str) -> None:
    assert not changing_buttons(line)


def folds_without_arrow(source: str) -> list[str]:
    """Folds with an icon: Streamlit puts it in the arrow's place, until the pointer is on it."""
    return [
        f"line {node.lineno}: {ast.unparse(node)[:60]}"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "expander"
        and any(k.arg in ("icon", None) for k in node.keywords)
    ]


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_fold_shows_that_it_opens(path: Path) -> None:
    assert folds_without_arrow(path.read_text()) == []


def test_the_rule_notices_a_fold_without_an_arrow() -> None:
    assert folds_without_arrow("with st.expander('More', icon=':material/table:'): pass")
    assert folds_without_arrow("left.expander('More', **looks)")
    assert not folds_without_arrow("st.expander('More', expanded=True)")
