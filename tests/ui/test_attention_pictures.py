import io

import numpy as np
import pytest
from PIL import Image

from ui import attention_grid, attention_pictures, palette


def test_heat_begins_and_ends_with_the_palette_and_brightens_in_between() -> None:
    values = np.linspace(0, 1, 50)
    colours = attention_pictures.heat(values)
    ends = ["#" + "".join(f"{c:02X}" for c in colours[i]) for i in (0, -1)]
    assert ends == [palette.SEQUENTIAL[0], palette.SEQUENTIAL[-1]]
    lightness = colours @ np.array([0.2126, 0.7152, 0.0722])
    assert (np.diff(lightness) > -1).all()
    assert attention_pictures.heat(np.zeros((3, 4))).shape == (3, 4, 3)


def test_fields_stay_squares_of_one_colour() -> None:
    picture = np.zeros((16, 16, 3), dtype=np.uint8)
    attention = np.array([[0.0, 0.5], [1.0, 0.25]])
    drawn = attention_pictures.overlay(picture, attention, 1.0)
    assert drawn.shape == (128, 128, 3)
    for i in range(2):
        for j in range(2):
            field = drawn[64 * i : 64 * i + 64, 64 * j : 64 * j + 64].reshape(-1, 3)
            assert len(np.unique(field, axis=0)) == 1
    assert len(np.unique(drawn.reshape(-1, 3), axis=0)) == 4


def test_maps_with_one_top_compare() -> None:
    picture = np.zeros((16, 16, 3), dtype=np.uint8)
    weak, strong = np.full((2, 2), 0.25), np.full((2, 2), 0.5)

    def colour(attention: np.ndarray, top: float) -> list[int]:
        return attention_pictures.overlay(picture, attention, top)[0, 0].tolist()

    assert colour(weak, 0.5) != colour(strong, 0.5)
    assert colour(weak, 0.25) == colour(strong, 0.5)


def test_only_the_edge_of_the_trigger_is_drawn_over() -> None:
    picture = np.full((16, 16, 3), 90, dtype=np.uint8)
    area = np.zeros((16, 16), dtype=bool)
    area[10:15, 10:15] = True
    bare = attention_pictures.overlay(picture, np.ones((4, 4)), 1.0)
    drawn = attention_pictures.overlay(picture, np.ones((4, 4)), 1.0, area)
    changed = (bare != drawn).any(axis=-1)
    assert (drawn[80, 80:120] == 255).all()  # Eight pixels each: the area begins at 10 * 8.
    assert (drawn[79, 80:120] == 0).all()
    assert not changed[81:119, 81:119].any()
    assert not changed[:79].any()
    everything = np.ones((16, 16), dtype=bool)
    np.testing.assert_array_equal(
        attention_pictures.overlay(picture, np.ones((4, 4)), 1.0, everything), bare
    )


@pytest.mark.parametrize("shape", [(16, 16), (224, 224), (9, 30)])
def test_pictures_of_any_size_become_files_of_whole_pixels(shape: tuple[int, int]) -> None:
    picture = np.random.default_rng(0).integers(0, 255, (*shape, 3)).astype(np.uint8)
    file = Image.open(io.BytesIO(attention_pictures.png(attention_pictures.plain(picture))))
    times = file.size[1] // shape[0]
    assert file.size == (shape[1] * times, shape[0] * times)
    np.testing.assert_array_equal(np.asarray(file)[::times, ::times], picture)


def test_the_brightest_place_is_put_in_words() -> None:
    attention = np.zeros((9, 9))
    attention[8, 0] = 1
    assert attention_grid.place(attention) == "lower left"
    attention[4, 4] = 2
    assert attention_grid.place(attention) == "middle centre"
