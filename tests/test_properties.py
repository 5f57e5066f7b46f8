"""Laws that hold for any text: spans are slices, and together they are the text."""

from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from rag.corpus import read_corpus
from rag.index import Settings, build_with, open_index
from rag.language import detect, question_language
from rag.lexical import Lexical, with_beginning
from rag.sentences import sentences
from rag.spans import Document, Span
from rag.split import split

if TYPE_CHECKING:
    from tests.conftest import WordHashEncoder

ARTICLES = [path.read_text("utf-8") for path in sorted((Path(__file__).parents[1] / "seeds").glob("*.txt"))]

_ANY = st.text(st.characters(exclude_categories=["Cs"]), max_size=400)
_PIECES = [
    *(
        "M.",
        "Mme",
        "U.S.",
        "p. ej.",
        "S.p.A.",
        "n.º",
        "EE. UU.",
        "etc.",
        "J.",
        "3.5",
        "30\u202f000",
        "1.",
        "Node.js",
        "e\u0301",
    ),
    *(
        ".",
        "...",
        "…",
        "?",
        "!",
        "¿",
        "¡",
        ",",
        ";",
        ":",
        "-",
        "—",
        "«",
        "»",
        "“",
        "”",
        '"',
        "'",
        "’",
        "(",
        ")",
        "[1]",
        "。",
    ),
    *(" ", " ", " ", "\u00a0", "\u202f", "\t", "\n", "\n\n", "\r\n", "\u2028", "\x1c", "\x85", "\u200b", "\ufeff"),
    *(
        "Amazon",
        "L’IA",
        "la",
        "et",
        "fin.Nuevo",
        "è",
        "parola",
        "https://a.example/b?c=d",
        "x" * 70,
        "y, " * 40,
        "\U0001f600",
    ),
]
_PROSE = st.lists(st.sampled_from(_PIECES), max_size=120).map("".join)
_EXCERPTS = st.builds(
    lambda text, start, length: text[start : start + length],
    st.sampled_from(ARTICLES),
    st.integers(0, 13_000),
    st.integers(0, 4_000),
)
TEXTS = _ANY | _PROSE | _EXCERPTS


def _whole(text: str) -> tuple[Span, ...]:
    document = Document("a.txt", "A", "und", text)
    return sentences(Span(document, 0, len(text))) if text else ()


def _covered(spans: tuple[Span, ...]) -> list[int]:
    return [place for span in spans for place in range(span.start, span.end)]


@given(TEXTS, st.integers(0, 50), st.integers(0, 50))
@example(ARTICLES[0], 0, 0)
@example(ARTICLES[1], 0, 0)
@example(ARTICLES[2], 0, 0)
@example(ARTICLES[3], 0, 0)
@example(ARTICLES[4], 0, 0)
def test_every_visible_character_lies_in_exactly_one_sentence(text: str, before: int, after: int) -> None:
    start, end = min(before, len(text)), max(before, len(text) - after)
    if start >= min(end, len(text)):
        return
    document = Document("a.txt", "A", "und", text)
    found = sentences(Span(document, start, end))
    covered = _covered(found)
    assert len(covered) == len(set(covered))
    assert {place for place in range(start, end) if not text[place].isspace()} <= set(covered)
    for sentence in found:
        assert sentence.document is document
        assert start <= sentence.start < sentence.end <= end
        assert sentence.text == sentence.text.strip() == text[sentence.start : sentence.end]
        assert len(sentence.text) <= 1_000
    for one, other in pairwise(found):
        assert one.end <= other.start


@given(TEXTS, st.integers(50, 600), st.integers(0, 599))
@example(ARTICLES[0], 480, 160)
@example(ARTICLES[1], 480, 160)
@example(ARTICLES[2], 480, 160)
@example(ARTICLES[3], 480, 160)
@example(ARTICLES[4], 480, 160)
@example(ARTICLES[1], 50, 49)
@example(ARTICLES[0], 100, 0)
def test_passages_are_the_text(text: str, size: int, overlap: int) -> None:
    overlap %= size
    document = Document("a.txt", "A", "und", text)
    whole = _whole(text)
    found = split(document, whole, size=size, overlap=overlap)
    assert bool(found) == bool(text.strip())
    for passage in found:
        assert passage.document is document
        assert passage.text == passage.text.strip()
        assert len(passage.text) <= size + overlap
    for one, other in pairwise(found):
        assert one.start < other.start
        assert one.end < other.end
    # Without the overlaps they are the text again, but for white space between them.
    rest, end = "", 0
    for passage in found:
        assert not text[end : max(end, passage.start)].strip()
        rest += text[max(end, passage.start) : passage.end]
        end = passage.end
    assert "".join(rest.split()) == "".join(text.split())


@given(TEXTS, st.integers(50, 600), st.integers(0, 599))
@example(ARTICLES[1], 300, 100)
@example(ARTICLES[4], 300, 100)
def test_only_a_sentence_longer_than_a_passage_is_cut(text: str, size: int, overlap: int) -> None:
    whole = _whole(text)
    for passage in split(Document("a.txt", "A", "und", text), whole, size=size, overlap=overlap % size):
        for sentence in whole:
            cut = sentence.overlaps(passage) and not passage.contains(sentence)
            assert not cut or sentence.end - sentence.start > size


@given(TEXTS)
def test_without_overlap_each_sentence_lies_in_one_passage(text: str) -> None:
    found = split(Document("a.txt", "A", "und", text), _whole(text), size=480, overlap=0)
    covered = _covered(found)
    assert len(covered) == len(set(covered))
    assert {place for place, character in enumerate(text) if not character.isspace()} <= set(covered)


@given(st.text(max_size=300))
def test_any_string_has_a_language(text: str) -> None:
    assert (detect(text) == "und") == (not any(map(str.isalpha, text)))
    assert question_language(text)


@given(st.text(st.characters(codec="utf-8")), st.integers(), st.integers())
def test_a_span_is_a_slice_or_is_refused(text: str, start: int, end: int) -> None:
    document = Document("a.txt", "A", "und", text)
    try:
        span = Span(document, start, end)
    except ValueError:
        assert not 0 <= start < end <= len(text)
    else:
        assert span.text == text[start:end]
        assert len(span.text) == end - start


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(st.dictionaries(st.sampled_from(["a.txt", "b.md", "c/d.txt", "città.txt"]), TEXTS, min_size=1))
@example(texts={"a.txt": "0", "b.md": "\ufeff"})
@example(texts={"a.txt": "\ufeff\ufeff0"})
def test_what_is_saved_is_what_is_opened(word_hash: "WordHashEncoder", texts: dict[str, str]) -> None:
    # Files of blanks only are skipped, a byte order mark before them or not, and those with a NUL refused.
    kept = {name: text for name, text in texts.items() if text.removeprefix("\ufeff").strip() and "\0" not in text}
    assume(kept)
    with TemporaryDirectory() as folder:
        corpus, index = Path(folder, "corpus"), Path(folder, "index")
        for name, text in kept.items():
            (corpus / name).parent.mkdir(parents=True, exist_ok=True)
            (corpus / name).write_bytes(text.encode())
        build_with(corpus, index, word_hash, settings=Settings(), progress=lambda stage, done, total: None)
        opened = open_index(index)
        documents = read_corpus(corpus).documents
    assert tuple(opened.documents) == documents
    assert {document.id for document in documents} == set(kept)
    passages = [span for document in documents for span in split(document, _whole_of(document))]
    assert list(opened.passages) == passages
    said = [passage.text for passage in passages]
    assert np.array_equal(opened.engine.rows(0, len(said)), word_hash.encode_questions(said))
    words = [with_beginning(passage) for passage in passages]
    lexical = Lexical.of(words, [passage.document.language for passage in passages])
    for text in said[:3]:
        found = opened.engine.scores(text, np.zeros(64, np.float32), opened.languages, np.arange(len(said)))
        assert np.array_equal(found[1], lexical.scores(text, opened.languages))


def _whole_of(document: Document) -> tuple[Span, ...]:
    return sentences(Span(document, 0, len(document.text)))
