import asyncio
import json
import threading
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from rag.api import api
from rag.ask import Assistant
from rag.errors import EngineError
from rag.gate import Gate
from rag.schema import openapi, schemas, standalone

QUESTION = "Who runs the new harbour of Port Ellis?"
JSON = {"content-type": "application/json"}


def send(app: Any, method: str, path: str, **what: Any) -> httpx.Response:
    async def inside() -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.request(method, path, **what)

    return asyncio.run(inside())


@pytest.fixture(scope="module")
def app(word_assistant: Assistant) -> Any:
    return api(word_assistant, Gate(), version="1.2.3")


def sentence(response: httpx.Response, status: int) -> str:
    """Return the sentence of an error, after checking that it is one and nothing else."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    assert set(response.json()) == {"error"}
    said: str = response.json()["error"]
    assert "\n" not in said
    assert "Traceback" not in said
    assert len(said) < 300
    return said


@pytest.mark.parametrize("name", ["Answer", "Passages", "Documents", "Excerpt", "Health", "AskRequest", "OpenRequest"])
def test_a_schema_is_valid_and_stands_alone(name: str) -> None:
    schema = standalone(name)
    Draft202012Validator.check_schema(schema)
    assert "components" not in json.dumps(schema)
    assert schema["type"] == "object"
    assert all(each["description"] for each in schema["properties"].values())


def test_the_description_is_valid_openapi_and_is_what_is_served(app: Any) -> None:
    served = send(app, "GET", "/openapi.json").json()
    assert served == openapi("1.2.3")
    assert list(OpenAPIV31SpecValidator(served).iter_errors()) == []
    for name, schema in schemas("#/components/schemas/").items():
        for field, about in schema["properties"].items():
            assert about.get("description"), f"{name}.{field} is not described"


def test_every_path_is_described_and_nothing_else(app: Any) -> None:
    described = {path.removeprefix("/api") for path in openapi("1")["paths"]}
    served = {route.path.replace(":path", "") for route in app.routes}
    assert served == described | {"/openapi.json"}


def matches(name: str, values: object) -> dict[str, Any]:
    """Return values after checking them against their schema, which must name every field of theirs."""
    strict = json.loads(json.dumps(standalone(name)))
    for schema in (strict, *strict.get("$defs", {}).values()):
        schema["additionalProperties"] = False
    Draft202012Validator(strict).validate(values)
    assert isinstance(values, dict)
    return values


@pytest.mark.parametrize(
    "asked",
    [
        {"question": QUESTION, "threshold": 0},
        {"question": QUESTION, "threshold": 1},
        {"question": "And when?", "history": [[QUESTION, "Maria Duarte"]], "threshold": 0.0},
        {"question": "¿Cuánto cuesta la entrada?", "language": "fr", "documents": ["faro.txt", "moulin.txt"]},
        {"question": QUESTION, "documents": []},
        {"question": "", "history": None, "language": None, "documents": None, "threshold": None},
        {"question": "a" * 2000},
        {"question": "\x00 who \u2028 <script>?", "history": [["", ""]] * 20},
    ],
)
def test_an_answer_is_what_the_assistant_says(app: Any, word_assistant: Assistant, asked: dict[str, Any]) -> None:
    response = send(app, "POST", "/ask", json=asked)
    assert response.status_code == 200
    options = {name: asked.get(name) for name in ("language", "documents", "threshold")}
    expected = word_assistant.ask(asked["question"], asked.get("history") or (), **options)
    assert matches("Answer", response.json()) == json.loads(json.dumps(expected.to_dict()))


def test_half_a_surrogate_pair_comes_back_as_it_went(app: Any) -> None:
    response = send(app, "POST", "/ask", content=b'{"question": "who \\ud800?"}', headers=JSON)
    assert response.status_code == 200
    assert json.loads(response.text)["question"] == "who \ud800?"


def test_passages_are_places_with_their_text(app: Any, word_assistant: Assistant) -> None:
    response = send(app, "POST", "/search", json={"question": QUESTION, "limit": 2})
    found = matches("Passages", response.json())
    assert found["question"] == QUESTION
    hits = word_assistant.search(QUESTION, limit=2)
    assert [each["document"] for each in found["passages"]] == [hit.span.document.id for hit in hits]
    assert found["passages"][0]["document"] == "harbour.txt"
    texts = {document.id: document.text for document in word_assistant.documents}
    for each in found["passages"]:
        assert texts[each["document"]][each["start"] : each["end"]] == each["text"]
    only = send(app, "POST", "/search", json={"question": QUESTION, "documents": ["faro.txt"]}).json()
    assert {each["document"] for each in only["passages"]} == {"faro.txt"}
    assert send(app, "POST", "/search", json={"question": "?!"}).json()["passages"] == []


def test_documents_are_listed_and_read(app: Any, word_assistant: Assistant) -> None:
    listed = matches("Documents", send(app, "GET", "/documents").json())["documents"]
    assert [each["document"] for each in listed] == [document.id for document in word_assistant.documents]
    for entry, document in zip(listed, word_assistant.documents, strict=True):
        whole = matches("Excerpt", send(app, "GET", f"/documents/{document.id}").json())
        assert whole == {**entry, "start": 0, "end": len(document.text), "text": document.text}
    part = send(app, "GET", "/documents/moulin.txt", params={"start": 16, "end": 40}).json()
    assert part["text"] == "Le moulin de Saint-Aubin"
    rest = send(app, "GET", "/documents/moulin.txt?start=16&end=9999999999").json()
    assert (rest["end"], rest["text"][-2:]) == (rest["length"], ".\n")


@pytest.mark.parametrize(
    "path",
    [
        "/documents/",
        "/documents/nobody.txt",
        "/documents/../../etc/passwd",
        "/documents/%2e%2e/%2e%2e/etc/passwd",
        "/documents/..%2f..%2fetc%2fpasswd",
        "/documents//etc/passwd",
        "/documents/harbour.txt/",
        "/documents/harbour.txt%00",
        "/documents/HARBOUR.TXT",
        "/documents/%ff%fe",
        "/documents/" + "a" * 5000,
    ],
)
def test_what_is_no_document_of_the_index_is_not_found(app: Any, path: str) -> None:
    sentence(send(app, "GET", path), 404)


@pytest.mark.parametrize(
    "query",
    [
        "start=-1",
        "start=a",
        "start=1.0",
        "start=%D9%A1",
        "start=1&start=2",
        "start=",
        "end=0",
        "start=9&end=9",
        "start=9&end=3",
        "start=99999",
        "start=12345678901",
        "from=1",
        "start=0&end=5&x=1",
    ],
)
def test_a_range_that_is_none_is_refused(app: Any, query: str) -> None:
    sentence(send(app, "GET", f"/documents/harbour.txt?{query}"), 422)


def test_health_tells_what_the_index_is_made_of(app: Any) -> None:
    about = matches("Health", send(app, "GET", "/health").json())
    assert (about["status"], about["version"], about["documents"]) == ("ok", "1.2.3", 5)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, 'no "question"'),
        ([], "a JSON object"),
        ("who?", "a JSON object"),
        (None, "a JSON object"),
        ({"question": None}, '"question" must be a string'),
        ({"question": 5}, '"question" must be a string'),
        ({"question": ["who?"]}, '"question" must be a string'),
        ({"question": "a" * 2001}, "2001 characters and the limit is 2000"),
        ({"question": "a", "q": 1}, '"q" that means nothing'),
        ({"question": "a", "x" * 500: 1}, "that means nothing"),
        ({"question": "a", "history": "b"}, '"history" must be a list'),
        ({"question": "a", "history": [["b"]]}, "not two strings"),
        ({"question": "a", "history": ["bc"]}, "not two strings"),
        ({"question": "a", "history": [["b", "c", "d"]]}, "not two strings"),
        ({"question": "a", "history": [["b", None]]}, "must be a string"),
        ({"question": "a", "history": [["b", "c"]] * 21}, "21 turns and the limit is 20"),
        ({"question": "a", "history": [["b" * 2001, "c"]]}, "2001 characters and the limit is 2000"),
        ({"question": "a", "history": [["b", "c" * 10_001]]}, "10001 characters and the limit is 10000"),
        ({"question": "a", "language": "English"}, '"language" must be'),
        ({"question": "a", "language": "EN"}, '"language" must be'),
        ({"question": "a", "language": 1}, '"language" must be'),
        ({"question": "a", "documents": "faro.txt"}, '"documents" must be a list'),
        ({"question": "a", "documents": [1]}, '"documents" must be a list'),
        ({"question": "a", "documents": ["a"] * 1001}, "1001 ids and the limit is 1000"),
        ({"question": "a", "documents": ["nobody\n.txt"]}, 'no document "nobody .txt"'),
        ({"question": "a", "threshold": "0"}, '"threshold" must be a number'),
        ({"question": "a", "threshold": True}, '"threshold" must be a number'),
        ({"question": "a", "threshold": 1.01}, '"threshold" must be a number'),
        ({"question": "a", "threshold": -1}, '"threshold" must be a number'),
    ],
)
def test_a_request_that_is_wrong_is_refused_in_a_sentence(app: Any, values: object, said: str) -> None:
    assert said in sentence(send(app, "POST", "/ask", content=json.dumps(values), headers=JSON), 422)


@pytest.mark.parametrize("limit", [0, 51, -1, "2", 2.5, True, [2]])
def test_a_number_of_passages_that_is_none_is_refused(app: Any, limit: object) -> None:
    said = sentence(send(app, "POST", "/search", json={"question": "a", "limit": limit}), 422)
    assert said == '"limit" must be a whole number from 1 to 50'


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"who?",
        b"{",
        b'{"question": "a"} {}',
        b"\xff\xfe{}",
        b'{"question": "a", "threshold": NaN}',
        b'{"question": "a", "threshold": Infinity}',
        b"[" * 100_000,
        b'{"question": ' + b"9" * 10_000 + b"}",
    ],
)
def test_what_is_no_json_is_refused(app: Any, body: bytes) -> None:
    sentence(send(app, "POST", "/ask", content=body, headers=JSON), 400)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_a_body_that_a_form_can_send_is_refused(app: Any, kind: str) -> None:
    body = b'{"question": "a"}'
    assert "application/json" in sentence(send(app, "POST", "/ask", content=body, headers={"content-type": kind}), 415)
    fine = {"content-type": "Application/JSON; charset=utf-8"}
    assert send(app, "POST", "/ask", content=body, headers=fine).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/ask", 405),
        ("PUT", "/ask", 405),
        ("POST", "/documents", 405),
        ("DELETE", "/documents/faro.txt", 405),
        ("GET", "/nowhere", 404),
        ("GET", "/", 404),
        ("POST", "/ask/", 404),
    ],
)
def test_what_is_not_offered_is_told_in_json(app: Any, method: str, path: str, status: int) -> None:
    response = send(app, method, path)
    if response.status_code == 307:
        response = send(app, method, path.rstrip("/"))
        status = 415
    sentence(response, status)


def test_what_goes_wrong_inside_is_no_trace_outside() -> None:
    class Broken:
        """Stands where an assistant should, and cannot do anything."""

    broken: Any = Broken()
    said = sentence(send(api(broken, Gate(), version="1"), "POST", "/ask", json={"question": "a"}), 500)
    assert "Broken" not in said


def test_that_the_passages_server_is_away_is_no_mistake_of_who_asks() -> None:
    class Away:
        """An assistant whose passages are on a server that nobody reaches."""

        def renew(self) -> bool:
            raise EngineError("the Qdrant server at http://x cannot be reached; start it")

    away: Any = Away()
    said = sentence(send(api(away, Gate(), version="1"), "POST", "/ask", json={"question": "a"}), 503)
    assert said == "the Qdrant server at http://x cannot be reached; start it"


def test_too_many_questions_are_turned_away_and_the_others_answered(word_assistant: Assistant) -> None:
    release = threading.Event()

    class Slow:
        """An assistant that waits for a sign before it answers."""

        documents = word_assistant.documents

        def renew(self) -> bool:
            return release.wait(60)

        def ask(self, *asked: Any, **options: Any) -> Any:
            return word_assistant.ask(*asked, **options)

    slow: Any = Slow()
    app = api(slow, Gate(at_once=2, waiting=3), version="1")

    async def inside() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost", timeout=60) as client:
            tasks = [asyncio.create_task(client.post("/ask", json={"question": QUESTION})) for _ in range(9)]
            done, waiting = await asyncio.wait(tasks, timeout=30, return_when=asyncio.FIRST_COMPLETED)
            while len(done) < 4:
                more, waiting = await asyncio.wait(waiting, timeout=30, return_when=asyncio.FIRST_COMPLETED)
                done |= more
            assert len(waiting) == 5
            release.set()
            return [await task for task in tasks]

    responses = asyncio.run(inside())
    statuses = [response.status_code for response in responses]
    assert statuses == [200] * 5 + [503] * 4
    for response in responses[5:]:
        assert sentence(response, 503) == "3 questions wait already: ask again in a few seconds"
        assert response.headers["retry-after"] == "5"
    assert {response.text for response in responses[:5]} == {responses[0].text}
