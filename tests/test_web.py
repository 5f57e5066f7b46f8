import base64
import json
import os
import re
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rag import Assistant
from rag.labels import ENGLISH, FRENCH, ITALIAN, LABELS, SPANISH, Labels
from rag.markup import anchor
from rag.page_html import answer_html
from rag.panel_html import documents_html, source_html
from rag.server import application, serving
from tests.page_parts import HOSTILE, Elements

ROOT = Path(__file__).parent.parent


def test_gradio_is_imported_only_when_the_page_is_made() -> None:
    code = "import sys, rag.web; sys.exit('gradio' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], env=environment(), check=True, timeout=60)


@pytest.fixture(scope="module")
def assistant(index_dir: Path) -> Assistant:
    return Assistant.open(index_dir)


@pytest.fixture(scope="module")
def feedback(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("feedback") / "feedback.jsonl"


@pytest.fixture(scope="module")
def address(assistant: Assistant, feedback: Path) -> Iterator[str]:
    with serving(application(assistant, feedback=feedback)) as address:
        yield address


class Visitor:
    """A browser's side of a conversation, without the browser: events go in, the components' values come out."""

    def __init__(self, address: str, language: str) -> None:
        import httpx

        self.http = httpx.Client(base_url=address, headers={"accept-language": language}, timeout=60)
        self.config: dict[str, Any] = self.http.get("config").json()
        # Not the id of the object: a later one may have the same, and with it this conversation.
        self.session = f"visitor-{secrets.token_hex(8)}"

    def trigger(self, handler: str, /, *values: object, **sent: object) -> list[Any]:
        """Trigger the first event that is handled by the function `handler`, and return the last values of its outputs.

        `values` are those of its inputs, and `sent` is what the page's script says of it.
        """
        event = next(each for each in self.config["dependencies"] if each["api_name"].startswith(handler))
        body = {"data": [*values], "event_data": sent, "fn_index": event["id"], "session_hash": self.session}
        if not event["queue"]:
            answer = self.http.post("gradio_api/run/predict", json=body).raise_for_status().json()
            data: list[Any] = answer["data"]
            return data
        self.http.post("gradio_api/queue/join", json=body).raise_for_status()
        steps: list[Any] = []
        with self.http.stream("GET", "gradio_api/queue/data", params={"session_hash": self.session}) as stream:
            for line in stream.iter_lines():
                message = json.loads(line.removeprefix("data: ") or "{}")
                if message.get("msg") in ("process_generating", "process_completed"):
                    assert message["success"], message
                    steps.append(message["output"].get("data"))
                if message.get("msg") == "process_completed":
                    break
        data = steps[-1]
        return data

    def ask(self, question: str, *where: object) -> list[str]:
        """Ask, and return the conversation's messages and the sources panel."""
        chat, _, _, panel, *_ = self.trigger("reply", question, None, *(where or ("shared", [], [], False)))
        return [*(message["content"][0]["text"] for message in chat), panel]

    def open(self, name: object) -> str:
        """Open a place in the sources panel."""
        html: str = self.trigger("open_place", "shared", name=name)[0]
        return html


Visit = Callable[[str], Visitor]


@pytest.mark.enable_socket
class TestServer:
    @pytest.fixture
    def visit(self, address: str) -> Iterator[Visit]:
        visitors: list[Visitor] = []

        def come(language: str) -> Visitor:
            visitors.append(Visitor(address, language))
            return visitors[-1]

        yield come
        for visitor in visitors:
            visitor.http.close()

    @pytest.fixture
    def client(self, address: str) -> Iterator[Any]:
        from gradio_client import Client  # type: ignore[import-untyped]

        client = Client(address, verbose=False, analytics_enabled=False)
        yield client
        client.close()  # before the server stops: its heartbeat would look for it again, in a test without network

    @pytest.mark.parametrize(
        "question",
        [
            "Who runs the harbour of Port Ellis?",
            "Chi è la direttrice della biblioteca di Montalto?",
            "¿Quién construyó el faro de Cabo Blanco?",
            "Depuis quand le moulin produit-il de la farine ?",
            "Who leads the lighthouse choir?",
            "",
            "?!",
            "\x00 $$x$$",
            "日本",
        ],
    )
    def test_a_program_gets_what_the_assistant_says(self, client: Any, assistant: Assistant, question: str) -> None:
        expected = assistant.ask(question).to_dict()
        assert client.predict(question, api_name="/ask") == json.loads(json.dumps(expected))

    def test_history_language_and_documents_reach_the_assistant(self, client: Any, assistant: Assistant) -> None:
        turns = [("Who runs the harbour of Port Ellis?", "Maria Duarte")]
        chosen = [assistant.documents[0].id]
        expected = assistant.ask("And when?", turns, language="es", documents=chosen).to_dict()
        answer = client.predict("And when?", [list(turn) for turn in turns], "es", chosen, api_name="/ask")
        assert answer == json.loads(json.dumps(expected))
        assert answer["language"] == "es"

    def test_documents_are_listed(self, client: Any, assistant: Assistant) -> None:
        listed = client.predict(api_name="/documents")
        assert [each["document"] for each in listed] == [document.id for document in assistant.documents]
        assert set(listed[0]) == {"document", "title", "language", "date", "url", "length"}

    @pytest.mark.parametrize(
        ("question", "history", "message"),
        [
            ("a" * 2001, None, "2001 characters and the limit is 2000"),
            ("a", [["b", "c" * 10_001]], "10001 characters and the limit is 10000"),
            ("a", [["b", "c"]] * 21, "21 turns and the limit is 20"),
            ("a", [["b"]], "not two strings"),
            ("a", [["b", 5]], 'an answer of history" must be a string'),
        ],
    )
    def test_too_much_is_refused_in_a_sentence(self, client: Any, question: str, history: Any, message: str) -> None:
        from gradio_client.exceptions import AppError  # type: ignore[import-untyped]

        with pytest.raises(AppError, match=message) as refusal:
            client.predict(question, history, api_name="/ask")
        assert "Traceback" not in str(refusal.value)

    def test_only_the_documented_endpoints_are_offered(self, address: str) -> None:
        import httpx

        info = httpx.get(f"{address}gradio_api/info").json()
        assert set(info["named_endpoints"]) == {"/ask", "/passages", "/documents"}

    def test_the_page_asks_no_other_host_for_anything(self, address: str) -> None:
        import httpx

        html = httpx.get(address).text
        theme = httpx.get(f"{address}theme.css").text
        loaded = re.findall(r'<(?:script|link|img|iframe)\b[^>]*?(?:src|href)="([^"]+)"', html) + re.findall(
            r"url\(['\"]?([^'\")]+)", theme
        )
        assert [each for each in loaded if re.match(r"(https?:)?//", each) and not each.startswith(address)] == []
        assert httpx.get(f"{address}monitoring").status_code == 403

    @pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
    def test_the_page_speaks_the_readers_language(self, visit: Visit, labels: Labels) -> None:
        header, panel, own, box, ask, stop, search, *_ = visit(f"{labels.language}-XX,en;q=0.5").trigger("greet")
        assert Elements(header).texts("p") == [labels.tagline]
        assert f'lang="{labels.language}"' in header
        assert Elements(panel).texts("h2") == [labels.documents]
        assert Elements(own).texts("h2") == [labels.own]
        assert (box["placeholder"], ask["value"], stop["value"]) == (labels.placeholder, labels.ask, labels.stop)
        assert search["label"] == f"{labels.search}: {labels.everywhere}"

    def test_a_conversation_shows_question_quotation_and_source(self, visit: Visit, assistant: Assistant) -> None:
        visitor = visit("it")
        question = "Chi è la direttrice della biblioteca di Montalto?"
        answer = assistant.ask(question)
        assert answer.found
        asked, said, panel = visitor.ask(question)
        assert Elements(asked).text == question
        assert said.startswith(answer_html(answer, ITALIAN, 5))
        best = answer.citations[0]
        assert panel == source_html(best.answer.document, best, ITALIAN)
        assert visitor.open(anchor(best.answer.document)) == source_html(best.answer.document, None, ITALIAN)

        follow_up = assistant.ask("E quando?", [(question, answer.text)])
        *before, said, _ = visitor.ask("E quando?")
        assert len(before) == 3
        assert said.startswith(answer_html(follow_up, ITALIAN, 5))

        chat, _, _, panel, *_ = visitor.trigger("clear", "shared")
        assert (chat, panel) == ([], documents_html(assistant.documents, ITALIAN))
        assert len(visitor.ask(question)) == 3

    def test_a_question_is_asked_again_in_its_own_place(self, visit: Visit) -> None:
        visitor = visit("en")
        first = visitor.ask("Who runs the harbour of Port Ellis?")
        chat, *_ = visitor.trigger("reply", "", None, "shared", [], [], False, again=True)
        assert chat[0]["content"][0]["text"] == first[0]
        assert len(chat) == 2

    def test_an_offered_question_is_asked(self, visit: Visit) -> None:
        chat, *_ = visit("en").trigger("reply", "half typ", None, "shared", [], [], False, question="Who is it?")
        assert Elements(chat[0]["content"][0]["text"]).text == "Who is it?"

    def test_only_the_chosen_documents_are_searched(self, visit: Visit, assistant: Assistant) -> None:
        question = "Who runs the harbour of Port Ellis?"
        visitor = visit("en")
        visitor.trigger("greet")
        _, said, _ = visitor.ask(question, "shared", ["ferry.txt"], [], False)
        only = assistant.ask(question, documents=["ferry.txt"])
        assert said.startswith(answer_html(only, ENGLISH, 1))
        *_, said, _ = visitor.ask(question, "shared", ["ferry.txt"], ["fr"], False)
        assert ENGLISH.nothing_to_search in Elements(said).text
        (search,) = visitor.trigger("choose", "shared", [], ["en"], False)
        assert search["label"] == "Where to search: in 2 of 5"

    def test_passages_alone_are_given_where_that_is_wished(self, visit: Visit, assistant: Assistant) -> None:
        question = "Who runs the harbour of Port Ellis?"
        _, said, panel = visit("en").ask(question, "shared", [], [], True)
        links = [f"#{anchor(hit.span.document, hit.span)}" for hit in assistant.ask(question).passages]
        assert Elements(said).links() == links
        assert panel == documents_html(assistant.documents, ENGLISH)

    def test_a_verdict_is_written_to_the_file(self, visit: Visit, feedback: Path) -> None:
        visitor = visit("en")
        _, said, _ = visitor.ask("Who runs the harbour of Port Ellis?")
        turn = re.findall(r'name="wrong" value="([0-9a-f]+)"', said)[0]
        chat, _ = visitor.trigger("judge", None, turn=turn, verdict="wrong")
        assert ENGLISH.noted in chat[1]["content"][0]["text"]
        visitor.trigger("judge", None, turn=turn, why="not_said")
        lines = [json.loads(line) for line in feedback.read_text(encoding="utf-8").splitlines()]
        assert [(each["id"], each["verdict"], each["why"]) for each in lines[-2:]] == [
            (turn, "wrong", ""),
            (turn, "wrong", "not_said"),
        ]
        assert lines[-1]["answer"]["question"] == "Who runs the harbour of Port Ellis?"

    def test_a_conversation_is_exported(self, visit: Visit) -> None:
        visitor = visit("en")
        visitor.ask("Who runs the harbour of Port Ellis?")
        as_json = json.loads(visitor.trigger("export", None, form="json")[0])
        turns = json.loads(as_json["text"])["turns"]
        assert [turn["answer"]["question"] for turn in turns] == ["Who runs the harbour of Port Ellis?"]
        as_markdown = json.loads(visitor.trigger("export", None, form="markdown")[0])
        assert as_markdown["name"] == "verbatim.md"
        assert "**Maria Duarte**" in as_markdown["text"]

    def test_a_readers_own_files_answer_only_them(self, visit: Visit) -> None:
        mine, other = visit("en"), visit("en")
        text = "The bakery on Mill Street belongs to Ada Quill. It opens at six."
        own, scope, panel, *_ = mine.trigger("add", files=[sent("bakery.txt", text)])
        assert Elements(own).texts("p", "status") == [ENGLISH.own_ready]
        assert (scope["value"], scope["visible"]) == ("own", True)
        assert len(Elements(panel).links()) == 1
        link = Elements(panel).links()[0].removeprefix("#")
        _, said, _ = mine.ask("Who owns the bakery?", "own", [], [], False)
        assert "Ada Quill" in said
        assert 'name="right"' not in said
        assert "Ada Quill" in mine.open(link)
        assert "Ada Quill" not in other.open(link)
        _, said, _ = other.ask("Who owns the bakery?", "own", [], [], False)
        assert ENGLISH.refused["gone"] in said
        own, scope, *_ = mine.trigger("remove", name="bakery.txt")
        assert Elements(own).texts("p", "status") == [ENGLISH.own_removed]
        assert (scope["value"], scope["visible"]) == ("shared", False)

    def test_a_file_that_is_not_taken_is_said_in_the_readers_language(self, visit: Visit) -> None:
        own, *_ = visit("it").trigger("add", files=[{"name": "a.exe", "size": 1, "data": "YQ=="}])
        assert Elements(own).texts("p", "status")[0].startswith("a.exe non è di un tipo che si può leggere")

    def test_a_hostile_question_is_shown_as_it_was_typed(self, visit: Visit) -> None:
        asked, *_ = visit("en").ask(HOSTILE)
        elements = Elements(asked)
        assert elements.text == HOSTILE
        assert [tag for tag, _, _ in elements.all] == ["p"]

    def test_a_question_over_the_limit_is_refused_on_the_page(self, visit: Visit) -> None:
        _, said, _ = visit("fr").ask("a" * 2001)
        assert FRENCH.too_long.format(length=2001, limit=2000) in Elements(said).text

    @pytest.mark.parametrize("name", ["src", "../../etc/passwd", 5, None, ["src"], {"a": 1}])
    def test_a_link_that_nobody_made_opens_the_list(self, visit: Visit, assistant: Assistant, name: object) -> None:
        assert visit("es").open(name) == documents_html(assistant.documents, SPANISH)


def sent(name: str, text: str) -> dict[str, object]:
    data = text.encode()
    return {"name": name, "size": len(data), "data": base64.b64encode(data).decode()}


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONUNBUFFERED": "1"}
