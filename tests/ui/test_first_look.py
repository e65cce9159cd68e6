import os
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from mimic.errors import EncoderError
from mimic.parsing import sniff

ROOT = Path(__file__).resolve().parents[2]
ASSETS = ROOT / "assets" / "demo"


def suspect_page() -> AppTest:
    app = AppTest.from_file(str(ROOT / "ui" / "shell.py"), default_timeout=20)
    app.run()
    app.switch_page("../pages/suspect.py").run()
    return app


def can_inspect(app: AppTest) -> bool:
    return any(b.label == "Inspect" and not b.disabled for b in app.button)


def test_s4_an_uploaded_text_is_refused_at_once_and_not_kept(runs_root: Path) -> None:
    app = suspect_page()
    app.file_uploader[0].set_value(("notes.txt", b"only words\n", "application/octet-stream")).run()
    assert not app.exception
    for _ in range(2):  # The card stays while the file is in the box.
        assert any("'notes.txt' is a text" in e.value.replace("\\", "") for e in app.error)
        assert not can_inspect(app)
        app.run()
    assert not list((runs_root / "uploads").iterdir())
    good = (ASSETS / "teacher.pth").read_bytes()
    app.file_uploader[0].set_value(("good.pth", good, "application/octet-stream")).run()
    assert not app.error
    assert can_inspect(app)


def test_a_path_to_an_image_is_refused_at_once(runs_root: Path, tmp_path: Path) -> None:
    (tmp_path / "cat.pth").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    app = suspect_page()
    app.get_by_key("suspect_source").set_value("path").run()
    app.text_input(key="suspect_encoder_path").set_value(str(tmp_path / "cat.pth")).run()
    assert any("is a PNG image" in e.value for e in app.error)
    assert not can_inspect(app)
    assert (tmp_path / "cat.pth").exists()  # A file of theirs is never deleted.


@pytest.mark.parametrize(
    "file", sorted(ASSETS.glob("*.pth")) + sorted(ASSETS.glob("*.safetensors"))
)
def test_encoders_pass(file: Path) -> None:
    sniff.first_look(file, file.name)


def test_what_cannot_be_looked_at_is_left_to_the_gate(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name in ("pipe", "nothing", "\0"):  # A pipe would be waited for without end.
        sniff.first_look(tmp_path / name, name)
    sniff.first_look(tmp_path, "folder")
    (tmp_path / "empty").touch()
    sniff.first_look(tmp_path / "empty", "empty")


def test_no_more_than_the_first_bytes_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    big = tmp_path / "big"
    big.write_bytes(b"x" * 100_000)
    read, sizes = os.read, []
    monkeypatch.setattr(os, "read", lambda fd, count: sizes.append(count) or read(fd, count))
    with pytest.raises(EncoderError):
        sniff.first_look(big, "a\nname")
    assert sizes == [sniff.HEAD_BYTES]
