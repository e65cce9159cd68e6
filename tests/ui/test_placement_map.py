from collections.abc import Callable
from pathlib import Path

from mimic.run import Run
from ui.placement_map import heat_map, sentence, stripes


def test_the_map_says_what_it_shows(runs_root: Path, placement_run: Callable[..., Run]) -> None:
    result = placement_run(runs_root).result() or {}
    told = sentence(result)
    assert "row 10, column 10" in told
    assert "on 100.0% of 200 images; on average over the other places, 50.0%" in told
    assert "50.0%, but from 0.0% to 100.0% depending on the place. At 72" in told
    assert "At 72 of 144 places" in told
    figure = heat_map(result)
    assert figure.data[0].z[0][0] == 100
    assert figure.data[0].z[1][0] == 0
    assert (figure.data[1].x, figure.data[1].y) == ((10,), (10,))


def striped(rows: list[list[float]], first: int = 0) -> dict[str, object]:
    return {
        "asr_by_position": rows, "trained_place": [2, 2],
        "rows": list(range(first, first + len(rows))), "columns": list(range(len(rows[0]))),
    }  # fmt: skip


def test_stripes_are_explained_where_there_are_some() -> None:
    rows = [[0.9] * 4, [0.1] * 4, [0.7] * 4, [0.0] * 4]
    told = stripes(striped(rows))
    assert "every second row" in told
    assert "on 80.0% of the images on average, at the rows between on 5.0%" in told
    columns = stripes(striped([list(line) for line in zip(*rows, strict=True)]))
    assert "every second column" in columns


def test_nothing_is_explained_without_stripes_or_where_only_every_second_row_was_tried() -> None:
    assert stripes(striped([[0.9] * 4, [0.8] * 4, [0.9] * 4])) == ""
    result = striped([[0.9] * 4, [0.1] * 4])
    result |= {"rows": [0, 2], "columns": [0, 2, 4, 6]}
    assert stripes(result) == ""
