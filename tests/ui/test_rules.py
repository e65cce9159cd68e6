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
def test_no_page_computes_or_writes_html(path: Path) -> None:
    tree = ast.parse(path.read_text())
    tops = {name.split(".")[0] for name in imported(tree)}
    assert not tops & {"torch", "torchvision", "umap", "sklearn"}
    attributes = {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
    assert "html" not in attributes
    keywords = {k.arg for n in ast.walk(tree) if isinstance(n, ast.Call) for k in n.keywords}
    assert "unsafe_allow_html" not in keywords


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
