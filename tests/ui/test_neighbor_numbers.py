import numpy as np
import pytest

from mimic.intervals import wilson_interval
from ui import neighbor_numbers, numbers

FOUND = {"nearest_clean_is_target": 0.25, "same_class_neighbours": 0.6, "silhouette": 0.123}
LABELS = np.array([1, 1, 0, 2, 2, 3, 4, 5, 6, 7])


def test_each_share_stands_with_its_images_and_its_interval() -> None:
    sides = {"before": FOUND, "after": None, "clean_twin": FOUND}
    result = {"numbers": {"layer4": sides}, "target_class": 1}
    rows = neighbor_numbers.rows(result, LABELS)
    assert [row["encoder"] for row in rows] == ["suspect (before)", "clean twin (floor)"]
    row = rows[0]
    assert (row["of images"], row["of all images"]) == ("8", "10")
    assert numbers.interval(wilson_interval(2, 8)) in row["triggered beside target"]
    assert numbers.interval(wilson_interval(6, 10)) in row["triggered beside own class"]
    assert row["clean–triggered separation"] == "0.12"


def test_what_is_not_known_has_no_interval() -> None:
    assert neighbor_numbers.share(None, 10) == numbers.NOTHING
    assert neighbor_numbers.share(0.5, 0) == numbers.NOTHING


@pytest.mark.parametrize(
    ("twin", "floor", "told"),
    [(True, FOUND, "never attacked"), (True, None, "Compute again"), (False, None, "Without")],
)
def test_a_missing_floor_is_told(twin: bool, floor: dict[str, float] | None, told: str) -> None:
    class OfSubject:
        has_twin = twin

    result = {"numbers": {"layer4": {"before": FOUND, "clean_twin": floor}}}
    assert told in neighbor_numbers.floor_words(OfSubject(), result)  # type: ignore[arg-type]
