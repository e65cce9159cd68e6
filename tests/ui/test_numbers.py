import itertools

import pytest

from ui import numbers


@pytest.mark.parametrize(
    ("share", "shown"), [(0.9723, "97.2%"), (0.0, "0.0%"), (1.0, "100.0%"), (None, "–")]
)
def test_percent_has_one_decimal(share: float | None, shown: str) -> None:
    assert numbers.percent(share) == shown


def test_intervals_and_differences() -> None:
    assert numbers.interval([0.946, 0.979]) == "94.6–97.9%"
    assert numbers.interval(None) == "–"
    assert numbers.points(-0.026) == "-2.6 points"
    assert numbers.points(0.5) == "+50.0 points"


def test_attack_success_has_its_interval_and_the_floor_where_they_are_known() -> None:
    assert numbers.success(0.941, [0.92, 0.962], 0.012) == "94.1% (92.0–96.2%), floor 1.2%"
    assert numbers.success(0.941, None, None) == "94.1%"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.4, "less than 1 s"),
        (0, "0 s"),
        (59, "59 s"),
        (61, "1 min 01 s"),
        (3700, "1 h 01 min"),
        (None, "–"),
    ],
)
def test_duration(seconds: float | None, shown: str) -> None:
    assert numbers.duration(seconds) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(5, "just now"), (61, "1 minute ago"), (7300, "2 hours ago"), (90_000, "1 day ago")],
)
def test_ago(seconds: float, shown: str) -> None:
    assert numbers.ago(1_000_000 - seconds, now=1_000_000) == shown


def test_size() -> None:
    assert numbers.size(12) == "12 B"
    assert numbers.size(1_360_115) == "1.4 MB"
    assert numbers.size(3e12) == "3000.0 GB"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (3, "a few seconds left"),
        (31, "less than a minute left"),
        (65, "about 1 min left"),
        (200, "about 3 min left"),
        (5400, "about 1½ h left"),
        (7300, "about 2 h left"),
    ],
)
def test_the_time_left_is_coarse(seconds: float, shown: str) -> None:
    assert numbers.left(seconds) == shown


def test_the_words_for_the_time_left_never_grow_while_it_shrinks() -> None:
    said = [numbers.left(second) for second in range(20000, -1, -1)]
    assert sum(a != b for a, b in itertools.pairwise(said)) == len(set(said)) - 1
