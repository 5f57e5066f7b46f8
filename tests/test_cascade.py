from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from rag.cascade import (
    AROUND,
    FARTHEST,
    LIKENESS,
    READ_AGAIN,
    SECOND_FOLDER,
    Cascade,
    first_look,
    with_second_look,
)
from rag.encode import OnnxEncoder
from rag.read import KEPT, Reading, SentenceReader, SpanReader, open_reader
from rag.search import Found
from rag.spans import Document, Span
from tests.conftest import WordHashEncoder
from tests.passage_parts import found, sentences_within

LETTERS = Document("letters.txt", "Letters", "en", "Ana came. Bo left.\n\nCy stayed. Di slept.\n\nEd ran. Flo sat.")
PARTS = ["Ana came. Bo left.", "Cy stayed. Di slept.", "Ed ran. Flo sat."]
NOTHING = np.zeros(0, np.float32)


class Scoring:
    """A reader that gives sentences the scores it is told, answers with their first or last word, and notes it all."""

    def __init__(
        self, scores: Mapping[str, float], *, last: bool = False, likenesses: Mapping[str, float] | None = None
    ) -> None:
        self.scores, self.last, self.likenesses = scores, last, likenesses or {}
        self.asked = list[list[str]]()

    def read(
        self, question: str, query: NDArray[np.float32], found: Sequence[Found], *, most: int = KEPT
    ) -> list[Reading]:
        self.asked.append([passage.hit.span.text for passage in found])
        readings = []
        for passage in found:
            for sentence, vector in zip(passage.sentences.spans, passage.sentences.vectors, strict=True):
                if sentence.text not in self.scores:
                    continue
                start = sentence.start + sentence.text.index(" ") + 1 if self.last else sentence.start
                end = sentence.end - 1 if self.last else sentence.start + sentence.text.index(" ")
                score, likeness = self.scores[sentence.text], self.likenesses.get(sentence.text, 0.5)
                answer = Span(sentence.document, start, end)
                readings.append(Reading(answer, sentence, score, likeness, vector, passage))
        return sorted(readings, key=lambda reading: -reading.score)[:most]


def passages(word_hash: WordHashEncoder) -> list[Found]:
    starts = [LETTERS.text.index(part) for part in PARTS]
    spans = [Span(LETTERS, start, start + len(part)) for start, part in zip(starts, PARTS, strict=True)]
    return [found(span, word_hash, row=row) for row, span in enumerate(spans)]


def told(readings: Sequence[Reading]) -> list[tuple[str, float]]:
    return [(reading.answer.text, reading.score) for reading in readings]


def test_the_likeliest_passages_are_read_again_and_both_scores_count(word_hash: WordHashEncoder) -> None:
    first = Scoring({"Ana came.": 4.0, "Bo left.": -2.0, "Cy stayed.": 1.0, "Di slept.": 3.0, "Ed ran.": 1.5})
    second = Scoring({"Ana came.": -6.0, "Bo left.": 0.0, "Cy stayed.": 3.0, "Di slept.": 4.0}, last=True)
    readings = Cascade(first, second).read("Who?", NOTHING, passages(word_hash))
    assert second.asked == [[PARTS[0], PARTS[1]]]
    # The sentence of the passage that was read once keeps its words and score.
    assert told(readings) == [("slept", 3.5), ("stayed", 2.0), ("Ed", 1.5), ("came", -1.0), ("left", -1.0)]


def test_a_passage_far_behind_is_not_read_again(word_hash: WordHashEncoder) -> None:
    first = Scoring({"Ana came.": 4.0, "Cy stayed.": 4.0 - FARTHEST, "Ed ran.": 4.1 - FARTHEST})
    second = Scoring({"Ana came.": 4.0, "Cy stayed.": 8.0, "Ed ran.": 8.0})
    assert READ_AGAIN == 2
    Cascade(first, second).read("Who?", NOTHING, passages(word_hash))
    assert second.asked == [[PARTS[0], PARTS[2]]]
    first.scores = {"Ana came.": 4.0, "Cy stayed.": 4.0 - FARTHEST}
    assert told(Cascade(first, second).read("Who?", NOTHING, passages(word_hash))) == [
        ("Ana", 4.0),
        ("Cy", 4.0 - FARTHEST),
    ]
    assert second.asked[1:] == [[PARTS[0]]]


def test_what_is_more_like_the_question_is_read_again_before_what_scores_a_little_more(
    word_hash: WordHashEncoder,
) -> None:
    second = Scoring({})
    for more in (0.9 / LIKENESS, 1.1 / LIKENESS):
        first = Scoring(
            {"Ana came.": 4.0, "Cy stayed.": 3.0, "Ed ran.": 2.0},
            likenesses={"Cy stayed.": 0.5, "Ed ran.": 0.5 + more},
        )
        Cascade(first, second).read("Who?", NOTHING, passages(word_hash))
    assert second.asked == [[PARTS[0], PARTS[1]], [PARTS[0], PARTS[2]]]


def test_a_sentence_that_the_second_does_not_know_stays_as_it_was(word_hash: WordHashEncoder) -> None:
    first = Scoring({"Ana came.": 2.0, "Bo left.": 1.0})
    readings = Cascade(first, Scoring({"Bo left.": 9.0}, last=True)).read("Who?", NOTHING, passages(word_hash))
    assert told(readings) == [("left", 5.0), ("Ana", 2.0)]


def test_every_sentence_of_a_passage_read_again_is_seen_however_few_are_wanted(word_hash: WordHashEncoder) -> None:
    first = Scoring({"Ana came.": 3.0, "Bo left.": 2.0, "Cy stayed.": -4.0})
    second = Scoring({"Ana came.": 1.0, "Bo left.": -9.0})
    readings = Cascade(first, second).read("Who?", NOTHING, passages(word_hash), most=2)
    assert told(readings) == [("Ana", 2.0), ("Bo", -3.5)]


def test_nothing_found_is_nothing_read_again() -> None:
    second = Scoring({})
    assert Cascade(Scoring({}), second).read("Who?", NOTHING, []) == []
    assert second.asked == []


def test_whole_sentences_have_no_second_look() -> None:
    sentences = SentenceReader()
    assert with_second_look(sentences) is sentences
    assert first_look(sentences) is sentences


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Who keeps the lighthouse?", "Marta Oliva"),
        ("¿Quién cuida el faro?", "Marta Oliva"),
        ("Chi custodisce il faro?", "Marta Oliva"),
        ("Qui garde le phare ?", "Marta Oliva"),
        ("When was the lighthouse built?", "1874"),
    ],
)
def test_the_bundled_models_read_in_two_goes(question: str, answer: str) -> None:
    text = "The lighthouse was built in 1874. Since May it is kept by Marta Oliva, who also paints boats."
    lighthouse = Document("lighthouse.txt", "The lighthouse", "en", text)
    encoder, reader = OnnxEncoder(), with_second_look(open_reader())
    whole = Span(lighthouse, 0, len(text))
    query = encoder.encode_questions([question])[0]
    best, *_ = reader.read(question, query, [found(whole, encoder)])
    assert best.answer.text == answer
    assert best.sentence in sentences_within(whole)
    alone = {r.sentence.start: r.score for r in first_look(reader).read(question, query, [found(whole, encoder)])}
    again = {
        r.sentence.start: r.score for r in SpanReader(SECOND_FOLDER).read(question, query, [found(whole, encoder)])
    }
    assert best.score == pytest.approx((alone[best.sentence.start] + again[best.sentence.start]) / 2)


def test_only_the_sentences_around_the_likeliest_are_read_again(word_hash: WordHashEncoder) -> None:
    sentences = [f"Person{number} said {'so ' * 25}again." for number in range(7)]
    diary = Document("diary.txt", "Diary", "en", " ".join(sentences))
    (passage,) = [found(Span(diary, 0, len(diary.text)), word_hash)]
    first = Scoring(dict(zip(sentences, [0.0, 1.0, 2.0, 9.0, 2.0, 1.0, 0.0], strict=True)))
    second = Scoring(dict.fromkeys(sentences, 4.0))
    Cascade(first, second).read("Who?", NOTHING, [passage])
    assert second.asked == [[" ".join(sentences[2:5])]]
    assert len(" ".join(sentences[2:5])) <= AROUND < len(" ".join(sentences[1:5]))
    # At an edge there is more room on the other side.
    first.scores = dict.fromkeys(sentences, 0.0) | {sentences[0]: 5.0}
    Cascade(first, second).read("Who?", NOTHING, [passage])
    assert second.asked[1:] == [[" ".join(sentences[:3])]]


def test_a_passage_is_not_widened_to_be_read_again(word_hash: WordHashEncoder) -> None:
    cut = Span(LETTERS, LETTERS.text.index("came"), LETTERS.text.index("left"))
    first = Scoring({"Ana came.": 2.0, "Bo left.": 1.0})
    second = Scoring({})
    Cascade(first, second).read("Who?", NOTHING, [found(cut, word_hash)])
    assert second.asked == [["came. Bo "]]
