"""Serves the page from this machine: where it listens, and how it starts and stops."""

import asyncio
import errno
import socket
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import RagError
from rag.web import mount, page

if TYPE_CHECKING:
    import uvicorn
    from starlette.types import ASGIApp

    from rag import Assistant

LOCAL = "127.0.0.1"
FIRST_PORT, PORTS = 7860, 100  # where a free port is looked for, and how many are tried
PATIENCE = 3  # seconds that open connections have to end when the server stops


def launch(
    index: Path,
    *,
    corpus: Path | None = None,
    host: str = LOCAL,
    port: int | None = None,
    open_browser: bool = False,
) -> None:
    """Open the page on an index and serve it until interrupted.

    With a `corpus` the index is brought up to date first; without one it is built from `seeds` when it is missing.
    Raises RagError when the documents, the index or the port cannot be used.
    """
    from rich.console import Console

    from rag import Assistant, build
    from rag.index import is_missing

    console = Console(markup=False, highlight=False, soft_wrap=True)
    if corpus is None and is_missing(index):
        corpus = Path("seeds")
    if corpus is not None:
        with console.status("Indexing"):
            report = build(corpus, index)
        for skipped in report.skipped:
            console.print(f"Skipped {skipped.id}: {skipped.reason}")
        console.print(f"{index}: {report.documents} documents of {corpus}, {report.embedded} passages new or changed")

    def announce(address: str) -> None:
        console.print(f"Ask at {address} (Ctrl+C stops)")
        if open_browser:
            import webbrowser

            webbrowser.open(address)

    run(application(Assistant.open(index)), host=host, port=port, announce=announce)


def application(assistant: "Assistant") -> "ASGIApp":
    """Return the application that serves the page over an assistant's documents."""
    from fastapi import FastAPI

    async def inside() -> FastAPI:
        app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
        mount(app, page(assistant))
        return app

    # Outside an event loop, gradio makes loops of its own and never closes them.
    return asyncio.run(inside())


def run(
    app: "ASGIApp", *, host: str = LOCAL, port: int | None = None, announce: Callable[[str], None] | None = None
) -> None:
    """Serve an application until interrupted or ended; `announce` is told the address once it answers there.

    No port, or 0, means the first free one from 7860. Raises RagError when the address cannot be used.
    """
    with _listening(host, port) as (sock, address):
        server = _server(app, on_start=(lambda: announce(address)) if announce else lambda: None)
        try:
            server.run(sockets=[sock])
        except KeyboardInterrupt:
            return
        if not server.started:
            raise RagError("the page cannot be served: what went wrong is said above")


@contextmanager
def serving(app: "ASGIApp", *, host: str = LOCAL, port: int | None = None) -> Iterator[str]:
    """Serve an application in the background, within a `with`, and give its address; raises RagError as `run`."""
    with _listening(host, port) as (sock, address):
        ready = threading.Event()
        server = _server(app, on_start=ready.set)

        def work() -> None:
            try:
                server.run(sockets=[sock])
            finally:
                ready.set()

        thread = threading.Thread(target=work, name="server", daemon=True)
        thread.start()
        ready.wait()
        if not server.started:
            raise RagError("the page cannot be served: what went wrong is said above")
        try:
            yield address
        finally:
            server.should_exit = True
            thread.join()


def _server(app: "ASGIApp", *, on_start: Callable[[], None]) -> "uvicorn.Server":
    import uvicorn

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                on_start()

    config = uvicorn.Config(
        app,
        log_level="critical" if not sys.stderr.isatty() else "error",
        server_header=False,
        timeout_graceful_shutdown=PATIENCE,
    )
    return Server(config)


@contextmanager
def _listening(host: str, port: int | None) -> Iterator[tuple[socket.socket, str]]:
    """Give a socket that listens, and its address for a browser; nobody else can take the port in between."""
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    try:
        sock = _bound(bare, [port] if port else range(FIRST_PORT, FIRST_PORT + PORTS))
    except (OSError, UnicodeError) as error:
        raise RagError(
            f"the page cannot be served at {host or 'no address'}, port {port or 'any'} "
            f"({getattr(error, 'strerror', None) or error}): choose another host or port"
        ) from error
    with sock:
        shown = "localhost" if bare in ("0.0.0.0", "::") else f"[{bare}]" if ":" in bare else bare
        yield sock, f"http://{shown}:{sock.getsockname()[1]}/"


def _bound(host: str, ports: Iterable[int]) -> socket.socket:
    """Return a socket that listens at the first of the ports that is free; raises OSError when none is."""
    if not host:  # which would mean every address of this machine
        raise OSError("no host is given")
    family = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0][0]
    failure = OSError("no port is given")
    for port in ports:
        try:
            return socket.create_server((host, port), family=family)
        except OSError as error:
            failure = error
            if error.errno != errno.EADDRINUSE:
                break
    raise failure
