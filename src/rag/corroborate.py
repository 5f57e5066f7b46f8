"""Looks for further documents that say what an answer says, among passages that were not read to find it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.decide import MOST_CITATIONS, TRUSTED, Case, Decision, Weights, further, weigh
from rag.engine import Selection
from rag.lexical import coverage, question_words, terms
from rag.read import AnswerVectors, Reader, Reading, stated
from rag.search import Collection, Found, score, search
from rag.spans import Citation, Hit

# Passages that are looked at for the answer's words, and how many of those that have them are read.
LOOKED_AT = 24
READ = 3
# Sentences of theirs that are weighed: each costs a vector.
SENTENCES = 3
# Which part of the answer's words a passage must have, a translation counting for less than the word itself.
LEAST_WORDS = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """A question as it was searched for: its wording, language and vector, and the languages to search in."""

    wording: str
    language: str
    query: NDArray[np.float32]
    languages: Sequence[str]


def corroborate(
    asked: Asked,
    decision: Decision,
    case: Case,
    collection: Collection,
    reader: Reader,
    weights: Weights,
    *,
    known: Sequence[Found],
    answers: AnswerVectors,
    selection: Selection | None = None,
) -> tuple[tuple[Citation, ...], tuple[Hit, ...]]:
    """Return citations of documents that `decision` does not cite and that give the same answer, best first.

    And the passages that hold them, whose scores are at most those of the passages read before.

    Passages near the question and its answer are looked through; the likeliest of those that have the answer's words
    are read, and what is read is held to what agreeing takes in `decide`. `known` are the passages read before,
    `selection` those that may be cited. Nothing is returned for an answer that is not trusted itself, and never more
    than `MOST_CITATIONS` with those of the decision.
    """
    if not 0 < len(decision.citations) < MOST_CITATIONS or decision.confidence < TRUSTED:
        return (), ()
    found = _with_the_words(asked, decision, collection, known, selection)
    readings = stated(asked.wording, reader.read(asked.wording, asked.query, found, most=SENTENCES)) if found else []
    if not readings:
        return (), ()
    answered = _first(case, decision)
    wider = weigh(asked.wording, asked.language, [answered, *readings], collection.engine, weights, answers=answers)
    citations = further(wider, answered, decision)
    least = known[-1].hit.score
    hits = [Hit(passage.hit.span, min(passage.hit.score, least)) for passage in found]
    held = [hit for hit in hits if any(hit.span.overlaps(citation.sentence) for citation in citations)]
    return citations, tuple(sorted(held, key=lambda hit: -hit.score))


def _first(case: Case, decision: Decision) -> Reading:
    """Return the reading that the decision quotes first, in part or in a whole list that was asked for."""
    answer = decision.citations[0].answer
    return next(reading for reading in case.readings if answer.overlaps(reading.answer))


def _with_the_words(
    asked: Asked,
    decision: Decision,
    collection: Collection,
    known: Sequence[Found],
    selection: Selection | None,
) -> list[Found]:
    """Return the `READ` likeliest passages of other documents with the answer's words, as the question finds them."""
    answer = decision.citations[0].answer
    cited = {citation.answer.document.id for citation in decision.citations}
    read = {found.row for found in known}
    near = search(
        collection,
        question=f"{asked.wording} {answer.text}",
        query=asked.query,
        languages=asked.languages,
        k=LOOKED_AT,
        selection=selection,
    )
    rows = []
    for found in near:
        document = found.hit.span.document
        if found.row in read or document.id in cited:
            continue
        words = question_words(answer.text, list(dict.fromkeys([answer.document.language, document.language])))
        if coverage(words, terms(found.hit.span.text, document.language), collection.engine.weight) >= LEAST_WORDS:
            rows.append(found)
    chosen = rows[:READ]
    # The answer's words brought them up; what speaks for them is how they fit the question alone.
    scores = score(
        collection,
        [found.row for found in chosen],
        question=asked.wording,
        query=asked.query,
        languages=asked.languages,
    )
    alone = [(found, *scores[found.row]) for found in chosen]
    return [
        Found(Hit(found.hit.span, blended), found.row, likeness, words, None, None, found.sentences)
        for found, blended, likeness, words in alone
    ]
