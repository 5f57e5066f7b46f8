import threading
from typing import TYPE_CHECKING

import numpy as np

from rag.read import REMEMBERED, AnswerVectors, SentenceReader, open_reader
from rag.spans import Document, Span
from tests.passage_parts import found

if TYPE_CHECKING:
    from tests.conftest import WordHashEncoder

TEXT = "The harbour opened in June. Maria runs it. Boats land for free. A crane will come."
HARBOUR = Document("harbour.txt", "Harbour", "en", TEXT)
MILL = Document("mill.txt", "Mill", "fr", "Le moulin moud. Maria runs it.")


def span(document: Document, text: str) -> Span:
    start = document.text.index(text)
    return Span(document, start, start + len(text))


def numbered(count: int) -> list[Span]:
    """Return that many spans of different texts."""
    words = [f"word{number}" for number in range(count)]
    document = Document("words.txt", "Words", "en", " ".join(words))
    starts = np.cumsum([0, *(len(word) + 1 for word in words[:-1])]).tolist()
    return [Span(document, start, start + len(word)) for start, word in zip(starts, words, strict=True)]


def test_each_sentence_is_read_once_in_its_best_passage(word_hash: "WordHashEncoder") -> None:
    best = found(span(HARBOUR, "Maria runs it. Boats land for free."), word_hash, row=0)
    second = found(span(HARBOUR, "The harbour opened in June. Maria runs it."), word_hash, row=1)
    third = found(span(MILL, MILL.text), word_hash, row=2)
    query = word_hash.encode_questions(["boats land"])[0]
    readings = SentenceReader().read("boats land", query, [best, second, third])
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
    assert open_reader().read("x", query, []) == []


def test_a_passage_that_cuts_a_sentence_is_read_with_the_whole_of_it(word_hash: "WordHashEncoder") -> None:
    cut = Span(HARBOUR, HARBOUR.text.index("runs"), HARBOUR.text.index("land"))
    query = word_hash.encode_questions(["boats"])[0]
    readings = SentenceReader().read("boats", query, [found(cut, word_hash)])
    assert [reading.sentence.text for reading in readings] == ["Maria runs it.", "Boats land for free."]


def test_an_answer_is_embedded_once_wherever_it_stands(word_hash: "WordHashEncoder") -> None:
    vectors = AnswerVectors(word_hash)
    places = [span(HARBOUR, "Maria runs it."), span(HARBOUR, "Boats land for free."), span(MILL, "Maria runs it.")]
    first = vectors.of(places)
    assert word_hash.embedded == 2
    assert np.array_equal(first, word_hash.encode_questions([place.text for place in places]))
    assert np.array_equal(vectors.of(places[::-1]), first[::-1])
    assert word_hash.embedded == 2
    assert vectors.of([]).shape == (0, word_hash.dimensions)


def test_the_answers_of_longest_ago_are_forgotten(word_hash: "WordHashEncoder") -> None:
    one, two, three = numbered(3)
    vectors = AnswerVectors(word_hash, remembered=2)
    for place in (one, two, one, three):  # `one` was used again, so `two` has to go
        vectors.of([place])
    assert word_hash.embedded == 3
    vectors.of([one, three])
    assert word_hash.embedded == 3
    vectors.of([two])
    assert word_hash.embedded == 4


def test_more_answers_than_are_remembered_are_still_compared(word_hash: "WordHashEncoder") -> None:
    places = numbered(REMEMBERED + 5)
    vectors = AnswerVectors(word_hash)
    rows = vectors.of(places)
    assert np.array_equal(rows[[0, -1]], word_hash.encode_questions([places[0].text, places[-1].text]))
    assert word_hash.embedded == REMEMBERED + 5
    vectors.of(places[5:])
    assert word_hash.embedded == REMEMBERED + 5
    vectors.of(places[:5])
    assert word_hash.embedded == REMEMBERED + 10


def test_a_remembered_vector_keeps_nothing_else_in_memory(word_hash: "WordHashEncoder") -> None:
    rows = AnswerVectors(word_hash).of(numbered(2))
    rows[:] = 0
    vectors = AnswerVectors(word_hash)
    kept = vectors.of(numbered(1))
    kept[:] = 0
    assert np.array_equal(vectors.of(numbered(1)), word_hash.encode_questions(["word0"]))


def test_threads_may_share_the_memory(word_hash: "WordHashEncoder") -> None:
    places = numbered(12)
    expected = word_hash.encode_questions([place.text for place in places])
    vectors = AnswerVectors(word_hash, remembered=3)
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
