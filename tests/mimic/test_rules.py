import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
FOLDERS = ("mimic", "ui", "pages")
SOURCES = [
    *sorted(path for folder in FOLDERS for path in (REPOSITORY / folder).rglob("*.py")),
    REPOSITORY / "app.py",
]
FORBIDDEN_MODULES = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "marshal",
                     "shelve"}  # fmt: skip


def nodes(path: Path) -> Iterator[ast.AST]:
    return ast.walk(ast.parse(path.read_text(encoding="utf-8")))


def dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def keyword(call: ast.Call, name: str) -> object:
    for given in call.keywords:
        if given.arg == name and isinstance(given.value, ast.Constant):
            return given.value.value
    return "not a literal"


def imports(path: Path) -> Iterator[str]:
    for node in nodes(path):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield name.name
                assert name.name not in {"torch", "numpy"} or name.asname in {None, "np"}
        elif isinstance(node, ast.ImportFrom):
            for name in node.names:
                yield f"{node.module}.{name.name}"


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    for node in nodes(path):
        if isinstance(node, ast.Call):
            yield dotted(node.func), node


def test_there_are_sources_to_check() -> None:
    assert len(SOURCES) > 50
    loads = [name for name, _ in calls(REPOSITORY / "mimic" / "checkpoint" / "gate.py")]
    assert loads.count("torch.load") == 1


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(REPOSITORY)))
def test_no_source_can_execute_what_a_file_holds(path: Path) -> None:
    for name in imports(path):
        assert name.split(".")[0] not in FORBIDDEN_MODULES, name
        assert name not in {"torch.load", "numpy.load", "torch.hub", "torch.package"}, name
    for name, call in calls(path):
        place = f"{path}:{call.lineno}"
        assert name not in {"eval", "exec", "compile", "__import__"}, place
        assert name not in {"torch.jit.load", "torch.hub.load", "os.system"}, place
        assert keyword(call, "shell") is not True, place
        if name == "torch.load":
            assert path == REPOSITORY / "mimic" / "checkpoint" / "gate.py", place
            assert keyword(call, "weights_only") is True, place
        if name in {"np.load", "numpy.load"}:
            assert keyword(call, "allow_pickle") is False, place
        assert keyword(call, "allow_pickle") is not True, place
        assert "allow_pickle" not in {k.arg for k in call.keywords} or (
            keyword(call, "allow_pickle") is False
        ), place


BLOCKER = """
import importlib, pkgutil, sys

BLOCKED = {"streamlit", "plotly", "altair", "umap"}


class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in BLOCKED:
            raise ImportError(f"{name} must not be imported")
        return None


sys.meta_path.insert(0, Blocker())
import mimic

names = [m.name for m in pkgutil.walk_packages(mimic.__path__, "mimic.")]
for name in names:
    importlib.import_module(name)
print(len(names))
"""


TORCH_FREE = (
    "config", "errors", "run", "job", "subjects", "trigger", "layer_weights", "datasets", "sweep",
)  # fmt: skip


def test_the_library_imports_without_any_interface_toolkit() -> None:
    done = subprocess.run(
        [sys.executable, "-c", BLOCKER], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 40


def test_what_the_interface_imports_of_the_library_stays_free_of_torch() -> None:
    code = "\n".join(f"import mimic.{name}" for name in TORCH_FREE)
    code += "\nimport sys\nassert not {'torch', 'sklearn', 'umap'} & set(sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
