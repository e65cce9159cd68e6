import re
from pathlib import Path

import pytest
import streamlit as st

from ui import frame, mode

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(("view", "pixels"), [("simple", frame.WIDTH), ("expert", frame.WIDE)])
def test_only_expert_uses_wide_screens(
    view: str, pixels: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(st, "session_state", {mode.KEY: view})
    assert frame.width() == pixels


def test_lines_of_text_end_where_they_do_in_simple() -> None:
    sheet = (ROOT / "assets" / "look.css").read_text(encoding="utf-8")
    (limit,) = re.findall(r"stAlert[^}]*max-width: (\d+)px", sheet)
    assert int(limit) == frame.WIDTH
