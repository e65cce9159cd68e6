import tomllib
from pathlib import Path

import pytest

from ui import palette

CONFIG = tomllib.loads(
    (Path(__file__).resolve().parents[2] / ".streamlit" / "config.toml").read_text()
)


def luminance(colour: str) -> float:
    """Relative luminance of a colour, as WCAG 2 defines it."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("colour", sorted({*palette.CATEGORICAL, *palette.CLASS_COLOURS}))
def test_chart_colours_reach_3_to_1_on_both_backgrounds(mode: str, colour: str) -> None:
    assert contrast(colour, CONFIG["theme"][mode]["backgroundColor"]) >= 3


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_text_and_button_labels_reach_4_5_to_1(mode: str) -> None:
    theme = CONFIG["theme"][mode]
    assert contrast(theme["textColor"], theme["backgroundColor"]) >= 4.5
    assert contrast("#FFFFFF", theme["primaryColor"]) >= 4.5


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_the_theme_has_the_palettes_colours(mode: str) -> None:
    assert CONFIG["theme"][mode]["chartCategoricalColors"] == list(palette.CATEGORICAL)


def test_the_server_is_closed_to_others() -> None:
    assert CONFIG["server"]["address"] == "127.0.0.1"
    assert CONFIG["server"]["enableXsrfProtection"] is True
    assert CONFIG["browser"]["gatherUsageStats"] is False
    assert CONFIG["client"]["showErrorDetails"] == "none"


def test_clean_and_triggered_differ_in_more_than_colour() -> None:
    assert palette.INPUT_DASH["clean"] != palette.INPUT_DASH["triggered"]
    assert palette.INPUT_SYMBOL["clean"] != palette.INPUT_SYMBOL["triggered"]


def test_numbers_on_tiles_can_be_read_at_every_value() -> None:
    ends = [tuple(int(c[i : i + 2], 16) for i in (1, 3, 5)) for c in palette.SEQUENTIAL]
    for step in range(101):
        place = step / 100 * (len(ends) - 1)
        low, part = min(int(place), len(ends) - 2), place - min(int(place), len(ends) - 2)
        mixed = [round(a + part * (b - a)) for a, b in zip(ends[low], ends[low + 1], strict=True)]
        shown = "#" + "".join(f"{value:02x}" for value in mixed)
        assert contrast(shown, palette.ink(step / 100)) >= 4.5, step


def test_a_higher_value_is_always_a_lighter_tile() -> None:
    shades = [luminance(colour) for colour in palette.SEQUENTIAL]
    assert shades == sorted(shades)
