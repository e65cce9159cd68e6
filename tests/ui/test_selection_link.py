from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.ui.test_pages import open_page, without_escapes, words
from ui import selection, selection_link

Fabricate = Callable[[Path], None]
RUN = "demo-embed"


@pytest.mark.parametrize(
    "ids",
    [[0], [9_999], [0, 1, 2], [5, 400, 9_000], list(range(10_000)), list(range(0, 10_000, 2)),
     list(range(3, 200))],
)  # fmt: skip
def test_a_selection_comes_back_from_its_code(ids: list[int]) -> None:
    code = selection_link.encode(ids, RUN)
    assert selection_link.decode(code, RUN, 10_000) == ids
    assert len(code) <= selection_link.MOST_CHARACTERS


def test_any_selection_of_ten_thousand_images_fits_and_few_images_are_short() -> None:
    draw = np.random.default_rng(0)
    for share in (0.001, 0.01, 0.1, 0.5, 0.9):
        ids = np.flatnonzero(draw.random(10_000) < share).tolist()
        code = selection_link.encode(ids, RUN)
        assert len(code) <= selection_link.MOST_CHARACTERS
        assert selection_link.decode(code, RUN, 10_000) == ids
    assert len(selection_link.encode([3, 17, 40], RUN)) <= 12


def test_a_code_of_another_run_or_of_too_many_images_is_refused() -> None:
    code = selection_link.encode([3, 8], RUN)
    assert selection_link.decode(code, "embed-other", 300) == []
    assert selection_link.decode(code, RUN, 8) == []
    assert selection_link.decode(code[:-1], RUN, 300) != [3, 8]


def test_random_codes_never_raise_and_never_leave_the_images() -> None:
    draw = np.random.default_rng(1)
    start = selection_link.base64.urlsafe_b64encode(selection_link.tag(RUN) + b"\0\0").decode()
    letters = list("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    for _ in range(2_000):
        tail = "".join(draw.choice(letters, draw.integers(0, 40)))
        for code in (tail, start[:6] + tail):
            ids = selection_link.decode(code, RUN, 300)
            assert ids == sorted(set(ids))
            assert all(0 <= i < 300 for i in ids)


def test_a_link_shows_the_selection_of_another_visitor(
    runs_root: Path, fabricate: Fabricate
) -> None:
    fabricate(runs_root)
    first = open_page("embeddings")
    first.text_input(key=selection.NUMBERS).set_value("3, 7-9").run()
    code = first.query_params["images"]
    code = code[0] if isinstance(code, list) else code
    second = open_page("embeddings", images=code)
    assert not second.exception
    assert second.session_state[selection.IDS] == [3, 7, 8, 9]
    assert "4 images: each clean" in words(second)
    second.run()
    assert "4 images: each clean" in words(second)
    next(b for b in second.button if b.label == "Clear selection").click().run()
    assert "images" not in second.query_params
    assert "each clean" not in words(second)


def test_a_link_names_chosen_classes(runs_root: Path, fabricate: Fabricate) -> None:
    fabricate(runs_root)
    first = open_page("embeddings")
    first.multiselect(key=selection.CLASSES).set_value([3, 5]).run()
    assert first.query_params[selection.CLASSES] in ("3,5", ["3,5"])
    assert "images" not in first.query_params
    second = open_page("embeddings", map_classes="3,5")
    assert second.multiselect(key=selection.CLASSES).value == [3, 5]
    assert second.session_state[selection.IDS] == first.session_state[selection.IDS]


@pytest.mark.parametrize(
    "given",
    ["x", "AAAA", "AAAAAAAA", "../../etc/passwd", "<script>", "A" * 5_000, "%00", "=" * 20,
     selection_link.encode([3], "another"), selection_link.encode([100_000], RUN)],
)  # fmt: skip
def test_hostile_selections_in_the_address_are_left_out_calmly(
    runs_root: Path, fabricate: Fabricate, given: str
) -> None:
    fabricate(runs_root)
    app = open_page("embeddings", images=given, map_classes=given)
    assert not app.exception
    assert "it is left out" in without_escapes(app)
    assert not app.session_state[selection.IDS] if selection.IDS in app.session_state else True
    assert "images" not in app.query_params
    assert selection.CLASSES not in app.query_params
    app.run()
    assert "it is left out" not in without_escapes(app)


def test_a_selection_too_large_for_an_address_stays_out_and_says_so(
    runs_root: Path, fabricate: Fabricate, monkeypatch: pytest.MonkeyPatch
) -> None:
    fabricate(runs_root)
    monkeypatch.setattr(selection_link, "MOST_CHARACTERS", 10)
    app = open_page("embeddings")
    app.text_input(key=selection.NUMBERS).set_value("3, 7, 9, 20, 30").run()
    assert "5 images: each clean" in words(app)
    assert "a link leaves them out" in words(app)
    assert "images" not in app.query_params
