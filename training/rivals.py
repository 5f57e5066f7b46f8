"""Finds, by their words, the passages that look like a question's answer and hold none: hard negatives."""

import random
from collections.abc import Sequence

from rag.lexical import Lexical
from training.data import Question

RIVALS = 6


class Rivals:
    """The passages of each language by their words, to find those that look like an answer and hold none."""

    def __init__(self, questions: Sequence[Question]) -> None:
        self.texts: dict[str, list[str]] = {}
        for question in questions:
            self.texts.setdefault(question.language, []).append(question.passage)
        self.texts = {language: list(dict.fromkeys(texts)) for language, texts in self.texts.items()}
        self.words = {x: Lexical.of(texts, [x] * len(texts)) for x, texts in self.texts.items()}

    def of(self, question: Question, choose: random.Random, *, count: int = 1) -> list[str]:
        """Return up to `count` of the likeliest passages that lack the answer's letters."""
        best, _ = self.words[question.language].search(question.question, [question.language], 4 * RIVALS)
        texts = [self.texts[question.language][i] for i in best.tolist()]
        lacking = [t for t in texts if t != question.passage and lacks(t, question.answer)][:RIVALS]
        return choose.sample(lacking, min(count, len(lacking)))


def lacks(text: str, answer: str) -> bool:
    """Tell whether the answer's letters occur nowhere in the text."""
    return answer.casefold() not in text.casefold()
