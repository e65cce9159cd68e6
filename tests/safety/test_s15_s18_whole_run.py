"""S15 and S18: a whole walk through the verbs connects to nobody and names nobody."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from mimic.config import InspectConfig, resolve_path, without_home
from mimic.run import Run, portable

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("overview", "suspect", "layers", "distil", "embeddings")
SECRETS = ("secret-name-xyz", "secret-user-xyz", "secret-value-xyz")
WATCH = """
import os, sys

def hook(event, details):
    if event in ("socket.connect", "socket.sendto", "socket.getaddrinfo", "urllib.Request"):
        where = details[1] if event in ("socket.connect", "socket.sendto") else details[0]
        name = where[0] if isinstance(where, tuple) else where
        if isinstance(where, (tuple, str)) and not str(name).startswith(("127.", "::1", "/")):
            with open(os.environ["MIMIC_TEST_WATCH"], "a") as file:
                file.write(f"{event} {where} {sys.argv}\\n")

sys.addaudithook(hook)
"""
VERBS = """
import os, sys
from mimic import cli

def run(*words):
    code = cli.main([*words, "--device", "cpu", "--seed", "1"])
    assert code == 0, words

encoder = os.environ["MIMIC_TEST_ENCODER"]
subject = ["--encoder", encoder, "--clean-twin", "asset:demo/clean_twin.safetensors",
           "--data", "digits", "--trigger", "asset:demo/trigger.npz", "--target-class", "1",
           "--probe-images", "100", "--test-images", "60"]
run("inspect", *subject)
run("information", *subject, "--layers", "layer4", "--networks", "teacher", "--critic-epochs", "2")
run("distill", *subject, "--epochs", "1", "--information", "uniform")
student = next(d for d in os.listdir(os.environ["MIMIC_RUNS"]) if d.startswith("distill"))
run("embed", *subject, "--student", student, "--projections", "pca", "--layers", "features",
    "--points", "20")
missing = ["--encoder", encoder + "-missing", "--device", "cpu"]
assert cli.main(["inspect", *subject[2:], *missing]) == 1
"""


def test_s15_the_watch_sees_a_connection(tmp_path: Path) -> None:
    log = watch(tmp_path)
    code = "import socket; s = socket.socket(); s.settimeout(0.01); s.connect(('192.0.2.1', 9))"
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "MIMIC_TEST_WATCH": str(log)}
    subprocess.run([sys.executable, "-c", code], env=environment, check=False, capture_output=True)
    assert "192.0.2.1" in log.read_text()


def watch(folder: Path) -> Path:
    """Let every Python process started with ``folder`` on its path note where it connects to."""
    (folder / "sitecustomize.py").write_text(WATCH)
    return folder / "connections.txt"


@pytest.mark.slow
def test_s15_s18_a_whole_run_asks_no_server_and_names_no_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, runs = tmp_path / SECRETS[0], tmp_path / "runs"
    home.mkdir()
    encoder = home / "suspect.pth"
    shutil.copy(ROOT / "assets" / "demo" / "teacher.pth", encoder)
    (tmp_path / "path").mkdir()
    log = watch(tmp_path / "path")
    environment = {
        **os.environ,
        "HOME": str(home), "USER": SECRETS[1], "LOGNAME": SECRETS[1], "MIMIC_TOKEN": SECRETS[2],
        "MIMIC_RUNS": str(runs), "MIMIC_TEST_WATCH": str(log), "MIMIC_TEST_ENCODER": str(encoder),
        "PYTHONPATH": os.pathsep.join([str(tmp_path / "path"), str(ROOT)]),
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", VERBS], cwd=tmp_path, env=environment, capture_output=True,
        text=True, check=False, timeout=500,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert not log.exists(), log.read_text()

    files = [f for f in runs.rglob("*") if f.is_file() and f.name != "log.txt"]
    assert {"run.json", "result.json", "student.safetensors"} <= {f.name for f in files}
    for file in files:
        held = file.read_bytes()
        for secret in SECRETS:
            assert secret.encode() not in held, f"{secret} in {file.name}"
        assert b"Traceback" not in held, file.name

    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("MIMIC_RUNS", str(runs))
    for run in runs.glob("inspect-*"):
        for page in PAGES:
            said = everything(page, run.name)
            assert "suspect.pth" in said
            assert not [secret for secret in SECRETS if secret in said], page
            assert "Traceback" not in said


def everything(page: str, subject: str) -> str:
    """All that a page sends to the browser, as one text."""
    app = AppTest.from_file(str(ROOT / "ui" / "shell.py"), default_timeout=60).run()
    app.query_params["subject"] = subject
    if page != "overview":
        app.switch_page(f"../pages/{page}.py")
    app.run()
    assert not app.exception
    return str(app._tree) + "".join(
        str(getattr(node, "proto", ""))
        for kind in ("markdown", "code", "error")
        for node in app.get(kind)
    )


def test_s18_paths_at_home_are_stored_with_a_tilde(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "bob"))
    mine = tmp_path / "bob" / "a b" / "x.pth"
    assert portable(mine) == "~/a b/x.pth"
    assert resolve_path("~/a b/x.pth") == mine
    run = Run.create(tmp_path, "inspect", InspectConfig(encoder=str(mine)))
    assert json.loads((run.directory / "run.json").read_text())["config"]["encoder"].startswith(
        "~/"
    )
    assert run.config() == InspectConfig(encoder="~/a b/x.pth")
    for other in ("/bobby/x", "/bob.old/x", "/mnt/bob/x"):
        assert without_home(f"{tmp_path}{other}") == f"{tmp_path}{other}"
    said = f"There is no '{mine}' ({tmp_path}/bob)."
    assert without_home(said) == "There is no '~/a b/x.pth' (~)."


@pytest.mark.parametrize("home", ["/", ""])
def test_s18_a_home_that_is_the_root_hides_nothing(
    home: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", home)
    assert without_home("/data/x and a/b") == "/data/x and a/b"


def test_s15_only_one_place_downloads_and_only_when_told() -> None:
    said = [
        (path.name, line)
        for folder in ("mimic", "ui", "pages")
        for path in (ROOT / folder).rglob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if "download=" in line.replace(" ", "")
    ]
    assert said
    assert not [entry for entry in said if "download=True" in entry[1].replace(" ", "")]
