"""The ``information`` verb: what it says while at work."""

from types import SimpleNamespace
from typing import Any

from mimic.verbs.information import at_work


def test_a_measurement_at_work_is_told_in_plain_words() -> None:
    curve: Any = SimpleNamespace(layer="stem", network="teacher", input="triggered")
    told = "measuring the first stage (stem) of the suspect on images with the trigger"
    assert at_work(curve) == told
