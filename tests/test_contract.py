"""The same question has the same answer, field by field, whichever way it is asked."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from rag.ask import Assistant
from rag.cli import app as command
from rag.server import application, serving
from rag.wire import AskRequest, document_entry

HARBOUR = "Who runs the harbour of Port Ellis?"
ASKED: dict[str, dict[str, Any]] = {
    "answered": {"question": HARBOUR},
    "answered in another language": {"question": "Chi dirige il porto di Port Ellis?"},
    "refused or doubtful": {"question": "Which pizza do astronauts prefer in orbit?"},
    "refused by the threshold": {"question": HARBOUR, "threshold": 1},
    "threshold 0": {"question": "Which pizza do astronauts prefer?", "threshold": 0},
    "no question": {"question": "?!"},
    "follow-up": {"question": "And how old is it?", "history": [["¿Quién construyó el faro?", "Luis Ortega"]]},
    "language": {"question": "¿Cuánto cuesta la entrada?", "language": "fr"},
    "one document": {"question": HARBOUR, "documents": ["ferry.txt"], "threshold": 0},
    "two documents": {"question": "¿Cuánto cuesta la entrada?", "documents": ["moulin.txt", "faro.txt"]},
    "all at once": {
        "question": "et l'entrée ?",
        "history": [["¿Quién construyó el faro?", "Luis Ortega"], ["¿Y cuánto mide?", "42 metros"]],
        "language": "fr",
        "documents": ["faro.txt"],
        "threshold": 0.1,
    },
    "hostile": {"question": "<script>alert(1)</script> $$x$$ \u2028 \x1b[2J è?", "threshold": 0},
}

Values = dict[str, Any]
pytestmark = pytest.mark.enable_socket


@pytest.fixture(scope="module")
def assistant(index_dir: Path) -> Assistant:
    return Assistant.open(index_dir)


@pytest.fixture(scope="module")
def address(assistant: Assistant) -> Iterator[str]:
    with serving(application(assistant, mcp=True)) as address:
        yield address


@pytest.fixture(scope="module")
def client(address: str) -> Iterator[Any]:
    from gradio_client import Client  # type: ignore[import-untyped]

    client = Client(address, verbose=False, analytics_enabled=False)
    yield client
    client.close()  # before the server stops: its heartbeat would look for it again, in a test without network


def over_python(assistant: Assistant, asked: Values) -> Values:
    options = {name: asked.get(name) for name in ("language", "documents", "threshold")}
    history = [(question, answer) for question, answer in asked.get("history", ())]
    values: Values = json.loads(json.dumps(assistant.ask(asked["question"], history, **options).to_dict()))
    return values


def over_the_command_line(index: Path, asked: Values) -> Values:
    arguments = ["ask", asked["question"], "--json", "--index", str(index)]
    arguments += ["--history", json.dumps(asked["history"])] if "history" in asked else []
    arguments += ["--language", asked["language"]] if "language" in asked else []
    arguments += ["--threshold", str(asked["threshold"])] if "threshold" in asked else []
    arguments += [part for each in asked.get("documents", ()) for part in ("--document", each)]
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 0, result.output
    (line,) = result.stdout.splitlines()
    values: Values = json.loads(line)
    return values


def over_http(address: str, asked: Values) -> Values:
    values: Values = httpx.post(f"{address}api/ask", json=asked, timeout=120).raise_for_status().json()
    return values


def over_gradio(client: Any, asked: Values) -> Values:
    values: Values = client.predict(**asked, api_name="/ask")
    return values


def over_mcp(address: str, asked: Values) -> Values:
    from mcp import Client

    async def inside() -> Values:
        async with Client(f"{address}mcp") as client:
            result = await client.call_tool("ask", asked)
        assert not result.is_error, result
        values: Values = result.structured_content
        return values

    return asyncio.run(inside())


@pytest.mark.parametrize("asked", ASKED.values(), ids=ASKED)
def test_every_way_of_asking_gives_the_same_answer(
    asked: Values, assistant: Assistant, index_dir: Path, address: str, client: Any
) -> None:
    expected = over_python(assistant, asked)
    assert (
        AskRequest.read(asked).put_to(assistant).to_dict()
        == assistant.ask(
            asked["question"],
            [tuple(turn) for turn in asked.get("history", ())],
            **{name: asked.get(name) for name in ("language", "documents", "threshold")},
        ).to_dict()
    )
    for way, answer in {
        "command line": over_the_command_line(index_dir, asked),
        "http": over_http(address, asked),
        "gradio": over_gradio(client, asked),
        "mcp": over_mcp(address, asked),
    }.items():
        assert list(answer) == list(expected), way
        for field, value in expected.items():
            assert answer[field] == value, f"{field} over {way}"


def test_the_questions_are_of_every_kind(assistant: Assistant) -> None:
    found = {name: over_python(assistant, asked) for name, asked in ASKED.items()}
    assert found["answered"]["answer"] == "Maria Duarte"
    assert found["threshold 0"]["found"]
    assert found["hostile"]["found"]
    assert found["no question"]["reason"] == "not_a_question"
    assert not found["refused by the threshold"]["found"]
    assert {each["document"] for each in found["one document"]["citations"]} == {"ferry.txt"}
    assert found["language"]["language"] == "fr"
    alone = over_python(assistant, {"question": ASKED["follow-up"]["question"]})
    assert found["follow-up"]["confidence"] > alone["confidence"]


def test_questions_on_standard_input_have_the_same_answers(assistant: Assistant, index_dir: Path) -> None:
    questions = [asked["question"] for asked in ASKED.values() if "\u2028" not in asked["question"]]
    sent = "\n".join(questions) + "\n"
    result = CliRunner().invoke(command, ["ask", "--json", "-", "--index", str(index_dir)], input=sent)
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert answers == [over_python(assistant, {"question": question}) for question in questions]


def test_documents_are_the_same_over_http_and_gradio(assistant: Assistant, address: str, client: Any) -> None:
    expected = [document_entry(document) for document in assistant.documents]
    assert httpx.get(f"{address}api/documents").json() == {"documents": expected}
    assert client.predict(api_name="/documents") == expected


def test_passages_are_the_same_over_http_gradio_and_mcp(assistant: Assistant, address: str, client: Any) -> None:
    from mcp import Client

    asked = {"question": HARBOUR, "limit": 3}
    over_http = httpx.post(f"{address}api/search", json=asked, timeout=120).json()

    async def inside() -> Any:
        async with Client(f"{address}mcp") as client:
            return (await client.call_tool("search", asked)).structured_content

    assert client.predict(**asked, api_name="/passages") == over_http
    assert asyncio.run(inside()) == over_http
    found = assistant.search(HARBOUR, limit=3)
    assert [(hit.span.document.id, hit.span.start, hit.span.end, hit.span.text) for hit in found] == [
        (each["document"], each["start"], each["end"], each["text"]) for each in over_http["passages"]
    ]


def test_a_mistake_is_the_same_sentence_over_http_gradio_and_mcp(address: str, client: Any) -> None:
    from gradio_client.exceptions import AppError  # type: ignore[import-untyped]
    from mcp import Client

    for asked in (
        {"question": "a" * 2001},
        {"question": "a", "documents": ["nobody.txt"]},
        {"question": "a", "language": "English"},
        {"question": "a", "threshold": 2},
        {"question": "a", "history": [["b"]]},
    ):
        response = httpx.post(f"{address}api/ask", json=asked)
        assert response.status_code == 422

        async def inside(asked: Values) -> Any:
            async with Client(f"{address}mcp") as client:
                return await client.call_tool("ask", asked)

        result = asyncio.run(inside(asked))
        assert result.is_error
        said = response.json()["error"]
        assert result.content[0].text == said
        with pytest.raises(AppError) as refusal:
            client.predict(**asked, api_name="/ask")
        assert said in str(refusal.value)


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT"])
def test_mcp_keeps_no_sessions_to_listen_to_or_end(address: str, method: str) -> None:
    response = httpx.request(method, f"{address}mcp", headers={"accept": "text/event-stream"})
    assert (response.status_code, response.headers["allow"]) == (405, "POST")
    assert set(response.json()) == {"error"}


def test_the_guard_lies_around_page_api_and_mcp_alike(address: str) -> None:
    for path in ("", "api/health", "mcp", "gradio_api/info", "config", "nothing"):
        assert httpx.get(address + path, headers={"host": "evil.example"}).status_code == 421, path
        cross = {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}
        assert httpx.post(address + path, headers=cross, json={}).status_code == 403, path
        assert httpx.get(address + path).headers["x-content-type-options"] == "nosniff", path


def test_a_search_lists_as_many_passages_in_python_as_over_http() -> None:
    from inspect import signature

    from rag import Assistant, wire

    assert signature(Assistant.search).parameters["limit"].default == wire.PASSAGES
