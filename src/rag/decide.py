"""Decides between readings: which place answers, who else says so, how sure that is, or why there is no answer."""

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.agreed import agreed_words
from rag.contradict import contradicting
from rag.engine import TermWeights
from rag.expect import (
    Told,
    asks_for_a_year,
    asks_of_another_date,
    asks_to_be_told,
    bare,
    expected,
    holds,
    holds_a_year,
)
from rag.lexical import coverage, question_words, terms, with_beginning
from rag.lists import whole_list
from rag.names import names
from rag.read import AnswerVectors, Reading
from rag.same import Said, different_names, said, same
from rag.several import asks_for_several
from rag.spans import Alternative, Citation, Reason, Span

DECISION_FILE = Path(__file__).parent / "models" / "decision.json"
# What speaks for one reading. `coverage` is the share of the question's terms, by their weight in the collection, that
# the sentence has; another language's sentence is judged by its own column, as it has other words for the same things.
# How well its passage was found is no evidence: development questions were written from one paragraph each, so that it
# tells more there than where all documents are about one thing (see training/README.md).
EVIDENCE = (
    "reader",
    "coverage",
    "coverage_abroad",
    "passage_coverage",
    "names",
    "expected",
    "abroad",
    "brief",
    "likeness",
    "echo",
    "words",
)
# What speaks for the best reading being right, or against it: that a name of the question stands in no document, and
# that it names a month or a year where the reading's passage, its document's beginning and date have others alone.
ASSURANCE = (*EVIDENCE, "score", "lead", "agreement", "unmentioned", "another_date")
# From which likeness two readings give one answer.
SAME = 0.75
# The same for the vectors of short answers in two languages: "House of David" and "La Casa de David" have 0.97, the two
# sides of a translated answer 0.7 or more for 78% of a sample, two answers of one passage for 6%; answers with the same
# figures need less. Two names without a common word need more: two people have up to 0.75, "Londres" and "London", the
# Red Cross and the Croix-Rouge, 0.78 or more.
SAME_WORDS = 0.7
SAME_NAMES = 0.77
SAME_FIGURES = 0.4
# Answers in two languages that are compared by their vectors: the reader's best, as each may cost a new vector.
MOST_COMPARED = 6
# How far the odds of a reading may be below the best's for it to count as agreeing; AS_GOOD, to lead in the question's
# language.
AGREES = 0.2
# How far behind it may be to be cited after a trusted answer: farther off, the same words may say another thing.
CITABLE = 0.05
AS_GOOD = 0.6
MOST_CITATIONS = 5
# What the logarithm of the odds loses where an amount, a date or money is asked for and no reading tells one: 3% of
# right answers to training questions tell none, of other pieces of their passages 65%; of those for money 15%,
# of the other amounts 66% tell none. Held-back questions, among passages of an encyclopaedia, hardly ever meet that.
_UNTOLD = math.log(0.03 / 0.65)
UNTOLD: dict[Told, float] = {"amount": _UNTOLD, "date": _UNTOLD, "money": math.log(0.15 / 0.66)}
# Below this confidence too many answers are wrong for those who say the same more faintly to be worth citing.
TRUSTED = 0.6
# Texts whose terms are remembered, a few kB each.
REMEMBERED = 4096
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Weights:
    """The coefficients of the decision, fitted on development questions; see `training/calibrate.py`.

    `ranking` has a number for each of EVIDENCE, `confidence` for each of ASSURANCE; `threshold` is the least
    confidence that is answered, and below `relevance` not even the passages are near.
    """

    ranking: tuple[float, ...]
    confidence: tuple[float, ...]
    bias: float
    threshold: float
    relevance: float

    @classmethod
    def load(cls, path: Path = DECISION_FILE) -> "Weights":
        """Read the coefficients by name."""
        values: dict[str, Any] = json.loads(path.read_text())
        return cls(
            tuple(values["ranking"][name] for name in EVIDENCE),
            tuple(values["confidence"][name] for name in ASSURANCE),
            values["bias"],
            values["threshold"],
            values["relevance"],
        )


@dataclass(frozen=True, slots=True)
class Decision:
    """The citations, best first, with the probability that the first is right; or the reason for having none.

    `others` are the answers that contradict it.
    """

    citations: tuple[Citation, ...]
    confidence: float
    reason: Reason | None
    others: tuple[Alternative, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """A question, in its language, with its readings, ranked.

    `evidence` is (readings, EVIDENCE), `scores` their weighted sums, `pooled` the same with the evidence of other
    documents that say the same, by which they are ranked; `alike` is (readings, readings), see `likeness`.
    `unmentioned` are the question's names that no document has.
    """

    question: str
    language: str
    readings: tuple[Reading, ...]
    evidence: NDArray[np.float64]
    scores: NDArray[np.float64]
    pooled: NDArray[np.float64]
    alike: NDArray[np.float64]
    unmentioned: tuple[str, ...] = ()

    def assurance(self) -> NDArray[np.float64]:
        """Return the numbers that the confidence of the first reading is made of, (ASSURANCE,)."""
        agreeing = self.agreeing(0)
        rivals = [i for i in range(1, len(self.readings)) if self.alike[0, i] < SAME]
        lead = self.pooled[0] - max((self.pooled[i] for i in rivals), default=self.pooled[0] - 3.0)
        documents = {self.readings[i].sentence.document.id for i in agreeing}
        more = (self.scores[0], min(lead, 3.0), math.log(len(documents)))
        against = (float(bool(self.unmentioned)), float(self._of_another_date()))
        return np.array([*self.evidence[0], *more, *against])

    def untold(self) -> float:
        """Return what the logarithm of the odds loses as the first reading does not tell what is asked, see UNTOLD."""
        told = asks_to_be_told(self.question, self.language)
        return 0.0 if told is None or self.readings[0].tells(told) else UNTOLD[told]

    def _of_another_date(self) -> bool:
        """Tell whether the first reading is about other months or years than the question, as far as both name any."""
        passage, document = self.readings[0].found.hit.span, self.readings[0].answer.document
        text = f"{with_beginning(passage)} {document.date or ''}"
        return asks_of_another_date(self.question, self.language, text, document.language)

    def agreeing(self, first: int) -> list[int]:
        """Return the places in the ranking that say what `first` says, itself among them: alike, and not far behind."""
        close = self.scores >= self.scores[first] + math.log(AGREES)
        return [i for i in range(len(self.readings)) if i == first or (close[i] and self.alike[first, i] >= SAME)]

    def citable(self, first: int) -> list[int]:
        """Return the places in the ranking that may be cited beside `first`, itself among them.

        Those that agree, and those alike that are farther behind, but of which the reader by itself says that they
        answer: whoever asks where else it stands does not mind that the first says it more plainly.
        """
        agreeing = set(self.agreeing(first))
        near = (self.scores >= self.scores[first] + math.log(CITABLE)) & (self.alike[first] >= SAME)
        return [
            i
            for i, reading in enumerate(self.readings)
            if i in agreeing or (near[i] and reading.exact and reading.score > 0)
        ]


def weigh(
    question: str,
    language: str,
    readings: Sequence[Reading],
    lexical: TermWeights,
    weights: Weights,
    *,
    answers: AnswerVectors | None = None,
    unmentioned: tuple[str, ...] = (),
) -> Case:
    """Return the readings ranked by their evidence, best first; equal scores in the order of the documents."""
    evidence = gather(question, language, readings, lexical)
    # What is too far behind to be cited is not worth a vector.
    scores = evidence @ np.array(weights.ranking)
    near = scores >= scores.max() + math.log(CITABLE)
    alike = likeness(readings, answers, among=near.tolist())
    return rank(question, language, readings, evidence, alike, weights.ranking, unmentioned=unmentioned)


def rank(
    question: str,
    language: str,
    readings: Sequence[Reading],
    evidence: NDArray[np.float64],
    alike: NDArray[np.float64],
    ranking: Sequence[float],
    *,
    unmentioned: tuple[str, ...] = (),
) -> Case:
    """Return the case of readings whose evidence and likeness, in their order, are known."""
    scores = evidence @ np.array(ranking)
    pooled = pool([reading.answer.document.id for reading in readings], scores, alike)
    order = sorted(
        range(len(readings)),
        key=lambda i: (-pooled[i], -scores[i], readings[i].answer.document.id, readings[i].answer.start),
    )
    ranked = tuple(readings[i] for i in order)
    known = (evidence[order], scores[order], pooled[order], alike[np.ix_(order, order)])
    return Case(question, language, ranked, *known, unmentioned)


def pool(documents: Sequence[str], scores: NDArray[np.float64], alike: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return each score with what other documents add that say the same.

    Scores are logarithms of odds: the best one of each document counts, and their exponentials are summed.

    >>> pool(["a", "b", "b"], np.array([1.0, 1.0, 0.0]), np.ones((3, 3))).round(2).tolist()
    [1.69, 1.69, 1.31]
    """
    pooled = np.empty_like(scores)
    for i, own in enumerate(documents):
        best = {own: float(scores[i])}
        for j, other in enumerate(documents):
            if other != own and alike[i, j] >= SAME:
                best[other] = max(best.get(other, -math.inf), float(scores[j]))
        # In one order, so that rounding cannot tell equal sums apart.
        pooled[i] = np.logaddexp.reduce(sorted(best.values()))
    return pooled


def likeness(
    readings: Sequence[Reading], answers: AnswerVectors | None = None, *, among: Sequence[bool] | None = None
) -> NDArray[np.float64]:
    """Return how far any two readings give one answer, (readings, readings), 1 where their words do.

    Whole sentences are compared by their vectors. Exact words say the same or they do not: by their numbers, dates and
    words (see `same`) and, where these are in two languages, by the likeness of the words themselves, for which
    `answers` has the vectors, of the best readings only, `among` those told if any are; without it by their sentences'
    likeness.
    """
    vectors = np.stack([reading.vector for reading in readings])
    alike = (vectors @ vectors.T).astype(np.float64)
    exact = [reading.exact for reading in readings]
    known = [said(reading.answer.text, reading.answer.document.language) for reading in readings]
    by_meaning = []
    for i, one in enumerate(readings):
        for j in range(i):
            verdict = same(known[i], known[j])
            if verdict:
                alike[i, j] = 1.0
            elif exact[i] and exact[j]:
                if verdict is None and one.answer.document.language != readings[j].answer.document.language:
                    by_meaning.append((i, j))
                else:
                    alike[i, j] = 0.0
    if by_meaning and answers:
        wanted = [i for i in range(len(readings)) if among is None or among[i]]
        best = sorted(wanted, key=lambda i: -readings[i].score)[:MOST_COMPARED]
        compared = sorted({i for pair in by_meaning if set(pair) <= set(best) for i in pair})
        rows = dict(zip(compared, answers.of([readings[i].answer for i in compared]), strict=True))
        for i, j in by_meaning:
            alike[i, j] = float(i in rows and j in rows and rows[i] @ rows[j] >= _least(known[i], known[j]))
    lower = np.tril(alike)
    return lower + np.tril(lower, -1).T


def _least(one: Said, other: Said) -> float:
    """Return from which likeness of their vectors two answers in two languages are the same."""
    if one.figures:
        return SAME_FIGURES
    return SAME_NAMES if different_names(one, other) else SAME_WORDS


def gather(question: str, language: str, readings: Sequence[Reading], lexical: TermWeights) -> NDArray[np.float64]:
    """Return the evidence for each reading, (readings, EVIDENCE)."""
    asked = _Asked(question, language, lexical)
    kind = expected(question, language)
    rows = []
    for reading in readings:
        own = reading.sentence.document.language
        abroad = own != language
        coverage = asked.coverage(reading.sentence.text, own)
        rows.append(
            (
                reading.score,
                0.0 if abroad else coverage,
                coverage if abroad else 0.0,
                asked.coverage(reading.found.hit.span.text, own),
                asked.names(reading.found.hit.span.text),
                holds(
                    reading.answer.text,
                    kind,
                    language=own,
                    besides=question,
                    opens=reading.answer.start == reading.sentence.start,
                ),
                float(abroad),
                1.0 / len(_WORD.findall(reading.sentence.text) or ["-"]),
                reading.likeness,
                asked.echo(reading.answer.text, own),
                math.log(len(_WORD.findall(reading.answer.text)) or 1),
            )
        )
    return np.array(rows, np.float64).reshape(-1, len(EVIDENCE))


class _Asked:
    """What the question names, to be looked for in passages."""

    def __init__(self, question: str, language: str, lexical: TermWeights) -> None:
        self._question, self._language = question, language
        # A term's weight is looked up on disk, and asked for once a reading.
        self._weight = cache(lexical.weight)
        self._names = [bare(name) for name in names(question)]
        self._words: dict[str, list[dict[str, float]]] = {}

    def coverage(self, text: str, language: str) -> float:
        """Return the weight of the question's words that the text has, translated or not, as a share of all, 0 to 1."""
        return coverage(self._in(language), _terms(text, language), self._weight)

    def echo(self, text: str, language: str) -> float:
        """Return the share of the text's own terms that the question has already, 0 to 1; a translation counts less."""
        present, asked = _terms(text, language), self._in(language)
        return sum(max((word.get(term, 0.0) for word in asked), default=0.0) for term in present) / (len(present) or 1)

    def names(self, text: str) -> float:
        """Return the share of the question's names and numbers that the text has; 1 where it has none."""
        if not self._names:
            return 1.0
        words = set(_WORD.findall(bare(text)))
        return sum(set(_WORD.findall(name)) <= words for name in self._names) / len(self._names)

    def _in(self, language: str) -> list[dict[str, float]]:
        if language not in self._words:
            languages = dict.fromkeys([self._language, language])
            self._words[language] = question_words(self._question, list(languages))
        return self._words[language]


@lru_cache(maxsize=REMEMBERED)
def _terms(text: str, language: str) -> frozenset[str]:
    """Return the terms of a sentence or a passage; the next question meets the same ones."""
    return frozenset(terms(text, language))


def decide(case: Case, weights: Weights, *, threshold: float | None = None) -> Decision:
    """Choose the answer of a ranked case.

    The first citation is in the question's language where one that says the same is as good; it has a year where one
    is asked for and one that says the same has it, and a whole name where it would have had a part. The question also
    tells what kind of answers contradict each other, and whether a whole enumeration is asked for. `threshold` is the
    least confidence that is answered: by default the fitted one, and 0 always answers.
    """
    question, language = case.question, case.language
    least = weights.threshold if threshold is None else threshold
    confidence = _probability(float(case.assurance() @ np.array(weights.confidence)) + weights.bias + case.untold())
    if confidence < least:
        return Decision((), confidence, _reason(case, confidence, least, weights))
    agreeing = case.agreeing(0)
    at_home = [
        i
        for i in agreeing
        if case.readings[i].answer.document.language == language
        and case.scores[i] >= case.scores[0] + math.log(AS_GOOD)
    ]
    citable = case.citable(0) if confidence >= TRUSTED else agreeing
    if asks_for_a_year(question, language):
        dated = [i for i in (*at_home, *citable) if holds_a_year(case.readings[i].answer.text)]
        at_home = dated or at_home
    else:
        leader = case.readings[at_home[0] if at_home else 0].answer
        in_full = [i for i in (*at_home, *citable) if names_in_full(case.readings[i].answer, leader)]
        at_home = in_full or at_home
    chosen = _one_a_document(case, [*at_home[:1], *citable])[:MOST_CITATIONS]
    kind = expected(question, language)
    several = question if asks_for_several(question, language) else ""
    others = contradicting(case.readings, case.scores, case.alike, kind, same=SAME)
    return Decision(
        tuple(_citation(case, i, confidence, several=several) for i in chosen),
        confidence,
        None,
        tuple(Alternative(tuple(_citation(case, i, confidence, several="") for i in group)) for group in others),
    )


def names_in_full(words: Span, part: Span) -> bool:
    """Tell whether words are a name, and nothing else, of which `part` is a part: "Albert Cheng" of "M. Cheng"."""
    whole, known = said(words.text, words.document.language), said(part.text, part.document.language)
    bare_name = all(word[:1].isupper() for word in words.text.split())
    return bare_name and len(known.words) == len(known.names) and known.names < whole.names


def further(case: Case, first: Reading, decision: Decision) -> tuple[Citation, ...]:
    """Return citations of the documents that say what `first` says, best first, but for those of the decision.

    `case` has `first`, which the decision quotes, among its readings; never more than `MOST_CITATIONS` with those of
    the decision.
    """
    at = case.readings.index(first)
    cited = {citation.answer.document.id for citation in decision.citations}
    others = [i for i in case.citable(at) if case.readings[i].answer.document.id not in cited]
    chosen = _one_a_document(case, others)[: MOST_CITATIONS - len(cited)]
    several = case.question if asks_for_several(case.question, case.language) else ""
    return tuple(_citation(case, i, decision.confidence, several=several, first=at) for i in chosen)


def _one_a_document(case: Case, places: Sequence[int]) -> list[int]:
    """Return the first of the places in each document, in their order."""
    best: dict[str, int] = {}
    for i in places:
        best.setdefault(case.readings[i].answer.document.id, i)
    return list(best.values())


def _citation(case: Case, i: int, confidence: float, *, several: str, first: int = 0) -> Citation:
    """Return a citation of a reading; of the whole enumeration where a question, `several`, asks for one."""
    words, sentence = case.readings[i].answer, case.readings[i].sentence
    if several:
        words, sentence = whole_list(words, sentence, besides=several)
    elif case.readings[i].exact and not said(words.text, words.document.language).figures:
        words = agreed_words(words, _others(case, i))
    return Citation(words, sentence, confidence * math.exp(min(0.0, float(case.scores[i] - case.scores[first]))))


def _others(case: Case, i: int) -> list[str]:
    """Return what other documents answer that say what a reading says."""
    exact = [k for k in case.citable(i) if case.readings[k].exact]
    return [case.readings[k].answer.text for k in _one_a_document(case, [i, *exact]) if k != i]


def _reason(case: Case, confidence: float, least: float, weights: Weights) -> Reason:
    nearest = max(reading.found.dense for reading in case.readings)
    if nearest < weights.relevance:
        return "nothing_relevant"
    return "too_uncertain" if confidence > least / 2 else "no_answer_in_passages"


def _probability(logit: float) -> float:
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, logit))))
