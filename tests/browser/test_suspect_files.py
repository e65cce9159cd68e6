"""Files of strangers in the real app: uploaded or named by a path, the outcome is the same."""

import importlib.util
import re
from pathlib import Path

import pytest

from mimic.run import Run

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
NAME = "<img src=x onerror=window.marker=1>[x](javascript:1)![i](http:∕∕attacker.invalid∕x)$a$.pth"
JOB = 180_000


class Harmful:
    """Unpickled naively, it leaves a marker file."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self):
        return Path.touch, (self.marker,)


@pytest.fixture(scope="module")
def files(subject_files, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A good file, one that wants to run code, and a good one with a hostile name."""
    import torch

    folder = tmp_path_factory.mktemp("strangers")
    harmful = folder / "harmful.pth"
    torch.save({"state_dict": Harmful(folder / "marker")}, harmful)
    named = folder / NAME
    named.write_bytes(subject_files.encoder.read_bytes())
    return {"good": subject_files.encoder, "refused": harmful, "hostile": named}


def inspect(visitor, server: str, file: Path, way: str) -> None:
    """Choose a file as a visitor does, and press Inspect."""
    visitor.goto(f"{server}/suspect?mode=expert")
    visitor.get_by_role("heading", name="Suspect encoder", exact=True).wait_for()
    visitor.locator('[data-test-script-state="notRunning"]').wait_for()
    again = visitor.get_by_role("button", name="Inspect another file")
    if again.count():
        again.click()
    # By its place: while parts of the page load, the clean twin's may be the first in sight.
    source = visitor.locator(".st-key-suspect_source")
    if way == "upload":
        source.get_by_role("radio", name="Upload a file").click()
        visitor.locator('[data-testid="stFileUploader"] input[type=file]').first.set_input_files(
            {"name": file.name, "mimeType": "application/octet-stream",
             "buffer": file.read_bytes()}
        )  # fmt: skip
        visitor.get_by_text("Stored:").first.wait_for()
    else:
        source.get_by_role("radio", name="File on this machine").click()
        visitor.get_by_label("Encoder file", exact=True).fill(str(file))
        visitor.keyboard.press("Enter")
        visitor.get_by_text("python -m mimic inspect").wait_for()
    visitor.locator('[data-test-script-state="notRunning"]').wait_for()
    visitor.get_by_role("button", name=re.compile(r"Inspect$")).last.click()


def told(visitor) -> str:
    return str(visitor.locator('[data-testid="stApp"]').inner_text())


def untouched(visitor) -> None:
    """Nothing of a name was executed, linked or loaded."""
    assert visitor.evaluate("window.marker === undefined")
    assert visitor.title() in {
        "MIMIC Studio", "Guided story", "Overview", "Suspect encoder", "Layers", "Distil",
        "Embeddings", "Runs",
    }  # fmt: skip
    wild = "a[href*='attacker'], a[href^='javascript'], img[src*='attacker'], img[src='x']"
    assert visitor.locator(wild).count() == 0


@pytest.mark.parametrize("way", ["upload", "path"])
@pytest.mark.parametrize("kind", ["good", "hostile"])
def test_an_encoder_is_recognised_whatever_its_name(
    visitor, server, runs_folder: Path, files: dict[str, Path], kind: str, way: str
) -> None:
    known = set(runs_folder.glob("inspect-*"))
    inspect(visitor, server, files[kind], way)
    visitor.wait_for_url(re.compile(r"subject=inspect-"), timeout=JOB)
    visitor.get_by_role("heading", name="What was recognised").wait_for()
    visitor.get_by_text("resnet10").first.wait_for()
    (run,) = set(runs_folder.glob("inspect-*")) - known
    result = Run(run).result()
    assert result is not None
    visitor.get_by_text(result["encoder"]["sha256"]).first.wait_for()
    visitor.get_by_role("button", name="Test a trigger on this encoder").click()
    visitor.locator(".st-key-suspect_form").get_by_text("square").first.wait_for()
    untouched(visitor)


@pytest.mark.parametrize("way", ["upload", "path"])
def test_a_file_that_would_run_code_is_refused_in_two_sentences(
    visitor, server, runs_folder: Path, files: dict[str, Path], way: str
) -> None:
    inspect(visitor, server, files["refused"], way)
    card = visitor.locator('[data-testid="stAlertContentError"]').first
    card.wait_for(timeout=JOB)
    said = card.inner_text()
    assert len(re.findall(r"[.!?](?:\s|$)", said)) >= 2, said
    for forbidden in (
        "Traceback",
        "weights_only",
        "add_safe_globals",
        str(files["refused"].parent),
    ):
        assert forbidden not in told(visitor).replace(f"--encoder {files['refused']}", "")
    assert not (files["refused"].parent / "marker").exists()
    kept = [f.read_bytes() for f in (runs_folder / "uploads").glob("*")]
    assert files["refused"].read_bytes() not in kept  # Refused uploads are deleted.
    untouched(visitor)


def load(path: Path):
    """A file of helpers of other tests, which are no package."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


@pytest.mark.parametrize("first", [0, 3])
def test_s13_s15_hostile_names_stay_words_and_ask_no_other_host(
    visitor, server, runs_folder: Path, tmp_path: Path, first: int
) -> None:
    fabricated = load(ROOT / "tests" / "ui" / "conftest.py")
    hostile = load(ROOT / "tests" / "safety" / "hostile.py")
    fabricated.SUBJECT["encoder"] = f"/somewhere/{hostile.file_name(first)}.pth"
    fabricated.SUBJECT["data"] = f"/somewhere/{hostile.file_name(first + 1)}.npz"
    place, mark = tmp_path / "runs", f"hostile-{first}"
    place.mkdir()
    fabricated.write_inspect(place, f"{mark}-inspect")
    fabricated.write_information(place, f"{mark}-information")
    fabricated.write_distill(place, f"{mark}-distill")
    fabricated.write_embed(place, f"{mark}-embed", student=f"{mark}-distill")
    fabricated.write_sweep(place, f"{mark}-sweep")
    hostile.poison_runs(place, first)
    runs_folder.mkdir(parents=True, exist_ok=True)
    for run in list(place.iterdir()):
        run.rename(runs_folder / run.name)
    for page in ("", "suspect", "layers", "distil", "embeddings"):
        visitor.goto(f"{server}/{page}?subject={mark}-inspect")
        visitor.locator('[data-testid="stMain"] h1').wait_for()
        visitor.locator('[data-test-script-state="notRunning"]').wait_for()
        visitor.wait_for_timeout(1500)  # Time for a picture of a stranger to be asked for.
        for point in visitor.locator(".js-plotly-plot .nsewdrag:visible").all()[:2]:
            point.hover(force=True)
        assert "AAAAAAAAAA" * 110 not in told(visitor)
        untouched(visitor)
    assert "attacker" in told(visitor) or "marker" in told(visitor) or "red" in told(visitor)


def test_a_text_is_refused_with_words_as_soon_as_it_is_chosen(visitor, server) -> None:
    visitor.goto(f"{server}/suspect")
    visitor.locator('[data-test-script-state="notRunning"]').wait_for()
    again = visitor.get_by_role("button", name="Inspect another file")
    if again.count():
        again.click()
    visitor.locator('[data-testid="stFileUploader"] input[type=file]').first.set_input_files(
        {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"only words\n"}
    )
    visitor.get_by_text("'notes.txt' is a text, not an encoder file.").wait_for()
    assert "not allowed" not in told(visitor)
    button = visitor.get_by_role("button", name=re.compile(r"Inspect$")).last
    assert button.is_disabled()
