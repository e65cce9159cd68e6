"""Names as an attacker would choose them, and runs in which every foreign string is one."""

import json
from pathlib import Path
from typing import Any

PIECES = (
    "<img src=x onerror=window.marker=1>",
    "<script>window.marker=2</script>",
    "[x](javascript:window.marker=3)",
    "![x](http://attacker.invalid/x.png)",
    "http://attacker.invalid/y",
    ":material/bug_report:",
    ":red[warn]",
    "$\\frac{1}{2}$",
    "**bold** `code` # head",
    "=HYPERLINK(1)",
)
"""One attempt each; names are cut to a length, so each test rotates which comes first."""
HIDDEN = "\u202e\u200b\u2066\x07\x00"
LONG = "A" * 10_000


def name(first: int, *, in_path: bool = False) -> str:
    """A hostile name whose first attempt is the ``first`` of ``PIECES``."""
    turned = PIECES[first % len(PIECES) :] + PIECES[: first % len(PIECES)]
    said = turned[0] + HIDDEN + " ".join(turned[1:]) + LONG
    return said.replace("/", "∕").replace("\x00", "") if in_path else said


def file_name(first: int) -> str:
    """A hostile name that a file system accepts."""
    short = name(first, in_path=True)[:60]
    while len(short.encode()) > 180:
        short = short[:-1]
    return short


WORDS = {"layout", "architecture", "stem", "source", "name", "device", "precision", "sentence"}
LISTS = {"warnings", "notes"}


def poison(value: Any, first: int, key: str = "") -> Any:
    """A run's JSON with every string that may quote a stranger replaced by a hostile name."""
    if isinstance(value, dict):
        return {k: poison(v, first, k) for k, v in value.items()}
    if key in LISTS and isinstance(value, list):
        return [name(first), name(first + 1)]
    if key == "class_names":
        return [name(first + i) for i in range(10)]
    if isinstance(value, list):
        return [poison(v, first, key) for v in value]
    if isinstance(value, str) and key in WORDS and not value.startswith("layer"):
        return name(first)
    return value


def poison_runs(root: Path, first: int, *, layer: str = "") -> None:
    """Rewrite the finished runs below ``root``.

    Args:
        root: folder of runs.
        first: which attempt stands first.
        layer: a layer whose name becomes hostile too.
    """
    hostile_layer = file_name(first)
    for path in sorted(root.glob("*/*.json*")):
        lines = path.read_text().splitlines() if path.suffix == ".jsonl" else [path.read_text()]
        records = [json.loads(line) for line in lines]
        if path.name not in {"status.json", "run.json"}:
            records = [poison(record, first) for record in records]
        written = "\n".join(json.dumps(record) for record in records) + "\n"
        if layer and path.name != "status.json":
            written = written.replace(f'"{layer}"', json.dumps(hostile_layer))
        path.write_text(written)
    for path in root.glob(f"*/arrays/{layer}-*.npz") if layer else ():
        path.rename(path.with_name(path.name.replace(layer, hostile_layer)))
