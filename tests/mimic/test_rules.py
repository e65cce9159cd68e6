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
GATE = REPOSITORY / "mimic" / "parsing" / "torch_file.py"
SUSPECT_READERS = {"mimic/parsing/safetensors_file.py", "mimic/checkpoint/gate.py"}
OWN_FILE_READERS = {"mimic/training_state.py"}
FORBIDDEN_MODULES = {
    "pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "marshal", "shelve", "mmap",
    "runpy", "code", "codeop", "pickletools", "multiprocessing.reduction", "imp", "zipimport",
}  # fmt: skip
FORBIDDEN_NAMES = {
    "torch.load", "numpy.load", "torch.hub", "torch.package", "torch.export", "torch.jit.load",
    "torch.serialization.load", "torch.serialization.add_safe_globals", "importlib.import_module",
    "torch.serialization.safe_globals", "torch.utils.model_zoo", "safetensors.torch.load_file",
    "os.system", "os.popen", "builtins.eval", "builtins.exec",
}  # fmt: skip
FORBIDDEN_CALLS = {
    "eval", "exec", "compile", "__import__", "torch.jit.load", "torch.jit.script", "torch.hub.load",
    "torch.hub.load_state_dict_from_url", "torch.export.load", "torch.package.PackageImporter",
    "torch.serialization.load", "torch.serialization.add_safe_globals", "torch.from_file",
    "torch.serialization.safe_globals", "torch.UntypedStorage.from_file", "os.system", "os.popen",
    "np.fromfile", "np.memmap", "np.lib.format.open_memmap",
}  # fmt: skip
ARRAY_READERS = {"np.load", "numpy.load", "np.lib.format.read_array"}
SAFETENSORS_READERS = {
    "safetensors.safe_open", "safetensors.deserialize", "safetensors.torch.load",
    "safetensors.torch.load_file", "safetensors.numpy.load", "safetensors.numpy.load_file",
    "safe_open", "load_file",
}  # fmt: skip
UNSAFE_WORDS = {"TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "TORCH_FORCE_WEIGHTS_ONLY_LOAD"}


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


def test_s2_exactly_one_module_loads_checkpoints() -> None:
    assert len(SOURCES) > 50
    loading = {path: [n for n, _ in calls(path)].count("torch.load") for path in SOURCES}
    assert {path: count for path, count in loading.items() if count} == {GATE: 1}


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(REPOSITORY)))
def test_s2_no_source_can_execute_what_a_file_holds(path: Path) -> None:
    assert violations(path) == []


def violations(path: Path) -> list[str]:
    """What a source does that S2 of safety.md rules out, with its line."""
    found = [
        f"imports {name}"
        for name in imports(path)
        if name.split(".")[0] in FORBIDDEN_MODULES or name in FORBIDDEN_NAMES | FORBIDDEN_MODULES
    ]
    for name, call in calls(path):
        found += [f"{call.lineno}: {name} {what}" for what in call_violations(path, name, call)]
    for node in nodes(path):
        if isinstance(node, ast.Constant) and node.value in UNSAFE_WORDS:
            found.append(f"{node.lineno}: {node.value}")
    return found


def call_violations(path: Path, name: str, call: ast.Call) -> Iterator[str]:
    place = path.relative_to(REPOSITORY).as_posix() if path.is_relative_to(REPOSITORY) else ""
    given = {k.arg for k in call.keywords}
    if name in FORBIDDEN_CALLS:
        yield "is forbidden"
    if "shell" in given and keyword(call, "shell") is not False:
        yield "may start a shell"
    if given & {"mmap", "mmap_mode"}:
        yield "maps a file"
    if None in given and name in {"torch.load", "np.load", "numpy.load", "subprocess.run"}:
        yield "hides its options"
    if name == "torch.load" and (
        path != GATE
        or keyword(call, "weights_only") is not True
        or keyword(call, "map_location") != "cpu"
        or "pickle_module" in given
    ):
        yield "is not the gate"
    if name in ARRAY_READERS and keyword(call, "allow_pickle") is not False:
        yield "may unpickle"
    if "allow_pickle" in given and keyword(call, "allow_pickle") is not False:
        yield "may unpickle"
    if name.endswith("import_module") and not (
        call.args and isinstance(call.args[0], ast.Constant)
    ):
        yield "imports what it is told"
    if name in SAFETENSORS_READERS and place not in SUSPECT_READERS | OWN_FILE_READERS:
        yield "reads weights outside the gate"


@pytest.mark.parametrize(
    "line",
    [
        "import pickle", "from joblib import load", "import dill as d", "from torch import load",
        "import torch.hub", "from torch import hub", "from importlib import import_module",
        "import runpy", "import mmap", "torch.load(f)", "torch.load(f, weights_only=True)",
        "torch.load(f, weights_only=False, map_location='cpu')", "torch.export.load(f)",
        "torch.jit.load(f)", "torch.serialization.add_safe_globals([A])", "np.load(f)",
        "np.load(f, allow_pickle=True)", "np.lib.format.read_array(f)",
        "np.load(f, allow_pickle=x)", "np.load(f, **options)",
        "eval(text)", "exec(text)", "compile(text, '', 'exec')", "__import__(name)",
        "importlib.import_module(name)", "subprocess.run(line, shell=True)",
        "subprocess.run(line, shell=flag)", "safetensors.torch.load_file(f)",
        "safetensors.safe_open(f, framework='pt')", "np.load(f, allow_pickle=False, mmap_mode='r')",
        "os.environ['TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD'] = '1'",
    ],
)  # fmt: skip
def test_s2_the_rules_notice(tmp_path: Path, line: str) -> None:
    (tmp_path / "source.py").write_text(line)
    assert violations(tmp_path / "source.py")


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
    "curve_reading",
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
