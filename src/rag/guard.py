"""Turns away what should not reach the page: other hosts' names, other websites, strangers, and what is too large."""

import asyncio
import base64
import hashlib
import ipaddress
import json
import os
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from rag.passwords import Passwords

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

BODY_LIMIT = 1_048_576  # bytes
BODY_SECONDS = 30  # that a body may take to arrive
LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_CHECKS_WAITING = 64  # passwords that wait to be checked
_REMEMBERED = 1_024  # credentials that were right
_LARGE_AT_ONCE = 4  # bodies that hold files
_LATER = ((b"retry-after", b"5"),)
_SAFE_METHODS = frozenset({"GET", "HEAD"})
_DATA = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
# Gradio's page has scripts and styles inside it and makes functions of our own text; nothing comes from elsewhere.
_PAGE = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; media-src 'self' data: blob:; connect-src 'self'; "
    "worker-src 'self' blob:; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
_HEADERS = {
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"cross-origin-opener-policy": b"same-origin",
}


@dataclass(frozen=True, slots=True)
class Rules:
    """What is let in: the names of this server, who (None: everybody), and how large a body, in bytes.

    A request must call the server by one of `hosts`, or `by_address` by an IP address: a name that somebody else made
    lead here (DNS rebinding) is neither. At `files_path` files may come, and a body has `files_limit`.
    """

    hosts: frozenset[str] = LOCAL_NAMES
    by_address: bool = False
    passwords: Passwords | None = None
    body_limit: int = BODY_LIMIT
    files_path: str | None = None
    files_limit: int = BODY_LIMIT


@dataclass(frozen=True, slots=True)
class _Refusal:
    status: int
    sentence: str
    headers: tuple[tuple[bytes, bytes], ...] = ()


class Guard:
    """An application around another one, which sees only the requests that the rules let in."""

    def __init__(self, app: "ASGIApp", rules: Rules) -> None:
        self._app, self._rules = app, rules
        self._large = 0
        self._door = _Door(rules.passwords) if rules.passwords else None

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Refuse the request, or pass it on and add to its answer the headers that browsers should heed."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # nothing here speaks over websockets
            await send({"type": "websocket.close", "code": 1008})
            return
        guarded = _with_headers(scope["path"], send)
        refusal = await self._refusal(scope)
        if refusal is not None:
            await _refuse(refusal, guarded)
        elif self._takes_files(scope):
            await self._pass_files(scope, receive, guarded)
        else:
            body = await _whole(scope, receive, self._rules.body_limit)
            await (_refuse(body, guarded) if isinstance(body, _Refusal) else self._app(scope, body, guarded))

    async def _refusal(self, scope: "Scope") -> _Refusal | None:
        headers = _Headers(scope["headers"])
        host = headers.only(b"host")
        if not self._is_ours(_name(host)):
            return _Refusal(
                421,
                "the Host header names another host than this server: use its address, or start it with --allow-host",
            )
        if not _same_site(scope["method"], headers, host):
            return _Refusal(403, "the request comes from another website's page, which may not use this server")
        if self._door is not None:
            return await self._door.refusal(headers.only(b"authorization"))
        return None

    def _is_ours(self, name: str) -> bool:
        return name in self._rules.hosts or (self._rules.by_address and is_address(name))

    def _takes_files(self, scope: "Scope") -> bool:
        path = self._rules.files_path
        return path is not None and scope["path"] == path and scope["method"] not in _SAFE_METHODS

    async def _pass_files(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Pass on a body that may hold files while it comes: no more comes than was declared."""
        declared = _declared(scope)
        if declared is None:
            sentence = "the size of what is sent is not said: send the header Content-Length"
            await _refuse(_Refusal(411, sentence), send)
        elif declared > self._rules.files_limit:
            await _refuse(_too_large(self._rules.files_limit), send)
        elif declared <= self._rules.body_limit:
            await self._app(scope, receive, send)
        elif self._large >= _LARGE_AT_ONCE:
            await _refuse(
                _Refusal(503, "too many files arrive at once: send them again in a few seconds", _LATER), send
            )
        else:
            self._large += 1
            try:
                await self._app(scope, receive, send)
            finally:
                self._large -= 1


class _Headers:
    """The headers of a request; one that is there twice counts as one that is not there."""

    def __init__(self, pairs: Iterable[tuple[bytes, bytes]]) -> None:
        self._values: dict[bytes, list[bytes]] = {}
        for name, value in pairs:
            self._values.setdefault(name.lower(), []).append(value)

    def has(self, name: bytes) -> bool:
        """Tell whether a header is there, once or more often."""
        return name in self._values

    def only(self, name: bytes) -> str:
        """Return the value of a header, empty when there is not exactly one."""
        values = self._values.get(name, [])
        return values[0].decode("latin-1").strip() if len(values) == 1 else ""


class _Door:
    """Checks names and passwords, sent as RFC 7617 says; what was right once is remembered by a keyed digest."""

    def __init__(self, passwords: Passwords) -> None:
        self._passwords = passwords
        self._key = os.urandom(32)
        self._right: OrderedDict[bytes, None] = OrderedDict()
        self._waiting = 0
        self._turn: asyncio.Lock | None = None

    async def refusal(self, credentials: str) -> _Refusal | None:
        """Return why these credentials do not do; None when they do."""
        if not credentials:
            return _stranger("a name and a password are needed here")
        digest = hashlib.blake2b(credentials.encode(), key=self._key).digest()
        if self._remembers(digest):
            return None
        words = _words(credentials)
        if words is None:
            return _stranger("the name and the password are not sent as HTTP's basic authentication has it")
        if self._waiting >= _CHECKS_WAITING:
            return _Refusal(503, "too many passwords wait to be checked: try again in a few seconds", _LATER)
        # One at a time: a check takes long on purpose, and guessing must not cost the others their answers.
        self._turn = self._turn or asyncio.Lock()
        self._waiting += 1
        try:
            async with self._turn:
                if self._remembers(digest):
                    return None
                if not await asyncio.to_thread(self._passwords.accept, *words):
                    return _stranger("the name or the password is wrong")
                self._right[digest] = None
                while len(self._right) > _REMEMBERED:
                    self._right.popitem(last=False)
                return None
        finally:
            self._waiting -= 1

    def _remembers(self, digest: bytes) -> bool:
        if digest not in self._right:
            return False
        self._right.move_to_end(digest)
        return True


def _words(credentials: str) -> tuple[str, str] | None:
    """Return the name and the password of an Authorization header; None where it is another or malformed."""
    scheme, _, rest = credentials.partition(" ")
    try:
        name, colon, password = base64.b64decode(rest.strip(), validate=True).decode("utf-8").partition(":")
    except ValueError:  # no base64, or no UTF-8
        return None
    return (name, password) if colon and scheme.lower() == "basic" else None


def _stranger(sentence: str) -> _Refusal:
    return _Refusal(401, sentence, ((b"www-authenticate", b'Basic realm="Verbatim", charset="UTF-8"'),))


def _same_site(method: str, headers: _Headers, host: str) -> bool:
    """Tell whether a request can come from this server's own page, or from no page at all.

    Browsers say where a page is from in Sec-Fetch-Site, older ones in Origin; programs say neither. Another website may
    link here, and nothing else.
    """
    site, origin = headers.only(b"sec-fetch-site"), headers.only(b"origin")
    if origin and (method not in _SAFE_METHODS or not site):
        return origin.lower() in (f"http://{host.lower()}", f"https://{host.lower()}")
    if site in ("", "same-origin", "none"):
        return True
    is_link = headers.only(b"sec-fetch-mode") == "navigate" and headers.only(b"sec-fetch-dest") == "document"
    return method in _SAFE_METHODS and is_link


def _name(host: str) -> str:
    """Return the host of a Host header without its port; empty when the header is malformed."""
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port
    except ValueError:
        return ""
    return "" if set(host) & set("@/?#\\") else (parts.hostname or "")


def is_address(name: str) -> bool:
    """Tell whether a host is an IP address and not a name."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _declared(scope: "Scope") -> int | None:
    headers = _Headers(scope["headers"])
    if headers.has(b"transfer-encoding"):  # which counts, where both are there
        return None
    value = headers.only(b"content-length")
    return int(value) if value.isascii() and value.isdigit() and len(value) <= 15 else None


def _too_large(limit: int) -> _Refusal:
    return _Refusal(413, f"the body of the request is over {limit:,} bytes: send less")


async def _whole(scope: "Scope", receive: "Receive", limit: int) -> "Receive | _Refusal":
    """Return what gives the request's body, all of it there and not too large, or why it is refused."""
    if (_declared(scope) or 0) > limit:
        return _too_large(limit)
    pieces: list[bytes] = []
    ready: list[Message] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while not ready:
                message = await receive()
                pieces.append(message.get("body", b""))
                size += len(pieces[-1])
                if size > limit:
                    return _too_large(limit)
                if message["type"] == "http.disconnect":
                    ready.append(message)
                elif not message.get("more_body", False):
                    ready.append({"type": "http.request", "body": b"".join(pieces), "more_body": False})
    except TimeoutError:
        return _Refusal(408, f"the body of the request took more than {BODY_SECONDS} seconds to arrive: send it again")

    async def replay() -> "Message":
        return ready.pop() if ready else await receive()

    return replay


def _with_headers(path: str, send: "Send") -> "Send":
    is_data = path.startswith(("/api/", "/mcp"))
    added = {**_HEADERS, b"content-security-policy": (_DATA if is_data else _PAGE).encode()}
    if is_data:
        added[b"cache-control"] = b"no-store"

    async def guarded(message: "Message") -> None:
        if message["type"] == "http.response.start":
            # Nothing here is for other websites' pages, whatever an application inside says.
            kept = [
                (name, value)
                for name, value in message.get("headers", [])
                if name.lower() not in added and not name.lower().startswith(b"access-control-")
            ]
            message = {**message, "headers": [*kept, *added.items()]}
        await send(message)

    return guarded


async def _refuse(refusal: _Refusal, send: "Send") -> None:
    body = json.dumps({"error": refusal.sentence}).encode()
    about: list[tuple[bytes, bytes]] = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        # What is left of a body that was refused must not be read as the next request.
        (b"connection", b"close"),
        *refusal.headers,
    ]
    start: dict[str, Any] = {"type": "http.response.start", "status": refusal.status, "headers": about}
    await send(start)
    await send({"type": "http.response.body", "body": body})
