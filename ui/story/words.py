"""The words of the story: of what it explains itself, and of charts that other pages share."""

from __future__ import annotations

import re
from typing import Any

import altair as alt

from ui import glossary

HELP = {
    "cleaning": "Training a new encoder to give the suspect's answers on clean pictures only. The "
    "pages for experts call it distillation, and the cleaned encoder the student.",
    "clean pictures": "A few pictures that surely carry no sticker; the cleaned encoder learns "
    "from nothing else.",
    "right answers": "The share of test pictures that it takes for what they show. What they show "
    "is known, but not told to it.",
    "right with the sticker on": "The share of pictures with the sticker on that it still takes "
    "for what they show; the same pictures as for attack success.",
    "round": "One pass over all pictures that are learned from.",
}
"""What the story calls by a word of its own; all else is in the glossary."""
INSTEAD = {
    "accuracy": "right answers",
    "suspect: accuracy": "suspect: right answers",
    "floor (clean twin)": "never attacked",
    "training (epochs)": "training (rounds)",
    "share of test images (%)": "share of test pictures (%)",
}
SAID = {
    "the clean twin, which was never attacked": "an encoder never attacked",
    "the clean twin": "the encoder never attacked",
    "clean twin": "encoder never attacked",
    "With a nearest-neighbour classifier (kNN) on top,": "Read by the most alike pictures (kNN),",
    "With a small neural network (MLP) on top,": "Read by a small network (MLP),",
    "a linear classifier on top": "one simple way to read the encoder's answers",
    "a clean encoder": "an encoder never attacked",
    "accuracy": "share of right answers",
    "triggered images": "pictures with the sticker on",
    "trigger": "sticker",
    "images": "pictures",
    "image": "picture",
}
"""The story's words for those of a verdict, in this order: the longer ones come first."""
TITLES = {"epoch": "round", "percent": "share (%)"}
"""How the pointer's label names a field."""


def help_for(*terms: str) -> str:
    """The tooltip that explains some words: the story's own, others as the glossary does."""
    if len(terms) == 1:
        return HELP.get(terms[0]) or said(glossary.TERMS[terms[0]])
    return "\n\n".join(
        f"**{term.capitalize()}.** {HELP[term]}" if term in HELP else said(glossary.entry(term))
        for term in terms
    )


def said(sentence: str) -> str:
    """A sentence of a verdict in the story's words."""
    for theirs, ours in SAID.items():
        for word, mine in ((theirs, ours), (theirs.capitalize(), ours.capitalize())):
            sentence = re.sub(rf"\b{word}", mine, sentence)
    return sentence


def in_story_words(chart: alt.LayerChart) -> alt.LayerChart:
    """The same chart with the story's words for measures, references and the axis."""
    return alt.LayerChart.from_dict(reworded(chart.to_dict()))


def reworded(part: Any, *, labels: bool = False) -> Any:
    """Any part of a chart's specification in the story's words.

    Args:
        part: of the specification.
        labels: whether it is of the pointer's labels. Elsewhere a title would be joined to the
            axis's own, which then takes the whole height from the plot.
    """
    if isinstance(part, list):
        return [reworded(one, labels=labels) for one in part]
    if isinstance(part, dict):
        said = {key: reworded(value, labels=key == "tooltip") for key, value in part.items()}
        if labels and part.get("field") in TITLES and "title" not in part:
            said["title"] = TITLES[part["field"]]
        return said
    return INSTEAD.get(part, part) if isinstance(part, str) else part
