"""The HTTP interface: ask, search and read documents in JSON, described at /api/openapi.json."""

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from rag.errors import EngineError, RagError
from rag.gate import Busy, Gate
from rag.schema import openapi
from rag.wire import AskRequest, SearchRequest, document_entry, excerpt_entry

if TYPE_CHECKING:
    from rag import Assistant

Handler = Callable[[Request], Awaitable[Response]]

RETRY_SECONDS = 5
_POSITION = re.compile(r"[0-9]{1,10}")


def api(assistant: "Assistant", gate: Gate, *, version: str) -> Starlette:
    """Return the application for /api; whatever goes wrong, its answer is JSON with one sentence."""

    async def ask(request: Request) -> Response:
        asked = AskRequest.read(await _json(request))
        return _response((await gate.run(lambda: asked.put_to(assistant))).to_dict())

    async def search(request: Request) -> Response:
        asked = SearchRequest.read(await _json(request))
        return _response(await gate.run(lambda: asked.put_to(assistant)))

    async def documents(request: Request) -> Response:
        _known_parameters(request, ())
        return _response({"documents": [document_entry(document) for document in assistant.documents]})

    async def document(request: Request) -> Response:
        _known_parameters(request, ("start", "end"))
        # An id is looked up among those of the index, and never becomes a path.
        wanted = request.path_params["document"]
        found = next((document for document in assistant.documents if document.id == wanted), None)
        if found is None:
            raise HTTPException(404, "the index has no such document: /api/documents lists them")
        return _response(excerpt_entry(found, _position(request, "start") or 0, _position(request, "end")))

    async def health(request: Request) -> Response:
        about = assistant.description
        made_of = {name: about[name] for name in ("documents", "passages", "built")}
        return _response({"status": "ok", "version": version, **made_of})

    async def description(request: Request) -> Response:
        return _response(openapi(version))

    return Starlette(
        routes=[
            Route("/ask", ask, methods=["POST"]),
            Route("/search", search, methods=["POST"]),
            Route("/documents", documents),
            Route("/documents/{document:path}", document),
            Route("/health", health),
            Route("/openapi.json", description),
        ],
        exception_handlers={HTTPException: _refused, RagError: _mistaken, Exception: _failed},
    )


async def _json(request: Request) -> Any:  # noqa: ANN401
    """Return the JSON value of the request's body; raises HTTPException when there is none."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        # A form of another website cannot send this type, so it is asked for.
        raise HTTPException(415, "the body must be JSON: send the header Content-Type: application/json")
    try:
        return json.loads((await request.body()).decode("utf-8"), parse_constant=_no_constant)
    except UnicodeDecodeError:
        raise HTTPException(400, "the body is not UTF-8: send JSON in UTF-8") from None
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise HTTPException(400, f"the body is not JSON ({error.msg} at {place}): send one JSON object") from None
    except (ValueError, RecursionError):
        raise HTTPException(400, "the body is JSON that nobody needs: send one flat object of plain numbers") from None


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _known_parameters(request: Request, known: tuple[str, ...]) -> None:
    for name in request.query_params:
        if name not in known:
            wanted = f"give {' or '.join(known)}" if known else "give none"
            raise RagError(f"the request has a parameter that means nothing here: {wanted}")


def _position(request: Request, name: str) -> int | None:
    values = request.query_params.getlist(name)
    if not values:
        return None
    if len(values) > 1 or not _POSITION.fullmatch(values[0]):
        raise RagError(f'"{name}" must be one whole number of code points, 0 or more')
    return int(values[0])


def _response(values: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    # A lone surrogate, which UTF-8 has not, becomes the escape that JSON writes it with.
    body = json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")
    return Response(body, status, headers, media_type="application/json")


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    sentences = {404: "there is nothing here: /api/openapi.json tells what there is"}
    if error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "another method")
        sentences[405] = f"{request.method} means nothing here: send {allowed}"
    is_ours = error.detail and error.detail[0].islower()
    said = error.detail if is_ours else sentences.get(error.status_code, "the request cannot be answered")
    return _response({"error": said}, error.status_code, error.headers)


async def _mistaken(request: Request, error: Exception) -> Response:
    if isinstance(error, Busy):
        return _response({"error": str(error)}, 503, {"retry-after": str(RETRY_SECONDS)})
    if isinstance(error, EngineError):
        # The server that has the passages is away, which is no mistake of who asks.
        return _response({"error": " ".join(str(error).split())}, 503)
    return _response({"error": " ".join(str(error).split())}, 422)


async def _failed(request: Request, error: Exception) -> Response:
    return _response(
        {"error": "something went wrong here, and it is not the request: the server's terminal says what"}, 500
    )
