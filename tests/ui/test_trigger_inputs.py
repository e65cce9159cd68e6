"""Every kind of trigger as the app asks for it; a chart's selection is played by its callback."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from mimic.trigger import PatchTrigger, Trigger
from ui import trigger_inputs


def asking() -> None:
    import streamlit as st

    from ui import trigger_inputs

    st.session_state["value"] = trigger_inputs.trigger("digits")


def drawing() -> None:
    import numpy as np
    import streamlit as st

    from ui import trigger_drawing

    for cells in st.session_state.pop("picked", []):
        trigger_drawing.paint("pen", cells)
    image = np.full((16, 16, 3), 50, np.uint8)
    st.session_state["value"] = trigger_drawing.draw(16, image, "pen")


def open_app(kind: str) -> AppTest:
    app = AppTest.from_function(asking, default_timeout=20)
    app.session_state["suspect_trigger"] = kind
    return app.run()


def words(app: AppTest) -> str:
    return "\n".join(str(e.value) for kind in (app.caption, app.error, app.warning) for e in kind)


@pytest.fixture
def png(tmp_path: Path) -> Path:
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 3)).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "p.png")
    return tmp_path / "p.png"


@pytest.mark.parametrize("kind", trigger_inputs.KINDS)
def test_every_kind_opens_without_error(runs_root: Path, kind: str) -> None:
    app = open_app(kind)
    assert not app.exception
    if kind != "builtin":  # One of these is made for larger images, which is told.
        assert not app.error


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("square", "square:10:10:5"),
        ("sinusoid", "sig:20:6"),
        ("frequency", "ctrl:100:16"),
        ("none", ""),
    ],
)
def test_kinds_without_a_file_name_a_trigger_at_once(runs_root: Path, kind: str, text: str) -> None:
    app = open_app(kind)
    assert app.session_state["value"] == text
    if text:
        described = Trigger.from_text(text, image_size=16).describe()
        assert described in words(app).replace("\\", "")


@pytest.mark.parametrize(
    ("kind", "prefix", "text"),
    [
        ("patch", "patch", "patch:{}:10:10:5"),
        ("random", "random", "random-patch:{}:4:0.1:0.9"),
        ("blend", "blend", "blend:{}:0.2"),
        ("pattern", "pattern", "pattern:{}"),
    ],
)
def test_kinds_with_a_picture_take_an_upload_or_a_path(
    runs_root: Path, png: Path, kind: str, prefix: str, text: str
) -> None:
    app = open_app(kind)
    assert app.session_state["value"] == ""
    app.file_uploader[0].upload("evil `name`.png", png.read_bytes()).run()
    assert not app.exception
    assert not app.error
    (stored,) = (runs_root / "uploads").iterdir()
    assert stored.read_bytes() == png.read_bytes()
    assert app.session_state["value"] == text.format(stored.resolve())
    app.get_by_key(f"suspect_{prefix}_source").set_value("path").run()
    app.text_input(key=f"suspect_{prefix}_path").set_value(str(png)).run()
    assert not app.error
    assert app.session_state["value"] == text.format(png)


def test_s9_a_doubtful_file_is_shown_with_its_doubt(runs_root: Path, tmp_path: Path) -> None:
    tm = np.zeros((16, 16, 3))
    tm[10:15, 10:15] = 1
    np.savez(tmp_path / "t.npz", t=tm * 255, tm=tm)
    app = open_app("path")
    app.text_input(key="suspect_trigger_path").set_value(str(tmp_path / "t.npz")).run()
    assert "read as inverted" in words(app)


def test_a_larger_trigger_is_enlarged_to_only_on_demand(runs_root: Path, tmp_path: Path) -> None:
    path = tmp_path / "t.npz"
    Trigger.square(row=20, column=20, size=8, image_size=32).save(path)
    app = open_app("path")
    app.text_input(key="suspect_trigger_path").set_value(str(path)).run()
    assert app.session_state["value"] == str(path)
    app.checkbox(key="suspect_trigger_resize").check().run()
    assert app.session_state["value"] == f"npz-resize:{path}"
    assert "resized back" in words(app)


def test_a_missing_file_is_a_card_and_no_traceback(runs_root: Path) -> None:
    app = open_app("path")
    app.text_input(key="suspect_trigger_path").set_value("/nowhere/t.npz").run()
    assert not app.exception
    assert "There is no trigger file" in app.error[0].value
    assert "nowhere" not in app.error[0].value


def pen(*picked: tuple[int, ...]) -> AppTest:
    app = AppTest.from_function(drawing, default_timeout=20)
    app.session_state["picked"] = list(picked)
    return app.run()


def drawn(app: AppTest) -> PatchTrigger:
    trigger = Trigger.load(Path(app.session_state["value"]))
    assert isinstance(trigger, PatchTrigger)
    return trigger


def test_picked_squares_become_a_stored_trigger(runs_root: Path) -> None:
    app = pen((0, 1), (16,))
    assert not app.exception
    trigger = drawn(app)
    assert trigger.changed_pixels == 3
    assert (trigger.patch[0, 0] == 255).all()
    assert Path(app.session_state["value"]).parent == runs_root.resolve() / "uploads"


def test_undo_clear_and_the_eraser_take_paint_away(runs_root: Path) -> None:
    app = pen((0, 1), (16,))
    app.button(key="pen_undo").click().run()
    assert drawn(app).changed_pixels == 2
    app.toggle(key="pen_erase").set_value(True).run()
    app.session_state["picked"] = [(1,)]
    app.run()
    assert drawn(app).changed_pixels == 1
    app.button(key="pen_clear").click().run()
    assert app.session_state["value"] == ""
    assert app.button(key="pen_undo").disabled


def test_the_keyboard_paints_a_rectangle_in_the_chosen_colour(runs_root: Path) -> None:
    app = pen()
    assert app.session_state["value"] == ""
    assert not (runs_root / "uploads").exists()
    app.color_picker(key="pen_colour").set_value("#1080ff").run()
    for name, value in (("row", 3), ("column", 5), ("height", 2), ("width", 6)):
        app.number_input(key=f"pen_{name}").set_value(value)
    app.run()
    app.button(key="pen_paint").click().run()
    trigger = drawn(app)
    assert trigger.changed_pixels == 12
    assert trigger.patch[4, 10].tolist() == [0x10, 0x80, 0xFF]


def test_the_same_drawing_is_stored_once(runs_root: Path) -> None:
    app = pen((0,))
    first = app.session_state["value"]
    app.run()
    app.session_state["picked"] = [(9,)]
    app.run()
    app.button(key="pen_undo").click().run()
    assert app.session_state["value"] == first
    assert len(list((runs_root / "uploads").iterdir())) == 2


def test_a_selection_in_the_chart_paints_its_squares_and_ends(
    monkeypatch: pytest.MonkeyPatch, runs_root: Path
) -> None:
    """AppTest cannot select in a chart, so the chart is replaced by one that reports a click."""
    import streamlit as st

    shown: list[str] = []

    def chart(_figure: object, *, key: str, on_select: Callable[[], None], **_: object) -> None:
        shown.append(key)
        if len(shown) == 1:
            points = [{"customdata": 17}, {"customdata": [18]}]
            st.session_state[key] = {"selection": {"points": points}}
            on_select()

    monkeypatch.setattr("ui.trigger_drawing.st.plotly_chart", chart)
    app = AppTest.from_function(drawing, default_timeout=20).run().run()
    assert drawn(app).changed_pixels == 2
    assert shown[0] != shown[1]  # A new chart, in which nothing is selected.
