"""S14: a live server, asked as a browser on a hostile page would ask it."""

import asyncio
import base64
import http.client
import os
import shutil
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from ui import visitors

ROOT = Path(__file__).resolve().parents[2]
SOCKET = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": base64.b64encode(b"0123456789abcdef").decode(),
}
STREAM = "/_stcore/stream"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A server started from a folder that is not the project's, as ``streamlit run`` allows."""
    number, elsewhere = free_port(), tmp_path_factory.mktemp("elsewhere")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("STREAMLIT_")}
    environment |= {"MIMIC_RUNS": str(elsewhere / "runs"), "HOME": str(elsewhere)}
    with (elsewhere / "log.txt").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", str(ROOT / "app.py"),
             "--server.port", str(number)],
            cwd=elsewhere, env=environment, stdout=log, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        for _ in range(240):
            try:
                if ask(number, "/_stcore/health")[0] == 200:
                    break
            except OSError:
                time.sleep(0.25)
        else:
            raise AssertionError((elsewhere / "log.txt").read_text())
        yield number
        told = (elsewhere / "log.txt").read_text()
        assert "Traceback" not in told, told
        assert "External URL" not in told
        assert "external IP" not in told  # Streamlit asks for it when it meets a foreign origin.
    finally:
        process.terminate()
        process.wait(20)
        shutil.rmtree(elsewhere, ignore_errors=True)


def ask(port: int, path: str, method: str = "GET", **headers: str) -> tuple[int, str, Headers]:
    """Status, body and headers of one request."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, headers=named)
        answer = connection.getresponse()
        body = "" if answer.status == 101 else answer.read().decode("utf-8", "replace")
        return answer.status, body, Headers(dict(answer.getheaders()))
    finally:
        connection.close()


def upgrade(port: int, **headers: str) -> int:
    """Status of an attempt to open the WebSocket; 101 is an open one."""
    return ask(port, STREAM, **SOCKET, **headers)[0]


def test_s14_our_own_page_gets_its_websocket(port: int) -> None:
    for name in ("127.0.0.1", "localhost"):
        own = f"{name}:{port}"
        assert upgrade(port, Host=own, Origin=f"http://{own}") == 101
        assert ask(port, "/", Host=own)[0] == 200


@pytest.mark.parametrize(
    "origin",
    ["http://attacker.invalid", "null", "http://127.0.0.1:9", "http://localhost", "file://",
     "http://127.0.0.1.attacker.invalid", "http://0.0.0.0", "http://[::1", "ws://127.0.0.1"],
)  # fmt: skip
def test_s14_a_foreign_origin_gets_no_websocket_and_no_page(port: int, origin: str) -> None:
    assert upgrade(port, Origin=origin) == 403
    assert ask(port, "/_stcore/health", Origin=origin)[0] == 403


@pytest.mark.parametrize(
    "host", ["attacker.invalid", "attacker.invalid:80", "127.0.0.1.attacker.invalid", "", "[::1",
             "0.0.0.0", "user@127.0.0.1.invalid", "localhost.attacker.invalid"],
)  # fmt: skip
def test_s14_a_foreign_host_gets_nothing(port: int, host: str) -> None:
    assert upgrade(port, Host=host) in {400, 403}
    for path in ("/", "/_stcore/health", "/_stcore/host-config", "/static/js/x.js", "/media/x"):
        assert ask(port, path, Host=host)[0] in {400, 403}, path


def test_s14_another_site_may_link_here_but_not_embed(port: int) -> None:
    assert ask(port, "/", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate")[0] == 200
    assert (
        ask(port, "/favicon.png", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="no-cors")[0] == 403
    )
    assert ask(port, "/favicon.png", Sec_Fetch_Site="same-site", Sec_Fetch_Mode="cors")[0] == 403
    assert ask(port, "/favicon.png", Sec_Fetch_Site="same-origin", Sec_Fetch_Mode="cors")[0] == 200


def test_s14_an_address_of_this_machine_other_than_loopback_refuses_the_connection(
    port: int,
) -> None:
    listening = [c for c in psutil.net_connections("tcp") if c.laddr and c.laddr.port == port]
    places = {c.laddr.ip for c in listening if c.status == psutil.CONN_LISTEN}
    assert places == {"127.0.0.1"}
    found = [a.address for all_ in psutil.net_if_addrs().values() for a in all_]
    for address in [a for a in found if a.count(".") == 3 and not a.startswith("127.")]:
        with pytest.raises(OSError, match=r"refused|unreachable|timed out"):
            socket.create_connection((address, port), timeout=3)


def test_s14_static_files_and_the_agent_interface_are_off(port: int) -> None:
    page = ask(port, "/")[1]
    for path in ("/app/static/../app.py", "/app/static/app.py", "/app/static/icon.svg"):
        assert ask(port, path)[1] in {page, "Not Found", "Bad Request"}, (
            path
        )  # The page itself, never a file.
    for path in ("run", "state", "script", "sessions"):
        assert ask(port, f"/_stcore/agent/{path}")[0] in {403, 404, 405, 501}, path


@pytest.mark.parametrize(
    "path",
    ["/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/static/..%2f..%2fapp.py", "//etc/passwd",
     "/media/../../../app.py", "/app.py", "/.streamlit/config.toml"],
)  # fmt: skip
def test_s14_no_path_leads_to_a_file_of_this_machine(port: int, path: str) -> None:
    body = ask(port, path)[1]
    assert "root:" not in body
    assert "st.App" not in body
    assert "allowedHosts" not in body


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/"), ("PUT", "/_stcore/upload_file/a/b"), ("DELETE", "/_stcore/upload_file/a/b"),
     ("GET", "/media/nothing.png"), ("GET", "/component/x/y"), ("BREW", "/")],
)  # fmt: skip
def test_s14_errors_name_no_code(port: int, method: str, path: str) -> None:
    status, body, _ = ask(port, path, method)
    assert 200 <= status < 500
    assert "Traceback" not in body
    assert str(ROOT) not in body


def test_s14_pages_carry_limits_that_browsers_enforce(port: int) -> None:
    policy = ask(port, "/")[2]["content-security-policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'self'"
    assert rules["script-src"].startswith("'self' 'unsafe-eval' 'sha256-")
    assert "'unsafe-inline'" not in rules["script-src"]
    assert rules["frame-ancestors"] == rules["object-src"] == "'none'"
    hosts = [word for rule in rules.values() for word in rule.split() if "://" in word]
    assert hosts == [f"ws://127.0.0.1:{port}", f"wss://127.0.0.1:{port}"]


def test_s14_the_configuration_states_every_default() -> None:
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())
    assert config["server"] | {"maxUploadSize": 0} == {
        "address": "127.0.0.1", "allowedHosts": ["localhost", "127.0.0.1"], "headless": True,
        "enableCORS": True, "enableXsrfProtection": True, "enableStaticServing": False,
        "enableAgentApi": False, "fileWatcherType": "none", "maxUploadSize": 0,
    }  # fmt: skip
    assert config["server"]["maxUploadSize"] <= 1024
    assert config["browser"]["gatherUsageStats"] is False
    assert config["client"]["showErrorDetails"] == "none"
    assert config["client"]["showErrorLinks"] is False


def test_s14_names_are_compared_whole_and_without_case() -> None:
    ours = ["localhost", "127.0.0.1", "[::1]"]
    for host in ("LOCALHOST:1", "localhost.", "127.0.0.1:8501", "[::1]:8501"):
        assert visitors.host_allowed(host, ours), host
    for host in (
        "localhost.evil", "evil-localhost", "127.0.0.11", "a@b", "x/localhost", "", "a@localhost",
        "localhost/x", "localhost?x", "localhost#", "localhost:x", "localhost:1:2", "local\thost",
        "localhost\n", "[::1]x", "localhost:",
    ):  # fmt: skip
        assert not visitors.host_allowed(host, ours), host
    assert not visitors.host_allowed("localhost", [])
    assert visitors.origin_allowed("https://proxy.example", "localhost", ["https://proxy.example"])


@pytest.mark.parametrize("leaves", ["before", "while", "never"])
def test_a_visitor_who_left_early_is_no_fault_of_the_server_but_a_fault_is(leaves: str) -> None:
    async def streamlit(scope: Scope, receive: Receive, send: Send) -> None:
        socket = WebSocket(scope, receive, send)
        if leaves == "before":
            assert (await receive())["type"] == "websocket.disconnect"
        elif leaves == "while":
            with pytest.raises(OSError, match="gone"):
                await send({"type": "websocket.accept"})
        await socket.receive_bytes()  # A RuntimeError, as it was never accepted.

    async def receive() -> Message:
        return {"type": "websocket.disconnect", "code": 1006}

    async def send(_message: Message) -> None:
        raise OSError("gone")

    scope = {"type": "websocket", "headers": [(b"host", b"localhost")], "path": STREAM}
    visit = visitors.Visitors(streamlit)(scope, receive, send)
    if leaves == "never":
        with pytest.raises(RuntimeError, match="accept"):
            asyncio.run(visit)
    else:
        asyncio.run(visit)
