"""Reads in two goes: a small model every passage, a larger one the most promising of them again."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rag.encode import ONNX_FILE
from rag.read import KEPT, Reader, Reading, SpanReader
from rag.search import Found
from rag.spans import Span

SECOND_FOLDER = Path(__file__).parent / "models" / "second_reader"
# Passages that are read again at most, and how far behind the best one they may be: nearly always two, which two cores
# read at once. What the first reader makes of a sentence is told from its rivals better with the sentence's likeness to
# the question, at so many units of the score: of development questions, what is read again then has the right sentence
# more often (see training/README.md, row 76).
READ_AGAIN = 2
FARTHEST = 8.0
LIKENESS = 6.0
# What is read again of a passage: whole sentences around the best one, up to so many characters; 240, 360 and the
# whole passage put the right sentence first as often.
AROUND = 300


class Cascade:
    """Takes the words of the second reader where it read, and scores a sentence by the mean of both.

    The two learnt apart and err in different places, so that the mean tells right from wrong better than either.
    """

    def __init__(self, first: Reader, second: Reader) -> None:
        """Take two readers whose scores are on one scale: the logarithm of the odds of an answer against none."""
        self.first = first
        self._second = second

    def read(
        self, question: str, query: NDArray[np.float32], found: Sequence[Found], *, most: int = KEPT
    ) -> list[Reading]:
        """Return what the first reader finds, its most promising passages seen by both; likeliest first."""
        readings = self.first.read(question, query, found, most=most)
        again = most_promising(readings)
        if not again:
            return readings
        every = sum(len(passage.sentences.spans) for passage in again)
        seen = {_place(reading): reading for reading in self._second.read(question, query, again, most=every)}
        both = [_joined(reading, seen.get(_place(reading))) for reading in readings]
        return sorted(both, key=lambda reading: -reading.score)


def most_promising(readings: Sequence[Reading], *, most: int = READ_AGAIN) -> list[Found]:
    """Return what is worth another look of the passages, the sentences around the best of each; best passage first."""
    best: dict[int, Reading] = {}
    for reading in sorted(readings, key=lambda reading: -_promise(reading)):
        best.setdefault(reading.found.row, reading)
    ranked = list(best.values())[:most]
    return [_around(reading) for reading in ranked if _promise(reading) > _promise(ranked[0]) - FARTHEST]


def _promise(reading: Reading) -> float:
    """Return what a reading is chosen by to be looked at again, in units of its score."""
    return reading.score + LIKENESS * reading.likeness


def _around(reading: Reading) -> Found:
    """Return the passage cut to the reading's sentence and as many before and after it as fit, by turns."""
    passage, sentences = reading.found.hit.span, reading.found.sentences.spans
    first = last = sentences.index(reading.sentence)
    before, after = True, True
    while before or after:
        before = first > 0 and sentences[last].end - sentences[first - 1].start <= AROUND
        first -= before
        after = last + 1 < len(sentences) and sentences[last + 1].end - sentences[first].start <= AROUND
        last += after
    start, end = max(passage.start, sentences[first].start), min(passage.end, sentences[last].end)
    return replace(reading.found, hit=replace(reading.found.hit, span=Span(passage.document, start, end)))


def _place(reading: Reading) -> tuple[str, int]:
    return reading.sentence.document.id, reading.sentence.start


def _joined(first: Reading, second: Reading | None) -> Reading:
    if second is None:
        return first
    return replace(first, answer=second.answer, score=(first.score + second.score) / 2)


def with_second_look(first: Reader) -> Reader:
    """Return the reader with the larger model behind it, where that is installed and the first gives exact words."""
    if isinstance(first, SpanReader) and (SECOND_FOLDER / ONNX_FILE).is_file():
        return Cascade(first, SpanReader(SECOND_FOLDER))
    return first


def first_look(reader: Reader) -> Reader:
    """Return the reader that takes one look only, for passages that are many or matter less."""
    return reader.first if isinstance(reader, Cascade) else reader
