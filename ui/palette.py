"""One visual language for all charts: a colour, a marker and a dash for each thing shown.

Colours follow Okabe and Ito (2008) and keep 3:1 contrast on the light and on the dark background,
so no chart has to know the theme. Shape is always the second code: a triggered input is a cross or
a dashed line wherever it appears.
"""

from __future__ import annotations

SUSPECT = "#D55E00"
CLEANED = "#2A86C4"
CLEAN_TWIN = "#00966D"
RANDOM = "#7C8896"
VIOLET = "#BF6597"
OCHRE = "#A67C00"

CATEGORICAL = (SUSPECT, CLEANED, CLEAN_TWIN, VIOLET, RANDOM, OCHRE)
"""The order of ``chartCategoricalColors`` in .streamlit/config.toml."""

CLASS_COLOURS = (
    "#2A86C4", "#D55E00", "#00966D", "#BF6597", "#A67C00",
    "#7C8896", "#8C6BD1", "#C2453F", "#3D9AA0", "#7A8B2A",
)  # fmt: skip
"""Colours of classes; names stand beside clusters, because ten colours cannot all be told apart."""

NETWORK_COLOUR = {"teacher": SUSPECT, "random": RANDOM, "clean_twin": CLEAN_TWIN}
NETWORK_NAME = {"teacher": "suspect", "random": "untrained", "clean_twin": "clean twin"}
NETWORK_SYMBOL = {"teacher": "circle", "random": "square", "clean_twin": "diamond"}
INPUT_DASH = {"clean": "solid", "triggered": "dash"}
INPUT_SYMBOL = {"clean": "circle", "triggered": "x"}
INPUT_COLOUR = {"clean": CLEANED, "triggered": SUSPECT}


def class_colour(label: int) -> str:
    """The colour of a class; grey where it is unknown."""
    return CLASS_COLOURS[label % len(CLASS_COLOURS)] if label >= 0 else RANDOM


SEQUENTIAL = (
    "#00224E", "#123570", "#3B496C", "#575D6D", "#707173",
    "#8A8678", "#A59C74", "#C3B369", "#E1CC55", "#FEE838",
)  # fmt: skip
"""Cividis (Nunez et al., PLoS ONE 2018), from 0 to 1: its lightness alone tells the value, also to
colour-blind readers."""
DARK_INK, LIGHT_INK = "#000000", "#FFFFFF"
INK_TURNS = 0.47
"""From this value on, dark letters stand out better than light ones."""


def ink(value: float) -> str:
    """The colour of letters on a tile that shows a value from 0 to 1."""
    return DARK_INK if value >= INK_TURNS else LIGHT_INK
