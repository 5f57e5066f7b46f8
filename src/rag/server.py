"""Serves the page, the HTTP interface and MCP from this machine: who may come, where it listens, how it stops."""

import asyncio
import contextlib
import errno
import importlib.metadata
import ipaddress
import socket
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import RagError
from rag.gate import Gate
from rag.guard import LOCAL_NAMES, Guard, Rules, is_address
from rag.mcp_server import PATH, Endpoint, mcp_server
from rag.passwords import Passwords
from rag.suggest import Suggestions, questions_beside, read_questions
from rag.web import mount, page

if TYPE_CHECKING:
    import uvicorn
    from starlette.types import ASGIApp

    from rag import Assistant

DISTRIBUTION = "verbatim-qa"
LOCAL = "127.0.0.1"
EVENTS_PATH = "/gradio_api/queue/join"  # where the page sends what a reader does, chosen files among it
FILES_LIMIT = 72_000_000  # bytes of a body there: ten files of 5 MB in base64
FIRST_PORT, PORTS = 7860, 100  # where a free port is looked for, and how many are tried
CONNECTIONS = 512  # at a time; each open page keeps one or two
PATIENCE = 3  # seconds that open connections have to end when the server stops


@dataclass(frozen=True, slots=True)
class Where:
    """Where to listen and whom to answer.

    `auth` is a file of `rag password`; without one only this machine is served, unless `everybody` may ask. `names` are
    further names that the server is called by, of a proxy before it for example. No port, or 0, means the first free
    one from 7860.
    """

    host: str = LOCAL
    port: int | None = None
    auth: Path | None = None
    everybody: bool = False
    names: tuple[str, ...] = ()

    def rules(self) -> Rules:
        """Return what is let in; raises RagError when everybody would be, without having been told to."""
        passwords = Passwords.read(self.auth) if self.auth else None
        host = _bare(self.host)
        is_local = _is_local(host)
        if not is_local and passwords is None and not self.everybody:
            raise RagError(
                f"at {self.host}, everybody who reaches this machine could ask and read all documents: "
                "give --auth FILE, or --no-auth if that is meant"
            )
        own = {host, socket.gethostname().lower(), *self.names} if not is_local else {host, *self.names}
        return Rules(
            hosts=LOCAL_NAMES | {name.lower() for name in own},
            by_address=not is_local,
            passwords=passwords,
            files_path=EVENTS_PATH,
            files_limit=FILES_LIMIT,
        )


def launch(
    index: Path,
    *,
    corpus: Path | None = None,
    where: Where | None = None,
    mcp: bool = False,
    open_browser: bool = False,
    questions: Path | None = None,
    feedback: Path | None = None,
) -> None:
    """Open the page on an index and serve it until interrupted, with the HTTP interface, and on wish MCP, beside it.

    With a `corpus` the index is brought up to date first; without one it is built from `seeds` when it is missing.
    `questions` are those to offer, by default beside the corpus; readers' verdicts go to `feedback`, by default beside
    the index. Raises RagError when the documents, the index, the questions, the passwords or the port cannot be used.
    """
    from rich.console import Console

    from rag import Assistant, build
    from rag.index import is_missing

    where = where or Where()
    rules = where.rules()
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
        if mcp:
            console.print(f"MCP at {address}{PATH.removeprefix('/')}")
        if rules.passwords and rules.by_address:
            console.print("Passwords travel as they are: put a proxy that speaks HTTPS before this server")
        if open_browser:
            import webbrowser

            webbrowser.open(address)

    offered = read_questions(questions or questions_beside(corpus or Path("seeds")))
    verdicts = feedback or index.with_name(f"{index.name}.feedback.jsonl")
    assistant, suggestions = Assistant.open(index), Suggestions()
    app = application(assistant, rules=rules, mcp=mcp, suggestions=suggestions, feedback=verdicts)
    threading.Thread(target=suggestions.check, args=(assistant, offered), name="suggestions", daemon=True).start()
    run(app, where, announce=announce)


def application(
    assistant: "Assistant",
    *,
    rules: Rules | None = None,
    gate: Gate | None = None,
    mcp: bool = False,
    suggestions: Suggestions | None = None,
    feedback: Path | None = None,
) -> "ASGIApp":
    """Return the application that serves an assistant's documents: the page, /api, and on wish /mcp.

    `suggestions` and `feedback` are the page's.
    """
    from fastapi import FastAPI
    from starlette.routing import Route

    from rag.api import api

    gate, version = gate or Gate(), _version()
    endpoint = Endpoint(mcp_server(assistant, gate, version=version)) if mcp else None

    async def inside() -> FastAPI:
        lifespan = endpoint.running if endpoint else None
        app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, lifespan=lifespan)
        app.mount("/api", api(assistant, gate, version=version))
        if endpoint:
            app.router.routes.append(Route(PATH, endpoint))
        mount(app, page(assistant, suggestions=suggestions, feedback=feedback))
        return app

    # Outside an event loop, gradio makes loops of its own and never closes them.
    return Guard(asyncio.run(inside()), rules or Rules())


def run(app: "ASGIApp", where: Where, *, announce: Callable[[str], None] | None = None) -> None:
    """Serve an application until interrupted or ended; `announce` is told the address once it answers there.

    Raises RagError when the address cannot be used.
    """
    with _listening(where.host, where.port) as (sock, address):
        server = _server(app, on_start=(lambda: announce(address)) if announce else lambda: None)
        try:
            with contextlib.suppress(SystemExit):  # where it cannot start
                server.run(sockets=[sock])
        except KeyboardInterrupt:
            return
        if not server.started:
            raise RagError("the page cannot be served: its application does not start")


@contextmanager
def serving(app: "ASGIApp", where: Where | None = None) -> Iterator[str]:
    """Serve an application in the background, within a `with`, and give its address; raises RagError as `run`."""
    where = where or Where()
    with _listening(where.host, where.port) as (sock, address):
        ready = threading.Event()
        server = _server(app, on_start=ready.set)

        def work() -> None:
            with contextlib.suppress(SystemExit):  # where it cannot start
                server.run(sockets=[sock])
            ready.set()

        thread = threading.Thread(target=work, name="server", daemon=True)
        thread.start()
        ready.wait()
        if not server.started:
            thread.join()
            raise RagError("the page cannot be served: its application does not start")
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
        limit_concurrency=CONNECTIONS,
        timeout_graceful_shutdown=PATIENCE,
    )
    return Server(config)


@contextmanager
def _listening(host: str, port: int | None) -> Iterator[tuple[socket.socket, str]]:
    """Give a socket that listens, and its address for a browser; nobody else can take the port in between."""
    bare = _bare(host)
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


def _bare(host: str) -> str:
    return host[1:-1] if host.startswith("[") and host.endswith("]") else host


def _is_local(host: str) -> bool:
    """Tell whether only this machine reaches a host; one that is not to be had counts as such, and is told later."""
    try:
        found = {host} if is_address(host) else {str(each[4][0]) for each in socket.getaddrinfo(host or LOCAL, None)}
    except (OSError, UnicodeError):
        return True
    return all(ipaddress.ip_address(address.partition("%")[0]).is_loopback for address in found)


def _version() -> str:
    try:
        return importlib.metadata.version(DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError:
        return "0"
