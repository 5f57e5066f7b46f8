"""Offers the documents to assistants over MCP: ask, search and open_passage, with how to use them rightly."""

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rag.errors import RagError
from rag.gate import Gate
from rag.schema import standalone
from rag.wire import AskRequest, OpenRequest, SearchRequest, encodable

if TYPE_CHECKING:
    from mcp.server.lowlevel import Server
    from starlette.types import ASGIApp, Receive, Scope, Send

    from rag import Assistant

PATH = "/mcp"
INSTRUCTIONS = (
    "Verbatim holds a folder of documents and answers from their exact words; it writes nothing of its own. For a "
    "question the documents may answer, call `ask` with the user's question in the user's own words and language. "
    "When `found` is true, quote `answer` character for character inside quotation marks, never reworded or "
    "translated without saying so, and cite the document's title and id of each citation you use; where `level` is "
    "low or doubtful, `others` holds a contradicting answer, or `unmentioned` names what no document has, say that "
    "too. When `found` is false, tell the user that the documents do not answer it and why (`reason`), and do not "
    "answer from your own knowledge as if it came from the documents. `search` shows what the documents say about a "
    "subject; `open_passage` shows what stands around a place: use them to check a citation or where `ask` found "
    "nothing, and quote only text that they returned."
)


@dataclass(frozen=True, slots=True)
class _Tool:
    """One tool: what an assistant reads of it, and what it does with its arguments."""

    title: str
    description: str
    takes: str
    gives: str
    call: Callable[["Assistant", Mapping[str, Any]], dict[str, Any]]


_TOOLS = {
    "ask": _Tool(
        "Ask the documents",
        "Answer one question in the documents' own words. Returns `answer`, words copied exactly from a document, "
        "with `citations` (document id, title, start and end in code points, the whole sentence), `confidence` (the "
        "probability, 0 to 1, that it is right) and its `level`; or `found` false with a `reason` and no citations: "
        "then say that the documents do not answer it. Documents may be in another language than the question. Give "
        '`history`, the turns before, when the question leans on them ("And when?"). Ask one thing at a time.',
        "AskRequest",
        "Answer",
        lambda assistant, values: AskRequest.read(values).put_to(assistant).to_dict(),
    ),
    "search": _Tool(
        "Search the documents",
        "Find the passages that fit a question or a few words best, best first, each with its exact text and place. "
        "Use it for a subject rather than a question, or to read on after `ask` found nothing. A passage that comes "
        "first need not answer the question: scores only rank. Quote a passage's `text` exactly and cite its "
        "document.",
        "SearchRequest",
        "Passages",
        lambda assistant, values: SearchRequest.read(values).put_to(assistant),
    ),
    "open_passage": _Tool(
        "Open a passage",
        "Read a place of a document in the words around it: give `document`, `start` and `end` as a citation or a "
        "passage has them. Returns the text from `around` code points before to `around` after, exactly as the "
        "document has it, with the `start` and `end` of what is returned. Use it to check a quotation before relying "
        "on it.",
        "OpenRequest",
        "Excerpt",
        lambda assistant, values: OpenRequest.read(values).put_to(assistant),
    ),
}


def check_installed() -> None:
    """Raise RagError where the package mcp is missing, or is one that is too old."""
    try:
        from mcp import MCPError  # noqa: F401
        from mcp.server.lowlevel import Server  # noqa: F401
    except ImportError as error:
        raise RagError("MCP needs the package mcp, 2.3 or later: run `pip install 'verbatim-qa[mcp]'`") from error


def mcp_server(assistant: "Assistant", gate: Gate, *, version: str) -> "Server[Any]":
    """Return the server, which `speak` and `Endpoint` connect to somebody; raises RagError where mcp is missing."""
    check_installed()
    from mcp import MCPError, types
    from mcp.server.lowlevel import Server

    async def list_tools(context: Any, params: types.PaginatedRequestParams | None) -> types.ListToolsResult:  # noqa: ANN401
        reads_only = types.ToolAnnotations(
            read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
        )
        return types.ListToolsResult(
            tools=[
                types.Tool(
                    name=name,
                    title=tool.title,
                    description=tool.description,
                    input_schema=standalone(tool.takes),
                    output_schema=standalone(tool.gives),
                    annotations=reads_only,
                )
                for name, tool in _TOOLS.items()
            ]
        )

    async def call_tool(context: Any, params: types.CallToolRequestParams) -> types.CallToolResult:  # noqa: ANN401
        tool = _TOOLS.get(params.name)
        if tool is None:
            raise MCPError(types.INVALID_PARAMS, f"there is no such tool: call one of {', '.join(_TOOLS)}")
        try:
            values = await gate.run(lambda: tool.call(assistant, params.arguments or {}))
        except RagError as error:
            said = types.TextContent(text=encodable(" ".join(str(error).split())))
            return types.CallToolResult(content=[said], is_error=True)
        # Half a surrogate pair has no UTF-8; clients without structured content read the same as text.
        text = encodable(json.dumps(values, ensure_ascii=False))
        return types.CallToolResult(content=[types.TextContent(text=text)], structured_content=json.loads(text))

    return Server(
        "verbatim",
        title="Verbatim",
        version=version,
        description="Answers questions about a folder of documents in the documents' own words.",
        instructions=INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


class Endpoint:
    """The server over streamable HTTP, as an application that lives as long as `running` does."""

    def __init__(self, server: "Server[Any]") -> None:
        from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

        # Each request stands for itself: nothing is kept for a client that never comes back.
        self._manager = StreamableHTTPSessionManager(server, json_response=True, stateless=True)

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Answer one request; without sessions there is nothing to listen to (GET) or to end (DELETE)."""
        if scope["method"] != "POST":
            from starlette.responses import JSONResponse

            said = {"error": f"{scope['method']} means nothing here: send MCP messages with POST"}
            await JSONResponse(said, 405, {"allow": "POST"})(scope, receive, send)
            return
        await self._manager.handle_request(scope, receive, send)

    @asynccontextmanager
    async def running(self, app: "ASGIApp") -> AsyncIterator[None]:
        """Answer requests within the `with`, which is the lifespan of an application."""
        async with self._manager.run():
            yield


def speak(assistant: "Assistant", *, version: str) -> None:
    """Serve one assistant over standard input and output until it hangs up; raises RagError where mcp is missing."""
    import asyncio

    server = mcp_server(assistant, Gate(), version=version)

    async def talk() -> None:
        from mcp.server.stdio import stdio_server

        async with stdio_server() as (reading, writing):
            await server.run(reading, writing, server.create_initialization_options())

    asyncio.run(talk())
