import re

import pytest
import streamlit as st

from ui import frame, mode


@pytest.mark.parametrize(("view", "pixels"), [("simple", frame.WIDTH), ("expert", frame.WIDE)])
def test_only_expert_uses_wide_screens(
    view: str, pixels: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(st, "session_state", {mode.KEY: view})
    assert frame.width() == pixels


def test_lines_of_text_end_where_they_do_in_simple() -> None:
    (limit,) = re.findall(r"max-width: (\d+)px", frame.READABLE)
    assert int(limit) == frame.WIDTH
