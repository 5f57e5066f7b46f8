import threading
from typing import TYPE_CHECKING

import numpy as np

from rag.read import REMEMBERED, SentenceReader, SentenceVectors, open_reader, sentences_within
from rag.search import Found
from rag.spans import Document, Hit, Span

if TYPE_CHECKING:
    from tests.conftest import WordHashEncoder

TEXT = "The harbour opened in June. Maria runs it. Boats land for free. A crane will come."
HARBOUR = Document("harbour.txt", "Harbour", "en", TEXT)
MILL = Document("mill.txt", "Mill", "fr", "Le moulin moud. Maria runs it.")


def span(document: Document, text: str) -> Span:
    start = document.text.index(text)
    return Span(document, start, start + len(text))


def found(place: Span, row: int = 0) -> Found:
    return Found(Hit(place, 0.1), row, 0.5, 1.0, row + 1, row + 1)


def numbered(count: int) -> list[Span]:
    """Return that many spans of different texts."""
    words = [f"word{number}" for number in range(count)]
    document = Document("words.txt", "Words", "en", " ".join(words))
    starts = np.cumsum([0, *(len(word) + 1 for word in words[:-1])]).tolist()
    return [Span(document, start, start + len(word)) for start, word in zip(starts, words, strict=True)]


def test_each_sentence_is_read_once_in_its_best_passage(word_hash: "WordHashEncoder") -> None:
    best = found(span(HARBOUR, "Maria runs it. Boats land for free."), 0)
    second = found(span(HARBOUR, "The harbour opened in June. Maria runs it."), 1)
    third = found(span(MILL, MILL.text), 2)
    query = word_hash.encode_questions(["boats land"])[0]
    readings = SentenceReader(word_hash).read("boats land", query, [best, second, third])
    assert [(r.sentence.document.id, r.sentence.text, r.found.row) for r in readings] == [
        ("harbour.txt", "Maria runs it.", 0),
        ("harbour.txt", "Boats land for free.", 0),
        ("harbour.txt", "The harbour opened in June.", 1),
        ("mill.txt", "Le moulin moud.", 2),
        ("mill.txt", "Maria runs it.", 2),
    ]
    for reading in readings:
        assert reading.answer == reading.sentence
        vector = word_hash.encode_passages([reading.sentence.text])[0]
        assert np.array_equal(reading.vector, vector)
        assert reading.score == reading.likeness == float(vector @ query)
    assert max(readings, key=lambda reading: reading.score).sentence.text == "Boats land for free."


def test_nothing_found_is_nothing_read(word_hash: "WordHashEncoder") -> None:
    query = word_hash.encode_questions(["x"])[0]
    assert open_reader(word_hash).read("x", query, []) == []


def test_a_passage_that_cuts_a_sentence_is_read_with_the_whole_of_it() -> None:
    cut = Span(HARBOUR, HARBOUR.text.index("runs"), HARBOUR.text.index("land"))
    assert [sentence.text for sentence in sentences_within(cut)] == ["Maria runs it.", "Boats land for free."]
    assert sentences_within(Span(HARBOUR, 27, 28)) == []  # the space between two sentences


def test_a_sentence_is_embedded_once_wherever_it_stands(word_hash: "WordHashEncoder") -> None:
    vectors = SentenceVectors(word_hash)
    places = [span(HARBOUR, "Maria runs it."), span(HARBOUR, "Boats land for free."), span(MILL, "Maria runs it.")]
    first = vectors.of(places)
    assert word_hash.embedded == 2
    assert np.array_equal(first, word_hash.encode_questions([place.text for place in places]))
    assert np.array_equal(vectors.of(places[::-1]), first[::-1])
    assert word_hash.embedded == 2
    assert vectors.of([]).shape == (0, word_hash.dimensions)


def test_the_sentences_of_longest_ago_are_forgotten(word_hash: "WordHashEncoder") -> None:
    one, two, three = numbered(3)
    vectors = SentenceVectors(word_hash, remembered=2)
    for place in (one, two, one, three):  # `one` was used again, so `two` has to go
        vectors.of([place])
    assert word_hash.embedded == 3
    vectors.of([one, three])
    assert word_hash.embedded == 3
    vectors.of([two])
    assert word_hash.embedded == 4


def test_more_sentences_than_are_remembered_are_still_read(word_hash: "WordHashEncoder") -> None:
    places = numbered(REMEMBERED + 5)
    vectors = SentenceVectors(word_hash)
    rows = vectors.of(places)
    assert np.array_equal(rows[[0, -1]], word_hash.encode_questions([places[0].text, places[-1].text]))
    assert word_hash.embedded == REMEMBERED + 5
    vectors.of(places[5:])
    assert word_hash.embedded == REMEMBERED + 5
    vectors.of(places[:5])
    assert word_hash.embedded == REMEMBERED + 10


def test_a_remembered_vector_keeps_nothing_else_in_memory(word_hash: "WordHashEncoder") -> None:
    rows = SentenceVectors(word_hash).of(numbered(2))
    rows[:] = 0
    vectors = SentenceVectors(word_hash)
    kept = vectors.of(numbered(1))
    kept[:] = 0
    assert np.array_equal(vectors.of(numbered(1)), word_hash.encode_questions(["word0"]))


def test_threads_may_share_the_memory(word_hash: "WordHashEncoder") -> None:
    places = numbered(12)
    expected = word_hash.encode_questions([place.text for place in places])
    vectors = SentenceVectors(word_hash, remembered=3)
    wrong: list[int] = []
    ended: list[int] = []

    def work(seed: int) -> None:
        choose = np.random.default_rng(seed)
        for _ in range(150):
            chosen = choose.integers(0, len(places), 5)
            if not np.array_equal(vectors.of([places[i] for i in chosen]), expected[chosen]):
                wrong.append(seed)
        ended.append(seed)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert sorted(ended) == list(range(8))
