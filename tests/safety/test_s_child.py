"""S7: a parser that is taken over, hangs, grows or crashes costs one sentence."""

from __future__ import annotations

import json
import os
import platform
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import torch

from mimic.checkpoint.gate import read_file
from mimic.errors import EncoderError
from mimic.parsing import answer, client, syscalls
from tests.safety.model_files import GOOD, small_state

TAKEN_OVER = '''
"""A parser that does what the file says, as if the file had taken it over."""
import ctypes, json, os, signal, socket, subprocess, time
from mimic.parsing import answer, child

warm_up = child.warm_up
LIBRARY = ctypes.CDLL(None)
MALLOC, MEMSET, SOCKET, EXECVE = (
    LIBRARY.malloc, LIBRARY.memset, LIBRARY.socket, LIBRARY.execve
)
MALLOC.restype, MEMSET.argtypes = ctypes.c_void_p, (ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t)
GOOD = {"kind": "torch", "legacy": False, "sha256": "0" * 64, "names": [], "places": [],
        "wrapper": {}, "state_key": "", "top_level": [], "other_states": [], "metadata": {}}


def parse(descriptor, folder, name):
    word = os.read(descriptor, 2000).decode()
    about = folder / answer.ABOUT_FILE
    if word == "loop":
        while True:
            pass
    if word == "sleep":
        time.sleep(600)
    if word == "memory":
        kept = []
        while True:
            kept.append(bytearray(2**24))
    if word == "native memory":
        while True:
            MEMSET(MALLOC(2**24) or os._exit(78), 1, 2**24)
    if word == "segfault":
        MEMSET(None, 1, 1)
    if word == "kill":
        os.abort()
    if word == "exit":
        os._exit(5)
    if word == "nothing":
        os._exit(0)
    if word == "socket":
        socket.create_connection(("127.0.0.1", 9))
    if word == "native socket":
        SOCKET(2, 1, 0)
    if word == "native program":
        EXECVE(b"/bin/true", None, None)
    if word == "program":
        subprocess.run(["true"])
    if word == "fork":
        os.fork()
    if word.startswith("write "):
        open(word[6:], "w").write("x")
    if word.startswith("delete "):
        os.remove(word[7:])
    if word == "disk":
        with open(folder / "big", "wb") as file:
            while True:
                file.write(bytes(2**24))
    if word.startswith("about "):
        about.write_text(word[6:])
    if word == "long about":
        about.write_text(json.dumps(GOOD) + " " * 2**25)
    if word == "no tensors":
        about.write_text(json.dumps(GOOD))
    if word == "environment":
        about.write_text(json.dumps({"cause": " ".join(sorted(os.environ)), "remedy": "r"}))
    if word == "network":
        lines = open("/proc/self/net/dev").read().splitlines()[2:]
        text = " ".join(line.split(":")[0].strip() for line in lines)
        about.write_text(json.dumps({"cause": text, "remedy": "r"}))
    if word == "descriptors":
        text = " ".join(os.readlink(f"/proc/self/fd/{n}") for n in range(3))
        about.write_text(json.dumps({"cause": text, "remedy": "r"}))
'''


@pytest.fixture(scope="module")
def taken_over(tmp_path_factory: pytest.TempPathFactory) -> Iterator[client.ParsingServer]:
    folder = tmp_path_factory.mktemp("module")
    (folder / "taken_over.py").write_text(TAKEN_OVER)
    server = client.ParsingServer("taken_over", [folder])
    yield server
    server.close()
    assert server.process.returncode == 0


@pytest.fixture
def does(
    taken_over: client.ParsingServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """A file whose words a taken-over parser obeys."""
    monkeypatch.setattr(client, "_idle", [taken_over])
    monkeypatch.setattr(client, "PARSE_SECONDS", 1.5)
    yield tmp_path / "e.pth"
    assert client._idle == [taken_over]  # It survived, and nobody had to start another.
    assert taken_over.is_usable


def refusal(path: Path, word: str) -> str:
    path.write_text(word)
    with pytest.raises(EncoderError) as caught:
        read_file(path)
    assert caught.value.remedy
    return caught.value.cause


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("loop", "longer than"), ("sleep", "longer than"), ("memory", "memory"),
        ("native memory", "memory"), ("segfault", "crashed"), ("kill", "crashed"),
        ("exit", "crashed"), ("nothing", "crashed"), ("socket", "tried to leave"),
        ("program", "tried to leave"), ("fork", "tried to leave"), ("disk", "crashed"),
        ("long about", "crashed"), ("no tensors", "changed"),
    ],
)  # fmt: skip
def test_s7_a_parser_that_misbehaves_costs_one_sentence(
    does: Path, word: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if reason != "longer than":  # On a busy machine other ends take their time.
        monkeypatch.setattr(client, "PARSE_SECONDS", 20.0)
    before, start = psutil.Process().memory_info().rss, time.monotonic()
    assert reason in refusal(does, word)
    assert time.monotonic() - start < 30
    assert psutil.Process().memory_info().rss - before < 64 * 2**20


@pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in syscalls.ARCHITECTURES,
    reason="the kernel filter is for Linux on two architectures",
)
@pytest.mark.parametrize("word", ["native socket", "native program"])
def test_s7_machine_code_reaches_no_network_and_no_program(does: Path, word: str) -> None:
    assert "tried to leave" in refusal(does, word)


def test_s7_a_taken_over_parser_writes_and_deletes_nothing_outside_its_folder(does: Path) -> None:
    victim = does.parent / "victim"
    victim.write_text("kept")
    for verb in ("write", "delete"):
        assert "tried to leave" in refusal(does, f"{verb} {victim}")
    assert victim.read_text() == "kept"


def test_s7_a_child_inherits_no_secret_and_no_pipe(
    does: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = {*client.KEPT_VARIABLES, "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS",
             "CUDA_VISIBLE_DEVICES", "PYTHONUTF8"}  # fmt: skip
    seen = {n for n in refusal(does, "environment").split() if not n.startswith(("KMP", "TORCH"))}
    assert seen <= known | {"LC_CTYPE", "__KMP_REGISTERED_LIB"}
    if Path("/proc/self/fd").is_dir():
        assert refusal(does, "descriptors").split() == [os.devnull] * 3


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root")
def test_s7_a_child_of_root_has_no_network(does: Path) -> None:
    if not Path("/proc/self/net/dev").is_file():
        pytest.skip("no /proc")
    assert refusal(does, "network") in ("lo", "")


ANSWERS = [
    "", "[]", "3", "{}", "null", "[" * 5000, '{"cause": "a"}', '{"cause": 3, "remedy": "b"}',
    json.dumps({"cause": "c" * 2000, "remedy": "r"}),
    json.dumps({"cause": "c\ud800", "remedy": "r"}),
]  # fmt: skip


@pytest.mark.parametrize("text", ANSWERS, ids=range(len(ANSWERS)))
def test_s7_an_answer_no_honest_child_gives_is_refused(does: Path, text: str) -> None:
    assert "crashed" in refusal(does, f"about {text}")


def test_s7_a_refusal_written_by_a_taken_over_child_is_shown_as_plain_text(does: Path) -> None:
    told = json.dumps({"cause": "a\nb\x1b[31m\u202ec", "remedy": "r"})
    assert refusal(does, f"about {told}") == "a?b?[31m?c"


HONEST = {
    "kind": "torch", "legacy": False, "sha256": "0" * 64, "names": ["a"], "places": [0],
    "wrapper": {"epoch": 1}, "state_key": "", "top_level": ["a"], "other_states": [],
    "metadata": {},
}  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "pickle"}, {"legacy": 1}, {"sha256": 3}, {"names": "a"}, {"names": ["a", "a"]},
        {"names": ["a" * 501]}, {"names": [1]}, {"names": ["a"] * 20_001}, {"wrapper": []},
        {"wrapper": {"a": []}}, {"wrapper": {"a": 2**70}}, {"wrapper": {"a": "x" * 200_000}},
        {"top_level": ["a"] * 101}, {"metadata": {"a": 1}}, {"state_key": "a" * 51}, {"more": 1},
        {"names": ["\ud800"]}, {"places": [1]}, {"places": [-1]}, {"places": []},
        {"places": [0.0]}, {"places": [False]}, {"other_states": [1]}, {"other_states": "a"},
    ],
    ids=lambda c: str(c)[:30],
)  # fmt: skip
def test_s7_answers_follow_a_strict_form(change: dict[str, object]) -> None:
    answer.check_about(HONEST)
    with pytest.raises(answer.AnswerError):
        answer.check_about(HONEST | change)


def test_s7_a_link_or_pipe_in_place_of_an_answer_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").write_text(json.dumps({"cause": "c", "remedy": "r"}))
    (tmp_path / answer.ABOUT_FILE).symlink_to(tmp_path / "real")
    with pytest.raises(answer.AnswerError):
        answer.read_about(tmp_path)
    (tmp_path / answer.ABOUT_FILE).unlink()
    os.mkfifo(tmp_path / answer.ABOUT_FILE)
    with pytest.raises(answer.AnswerError):
        answer.read_about(tmp_path)


def test_s7_a_dead_server_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "e.pth"
    path.write_bytes(GOOD["zip"]())
    read_file(path)
    for server in client._idle:
        server.process.kill()
        server.process.wait()
    assert set(read_file(path).tensors) == set(small_state())


@pytest.mark.slow
def test_s7_a_second_reader_is_answered_while_the_first_hangs(
    does: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "PARSE_SECONDS", 6.0)
    other, good = client.ParsingServer(), tmp_path / "good.pth"
    good.write_bytes(GOOD["zip"]())
    other.ready = other.receive(60)["ready"] is True
    client._idle.insert(0, other)
    hanging = threading.Thread(target=refusal, args=(does, "sleep"))
    hanging.start()
    time.sleep(0.5)
    start = time.monotonic()
    assert torch.equal(read_file(good).tensors["empty"], small_state()["empty"])
    assert time.monotonic() - start < 5
    assert hanging.is_alive()
    hanging.join()
    client._idle.remove(other)
    other.close()


USING = """
import os, sys, time
from pathlib import Path
from mimic.checkpoint.gate import read_file
from mimic.parsing import client
read_file(Path(sys.argv[1]))
print(client._idle[0].process.pid, flush=True)
time.sleep(100 if sys.argv[2] == "killed" else 0)
"""


@pytest.mark.parametrize("end", [pytest.param("finished", marks=pytest.mark.slow), "killed"])
def test_s7_no_server_outlives_the_process_that_uses_it(tmp_path: Path, end: str) -> None:
    (tmp_path / "e.pth").write_bytes(GOOD["zip"]())
    with subprocess.Popen(
        [sys.executable, "-c", USING, str(tmp_path / "e.pth"), end],
        stdout=subprocess.PIPE, text=True, cwd=Path.cwd(),
    ) as using:  # fmt: skip
        assert using.stdout is not None
        server = psutil.Process(int(using.stdout.readline()))
        if end == "killed":
            using.send_signal(signal.SIGKILL)
        using.wait(60)
    _, alive = psutil.wait_procs([server], timeout=10)
    assert not alive
