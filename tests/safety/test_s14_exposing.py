"""S14: serving other machines needs a flag and says what that means."""

import socket
import subprocess
from pathlib import Path

import pytest

from mimic import cli, serving
from mimic.errors import ConfigError


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Commands that would have been run."""
    commands: list[list[str]] = []

    def run(words: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        commands.append(words)
        return subprocess.CompletedProcess(words, 0)

    monkeypatch.setattr("mimic.serving.subprocess.run", run)
    return commands


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.0.2.7", "some-host", ""])
def test_s14_an_address_others_can_reach_needs_a_flag(
    address: str, served: list[list[str]], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    asked = ["app", "--no-browser", "--root", str(tmp_path), "--address", address]
    assert cli.main(asked) == 1
    assert "--expose" in capsys.readouterr().err
    assert not served
    assert cli.main([*asked, "--expose"]) == 0
    assert "WARNING: the app has no password" in capsys.readouterr().err
    (words,) = served
    assert words[words.index("--server.address") + 1] == address
    assert "--browser.serverAddress" in words
    allowed = [words[i + 1] for i, word in enumerate(words) if word == "--server.allowedHosts"]
    assert {"localhost", "127.0.0.1"} < set(allowed)
    assert "*" not in allowed


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.9", "::1", "localhost"])
def test_s14_loopback_needs_no_flag_and_warns_of_nothing(
    address: str, served: list[list[str]], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert cli.main(["app", "--root", str(tmp_path), "--address", address]) == 0
    assert "WARNING" not in capsys.readouterr().err
    assert len(served) == 1


def test_s14_the_default_is_loopback() -> None:
    words = serving.command(port=1, address="127.0.0.1", expose=False, open_browser=False)
    assert "--server.address" not in words  # .streamlit/config.toml says 127.0.0.1.


def test_s14_everywhere_names_this_machine_only() -> None:
    names = serving.own_names("0.0.0.0")
    assert socket.gethostname() in names
    assert "0.0.0.0" not in names


def test_s14_a_server_that_fails_says_what_to_try(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    failed = subprocess.CompletedProcess([], 1)
    monkeypatch.setattr("mimic.serving.subprocess.run", lambda *_, **__: failed)
    with pytest.raises(ConfigError, match="could not be served"):
        serving.serve(tmp_path, port=1)
