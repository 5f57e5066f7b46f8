import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import fields
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from rag import Assistant
from rag.labels import ENGLISH, FRENCH, ITALIAN, LABELS, SPANISH, Labels, labels_for
from rag.page_html import anchor, answer_html, documents_html, place_html, source_html
from rag.server import application, serving
from rag.spans import REASONS, Answer, Citation, Document, Hit, Reason, Span

ROOT = Path(__file__).parent.parent
HOSTILE = (
    'Before <script>evil()</script>, <img src=x onerror="evil()"> & $$x^2$$ [a](javascript:evil()) **b**\t`c` '
    "${evil()} {{evil}} it says 1 < 2."
)
LETTER = Document(
    "a.txt", "A letter", "en", "Dear all.\n\nAlbert Cheng leads it. He has two\npizzas.\nBye.", "2026-02-08"
)
LETTRE = Document("b.txt", "Une lettre", "fr", "Le studio est dirigé par M. Cheng. Fin.")
TRAP = Document("c<i>.txt", 'Trap <b onclick="evil()">', "en", HOSTILE)


def span(document: Document, text: str) -> Span:
    start = document.text.index(text)
    return Span(document, start, start + len(text))


def citation(document: Document, words: str, sentence: str) -> Citation:
    return Citation(span(document, words), span(document, sentence), 0.9)


LEADS = citation(LETTER, "Albert Cheng", "Albert Cheng leads it.")
DIRIGE = citation(LETTRE, "M. Cheng", "Le studio est dirigé par M. Cheng.")
TRAPPED = citation(TRAP, '<img src=x onerror="evil()">', HOSTILE)


def found(*citations: Citation, language: str = "en", confidence: float = 0.97) -> Answer:
    return Answer("who leads it?", language, citations, confidence, None)


def refused(reason: Reason, *passages: Span) -> Answer:
    return Answer("why?", "en", (), 0.1, reason, tuple(Hit(passage, 0.5) for passage in passages))


class Elements(HTMLParser):
    """The elements of a piece of HTML: each tag with its attributes and the text inside it."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.all: list[tuple[str, dict[str, str | None], list[str]]] = []
        self._open: list[tuple[str, dict[str, str | None], list[str]]] = []
        self.text = ""
        self.feed(html)
        self.close()
        assert self._open == [], "every element is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open.append((tag, dict(attrs), []))
        self.all.append(self._open[-1])

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        self.text += data
        for _, _, texts in self._open:
            texts.append(data)

    def texts(self, tag: str, kind: str | None = None) -> list[str]:
        return [
            "".join(texts)
            for each, attributes, texts in self.all
            if each == tag and (kind is None or kind in (attributes.get("class") or "").split())
        ]

    def links(self) -> list[str]:
        return [attributes["href"] or "" for tag, attributes, _ in self.all if tag == "a"]


def test_the_exact_words_are_marked_inside_their_sentence() -> None:
    elements = Elements(answer_html(found(LEADS), ENGLISH))
    assert elements.texts("blockquote") == ["Albert Cheng leads it."]
    assert elements.texts("mark") == ["Albert Cheng"]
    assert [attributes for tag, attributes, _ in elements.all if tag == "blockquote"] == [{"lang": "en"}]
    assert elements.texts("p", "cited") == ["[1] A letter (en)"]
    assert elements.links() == [f"#{anchor(LETTER, LEADS.answer, LEADS.sentence)}"]
    assert "High confidence 97%" in elements.text


def test_a_sentence_that_is_the_answer_is_marked_whole() -> None:
    whole = citation(LETTER, "Albert Cheng leads it.", "Albert Cheng leads it.")
    assert '<mark class="whole">Albert Cheng leads it.</mark>' in answer_html(found(whole), ENGLISH)
    assert "whole" not in answer_html(found(LEADS), ENGLISH)


def test_others_that_say_so_are_listed_with_their_own_words() -> None:
    elements = Elements(answer_html(found(LEADS, DIRIGE), SPANISH))
    assert elements.texts("li") == ["[2] Une lettre (fr) M. Cheng"]
    assert [attributes for tag, attributes, _ in elements.all if tag == "q"] == [{"lang": "fr"}]
    assert elements.texts("p", "also") == ["También lo dicen"]
    assert elements.texts("mark") == ["Albert Cheng"]


def test_a_quotation_in_another_language_than_the_question_says_so() -> None:
    assert Elements(answer_html(found(DIRIGE), ITALIAN)).texts("span", "foreign") == ["La citazione è in francese"]
    assert Elements(answer_html(found(DIRIGE, language="fr"), ITALIAN)).texts("span", "foreign") == []
    assert Elements(answer_html(found(DIRIGE, language="und"), ITALIAN)).texts("span", "foreign") == []


@pytest.mark.parametrize(
    ("confidence", "labels", "words"),
    [
        (0.974, ENGLISH, "High confidence 97%"),
        (0.8, ITALIAN, "Affidabilità alta 80%"),
        (0.79, SPANISH, "Confianza media 79\N{NO-BREAK SPACE}%"),
        (0.5, FRENCH, "Confiance moyenne 50\N{NO-BREAK SPACE}%"),
        (0.0, FRENCH, "Confiance faible 0\N{NO-BREAK SPACE}%"),
        (1.0, ENGLISH, "High confidence 100%"),
    ],
)
def test_confidence_is_a_level_and_a_percentage(confidence: float, labels: Labels, words: str) -> None:
    html = answer_html(found(LEADS, confidence=confidence), labels)
    assert Elements(html).texts("span", "confidence") == [words]


@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
@pytest.mark.parametrize("reason", REASONS)
def test_a_refusal_gives_its_reason_and_the_nearest_passages(reason: Reason, labels: Labels) -> None:
    near = span(LETTRE, "Le studio est dirigé par M. Cheng.")
    elements = Elements(answer_html(refused(reason, near), labels))
    assert labels.reasons[reason] in elements.texts("p")
    assert elements.texts("summary") == [labels.nearest]
    assert elements.texts("blockquote") == ["Le studio est dirigé par M. Cheng."]
    assert elements.links() == [f"#{anchor(LETTRE, near)}"]
    assert "details" not in [tag for tag, _, _ in Elements(answer_html(refused(reason), labels)).all]


def test_a_long_passage_is_cut_at_a_word_and_only_three_are_shown() -> None:
    long = Document("d.txt", "Long", "en", "seven letters " * 100)
    elements = Elements(answer_html(refused("too_uncertain", *[Span(long, 0, 1400)] * 5), ENGLISH))
    excerpts = elements.texts("blockquote")
    assert len(excerpts) == 3
    assert excerpts[0].endswith("seven …")
    assert long.text.startswith(excerpts[0].removesuffix(" …"))
    assert 250 < len(excerpts[0]) < 285


@pytest.mark.parametrize(
    "html",
    [
        answer_html(found(TRAPPED, TRAPPED), ENGLISH),
        answer_html(refused("too_uncertain", Span(TRAP, 0, len(TRAP.text))), ENGLISH),
        source_html(TRAP, TRAPPED, ENGLISH),
        documents_html([TRAP], ENGLISH),
    ],
    ids=["answer", "refusal", "source", "documents"],
)
def test_no_text_of_a_document_becomes_markup(html: str) -> None:
    elements = Elements(html)
    ours = {"div", "p", "span", "b", "a", "blockquote", "mark", "ul", "li", "q", "details", "summary", "nav", "article"}
    assert {tag for tag, _, _ in elements.all} <= ours | {"header", "h2"}
    assert {name for _, attributes, _ in elements.all for name in attributes} <= {
        "class",
        "lang",
        "href",
        "id",
        "tabindex",
    }
    assert all(link.startswith("#src") for link in elements.links())
    assert 'Trap <b onclick="evil()">' in elements.text
    assert "\n" not in html, "gradio trims the lines of a message"


def test_a_hostile_sentence_is_shown_character_by_character() -> None:
    elements = Elements(answer_html(found(TRAPPED), ENGLISH))
    assert elements.texts("blockquote") == [HOSTILE]
    assert elements.texts("mark") == ['<img src=x onerror="evil()">']


def test_a_source_shows_the_whole_document_with_one_place_to_go_to() -> None:
    elements = Elements(source_html(LETTER, LEADS, ENGLISH))
    assert elements.texts("h2") == ["A letter"]
    assert elements.texts("p", "about") == ["en · 2026-02-08 · a.txt"]
    lines = ["Dear all.", "Albert Cheng leads it. He has two", "pizzas.", "Bye."]
    assert elements.texts("div", "text") == ["".join(lines)]
    assert elements.texts("p")[1:] == lines
    assert elements.texts("p", "block") == ["Albert Cheng leads it. He has two"]
    assert elements.texts("mark") == ["Albert Cheng"]
    assert elements.texts("span", "place") == elements.texts("span", "quoted")[:1]


def test_words_and_sentences_that_run_over_a_line_are_marked_on_both_lines() -> None:
    elements = Elements(source_html(LETTER, citation(LETTER, "two\npizzas", "He has two\npizzas."), ENGLISH))
    assert elements.texts("mark") == ["two", "pizzas"]
    assert "".join(elements.texts("span", "quoted")) == "He has twopizzas."
    assert len(elements.texts("span", "place")) == 1


def test_a_passage_is_highlighted_without_words() -> None:
    elements = Elements(source_html(LETTER, None, ENGLISH, passage=span(LETTER, "Bye.")))
    assert elements.texts("mark") == []
    assert elements.texts("span", "place") == ["Bye."]
    assert "place" not in source_html(LETTER, None, ENGLISH)


def test_every_link_of_an_answer_opens_its_own_place() -> None:
    documents = [LETTRE, TRAP, LETTER]
    for each in (LEADS, DIRIGE, TRAPPED):
        document = each.answer.document
        name = anchor(document, each.answer, each.sentence)
        assert place_html(name, documents, ENGLISH) == source_html(document, each, ENGLISH)
        assert place_html(anchor(document, each.sentence), documents, ENGLISH) == source_html(
            document, None, ENGLISH, passage=each.sentence
        )
        assert place_html(anchor(document), documents, ENGLISH) == source_html(document, None, ENGLISH)


@pytest.mark.parametrize(
    "ending",
    ["", "-0", "-0-1-0", "-5-5", "-9-3", "-0-9999999999", "-0-5-6-9", "-0-1-0-2-0-3", "-a-b", "-0-1\n", "-٠-١"],
)
def test_a_place_that_is_not_there_opens_the_list_of_documents(ending: str) -> None:
    known = anchor(LETTER) if ending else "src"
    assert place_html(known + ending, [LETTER, LETTRE], FRENCH) == documents_html([LETTER, LETTRE], FRENCH)
    assert place_html(anchor(TRAP) + ending, [LETTER, LETTRE], FRENCH) == documents_html([LETTER, LETTRE], FRENCH)


def test_a_long_list_of_documents_is_cut_and_says_so() -> None:
    documents = [Document(f"{number}.txt", f"Title {number}", "und", "Text.") for number in range(130)]
    elements = Elements(documents_html(documents, ITALIAN))
    assert len(elements.links()) == 100
    assert "e altri 30" in elements.texts("p")
    assert elements.texts("li")[0] == "Title 0"


@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
def test_labels_are_complete(labels: Labels) -> None:
    assert set(labels.reasons) == set(REASONS)
    assert set(labels.languages) == {"it", "es", "en", "fr"} == set(LABELS)
    for field in fields(labels):
        value = getattr(labels, field.name)
        words = list(value.values()) if isinstance(value, dict) else [value] if isinstance(value, str) else list(value)
        assert all(word.strip() == word != "" for word in words), field.name
    assert labels.too_long.format(length=2001, limit=2000).count("200") == 2
    assert labels.percent.format(percent=7).startswith("7")
    assert "5" in labels.more_documents.format(count=5)
    assert len(set(labels.examples)) == len(labels.examples) == 2


def test_no_two_languages_share_a_sentence() -> None:
    for name in (
        "tagline",
        "placeholder",
        "refusal",
        "too_long",
        "documents_hint",
        "nearest",
        "also_said_by",
        "foreign",
    ):
        assert len({getattr(labels, name) for labels in LABELS.values()}) == 4, name
    for reason in REASONS:
        assert len({labels.reasons[reason] for labels in LABELS.values()}) == 4


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("it-IT,it;q=0.9,en;q=0.8", "it"),
        ("de-DE,de;q=0.9,fr;q=0.8,en;q=0.7", "fr"),
        ("en;q=0.5, ES-419;q=0.7", "es"),
        ("fr;q=0, it;q=0.1", "it"),
        ("es, fr", "es"),
        ("de", "en"),
        ("*", "en"),
        ("", "en"),
        (";;;,,q=,it;q=x,fr; q=0.3", "fr"),
    ],
)
def test_labels_follow_what_the_browser_asks_for(header: str, language: str) -> None:
    assert labels_for(header).language == language


def test_gradio_is_imported_only_when_the_page_is_made() -> None:
    code = "import sys, rag.web; sys.exit('gradio' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], env=environment(), check=True, timeout=60)


@pytest.fixture(scope="module")
def assistant(index_dir: Path) -> Assistant:
    return Assistant.open(index_dir)


@pytest.fixture(scope="module")
def address(assistant: Assistant) -> Iterator[str]:
    with serving(application(assistant)) as address:
        yield address


class Visitor:
    """A browser's side of a conversation, without the browser: events go in, the components' values come out."""

    def __init__(self, address: str, language: str) -> None:
        import httpx

        self.http = httpx.Client(base_url=address, headers={"accept-language": language}, timeout=60)
        self.config: dict[str, Any] = self.http.get("config").json()
        self.session = f"visitor-{id(self)}"

    def trigger(self, name: str, *values: object) -> list[Any]:
        """Trigger the first event that is handled by the function `name`, and return the last values of its outputs."""
        event = next(each for each in self.config["dependencies"] if each["api_name"].startswith(name))
        self.http.post(
            "gradio_api/queue/join",
            json={"data": [*values], "fn_index": event["id"], "session_hash": self.session},
        ).raise_for_status()
        steps: list[Any] = []
        with self.http.stream("GET", "gradio_api/queue/data", params={"session_hash": self.session}) as stream:
            for line in stream.iter_lines():
                message = json.loads(line.removeprefix("data: ") or "{}")
                if message.get("msg") in ("process_generating", "process_completed"):
                    assert message["success"], message
                    steps.append(message["output"].get("data"))
                if message.get("msg") == "process_completed":
                    break
        data: list[Any] = steps[-1]
        return data

    def open(self, name: object) -> str:
        panel = next(
            each for each in self.config["components"] if "open_source" in (each["props"].get("server_fns") or [])
        )
        response = self.http.post(
            "gradio_api/component_server",
            json={"data": name, "component_id": panel["id"], "fn_name": "open_source", "session_hash": self.session},
        )
        html: str = response.raise_for_status().json()
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
    def client(self, address: str) -> Any:
        from gradio_client import Client  # type: ignore[import-untyped]

        return Client(address, verbose=False, analytics_enabled=False)

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
        header, panel, *_ = visit(f"{labels.language}-XX,en;q=0.5").trigger("greet")
        assert Elements(header).texts("p") == [labels.tagline]
        assert f'<div lang="{labels.language}">' in header
        assert Elements(panel).texts("h2") == [labels.documents]

    def test_a_conversation_shows_question_quotation_and_source(self, visit: Visit, assistant: Assistant) -> None:
        visitor = visit("it")
        question = "Chi è la direttrice della biblioteca di Montalto?"
        answer = assistant.ask(question)
        assert answer.found
        chat, _, panel, _, _ = visitor.trigger("reply", question, None)
        assert [message["role"] for message in chat] == ["user", "assistant"]
        assert Elements(chat[0]["content"][0]["text"]).text == question
        assert chat[1]["content"][0]["text"] == answer_html(answer, ITALIAN)
        best = answer.citations[0]
        assert panel == source_html(best.answer.document, best, ITALIAN)
        assert visitor.open(anchor(best.answer.document)) == source_html(best.answer.document, None, ITALIAN)

        chat, *_ = visitor.trigger("reply", "E quando?", None)
        follow_up = assistant.ask("E quando?", [(question, answer.text)])
        assert len(chat) == 4
        assert chat[3]["content"][0]["text"] == answer_html(follow_up, ITALIAN)

        chat, _, panel, _, _ = visitor.trigger("clear")
        assert (chat, panel) == ([], documents_html(assistant.documents, ITALIAN))
        chat, *_ = visitor.trigger("reply", question, None)
        assert len(chat) == 2

    def test_a_hostile_question_is_shown_as_it_was_typed(self, visit: Visit) -> None:
        chat, *_ = visit("en").trigger("reply", HOSTILE, None)
        elements = Elements(chat[0]["content"][0]["text"])
        assert elements.text == HOSTILE
        assert [tag for tag, _, _ in elements.all] == ["p"]

    def test_a_question_over_the_limit_is_refused_on_the_page(self, visit: Visit) -> None:
        chat, *_ = visit("fr").trigger("reply", "a" * 2001, None)
        assert FRENCH.too_long.format(length=2001, limit=2000) in Elements(chat[1]["content"][0]["text"]).text

    @pytest.mark.parametrize("name", ["src", "../../etc/passwd", 5, None, ["src"], {"a": 1}])
    def test_a_link_that_nobody_made_opens_the_list(self, visit: Visit, assistant: Assistant, name: object) -> None:
        assert visit("es").open(name) == documents_html(assistant.documents, SPANISH)


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONUNBUFFERED": "1"}
