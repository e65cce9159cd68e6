"""What the README shows exists."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_every_picture_and_page_the_readme_links_to_exists() -> None:
    text = (ROOT / "README.md").read_text()
    linked = {t for t in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in t}
    assert len(linked) > 8
    assert [target for target in sorted(linked) if not (ROOT / target).is_file()] == []


def test_every_picture_is_shown() -> None:
    text = (ROOT / "README.md").read_text()
    pictures = {path.name for path in (ROOT / "assets" / "pictures").iterdir()}
    assert {name for name in pictures if name not in text} == set()
