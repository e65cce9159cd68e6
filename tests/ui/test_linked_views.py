import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mimic.run import Run
from tests.ui.test_pages import open_page, without_escapes, words
from ui import samples

Fabricate = Callable[[Path], None]


def test_embeddings_show_maps_and_numbers_and_the_way_to_the_files(
    runs_root: Path, fabricate: Fabricate
) -> None:
    fabricate(runs_root)
    app = open_page("embeddings")
    assert not app.exception
    assert len(app.get("plotly_chart")) == 2
    links = [link.proto for link in app.get("page_link")]
    home = next(link for link in links if link.label.startswith("Take the cleaned encoder home"))
    assert (home.page, home.query_string) == ("distil", "run=demo-distill")
    told = words(app)
    assert "Before: the suspect" in told
    assert "After: the cleaned encoder" in told
    others = int((Run(runs_root / "demo-embed").arrays("points")["labels"] != 1).sum())
    assert (
        f"of the {others} triggered images of other classes drawn here are taken for 1."
    ) in told
    assert "100.0% (93.7–100.0%) of the" in told  # Wilson's interval of 57 of 57.
    assert "Scored on 497 test images, of which 447 of other classes got the trigger" in told


def test_choosing_classes_shows_images_without_a_mouse(
    runs_root: Path, fabricate: Fabricate
) -> None:
    fabricate(runs_root)
    app = open_page("embeddings")
    app.multiselect(key="map_classes").select(3).run()
    assert not app.exception
    labels = Run(runs_root / "demo-embed").arrays("points")["labels"]
    assert f"{(labels == 3).sum()} images: each clean, then with the trigger" in words(app)
    counts = next(d.value for d in app.dataframe if "selected" in d.value.columns)
    by_class = counts.set_index("class")
    assert by_class.loc["3", "selected"] == by_class.loc["3", "after"] == (labels == 3).sum()
    assert by_class.loc["1", "before"] == (labels == 3).sum()
    next(b for b in app.button if b.label == "Clear selection").click().run()
    assert "each clean" not in words(app)
    assert app.multiselect(key="map_classes").value == []


def test_one_number_opens_the_inspector(runs_root: Path, fabricate: Fabricate) -> None:
    fabricate(runs_root)
    app = open_page("embeddings")
    app.text_input(key="map_numbers").set_value("7").run()
    assert not app.exception
    assert "**Image 7**" in words(app)
    assert "Most similar clean images" in words(app)


def test_numbers_of_no_image_are_told_beside_the_field(
    runs_root: Path, fabricate: Fabricate
) -> None:
    fabricate(runs_root)
    app = open_page("embeddings")
    app.text_input(key="map_numbers").set_value("7, seven, 99999, a, b").run()
    told = next(w.value for w in app.warning if "no number of an image" in w.value)
    assert "“seven”, “99999”, “a” and 1 more" in told
    assert "Give numbers from 0 to" in told
    assert "**Image 7**" in words(app)
    app.text_input(key="map_numbers").set_value("7").run()
    assert not any("no number of an image" in w.value for w in app.warning)


def test_a_selection_outlives_layer_projection_and_colour(
    runs_root: Path, fabricate: Fabricate
) -> None:
    fabricate(runs_root)
    app = open_page("embeddings")
    app.text_input(key="map_numbers").set_value("3-9").run()
    for key, value in (
        ("map_projection", "plane"), ("map_colour", "displacement"), ("map_colour", "correct"),
        ("map_colour", "class"), ("map_layer", "layer2"),
    ):  # fmt: skip
        app.get_by_key(key).set_value(value).run()
        assert not app.exception, key
        assert "7 images: each clean" in words(app)
    assert app.get_by_key("map_projection").value != "plane"
    next(b for b in app.button if b.label == "Image 5").click().run()
    assert "**Image 5**" in words(app)


def test_runs_without_neighbours_still_open(
    runs_root: Path, fabricate: Fabricate, embed_run: Callable[..., Run]
) -> None:
    import shutil

    fabricate(runs_root)
    shutil.rmtree(runs_root / "demo-embed")
    embed_run(runs_root, full=False)
    app = open_page("embeddings")
    assert app.get_by_key("map_colour").options == [
        "clean or triggered", "class", "recognised or mistaken",
    ]  # fmt: skip
    app.text_input(key="map_numbers").set_value("7").run()
    assert not app.exception
    assert "made before neighbours were stored" in without_escapes(app)


def test_what_an_image_is_taken_for_stands_a_line_each(
    runs_root: Path, fabricate: Fabricate
) -> None:
    fabricate(runs_root)
    app = open_page("embeddings")
    app.text_input(key="map_numbers").set_value("7-8").run()
    captions = [i.caption for group in app.get("image") for i in group.proto.imgs]
    first = next(c for c in captions if "shows" in c).split("  \n")
    assert [re.match(r"\w+", line)[0] for line in first] == [
        "shows", "before", "after",
    ]  # fmt: skip
    assert "look at which points lie together" in without_escapes(app)


def test_the_difference_is_amplified_to_full_brightness() -> None:
    clean = np.full((2, 2, 3), 100, np.uint8)
    stamped = clean.copy()
    stamped[0, 0] = 90
    shown, factor = samples.amplified(clean, stamped)
    assert factor == pytest.approx(25.5)
    assert shown[0, 0].tolist() == [255] * 3
    assert not shown[1].any()


def test_the_address_keeps_layer_projection_and_colour(
    runs_root: Path, fabricate: Fabricate
) -> None:
    fabricate(runs_root)
    wanted = {"map_layer": "layer2", "map_projection": "pca", "map_colour": "class"}
    app = open_page("embeddings", **wanted)
    assert not app.exception
    assert {key: app.get_by_key(key).value for key in wanted} == wanted
    app.get_by_key("map_layer").set_value("layer1").run()
    assert app.query_params["map_layer"] in ("layer1", ["layer1"])
    app.get_by_key("map_colour").set_value("kind").run()
    assert "map_colour" not in app.query_params  # The default stays out.
    assert app.query_params["map_projection"] in ("pca", ["pca"])


@pytest.mark.parametrize(
    "given", ["", "nosuch", "../../etc", "<script>", "plane", "x" * 5_000, "features,layer2"]
)
def test_hostile_choices_in_the_address_fall_back(
    runs_root: Path, fabricate: Fabricate, given: str
) -> None:
    fabricate(runs_root)
    app = open_page("embeddings", map_layer=given, map_colour=given, map_projection="plane")
    assert not app.exception
    assert (app.get_by_key("map_layer").value, app.get_by_key("map_colour").value) == (
        "features", "kind",
    )  # fmt: skip
    app = open_page("embeddings", map_layer="layer2", map_projection="plane")
    assert not app.exception
    assert app.get_by_key("map_projection").value == "umap"  # Layers have no plane of their own.


def test_a_cleaning_without_a_map_leaves_the_newest_map_in_sight(
    runs_root: Path, fabricate: Fabricate, distill_run: Callable[..., Run]
) -> None:
    fabricate(runs_root)
    distill_run(runs_root, "distill-b")
    app = open_page("embeddings")
    assert len(app.get("plotly_chart")) == 2
    assert "the newest cleaning" in without_escapes(app)
    assert "has no map yet" in without_escapes(app)
    next(b for b in app.button if b.label.startswith("Choose the newest")).click().run()
    assert not app.exception
    assert app.selectbox(key="student").value == "distill-b"
    assert "No embedding has been computed" in without_escapes(app)
    assert "has no map yet" not in without_escapes(app)
