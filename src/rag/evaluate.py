"""Asks the gold questions and scores the answers, by question language and by document language."""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, Protocol, get_args

from rag.decide import MOST_CITATIONS
from rag.errors import GoldError
from rag.gold import GoldQuestion
from rag.metrics import (
    exact_match,
    expected_calibration_error,
    f1,
    percentile,
    recall_at_k,
    reciprocal_rank,
    reliability,
    risk_coverage,
)
from rag.spans import LEVELS, Answer, Citation, Document, Level

MOST_WORDS = 25
"""An answer of more words than this is not the right words, whatever it contains."""
FOREIGN = 60
"""At least so many full questions, where there are, are also asked at the end of a chat about something else."""

Cause = Literal["answered", "retrieval", "ranking", "words", "refusal"]
CAUSES: Mapping[Cause, str] = {
    "answered": "the documents do not answer it, and it was answered",
    "retrieval": "no passage that was read holds an accepted wording",
    "ranking": "a passage that was read holds one, and another sentence was chosen",
    "words": "the right sentence, and other words of it or too many",
    "refusal": "a passage that was read holds one, and the question was refused",
}


class Asks(Protocol):
    """What is evaluated: something with documents that answers questions about them."""

    @property
    def documents(self) -> Sequence[Document]:
        """Return the documents that are asked about."""
        ...

    def ask(self, question: str, history: Sequence[tuple[str, str]] = ()) -> Answer:
        """Answer the question, given the earlier (question, answer text) turns."""
        ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one gold question.

    `right_sentence`: the first citation lies in a source and its sentence contains an accepted wording. `right_words`:
    the answer itself contains one, lies in a source, and has at most `MOST_WORDS` words. The three counts are of
    citations: all, those in a source whose sentence contains an accepted wording, and those that are letter for letter
    in the documents. `retrieved`: one of the passages that were read holds an accepted wording.
    """

    gold: GoldQuestion
    answer: Answer
    right_sentence: bool
    right_words: bool
    exact_match: float
    f1: float
    recall_at_5: float
    reciprocal_rank: float
    citations: int
    supported: int
    verbatim: int
    latency_ms: float
    retrieved: bool = False

    @property
    def right(self) -> bool:
        """Tell whether the sentence is right or, for a question without an answer, nothing was answered."""
        return self.right_sentence if self.gold.answerable else not self.answer.found

    @property
    def cause(self) -> Cause | None:
        """Return which stage missed the answer; None where the words are right, or nothing was to be answered."""
        if not self.gold.answerable:
            return "answered" if self.answer.found else None
        if self.right_words:
            return None
        if not self.retrieved:
            return "retrieval"
        if not self.answer.found:
            return "refusal"
        return "words" if self.right_sentence else "ranking"

    def to_dict(self) -> dict[str, Any]:
        """Return the outcome as JSON values."""
        first = self.answer.citations[0] if self.answer.found else None
        return {
            "id": self.gold.id,
            "lang": self.gold.language,
            "kind": self.gold.kind,
            "question": self.gold.question,
            "answerable": self.gold.answerable,
            "found": self.answer.found,
            "answer": self.answer.text,
            "sentence": first.sentence.text if first else "",
            "document": first.answer.document.id if first else None,
            "reason": self.answer.reason,
            "confidence": round(self.answer.confidence, 4),
            "level": self.answer.level,
            "accepted": list(self.gold.answers),
            "cause": self.cause,
            "right": self.right,
            "right_sentence": self.right_sentence,
            "right_words": self.right_words,
            "exact_match": self.exact_match,
            "f1": round(self.f1, 4),
            "recall_at_5": self.recall_at_5,
            "reciprocal_rank": round(self.reciprocal_rank, 4),
            "citations": self.citations,
            "supported": self.supported,
            "verbatim": self.verbatim,
            "latency_ms": round(self.latency_ms, 2),
        }


@dataclass(frozen=True, slots=True)
class Scores:
    """The averages over some questions; None where the gold has no question that could score.

    `right_sentence` to `citation_precision` are over the answerable questions, of which a refused one scores 0.
    `citation_precision` and `verbatim` are shares of citations, 0 when there are none; `citation_recall` is the share
    of the sources that are cited with an accepted wording, of at most `MOST_CITATIONS` a question. The two shares of
    refusals are of the unanswerable and of the answerable questions. `ece` is over the questions that were answered.
    """

    questions: int
    answerable: int
    right_sentence: float | None
    right_words: float | None
    exact_match: float | None
    f1: float | None
    recall_at_5: float | None
    mrr: float | None
    citation_precision: float | None
    citation_recall: float | None
    verbatim: float | None
    unanswerable_refused: float | None
    answerable_refused: float | None
    ece: float | None
    latency_p50_ms: float | None
    latency_p95_ms: float | None

    def to_dict(self) -> dict[str, float | None]:
        """Return the scores as JSON values."""
        return {name: None if value is None else round(value, 4) for name, value in asdict(self).items()}


@dataclass(frozen=True, slots=True)
class LevelScores:
    """How the answers of one level of confidence turned out, None where there were none.

    Shares of the answers of that level; an answer to a question that the documents do not answer is wrong.
    """

    level: Level
    answers: int
    confidence: float | None
    right_sentence: float | None
    right_words: float | None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The outcomes of all questions and of all chats, and their scores from every side.

    `document_languages` maps each document's id to its language. `foreign_outcomes` are those of some of the questions
    asked again at the end of a chat about something else.
    """

    outcomes: tuple[Outcome, ...]
    follow_up_outcomes: tuple[Outcome, ...]
    document_languages: Mapping[str, str]
    foreign_outcomes: tuple[Outcome, ...] = ()

    @property
    def overall(self) -> Scores:
        """Return the scores of all questions, chats left out."""
        return _scores(self.outcomes)

    @property
    def by_language(self) -> dict[str, Scores]:
        """Return the scores for each language that questions are in."""
        languages = sorted({outcome.gold.language for outcome in self.outcomes})
        return {
            language: _scores([outcome for outcome in self.outcomes if outcome.gold.language == language])
            for language in languages
        }

    @property
    def by_languages(self) -> dict[tuple[str, str], Scores]:
        """Return the scores for each (question language, document language) of the answerable questions.

        A question whose sources are in several languages counts in each.
        """
        cells: dict[tuple[str, str], list[Outcome]] = {}
        for outcome in self.outcomes:
            if outcome.gold.answerable:
                for language in {self.document_languages[source] for source in outcome.gold.sources}:
                    cells.setdefault((outcome.gold.language, language), []).append(outcome)
        return {pair: _scores(cells[pair]) for pair in sorted(cells)}

    @property
    def follow_ups(self) -> Scores:
        """Return the scores of the last turns of the chats."""
        return _scores(self.follow_up_outcomes)

    @property
    def foreign_history(self) -> Scores:
        """Return the scores of full questions asked at the end of a chat about something else."""
        return _scores(self.foreign_outcomes)

    @property
    def harmed(self) -> tuple[Outcome, ...]:
        """Return the outcomes with a foreign history that are wrong though the question alone came out right."""
        right = {outcome.gold.id for outcome in self.outcomes if outcome.right}
        return tuple(outcome for outcome in self.foreign_outcomes if outcome.gold.id in right and not outcome.right)

    @property
    def answered(self) -> tuple[Outcome, ...]:
        """Return the outcomes of the questions that were answered."""
        return tuple(outcome for outcome in self.outcomes if outcome.answer.found)

    @property
    def levels(self) -> tuple[LevelScores, ...]:
        """Return how the answers of each level turned out, the surest level first."""
        found = {level: [o for o in self.answered if o.answer.level == level] for level in LEVELS}
        return tuple(
            LevelScores(
                level,
                len(outcomes),
                _mean([outcome.answer.confidence for outcome in outcomes]),
                _mean([outcome.right_sentence for outcome in outcomes]),
                _mean([outcome.right_words for outcome in outcomes]),
            )
            for level, outcomes in found.items()
        )

    @property
    def causes(self) -> dict[Cause, int]:
        """Return how many questions missed each way, chats left out."""
        counts = Counter(outcome.cause for outcome in self.outcomes)
        return {cause: counts[cause] for cause in get_args(Cause)}

    @property
    def reliability(self) -> tuple[tuple[float, float, int], ...]:
        """Return (mean confidence, share of right sentences, answers) of each tenth of confidence that has answers."""
        answered = self.answered
        return reliability([o.answer.confidence for o in answered], [o.right_sentence for o in answered])

    @property
    def risk_coverage(self) -> tuple[tuple[float, float], ...]:
        """Return the (coverage, risk) points of answering only above a confidence."""
        answered = self.answered
        return risk_coverage([o.answer.confidence for o in answered], [o.right_sentence for o in answered])

    def worst(self, n: int) -> tuple[Outcome, ...]:
        """Return at most n misses: wrong answers by falling confidence, then wrong refusals, then wrong words."""
        misses = [outcome for outcome in (*self.outcomes, *self.follow_up_outcomes) if outcome.cause]
        misses.sort(key=lambda o: (o.cause == "words", not o.answer.found, -o.answer.confidence, o.gold.id))
        return tuple(misses[:n])

    def to_dict(self) -> dict[str, Any]:
        """Return all scores and outcomes as JSON values."""
        return {
            "overall": self.overall.to_dict(),
            "languages": {language: scores.to_dict() for language, scores in self.by_language.items()},
            "pairs": [
                {"question_language": asked, "document_language": written, **scores.to_dict()}
                for (asked, written), scores in self.by_languages.items()
            ],
            "follow_ups": self.follow_ups.to_dict(),
            "foreign_history": {**self.foreign_history.to_dict(), "harmed": [o.gold.id for o in self.harmed]},
            "causes": self.causes,
            "levels": [asdict(scores) for scores in self.levels],
            "reliability": [[round(sure, 4), round(right, 4), n] for sure, right, n in self.reliability],
            "risk_coverage": [[round(coverage, 4), round(risk, 4)] for coverage, risk in self.risk_coverage],
            "worst": [outcome.gold.id for outcome in self.worst(20)],
            "outcomes": [outcome.to_dict() for outcome in self.outcomes],
            "follow_up_outcomes": [outcome.to_dict() for outcome in self.follow_up_outcomes],
        }


def evaluate(
    assistant: Asks,
    questions: Sequence[GoldQuestion],
    *,
    chats: Sequence[GoldQuestion] = (),
    progress: Callable[[str, int, int], None] | None = None,
) -> Evaluation:
    """Ask every question and every chat's last question, one after the other, and score the answers.

    With chats, `FOREIGN` of the questions are asked once more, each at the end of a chat with other answers: history
    must not harm a question that does not need it. `progress` is told a stage, how many of its questions were asked,
    and how many there are. Raises GoldError when a question's source is not among the assistant's documents: such a
    question could never be answered right.
    """
    texts = {document.id: document.text for document in assistant.documents}
    _check_sources((*questions, *chats), texts)

    def outcomes(stage: str, asked: Sequence[GoldQuestion]) -> tuple[Outcome, ...]:
        done = []
        for gold in asked:
            done.append(_outcome(assistant, gold, texts))
            if progress:
                progress(stage, len(done), len(asked))
        return tuple(done)

    return Evaluation(
        outcomes("questions", questions),
        outcomes("follow-ups", chats),
        {document.id: document.language for document in assistant.documents},
        outcomes("foreign histories", _with_foreign_histories(questions, chats)),
    )


def _with_foreign_histories(
    questions: Sequence[GoldQuestion], chats: Sequence[GoldQuestion]
) -> tuple[GoldQuestion, ...]:
    """Return questions evenly from all, each with the history of a chat that was about something else."""
    asked = []
    for i, gold in enumerate(questions[:: max(1, len(questions) // FOREIGN)]):
        order = [*chats[i % len(chats) :], *chats[: i % len(chats)]] if chats else []
        foreign = next((chat for chat in order if not _answers(chat) & set(gold.answers)), None)
        if foreign:
            asked.append(replace(gold, history=foreign.history))
    return tuple(asked)


def _answers(chat: GoldQuestion) -> set[str]:
    return {*chat.answers, *(answer for _, answer in chat.history)}


def _check_sources(questions: Sequence[GoldQuestion], texts: Mapping[str, str]) -> None:
    for gold in questions:
        for source in gold.sources:
            if source not in texts:
                raise GoldError(
                    f'question "{gold.id}" names the source "{source}", which is not in the index: '
                    f"mend the gold file or build the index from its documents"
                )


def _outcome(assistant: Asks, gold: GoldQuestion, texts: Mapping[str, str]) -> Outcome:
    begun = time.perf_counter()
    answer = assistant.ask(gold.question, gold.history)
    latency = time.perf_counter() - begun
    first = answer.citations[0] if answer.found else None
    relevant = [gold.supported_by(hit.span) for hit in answer.passages]
    return Outcome(
        gold=gold,
        answer=answer,
        right_sentence=first is not None and gold.supported_by(first.sentence),
        right_words=first is not None and gold.supported_by(first.answer) and len(answer.text.split()) <= MOST_WORDS,
        exact_match=exact_match(answer.text, gold.answers),
        f1=f1(answer.text, gold.answers),
        recall_at_5=recall_at_k(relevant, 5),
        reciprocal_rank=reciprocal_rank(relevant),
        citations=len(answer.citations),
        supported=sum(gold.supported_by(citation.sentence) for citation in answer.citations),
        verbatim=sum(_is_verbatim(citation, texts) for citation in answer.citations),
        latency_ms=latency * 1000,
        retrieved=any(relevant),
    )


def _is_verbatim(citation: Citation, texts: Mapping[str, str]) -> bool:
    answer = citation.answer
    # A span is a slice of the document it carries; what can still be wrong is that document, so look in the real one.
    text = texts.get(answer.document.id, "")
    return text == answer.document.text and text[answer.start : answer.end] == answer.text


def _scores(outcomes: Sequence[Outcome]) -> Scores:
    answerable = [outcome for outcome in outcomes if outcome.gold.answerable]
    unanswerable = [outcome for outcome in outcomes if not outcome.gold.answerable]
    answered = [outcome for outcome in outcomes if outcome.answer.found]
    confidences = [outcome.answer.confidence for outcome in answered]
    latencies = [outcome.latency_ms for outcome in outcomes]
    return Scores(
        questions=len(outcomes),
        answerable=len(answerable),
        right_sentence=_mean([outcome.right_sentence for outcome in answerable]),
        right_words=_mean([outcome.right_words for outcome in answerable]),
        exact_match=_mean([outcome.exact_match for outcome in answerable]),
        f1=_mean([outcome.f1 for outcome in answerable]),
        recall_at_5=_mean([outcome.recall_at_5 for outcome in answerable]),
        mrr=_mean([outcome.reciprocal_rank for outcome in answerable]),
        citation_precision=_share_of_citations(answerable, [outcome.supported for outcome in answerable]),
        citation_recall=_citation_recall(answerable),
        verbatim=_share_of_citations(outcomes, [outcome.verbatim for outcome in outcomes]),
        unanswerable_refused=_mean([not outcome.answer.found for outcome in unanswerable]),
        answerable_refused=_mean([not outcome.answer.found for outcome in answerable]),
        ece=expected_calibration_error(confidences, [outcome.right_sentence for outcome in answered])
        if outcomes
        else None,
        latency_p50_ms=percentile(latencies, 50) if outcomes else None,
        latency_p95_ms=percentile(latencies, 95) if outcomes else None,
    )


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _citation_recall(outcomes: Sequence[Outcome]) -> float | None:
    wanted = sum(min(len(outcome.gold.sources), MOST_CITATIONS) for outcome in outcomes)
    # A document counts once, however often it is cited.
    found = sum(
        len({one.answer.document.id for one in outcome.answer.citations if outcome.gold.supported_by(one.sentence)})
        for outcome in outcomes
    )
    return found / wanted if wanted else None


def _share_of_citations(outcomes: Sequence[Outcome], counts: Sequence[int]) -> float | None:
    if not outcomes:
        return None
    return sum(counts) / max(sum(outcome.citations for outcome in outcomes), 1)
