"""Further documents that say the same are found among passages that were not read for the answer."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from numpy.typing import NDArray

from rag.ask import PASSAGES, Assistant
from rag.corroborate import READ, Asked, corroborate
from rag.decide import ASSURANCE, EVIDENCE, Case, Decision, Weights, decide, weigh
from rag.index import Index, Settings, build_with, open_index
from rag.read import AnswerVectors, Reader, Reading, SentenceReader
from rag.search import Found, search
from rag.spans import Citation, Hit, Span

if TYPE_CHECKING:
    from tests.conftest import WordHashEncoder

QUESTION = "Who is the harbour of Port Ellis run by?"
SAYS = "The harbour of Port Ellis is run by Maria Duarte."
FILLER = "she came from the navy, bought a house on the hill and was asked to see to the ships and the quays."
TEXTS = {
    "a.txt": f"{SAYS} It has two cranes.",
    "b.txt": f"Fishing went well. {SAYS} The weather was fine.",
    "c.txt": "Ellis is an old name. Whoever asks by whom ships are run reads the annals.",
    "d.txt": "Maria Duarte sells tickets for the theatre of the capital every Monday.",
}
WEIGHTS = Weights(
    tuple({"reader": 6.0}.get(name, 0.0) for name in EVIDENCE),
    tuple(0.0 for _ in ASSURANCE),
    bias=2.0,
    threshold=0.3,
    relevance=0.1,
)


class Told:
    """A question that was answered from the passages of one document."""

    def __init__(self, folder: Path, encoder: "WordHashEncoder", *, texts: dict[str, str] = TEXTS) -> None:
        corpus, self.encoder = folder / "corpus", encoder
        corpus.mkdir()
        for name, text in texts.items():
            (corpus / name).write_text(text, encoding="utf-8")
        build_with(corpus, folder / "index", encoder, settings=Settings(), progress=lambda *_: None)
        self.index: Index = open_index(folder / "index")
        self.query = encoder.encode_questions([QUESTION])[0]
        self.reader: Reader = SentenceReader()
        self.known = search(
            self.index.collection,
            question=QUESTION,
            query=self.query,
            languages=["en"],
            selection=self.index.passages.within(["a.txt"]),
        )
        self.answer()

    def answer(self) -> None:
        readings = self.reader.read(QUESTION, self.query, self.known)
        self.case: Case = weigh(QUESTION, "en", readings, self.index.engine, WEIGHTS)
        self.decision: Decision = decide(self.case, WEIGHTS)

    def further(
        self, decision: Decision | None = None, *, within: list[str] | None = None
    ) -> tuple[tuple[Citation, ...], tuple[Hit, ...]]:
        return corroborate(
            Asked(QUESTION, "en", self.query, ["en"]),
            self.decision if decision is None else decision,
            self.case,
            self.index.collection,
            self.reader,
            WEIGHTS,
            known=self.known,
            answers=AnswerVectors(self.encoder),
            selection=None if within is None else self.index.passages.within(within),
        )


@pytest.fixture
def told(tmp_path: Path, word_hash: "WordHashEncoder") -> Told:
    return Told(tmp_path, word_hash)


def test_a_document_that_says_the_same_is_cited_with_the_passage_that_holds_it(told: Told) -> None:
    assert [c.answer.document.id for c in told.decision.citations] == ["a.txt"]
    citations, hits = told.further()
    assert [(c.answer.document.id, c.sentence.text) for c in citations] == [("b.txt", SAYS)]
    assert citations[0].score <= told.decision.confidence
    assert [hit.span.document.id for hit in hits] == ["b.txt"]
    assert hits[0].span.contains(citations[0].sentence)
    assert hits[0].score <= told.known[-1].hit.score


def test_the_date_above_a_text_is_no_company(tmp_path: Path, word_hash: "WordHashEncoder") -> None:
    texts = {"a.txt": f"{QUESTION} Since 2019-06-01.", "b.txt": f"2019-06-01 {QUESTION} Nobody knows."}
    told = Told(tmp_path, word_hash, texts=texts)
    told.reader = Knowing("2019-06-01")
    told.answer()
    assert [c.answer.text for c in told.decision.citations] == ["2019-06-01"]
    assert told.further() == ((), ())


def test_only_documents_that_were_asked_about_are_cited(told: Told) -> None:
    assert told.further(within=["a.txt", "c.txt", "d.txt"]) == ((), ())
    assert told.further(within=["b.txt"])[0]


def test_an_answer_that_is_not_trusted_or_was_not_given_gets_no_company(told: Told) -> None:
    assert told.further(Decision(told.decision.citations, 0.59, None)) == ((), ())
    assert told.further(Decision(told.decision.citations, 0.6, None))[0]
    assert told.further(Decision((), 0.9, "too_uncertain")) == ((), ())


def test_no_more_documents_are_added_than_passages_are_read(tmp_path: Path, word_hash: "WordHashEncoder") -> None:
    # Of other passages, as equal ones are one.
    many = {f"b{number}.txt": f"{SAYS} It is number {number}00." for number in range(8)}
    told = Told(tmp_path, word_hash, texts={**TEXTS, **many})
    citations, _ = told.further()
    documents = [c.answer.document.id for c in citations]
    assert len(documents) == len(set(documents)) == READ


class Knowing:
    """A reader that answers with one name, wherever a passage has it."""

    def __init__(self, name: str) -> None:
        self._name = name

    def read(
        self, question: str, query: NDArray[np.float32], found: Sequence[Found], *, most: int = 16
    ) -> list[Reading]:
        readings = []
        for passage in found:
            for sentence, vector in zip(passage.sentences.spans, passage.sentences.vectors, strict=True):
                at = sentence.text.find(self._name)
                if at >= 0:
                    start = sentence.start + at
                    answer = Span(sentence.document, start, start + len(self._name))
                    readings.append(Reading(answer, sentence, 0.9, float(vector @ query), vector, passage))
        return readings[:most]


def test_asking_cites_what_was_not_read_for_the_answer(tmp_path: Path, word_hash: "WordHashEncoder") -> None:
    # More texts than are read have all of the question's words and not its answer.
    decoys = {f"c{number}.txt": f"{QUESTION} That is what letter {number}00 asks." for number in range(PASSAGES)}
    texts = {"a.txt": f"{QUESTION} {SAYS}", "b.txt": f"The harbour and Maria Duarte: {FILLER}", **decoys}
    told = Told(tmp_path, word_hash, texts=texts)
    assistant = Assistant(told.index, word_hash, Knowing("Maria Duarte"), WEIGHTS)
    answer = assistant.ask(QUESTION)
    assert [(c.answer.text, c.answer.document.id) for c in answer.citations] == [
        ("Maria Duarte", "a.txt"),
        ("Maria Duarte", "b.txt"),
    ]
    explained = answer.explain()
    assert [(one["document"], one["answer"]) for one in explained["further"]] == [("b.txt", "Maria Duarte")]
    assert {one["document"] for one in explained["candidates"]} == {"a.txt"}
    assert answer.passages[-1].span.document.id == "b.txt"
    scores = [hit.score for hit in answer.passages]
    assert scores == sorted(scores, reverse=True)
