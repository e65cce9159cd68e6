from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mimic.run import list_runs
from mimic.trigger import Trigger
from tests.mimic.datasets.pictures_on_disk import two_classes, write_tree
from tests.ui.test_pages import open_page, without_escapes
from ui import frame

TEACHER = Path(__file__).resolve().parents[2] / "assets" / "demo" / "teacher.pth"


def choose_path(path: Path) -> str:
    """The words of the Suspect page once a path is typed for the images."""
    app = open_page("suspect")
    app.get_by_key("suspect_source").set_value("path").run()
    app.selectbox(key="suspect_data").set_value("other").run()
    app.text_input(key="suspect_data_path").set_value(str(path)).run()
    assert not app.exception
    return without_escapes(app)


def test_own_images_are_shown_before_a_job_starts(runs_root: Path, tmp_path: Path) -> None:
    told = choose_path(write_tree(tmp_path / "zoo", two_classes()))
    assert "20 images. 2 classes of 10 images each." in told


@pytest.mark.parametrize(
    ("side", "kind", "refused"),
    [
        (64, "path", "made for 32x32 pixels, the images have 64x64"),
        (32, "path", ""),
        (64, "patch", ""),
        (24, "patch", "does not lie within 24x24 pixels"),
    ],
)
def test_a_trigger_that_does_not_fit_the_images_is_told_before_the_job(
    runs_root: Path, tmp_path: Path, side: int, kind: str, refused: str
) -> None:
    images = np.random.default_rng(0).integers(0, 256, (20, side, side, 3)).astype(np.uint8)
    np.savez(tmp_path / "own.npz", x=images, y=np.arange(20) % 2)
    trigger = Trigger.square(row=20, column=20, size=8, image_size=32)
    trigger.save(tmp_path / "t.npz")
    Image.fromarray(np.full((6, 6, 3), 9, np.uint8)).save(tmp_path / "p.png")
    app = open_page("suspect")
    app.get_by_key("suspect_source").set_value("path").run()
    app.selectbox(key="suspect_data").set_value("other").run()
    app.text_input(key="suspect_data_path").set_value(str(tmp_path / "own.npz")).run()
    app.selectbox(key="suspect_trigger").set_value(kind).run()
    if kind == "path":
        app.text_input(key="suspect_trigger_path").set_value(str(tmp_path / "t.npz")).run()
    else:
        app.get_by_key("suspect_patch_source").set_value("path").run()
        app.text_input(key="suspect_patch_path").set_value(str(tmp_path / "p.png")).run()
        app.number_input(key=f"suspect_patch_row_{side}").set_value(20).run()
    assert not app.exception
    cards = [card.value.replace("\\", "") for card in app.error]
    assert bool(cards) == bool(refused)
    assert all(refused in card and "Choose a" in card for card in cards)


def test_s12_images_that_cannot_be_read_are_refused_at_once(
    runs_root: Path, tmp_path: Path
) -> None:
    (tmp_path / "secret.txt").write_text("s3cret")
    told = choose_path(tmp_path / "secret.txt")
    assert "names no image" in told
    assert "s3cret" not in told
    assert "Traceback" not in told


def test_an_upload_of_images_is_offered(runs_root: Path) -> None:
    app = open_page("suspect")
    app.get_by_key("suspect_source").set_value("path").run()
    app.text_input(key="suspect_encoder_path").set_value(str(TEACHER)).run()
    app.selectbox(key="suspect_data").set_value("upload").run()
    assert not app.exception
    assert "Give the images to go on" in without_escapes(app)


def test_the_fields_for_both_sets_have_names_of_their_own(
    runs_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ui.mode.DEFAULT", "expert")
    app = open_page("suspect")
    app.get_by_key("suspect_source").set_value("path").run()
    for key in ("suspect_data", "suspect_downstream"):
        app.selectbox(key=key).set_value("other").run()
    labels = [field.label for field in app.text_input if field.label.startswith("Path of the ")]
    assert {"Path of the images", "Path of the labelled images"} <= set(labels)
    assert len(labels) == len(set(labels))


@pytest.mark.parametrize("page", ["layers", "distil", "embeddings"])
def test_s9_doubts_stand_on_every_page_that_shows_figures(
    page: str, runs_root: Path, fabricate: Callable[[Path], None]
) -> None:
    fabricate(runs_root)
    for run in list_runs(runs_root):
        run.write_json("result.json", {**(run.result() or {}), "warnings": ["The `data` are odd."]})
    told = without_escapes(open_page(page))
    assert "To be read with care:\n- The `data` are odd." in told


def test_results_without_doubts_show_no_card(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streamlit.warning", lambda *_, **__: pytest.fail("shown"))
    frame.warnings({"warnings": []})
    frame.warnings({})
