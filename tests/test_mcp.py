import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from mcp import Client, MCPError, StdioServerParameters, stdio_client
from mcp.types import TextContent, Tool

from rag.ask import Assistant
from rag.gate import Gate
from rag.mcp_server import INSTRUCTIONS, mcp_server
from rag.spans import REASONS
from rag.wire import SearchRequest

ROOT = Path(__file__).parent.parent
QUESTION = "Who runs the new harbour of Port Ellis?"

Talk = Callable[[Client], Awaitable[Any]]


def talk(assistant: Assistant, say: Talk) -> Any:
    """Connect the real client to the server in memory, and return what it heard."""

    async def inside() -> Any:
        async with Client(mcp_server(assistant, Gate(), version="1.2.3")) as client:
            return await say(client)

    return asyncio.run(inside())


def call(assistant: Assistant, name: str, **values: Any) -> Any:
    return talk(assistant, lambda client: client.call_tool(name, values))


def heard(result: Any) -> dict[str, Any]:
    """Return what a tool gave, which the text and the structured content must agree on."""
    assert not result.is_error, result
    (content,) = result.content
    assert isinstance(content, TextContent)
    values: dict[str, Any] = result.structured_content
    assert json.loads(content.text) == values
    return values


def tools(assistant: Assistant) -> dict[str, Tool]:
    async def say(client: Client) -> dict[str, Tool]:
        return {tool.name: tool for tool in (await client.list_tools()).tools}

    found: dict[str, Tool] = talk(assistant, say)
    return found


def test_an_assistant_is_told_how_to_use_it_rightly(word_assistant: Assistant) -> None:
    async def say(client: Client) -> tuple[str | None, str]:
        assert client.server_info
        return client.instructions, client.server_info.version

    instructions, version = talk(word_assistant, say)
    assert (instructions, version) == (INSTRUCTIONS, "1.2.3")
    for needed in ("quote `answer` character for character", "cite", "When `found` is false", "own knowledge"):
        assert needed in INSTRUCTIONS


def test_the_tools_are_described_and_only_read(word_assistant: Assistant) -> None:
    found = tools(word_assistant)
    assert list(found) == ["ask", "search", "open_passage"]
    for tool in found.values():
        assert tool.description
        assert len(tool.description) > 200
        assert tool.annotations
        assert (tool.annotations.read_only_hint, tool.annotations.open_world_hint) == (True, False)
        Draft202012Validator.check_schema(tool.input_schema)
        assert tool.output_schema is not None
        Draft202012Validator.check_schema(tool.output_schema)
        assert tool.input_schema["additionalProperties"] is False
        assert all(each["description"] for each in tool.input_schema["properties"].values())
    assert found["ask"].input_schema["required"] == ["question"]
    assert found["open_passage"].input_schema["required"] == ["document"]
    assert set(REASONS) <= set(found["ask"].output_schema["properties"]["reason"]["enum"])  # type: ignore[index]


@pytest.mark.parametrize(
    "asked",
    [
        {"question": QUESTION, "threshold": 0},
        {"question": QUESTION, "threshold": 1},
        {"question": "And when?", "history": [[QUESTION, "Maria Duarte"]], "threshold": 0},
        {"question": "¿Cuánto cuesta la entrada?", "language": "fr", "documents": ["faro.txt"]},
        {"question": "\x00 <b>?\u2028"},
    ],
)
def test_an_answer_is_what_the_assistant_says(word_assistant: Assistant, asked: dict[str, Any]) -> None:
    values = heard(call(word_assistant, "ask", **asked))
    options = {name: asked.get(name) for name in ("language", "documents", "threshold")}
    expected = word_assistant.ask(asked["question"], asked.get("history") or (), **options)
    assert values == json.loads(json.dumps(expected.to_dict()))
    schema = tools(word_assistant)["ask"].output_schema
    assert schema is not None
    Draft202012Validator(schema).validate(values)


def test_a_search_gives_passages(word_assistant: Assistant) -> None:
    values = heard(call(word_assistant, "search", question=QUESTION, limit=2))
    assert values == json.loads(json.dumps(SearchRequest(QUESTION, limit=2).put_to(word_assistant)))
    assert len(values["passages"]) == 2


def test_a_passage_is_opened_in_the_words_around_it(word_assistant: Assistant) -> None:
    citation = heard(call(word_assistant, "ask", question=QUESTION, threshold=0))["citations"][0]
    place = {name: citation[name] for name in ("document", "start", "end")}
    document = next(each for each in word_assistant.documents if each.id == citation["document"])

    exact = heard(call(word_assistant, "open_passage", **place, around=0))
    assert exact["text"] == citation["text"]
    assert exact["title"] == citation["title"]

    near = heard(call(word_assistant, "open_passage", **place, around=10))
    assert (near["start"], near["end"]) == (max(place["start"] - 10, 0), min(place["end"] + 10, len(document.text)))
    assert near["text"] == document.text[near["start"] : near["end"]]

    whole = heard(call(word_assistant, "open_passage", document=document.id))
    assert whole["text"] == document.text


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        ("ask", {}, 'no "question"'),
        ("ask", {"question": 5}, '"question" must be a string'),
        ("ask", {"question": "a" * 2001}, "the limit is 2000"),
        ("ask", {"question": "a", "q": 1}, "means nothing here"),
        ("ask", {"question": "a", "documents": ["nobody.txt"]}, 'no document "nobody.txt"'),
        ("search", {"question": "a", "limit": 0}, '"limit" must be a whole number from 1 to 50'),
        ("open_passage", {}, 'no "document"'),
        ("open_passage", {"document": "../../etc/passwd"}, 'no document "../../etc/passwd"'),
        ("open_passage", {"document": "faro.txt", "start": -1}, '"start" must be a whole number'),
        ("open_passage", {"document": "faro.txt", "start": 5, "end": 5}, "enclose nothing"),
        ("open_passage", {"document": "faro.txt", "start": 99999}, "enclose nothing"),
        ("open_passage", {"document": "faro.txt", "around": 20_001}, '"around" must be a whole number'),
    ],
)
def test_a_mistake_is_a_sentence_to_act_on(
    word_assistant: Assistant, name: str, values: dict[str, Any], said: str
) -> None:
    result = call(word_assistant, name, **values)
    assert result.is_error
    (content,) = result.content
    assert said in content.text
    assert "\n" not in content.text


def test_a_tool_that_is_none_is_told(word_assistant: Assistant) -> None:
    async def say(client: Client) -> None:
        with pytest.raises(MCPError, match="there is no such tool: call one of ask, search, open_passage"):
            await client.call_tool("delete", {})

    talk(word_assistant, say)


def test_the_command_speaks_on_standard_input_and_output(index_dir: Path) -> None:
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "rag", "mcp", "--index", str(index_dir)],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )

    async def inside() -> tuple[list[str], Any]:
        async with Client(stdio_client(server)) as client:
            names = [tool.name for tool in (await client.list_tools()).tools]
            return names, await client.call_tool("ask", {"question": QUESTION})

    names, result = asyncio.run(inside())
    assert names == ["ask", "search", "open_passage"]
    expected = Assistant.open(index_dir).ask(QUESTION)
    assert heard(result) == json.loads(json.dumps(expected.to_dict()))
