import numpy as np
import pytest

from ui import sticker
from ui.sticker import Stroke


def test_small_images_are_drawn_by_pixels_and_large_ones_by_squares() -> None:
    assert [(sticker.cell_side(s), sticker.cells_across(s)) for s in (16, 48, 64, 224, 225)] == [
        (1, 16), (1, 48), (2, 32), (4, 56), (5, 45),
    ]  # fmt: skip


def test_later_strokes_cover_earlier_ones_and_the_eraser_uncovers() -> None:
    strokes = [Stroke((1, 2, 3), "#ff0000"), Stroke((3, 4), "#00ff00"), Stroke((2, 9), "")]
    assert sticker.painted(strokes) == {1: "#ff0000", 3: "#00ff00", 4: "#00ff00"}


def test_the_sticker_replaces_exactly_the_painted_pixels() -> None:
    strokes = [Stroke((0, 17), "#ff8001"), Stroke((18,), "#000000")]
    trigger = sticker.as_trigger(strokes, 16)
    assert trigger is not None
    image = np.random.default_rng(0).integers(1, 256, (16, 16, 3)).astype(np.uint8)
    expected = image.copy()
    expected[0, 0] = expected[1, 1] = (255, 128, 1)
    expected[1, 2] = 0
    np.testing.assert_array_equal(trigger.apply(image), expected)


def test_a_cell_of_a_large_image_is_a_square_that_may_be_cut_at_the_edge() -> None:
    trigger = sticker.as_trigger([Stroke((57,), "#ffffff")], 224)
    assert trigger is not None
    rows, columns = np.nonzero((trigger.mask == 0).any(-1))
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (4, 7, 4, 7)
    last = sticker.cells_across(226) ** 2 - 1
    cut = sticker.as_trigger([Stroke((last,), "#ffffff")], 226)
    assert cut is not None
    assert cut.changed_pixels == 1


@pytest.mark.parametrize("strokes", [[], [Stroke((5,), "#ffffff"), Stroke((5,), "")]])
def test_nothing_painted_is_no_trigger(strokes: list[Stroke]) -> None:
    assert sticker.as_trigger(strokes, 16) is None


def test_a_rectangle_by_numbers_is_the_same_pixels() -> None:
    cells = sticker.rectangle(3, 5, 2, 4, 16)
    trigger = sticker.as_trigger([Stroke(cells, "#123456")], 16)
    assert trigger is not None
    rows, columns = np.nonzero((trigger.mask == 0).any(-1))
    assert sorted(set(zip(rows.tolist(), columns.tolist(), strict=True))) == [
        (r, c) for r in (3, 4) for c in (5, 6, 7, 8)
    ]
    assert sticker.rectangle(15, 15, 4, 4, 16) == (255,)
    assert len(sticker.rectangle(100, 100, 8, 8, 224)) == 4


@pytest.mark.parametrize("side", [16, 32, 48, 64, 224, 225, 226, 500])
def test_the_canvas_shows_every_cell_once_in_the_images_colours(side: int) -> None:
    image = np.random.default_rng(0).integers(0, 256, (side, side, 3)).astype(np.uint8)
    (trace,) = sticker.canvas(image).data
    across = sticker.cells_across(side)
    assert list(trace.customdata) == list(range(across**2))
    assert len(trace.marker.color) == len(trace.x) == len(trace.y) == across**2
    edge = sticker.cell_side(side)
    r, g, b = image[edge // 2, edge + edge // 2]
    assert trace.marker.color[1] == f"rgb({r},{g},{b})"
    assert (trace.x[1], trace.y[1]) == (edge, 0)
    assert max(trace.x) < side


@pytest.mark.parametrize("pick", sticker.PICKS)
def test_the_canvas_hears_the_chosen_way_of_picking(pick: str) -> None:
    layout = sticker.canvas(np.zeros((16, 16, 3), np.uint8), pick).layout
    assert layout.dragmode == pick
    assert layout.xaxis.fixedrange
    assert layout.yaxis.fixedrange  # Otherwise "pan" would move the image.
