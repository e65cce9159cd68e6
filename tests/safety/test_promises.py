"""SECURITY.md and the tests tell the same story: every promise there has a test with its number."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROWS = re.compile(r"^\| ([SR]\d+) \|(.*)\|$", re.MULTILINE)
PROMISES = dict(ROWS.findall((ROOT / "SECURITY.md").read_text()))
TESTS = {
    path.relative_to(ROOT).as_posix(): re.findall(r"def (test_\w+)", path.read_text())
    for path in (ROOT / "tests").rglob("test_*.py")
}


def test_every_promise_is_listed_once() -> None:
    text = (ROOT / "SECURITY.md").read_text()
    assert list(PROMISES) == [f"S{n}" for n in range(1, 19)] + [f"R{n}" for n in range(1, 17)]
    assert len(ROWS.findall(text)) == len(PROMISES)
    assert "CONFIRM" not in text


@pytest.mark.parametrize("number", PROMISES)
def test_a_promise_names_a_test_file_that_holds_a_test_with_its_number(number: str) -> None:
    named = re.findall(r"tests/[\w/]+\.py", PROMISES[number])
    assert named, "the row names no test file"
    wanted = re.compile(rf"test_(?:[sr]\d+_)*{number.lower()}_")
    for path in named:
        assert path in TESTS, f"{path} does not exist"
        assert any(wanted.match(name) for name in TESTS[path]), f"{path} has no test of {number}"
