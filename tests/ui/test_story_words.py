import re

import pytest

from mimic.run import find_run
from mimic.verdict import of_run
from ui import right_again
from ui.story import words


def scores(accuracy: float, images: int = 300) -> dict[str, object]:
    margin = 0.03
    return {
        "asr": 0.01, "accuracy": 0.97, "stamped_images": images, "stamped_accuracy": accuracy,
        "stamped_accuracy_interval": [accuracy - margin, min(1.0, accuracy + margin)],
    }  # fmt: skip


def test_a_verdict_is_told_in_the_storys_words() -> None:
    found = of_run(find_run("demo-distill"))
    for sentence in (found.headline, found.confidence, *found.actions):
        said = words.said(sentence)
        assert not re.search(
            r"\b(trigger|clean twin|clean encoder|image|accuracy)", said, re.IGNORECASE
        ), said
        assert re.findall(r"[\d.]+%", said) == re.findall(r"[\d.]+%", sentence)
    assert words.said("The trigger hardly works.") == "The sticker hardly works."


@pytest.mark.parametrize(("after", "short"), [(0.84, True), (0.95, False)])
def test_what_right_answers_with_the_sticker_are_worth(after: float, short: bool) -> None:
    before, twin, untrained = scores(0.0), scores(0.96), scores(0.82)
    told = right_again.worth(before, scores(after), twin, untrained)
    assert "without any training is right on 82.0%" in told
    assert ("not that all right answers are back" in told) == short


def test_without_the_figure_nothing_is_said_of_it() -> None:
    assert right_again.worth({}, {"asr": 0.1}, {}, {}) == ""
    assert "not that all" not in right_again.worth(scores(0.0), scores(0.84), {}, {})
