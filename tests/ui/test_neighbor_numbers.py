from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from mimic.intervals import wilson_interval
from ui import neighbor_numbers, numbers

ROOT = Path(__file__).resolve().parents[2]
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


def test_simple_tells_before_after_and_floor_in_plain_words(
    runs_root: Path, fabricate: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    fabricate(runs_root)
    monkeypatch.setattr("ui.mode.DEFAULT", "simple")
    app = AppTest.from_file(str(ROOT / "ui" / "shell.py"), default_timeout=20)
    app.run()
    app.switch_page("../pages/embeddings.py").run()
    assert not app.exception
    shown = {m.label: (m.value, m.delta) for m in app.metric}
    target = "Beside a 1, after cleaning"
    assert shown[target] == ("11.0%", "-88.0 points")
    own = "Beside their own class, after cleaning"
    assert own in shown
    told = " ".join([e.value for kind in (app.main.caption, app.main.markdown) for e in kind])
    for word in ("silhouette", "displacement", "cosine"):
        assert word not in told.lower()
    assert "how far the trigger moves it" in app.get_by_key("map_colour").options
    assert app.get_by_key("map_projection").value == "umap"  # One fold away.


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
