"""A small share of `make fuzz`, with an encoder and a reader that are quick."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from benchmarks import fuzz

from rag import Assistant
from rag.index import Settings, build_with, open_index
from rag.read import SentenceReader
from tests.test_ask import WEIGHTS

if TYPE_CHECKING:
    from tests.conftest import WordHashEncoder


@pytest.fixture
def assistant(tmp_path: Path, word_hash: "WordHashEncoder") -> Assistant:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for name, text in fuzz.DOCUMENTS.items():
        (corpus / name).write_text(text, encoding="utf-8")
    build_with(corpus, tmp_path / "index", word_hash, settings=Settings(), progress=lambda stage, done, total: None)
    return Assistant(open_index(tmp_path / "index"), word_hash, SentenceReader(), WEIGHTS)


def test_every_question_has_a_lawful_answer(assistant: Assistant) -> None:
    outcomes, growth = fuzz.fuzz(assistant, 100)
    assert outcomes.total() == 100
    assert outcomes["answered"] > 10
    assert outcomes["not_a_question"] > 0
    assert growth < fuzz.MOST_GROWTH


def test_a_citation_of_other_words_is_found_out(assistant: Assistant) -> None:
    documents = {document.id: document for document in assistant.documents}
    answer = assistant.ask(fuzz.QUESTIONS[0], threshold=0)
    assert answer.found
    assert fuzz.verbatim(answer, documents)
    changed = {name: replace(document, text=document.text.upper()) for name, document in documents.items()}
    assert not fuzz.verbatim(answer, changed)
