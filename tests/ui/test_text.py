import pytest

from ui import text


@pytest.mark.parametrize(
    "hostile",
    [
        "**bold**",
        "[click](https://evil.example)",
        "![x](https://evil.example/x.png)",
        "<script>alert(1)</script>",
        ":red[red] :material/home: $x^2$",
        "`code` ~~no~~ | a | b |",
    ],
)
def test_markdown_signs_become_literal(hostile: str) -> None:
    shown = text.plain(hostile)
    unescaped = text.MARKDOWN.sub("", shown.replace("\\\\", ""))
    for sign in "*_`[]()!$~|:":
        assert shown.count(sign) == shown.count(f"\\{sign}"), sign
    assert "<" not in unescaped


def test_addresses_do_not_become_links() -> None:
    shown = text.plain("see https://evil.example and www.evil.example, a@b.example")
    assert "://" not in shown.replace("\\", "")
    assert "www." not in shown.replace("\\", "")
    assert "@b" not in shown.replace("\\", "")


def test_control_and_bidi_characters_are_stripped() -> None:
    assert text.bare("gnp\u202e.exe\u200b\x07\x00") == "gnp.exe"
    assert text.bare("two\nlines\tand tabs") == "two lines and tabs"


def test_long_names_are_shortened() -> None:
    assert len(text.bare("x" * 1000)) == 80
    assert text.bare("x" * 1000).endswith("…")
    assert text.bare("x" * 80) == "x" * 80


def test_tags_cannot_reach_plotly_labels() -> None:
    assert text.bare("<b>1</b>") == "‹b›1‹/b›"
