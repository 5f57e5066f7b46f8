import shutil
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from rag import Answer, Assistant
from rag.ask import MOST_CHARACTERS
from rag.decide import ASSURANCE, EVIDENCE, Weights
from rag.index import Settings, build, build_with, open_index
from rag.read import SentenceReader

if TYPE_CHECKING:
    from tests.conftest import WordHashEncoder

RANKING = {"reader": 6.0, "coverage": 2.0, "expected": 0.5}
CONFIDENCE = {"reader": 3.0, "dense": 2.0, "coverage": 3.0, "coverage_abroad": 3.0, "lead": 0.5}
WEIGHTS = Weights(
    tuple(RANKING.get(name, 0.0) for name in EVIDENCE),
    tuple(CONFIDENCE.get(name, 0.0) for name in ASSURANCE),
    bias=-4.0,
    threshold=0.3,
    relevance=0.15,
)
HOSTILE = (
    "\x00",
    "\ud800",
    "\udfff who runs the harbour of Port Ellis?",
    "\u202ewho?\u202c",
    "?" * 1000,
    "a" * 1999,
    "🛥️👩‍✈️?",
    "'; DROP TABLE documents; --",
    "<script>alert(1)</script>",
    "(((((((((((((((((((",
    "\\d+*[a-z",
    "1,234,567,890.12.34",
    "e\u0301" * 900,
    "谁管理港口？",
    "من يدير الميناء؟",
    "{}{0}%s%n",
    "A" * 40 + "\u0300" * 40,
    "data-0 manifest.json ../../etc/passwd",
)


def assistant_of(corpus: Path, index: Path, encoder: "WordHashEncoder") -> Assistant:
    build_with(corpus, index, encoder, settings=Settings(), progress=lambda stage, done, total: None)
    return Assistant(open_index(index), encoder, SentenceReader(), WEIGHTS)


def check(answer: Answer, assistant: Assistant) -> None:
    """Assert what holds for every answer."""
    texts = {document.id: document.text for document in assistant.documents}
    assert answer.found == bool(answer.citations) == (answer.reason is None)
    assert 0.0 <= answer.confidence <= 1.0
    for citation in answer.citations:
        assert texts[citation.answer.document.id][citation.answer.start : citation.answer.end] == citation.answer.text
        assert citation.sentence.contains(citation.answer)
        assert any(hit.span.overlaps(citation.sentence) for hit in answer.passages)
    scores = [hit.score for hit in answer.passages]
    assert scores == sorted(scores, reverse=True)


@pytest.fixture
def assistant(corpus_dir: Path, tmp_path: Path, word_hash: "WordHashEncoder") -> Assistant:
    return assistant_of(corpus_dir, tmp_path / "index", word_hash)


@pytest.mark.parametrize(
    ("question", "language", "document", "words"),
    [
        ("Who is the harbour run by?", "en", "harbour.txt", "The harbour is run by Maria Duarte"),
        ("When did Port Ellis open its new harbour?", "en", "harbour.txt", "opened its new harbour in June 2019"),
        ("How many hours does the crossing take?", "en", "ferry.txt", "The crossing takes nine hours."),
        ("¿Quién construyó el faro de Cabo Blanco?", "es", "faro.txt", "por el ingeniero Luis Ortega"),
        ("¿Cuánto cuesta la entrada?", "es", "faro.txt", "la entrada cuesta cinco euros"),
        ("Que produit le moulin de Saint-Aubin ?", "fr", "moulin.txt", "produit de la farine depuis 1790"),
        ("Chi ha pagato il restauro?", "it", "biblioteca.txt", "Il restauro è stato pagato dalla regione."),
    ],
)
def test_the_words_of_the_right_document_answer(
    assistant: Assistant, question: str, language: str, document: str, words: str
) -> None:
    answer = assistant.ask(question)
    check(answer, assistant)
    assert answer.question == question
    assert answer.language == language
    assert answer.citations[0].answer.document.id == document
    assert words in answer.text


def test_what_is_in_no_document_is_refused(assistant: Assistant) -> None:
    answer = assistant.ask("Which pizza do astronauts prefer?")
    check(answer, assistant)
    assert answer.reason in ("nothing_relevant", "no_answer_in_passages", "too_uncertain")
    assert answer.text == ""
    assert answer.passages
    assert assistant.ask("Which pizza do astronauts prefer?", threshold=0).found
    assert assistant.ask("Who runs the new harbour?", threshold=1).reason is not None


@pytest.mark.parametrize("question", ["", " ", "\n\t\r\n", "\x00\x01", "?!…", "—", "\u200b\u202e", "\ud800", "🛥️"])
def test_no_letters_are_no_question(assistant: Assistant, question: str) -> None:
    answer = assistant.ask(question, [("Who runs the harbour?", "Maria Duarte")], threshold=0)
    assert (answer.reason, answer.confidence, answer.passages) == ("not_a_question", 0.0, ())
    assert answer.question == question


def test_a_question_of_100_000_characters_is_none(assistant: Assistant, word_hash: "WordHashEncoder") -> None:
    before = word_hash.embedded
    assert assistant.ask("harbour " * 12_500, threshold=0).reason == "not_a_question"
    assert assistant.ask("h" * (MOST_CHARACTERS + 1), threshold=0).reason == "not_a_question"
    assert assistant.ask("harbour".ljust(MOST_CHARACTERS), threshold=0).found
    assert word_hash.embedded < before + 100


@pytest.mark.parametrize("question", HOSTILE)
def test_hostile_questions_have_an_answer(assistant: Assistant, question: str) -> None:
    for threshold in (None, 0.0):
        check(assistant.ask(question, [(question, question)], threshold=threshold), assistant)
        check(assistant.ask(question, language="xx", documents=[question], threshold=threshold), assistant)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    st.text(max_size=60),
    st.lists(st.tuples(st.text(max_size=20), st.text(max_size=20)), max_size=3),
    st.sampled_from([None, "en", "it", "zh", "und", ""]),
    st.sampled_from([None, 0.0, 0.5, 1.0]),
)
@example("harbour \ud800", [], None, 0.0)
def test_any_string_has_an_answer(
    assistant: Assistant, question: str, history: list[tuple[str, str]], language: str | None, threshold: float | None
) -> None:
    check(assistant.ask(question, history, language=language, threshold=threshold), assistant)


def test_control_characters_do_not_hide_a_question(assistant: Assistant) -> None:
    plain = assistant.ask("Who runs the new harbour?")
    dirty = assistant.ask("\ufeffWho\x00runs  the\u2028new\u200bharbour?\n")
    assert [c.answer for c in dirty.citations] == [c.answer for c in plain.citations]
    assert dirty.confidence == plain.confidence


def test_the_language_can_be_given(assistant: Assistant) -> None:
    assert assistant.ask("¿Cuánto cuesta la entrada?").language == "es"
    assert assistant.ask("¿Cuánto cuesta la entrada?", language="fr").language == "fr"


def test_only_the_documents_asked_for_are_searched(assistant: Assistant) -> None:
    question = "Who links Port Ellis with Cabo Blanco?"
    assert {hit.span.document.id for hit in assistant.ask(question).passages} > {"ferry.txt", "faro.txt"}
    for ids in (["faro.txt"], ["faro.txt", "harbour.txt"], ("harbour.txt", "nobody.txt")):
        answer = assistant.ask(question, documents=ids, threshold=0)
        check(answer, assistant)
        assert answer.found
        assert {hit.span.document.id for hit in answer.passages} <= set(ids)
        assert {citation.answer.document.id for citation in answer.citations} <= set(ids)


@pytest.mark.parametrize("ids", [[], ["nobody.txt"], [""]])
def test_no_documents_hold_no_answer(assistant: Assistant, ids: list[str]) -> None:
    answer = assistant.ask("Who runs the new harbour?", documents=ids, threshold=0)
    assert (answer.reason, answer.passages, answer.confidence) == ("nothing_relevant", (), 0.0)


LIGHTHOUSE = ("¿Quién construyó el faro de Cabo Blanco?", "El faro de Cabo Blanco fue construido en 1874.")


def test_a_follow_up_leans_on_the_turns_before(assistant: Assistant) -> None:
    question = "And when did it open?"
    assert assistant.ask(question, threshold=0).citations[0].answer.document.id != "faro.txt"
    answer = assistant.ask(question, [("¿Quién construyó el faro?", "Luis Ortega")], threshold=0)
    check(answer, assistant)
    assert answer.passages[0].span.document.id == "faro.txt"
    assert answer.citations[0].answer.document.id == "faro.txt"
    assert answer.question == question
    assert answer.language == "en"


def test_a_follow_up_is_answered_and_not_the_turn_before(assistant: Assistant) -> None:
    answer = assistant.ask("¿Y cuánto mide de altura?", [LIGHTHOUSE])
    assert answer.text.startswith("Mide 42 metros de altura")


def test_a_question_on_something_else_is_not_drawn_back(assistant: Assistant) -> None:
    for history in ([LIGHTHOUSE], [LIGHTHOUSE, LIGHTHOUSE]):
        answer = assistant.ask("When did the harbour open?", history)
        assert answer.citations[0].answer.document.id == "harbour.txt"


def test_only_the_last_turns_count(assistant: Assistant) -> None:
    other = ("Who runs the harbour?", "The harbour is run by Maria Duarte.")
    question = "And how old is it?"
    recent = assistant.ask(question, [other, other], threshold=0)
    assert assistant.ask(question, [LIGHTHOUSE, other, other], threshold=0).to_dict() == recent.to_dict()
    assert assistant.ask(question, [("", ""), (" ", "")]).to_dict() == assistant.ask(question).to_dict()


def test_agreeing_documents_follow_the_first(tmp_path: Path, corpus_dir: Path, word_hash: "WordHashEncoder") -> None:
    corpus = Path(shutil.copytree(corpus_dir, tmp_path / "corpus"))
    (corpus / "news.txt").write_text(
        "Port news.\n\nThe harbour is run by Maria Duarte, a former captain, and employs 240.\n"
    )
    assistant = assistant_of(corpus, tmp_path / "index", word_hash)
    answer = assistant.ask("Who runs the harbour? Is it Maria Duarte?")
    check(answer, assistant)
    assert {citation.answer.document.id for citation in answer.citations} == {"harbour.txt", "news.txt"}


def test_a_corpus_of_one_short_document(tmp_path: Path, word_hash: "WordHashEncoder") -> None:
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "one.txt").write_text("Maria.")
    assistant = assistant_of(tmp_path / "corpus", tmp_path / "index", word_hash)
    assert assistant.ask("Maria?").text == "Maria."
    check(assistant.ask("Who is the captain of all these ships?"), assistant)


def test_the_description_says_what_the_index_is_made_of(assistant: Assistant) -> None:
    described = assistant.description
    assert datetime.fromisoformat(str(described.pop("built"))) <= datetime.now(UTC)
    assert described == {
        "documents": 5,
        "passages": 5,
        "languages": "en, es, fr, it",
        "encoder": "word-hash",
        "dimensions": 64,
    }
    assert [document.id for document in assistant.documents] == sorted(d.id for d in assistant.documents)


def test_threads_may_share_an_assistant(
    assistant: Assistant, corpus_dir: Path, tmp_path: Path, word_hash: "WordHashEncoder"
) -> None:
    questions = [
        "Who runs the new harbour?",
        "¿Cuánto cuesta la entrada?",
        "Que produit le moulin de Saint-Aubin ?",
        "Chi ha pagato il restauro?",
        "How many hours does the crossing take?",
        "Which pizza do astronauts prefer?",
    ]
    alone = assistant_of(corpus_dir, tmp_path / "other", word_hash)
    expected = [alone.ask(question, [LIGHTHOUSE]).to_dict() for question in questions]
    different: list[str] = []
    ended: list[int] = []

    def work(first: int) -> None:
        for turn in range(2 * len(questions)):
            number = (first + turn) % len(questions)
            if assistant.ask(questions[number], [LIGHTHOUSE]).to_dict() != expected[number]:
                different.append(questions[number])
        ended.append(first)

    threads = [threading.Thread(target=work, args=(first,)) for first in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert different == []
    assert sorted(ended) == list(range(8))


def test_the_bundled_models_answer(index_dir: Path) -> None:
    assistant = Assistant.open(index_dir)
    questions: Sequence[str] = ("who runs the harbour of Port Ellis?", "\ud800?a", "¿cuándo se construyó el faro?")
    for question in questions:
        answer = assistant.ask(question, [LIGHTHOUSE], threshold=0)
        check(answer, assistant)
        assert answer.found
    assert assistant.description["encoder"] == "bundled"


def test_what_was_quoted_in_another_language_is_not_answered_again(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "tram_en.txt").write_text(
        "A new tram\n\nThe city is preparing to begin a closed trial of the new tram in March. It expects to share "
        "first results of the trial by May.\n",
        encoding="utf-8",
    )
    (tmp_path / "docs" / "tram_it.txt").write_text(
        "Il tram\n\nLa prova del tram comincia a marzo 2033, dice il sindaco.\n", encoding="utf-8"
    )
    build(tmp_path / "docs", tmp_path / "index")
    assistant = Assistant.open(tmp_path / "index")
    begun = ("¿Cuándo empieza la prueba del tranvía?", "a marzo 2033")
    assert assistant.ask("¿Y los resultados?", [begun]).text == "May"


def test_a_year_is_taken_from_the_document_that_is_asked_about(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "harbour.txt").write_text(
        "The harbour of Port Ellis\n\nPort Ellis opened its new harbour in June 2019 after four years of work. The "
        "harbour is run by Maria Duarte.\n",
        encoding="utf-8",
    )
    (tmp_path / "docs" / "faro.txt").write_text(
        "El faro fue construido en 1874 por el ingeniero Luis Ortega.\n", encoding="utf-8"
    )
    build(tmp_path / "docs", tmp_path / "index")
    assistant = Assistant.open(tmp_path / "index")
    for question in ("When did the harbour open?", "Quando è stato aperto il porto?"):
        assert "2019" in assistant.ask(question, threshold=0).text
    assert "1874" in assistant.ask("¿Cuándo fue construido el faro?", threshold=0).text


def test_an_open_assistant_takes_up_a_later_build_and_no_damaged_one(
    corpus_dir: Path, tmp_path: Path, word_hash: "WordHashEncoder", caplog: pytest.LogCaptureFixture
) -> None:
    corpus, index = Path(shutil.copytree(corpus_dir, tmp_path / "corpus")), tmp_path / "index"

    def build_again() -> None:
        build_with(corpus, index, word_hash, settings=Settings(), progress=lambda stage, done, total: None)

    build_again()
    assistant = Assistant(open_index(index), word_hash, SentenceReader(), WEIGHTS)

    def held() -> tuple[str, ...]:
        assistant.renew()
        return tuple(document.id for document in assistant.documents)

    before = held()
    assert not assistant.renew()
    (corpus / "mill.txt").write_text("The mill of Oak Hollow is run by Jane Archer.", "utf-8")
    build_again()
    assert tuple(document.id for document in assistant.documents) == before
    assert assistant.renew()
    assert not assistant.renew()
    assert held() == (*before[:-1], "mill.txt", before[-1])
    assert assistant.ask("who runs the mill of Oak Hollow?", threshold=0).citations[0].answer.document.id == "mill.txt"

    (index / "manifest.json").write_text("{}")
    assert held() == (*before[:-1], "mill.txt", before[-1])
    assert held() == (*before[:-1], "mill.txt", before[-1])
    assert [record.getMessage().partition(";")[0] for record in caplog.records if record.name == "rag.ask"] == [
        f"the index in {index} is damaged (manifest.json cannot be read)"
    ]
    (corpus / "mill.txt").unlink()
    build_again()
    assert held() == before
    (index / "manifest.json").unlink()
    assert held() == before


def test_the_date_above_a_text_answers_only_when_it_was_written(tmp_path: Path, word_hash: "WordHashEncoder") -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "mill.txt").write_text("date 2021-05-04 The mill\n\nThe mill makes flour.\n", encoding="utf-8")
    assistant = assistant_of(corpus, tmp_path / "index", word_hash)

    def read(question: str) -> set[str]:
        return {one["sentence"] for one in assistant.ask(question, threshold=0).explain()["candidates"]}

    quoted = read("When did the mill open?")
    assert quoted == {"The mill", "The mill makes flour."}
    assert read("When was the article about the mill written?") == {"date 2021-05-04", *quoted}
