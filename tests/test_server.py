import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from rag.errors import RagError
from rag.server import Where, run, serving

ROOT = Path(__file__).parent.parent


async def hello(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "http":
        await PlainTextResponse(f"hello at {scope['path']}")(scope, receive, send)


@pytest.mark.enable_socket
def test_an_application_is_served_as_long_as_it_is_wanted() -> None:
    with serving(hello) as address:
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", address)
        answer = httpx.get(f"{address}there")
        assert answer.text == "hello at /there"
        assert "server" not in answer.headers
        with serving(hello) as second:
            assert second != address
            assert httpx.get(second).text == "hello at /"
    with pytest.raises(httpx.ConnectError):
        httpx.get(address)


@pytest.mark.enable_socket
def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(RagError, match=f"port {port} .*: choose another host or port") as refusal:
            run(hello, Where(port=port))
    assert "\n" not in str(refusal.value)


@pytest.mark.enable_socket
@pytest.mark.parametrize("host", ["203.0.113.7", "no-such-host.invalid", "[::1", "a" * 300, ""])
def test_a_host_that_is_not_ours_is_named(host: str) -> None:
    with (
        pytest.raises(RagError, match=rf"cannot be served at {re.escape(host) or 'no address'},"),
        serving(hello, Where(host)),
    ):
        pass


@pytest.mark.enable_socket
def test_an_application_that_does_not_start_is_told() -> None:
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no"})

    with pytest.raises(RagError, match="its application does not start"), serving(broken):
        pass
    with pytest.raises(RagError, match="its application does not start"):
        run(broken, Where())


@pytest.mark.enable_socket
def test_the_command_builds_serves_and_stops(corpus_dir: Path, tmp_path: Path) -> None:
    shutil.copytree(corpus_dir, tmp_path / "seeds")
    code = "from pathlib import Path; from rag.server import launch; launch(Path('index'))"
    command = [sys.executable, "-c", code]
    with subprocess.Popen(
        command,
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Started in the background, the tests ignore the interrupt, and so would the command.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        try:
            assert process.stdout is not None
            said = [process.stdout.readline(), process.stdout.readline()]
            found = re.search(r"http://127\.0\.0\.1:\d+/", said[1])
            assert found, said
            assert httpx.get(found[0]).status_code == 200
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=60)
        finally:
            process.kill()
    assert said[0].startswith("index: 5 documents of seeds")
    assert (process.returncode, errors) == (0, "")


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONUNBUFFERED": "1"}


def test_the_app_says_in_one_line_what_is_wrong(tmp_path: Path) -> None:
    shutil.copy(ROOT / "app.py", tmp_path)
    command = [sys.executable, str(tmp_path / "app.py")]
    done = subprocess.run(command, cwd="/", env=environment(), capture_output=True, text=True, timeout=300)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert str(tmp_path / "seeds") in done.stderr
