"""Pieces of a training passage: the sentence that holds an answer, and as much around it as an indexed passage has."""

import random
import re

from training.data import Question

PASSAGE_CHARACTERS = (250, 640)
BOUNDARY = re.compile(r"(?<=[.!?…»”\"])\s+(?=\S)")


def sentence_around(question: Question) -> str:
    """Return the sentence of the passage that holds the answer."""
    starts = [0, *(m.end() for m in BOUNDARY.finditer(question.passage)), len(question.passage)]
    first = max(s for s in starts if s <= question.start)
    last = min(s for s in starts if s >= question.start + len(question.answer))
    return question.passage[first:last].strip()


def window_around(question: Question, choose: random.Random) -> str:
    """Return a piece of the passage that holds the answer, as long as an indexed passage is, cut at words."""
    text, start, end = question.passage, question.start, question.start + len(question.answer)
    room = max(0, choose.randint(*PASSAGE_CHARACTERS) - (end - start))
    before = choose.randint(0, room)
    first, last = max(0, start - before), min(len(text), end + room - before)
    first = 0 if first == 0 else text.find(" ", first, start) + 1 or start
    last = last if last == len(text) else max(end, text.rfind(" ", end, last))
    return text[first:last].strip()
