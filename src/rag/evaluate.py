"""Asks the gold questions and scores the answers, by question language and by document language."""

import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from rag.errors import GoldError
from rag.metrics import (
    contains,
    exact_match,
    expected_calibration_error,
    f1,
    percentile,
    recall_at_k,
    reciprocal_rank,
    risk_coverage,
)
from rag.spans import Answer, Citation, Document, Span

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

MOST_WORDS = 25
"""An answer of more words than this is not the right words, whatever it contains."""

_LOWER_IS_BETTER = {"answerable_refused", "ece"}
_NEVER_EXPECTED = {"questions", "answerable", "latency_p50_ms", "latency_p95_ms"}
_EXPECTED = ("value", "tolerance")
_TOLERANCE = 0.02
_PAIR_COLUMNS = {
    "answerable": "n",
    "right_sentence": "sent.",
    "right_words": "words",
    "exact_match": "EM",
    "f1": "F1",
    "recall_at_5": "R@5",
    "mrr": "MRR",
    "citation_precision": "cited",
}


class Asks(Protocol):
    """What is evaluated: something with documents that answers questions about them."""

    @property
    def documents(self) -> tuple[Document, ...]:
        """Return the documents that are asked about."""
        ...

    def ask(self, question: str, history: Sequence[tuple[str, str]] = ()) -> Answer:
        """Answer the question, given the earlier (question, answer text) turns."""
        ...


@dataclass(frozen=True, slots=True)
class GoldQuestion:
    """A question with the wordings that count as right and the ids of the documents that hold one.

    No `answers` means that the documents do not answer it. `history` holds the earlier turns of a chat.
    """

    id: str
    language: str
    question: str
    answers: tuple[str, ...]
    sources: tuple[str, ...]
    kind: str = ""
    history: tuple[tuple[str, str], ...] = ()

    @property
    def answerable(self) -> bool:
        """Tell whether the documents answer the question."""
        return bool(self.answers)

    def supported_by(self, span: Span) -> bool:
        """Tell whether the span lies in a source document and contains an accepted wording."""
        return span.document.id in self.sources and any(contains(span.text, wording) for wording in self.answers)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one gold question.

    `right_sentence`: the first citation lies in a source and its sentence contains an accepted wording. `right_words`:
    the answer itself contains one, lies in a source, and has at most `MOST_WORDS` words. The three counts are of
    citations: all, those in a source whose sentence contains an accepted wording, and those that are letter for letter
    in the documents.
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

    @property
    def right(self) -> bool:
        """Tell whether the sentence is right or, for a question without an answer, nothing was answered."""
        return self.right_sentence if self.gold.answerable else not self.answer.found

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
    `citation_precision` and `verbatim` are shares of citations, 0 when there are none. The two shares of refusals are
    of the unanswerable and of the answerable questions. `ece` is over the questions that were answered.
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
class Evaluation:
    """The outcomes of all questions and of all chats, and their scores from every side.

    `document_languages` maps each document's id to its language.
    """

    outcomes: tuple[Outcome, ...]
    follow_up_outcomes: tuple[Outcome, ...]
    document_languages: Mapping[str, str]

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

    def worst(self, n: int) -> tuple[Outcome, ...]:
        """Return at most n outcomes that are not right: wrong answers by falling confidence, then wrong refusals."""
        misses = [outcome for outcome in (*self.outcomes, *self.follow_up_outcomes) if not outcome.right]
        misses.sort(key=lambda miss: (not miss.answer.found, -miss.answer.confidence, miss.gold.id))
        return tuple(misses[:n])

    def to_dict(self) -> dict[str, Any]:
        """Return all scores and outcomes as JSON values."""
        answered = [outcome for outcome in self.outcomes if outcome.answer.found]
        points = risk_coverage(
            [outcome.answer.confidence for outcome in answered], [outcome.right for outcome in answered]
        )
        return {
            "overall": self.overall.to_dict(),
            "languages": {language: scores.to_dict() for language, scores in self.by_language.items()},
            "pairs": [
                {"question_language": asked, "document_language": written, **scores.to_dict()}
                for (asked, written), scores in self.by_languages.items()
            ],
            "follow_ups": self.follow_ups.to_dict(),
            "risk_coverage": [[round(coverage, 4), round(risk, 4)] for coverage, risk in points],
            "outcomes": [outcome.to_dict() for outcome in self.outcomes],
            "follow_up_outcomes": [outcome.to_dict() for outcome in self.follow_up_outcomes],
        }


def read_gold(path: Path) -> tuple[GoldQuestion, ...]:
    """Read a file of gold questions, one JSON object a line; blank lines are skipped.

    Raises GoldError, with the file and the line, when it cannot be read as that.
    """
    return _distinct([(row, _gold_question(row)) for row in _rows(path)])


def read_chats(path: Path) -> tuple[GoldQuestion, ...]:
    """Read a file of chats, one JSON object a line, as their last questions with the earlier turns as history.

    The answer of an earlier turn is its first accepted wording, or empty when the documents do not answer it. Raises
    GoldError, with the file and the line, when it cannot be read as that.
    """
    return _distinct([(row, _chat(row)) for row in _rows(path)])


def evaluate(
    assistant: Asks,
    questions: Sequence[GoldQuestion],
    *,
    chats: Sequence[GoldQuestion] = (),
    progress: Callable[[str, int, int], None] | None = None,
) -> Evaluation:
    """Ask every question and every chat's last question, one after the other, and score the answers.

    `progress` is told a stage, how many of its questions were asked, and how many there are. Raises GoldError when a
    question's source is not among the assistant's documents: such a question could never be answered right.
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
    )


def compare(evaluation: Evaluation, expected: Mapping[str, Mapping[str, Mapping[str, float]]]) -> list[str]:
    """Return a complaint for each expected score that the evaluation misses by more than its tolerance, up or down.

    An unexplained rise is a complaint too: something changed that nobody meant to change. Names are those of `Scores`,
    alone for all questions, after a language and a dot for the questions in it, and after "follow_ups." for the chats.
    """
    measured = {name: value for name, (value, _) in _named(evaluation).items()}
    complaints = []
    for name, wanted in expected["scores"].items():
        value, tolerance = wanted["value"], wanted["tolerance"]
        if name not in measured:
            complaints.append(f"{name} is expected to be {value:.4f} and was not measured")
        elif abs(measured[name] - value) > tolerance + 1e-9:
            complaints.append(_difference(name, measured[name], value, tolerance))
    return complaints


def read_expected(path: Path) -> dict[str, dict[str, dict[str, float]]]:
    """Read the expected scores and their tolerances; raises GoldError when the file does not hold them."""
    try:
        scores = json.loads(path.read_text(encoding="utf-8"))["scores"]
        return {"scores": {name: {key: _finite(score[key]) for key in _EXPECTED} for name, score in scores.items()}}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise GoldError(
            f"{path} does not hold expected scores: delete it and write it anew with `rag evaluate --write`"
        ) from error


def write_expected(evaluation: Evaluation, path: Path) -> None:
    """Write the scores as the expected ones; tolerances already in the file stay.

    A new score tolerates 0.02 or one question, whichever is more; verbatim tolerates nothing. Latency is never written.
    Raises GoldError when the file cannot be written, or holds something else than expected scores.
    """
    kept = read_expected(path)["scores"] if path.exists() else {}
    scores = {}
    for name, (value, questions) in _named(evaluation).items():
        overall = "." not in name
        if overall or name.endswith(".right_sentence") or name in kept:
            tolerance = kept[name]["tolerance"] if name in kept else _tolerance(name, questions)
            scores[name] = {"value": round(value, 4), "tolerance": tolerance}
    try:
        path.write_text(json.dumps({"scores": scores}, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise GoldError(
            f"{path} cannot be written ({error.strerror}): make the folder writable or copy the gold file elsewhere"
        ) from error


def render(evaluation: Evaluation, console: "Console") -> None:
    """Print the scores as two tables: by question language, and by question language and document language."""
    columns = {"all": evaluation.overall, **evaluation.by_language}
    if evaluation.follow_up_outcomes:
        columns["follow-ups"] = evaluation.follow_ups
    console.print(_table_of_scores(columns))
    console.print(_table_of_pairs(evaluation.by_languages))


@dataclass(frozen=True, slots=True)
class _Row:
    """A line of a JSON Lines file, which knows where it is when something is wrong with it."""

    path: Path
    number: int
    values: Mapping[str, Any]

    def mistake(self, what: str) -> GoldError:
        return GoldError(f"{self.path}, line {self.number}: {what}")

    def text(self, name: str) -> str:
        value = self.values.get(name)
        if not isinstance(value, str) or not value.strip():
            raise self.mistake(f'"{name}" must be a text that is not blank')
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        value = self.values.get(name, [])
        if not isinstance(value, list) or not all(isinstance(text, str) and text.strip() for text in value):
            raise self.mistake(f'"{name}" must be a list of texts that are not blank')
        return tuple(value)

    def turns(self) -> "list[_Row]":
        value = self.values.get("turns")
        if not isinstance(value, list) or len(value) < 2 or not all(isinstance(turn, dict) for turn in value):
            raise self.mistake('"turns" must be a list of at least two objects, a question and its follow-up')
        return [_Row(self.path, self.number, turn) for turn in value]


def _rows(path: Path) -> list[_Row]:
    try:
        lines = path.read_bytes().decode("utf-8-sig").split("\n")
    except OSError as error:
        raise GoldError(f"{path} cannot be read ({error.strerror}): give the path of a JSON Lines file") from error
    except UnicodeDecodeError as error:
        raise GoldError(f"{path} is not UTF-8 at byte {error.start}: save it as UTF-8") from error
    rows = [_row(path, number, line) for number, line in enumerate(lines, start=1) if line.strip()]
    if not rows:
        raise GoldError(f"{path} is empty: write one JSON object a line")
    return rows


def _row(path: Path, number: int, line: str) -> _Row:
    try:
        values = json.loads(line)
    except ValueError as error:
        raise GoldError(f"{path}, line {number} is not JSON ({error}): write one JSON object a line") from error
    if not isinstance(values, dict):
        raise GoldError(f"{path}, line {number} is not a JSON object: write one JSON object a line")
    return _Row(path, number, values)


def _answers_and_sources(row: _Row) -> tuple[tuple[str, ...], tuple[str, ...]]:
    answers, sources = row.texts("answers"), row.texts("sources")
    if unmatchable := [wording for wording in answers if not contains(wording, wording)]:
        raise row.mistake(f'the accepted wording "{unmatchable[0]}" has no letter or digit: mend or remove it')
    if answers and not sources:
        raise row.mistake('a question with "answers" must name the documents that give them in "sources"')
    return answers, sources


def _gold_question(row: _Row) -> GoldQuestion:
    answers, sources = _answers_and_sources(row)
    kind = row.text("kind") if "kind" in row.values else ""
    return GoldQuestion(row.text("id"), row.text("lang"), row.text("question"), answers, sources, kind)


def _chat(row: _Row) -> GoldQuestion:
    *earlier, last = row.turns()
    history = tuple((turn.text("question"), next(iter(turn.texts("answers")), "")) for turn in earlier)
    answers, sources = _answers_and_sources(last)
    return GoldQuestion(row.text("id"), row.text("lang"), last.text("question"), answers, sources, "follow-up", history)


def _distinct(read: Sequence[tuple[_Row, GoldQuestion]]) -> tuple[GoldQuestion, ...]:
    lines: dict[str, int] = {}
    for row, gold in read:
        if gold.id in lines:
            raise row.mistake(f'the id "{gold.id}" is also that of line {lines[gold.id]}: make it unique')
        lines[gold.id] = row.number
    return tuple(gold for _, gold in read)


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


def _share_of_citations(outcomes: Sequence[Outcome], counts: Sequence[int]) -> float | None:
    if not outcomes:
        return None
    return sum(counts) / max(sum(outcome.citations for outcome in outcomes), 1)


def _named(evaluation: Evaluation) -> dict[str, tuple[float, int]]:
    sides = {
        "": evaluation.overall,
        **{f"{language}.": scores for language, scores in evaluation.by_language.items()},
        "follow_ups.": evaluation.follow_ups,
    }
    return {
        f"{side}{name}": (value, _questions_behind(name, scores))
        for side, scores in sides.items()
        for name, value in asdict(scores).items()
        if name not in _NEVER_EXPECTED and value is not None
    }


def _questions_behind(name: str, scores: Scores) -> int:
    if name == "unanswerable_refused":
        return scores.questions - scores.answerable
    return scores.questions if name in ("verbatim", "ece") else scores.answerable


def _difference(name: str, measured: float, value: float, tolerance: float) -> str:
    rise = measured > value
    better = rise != (name.rpartition(".")[2] in _LOWER_IS_BETTER)
    what = f"an unexplained {'rise' if rise else 'improvement'}" if better else "worse"
    return (
        f"{name} {'rose' if rise else 'fell'} from {value:.4f} to {measured:.4f}, {what}, "
        f"beyond its tolerance of {tolerance:.4f}"
    )


def _tolerance(name: str, questions: int) -> float:
    # Rounded up, so that the rounding of the value to four digits cannot make one question too many.
    return 0.0 if name == "verbatim" else max(_TOLERANCE, math.ceil(1000 / questions) / 1000)


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError(f"{value} is not a score")
    return float(value)


def _table_of_scores(columns: Mapping[str, Scores]) -> "Table":
    from rich.table import Table

    table = Table("score", *columns, title="by question language")
    for column in table.columns[1:]:
        column.justify = "right"
    for field in fields(Scores):
        table.add_row(field.name, *(_cell(field.name, getattr(scores, field.name)) for scores in columns.values()))
    return table


def _table_of_pairs(pairs: Mapping[tuple[str, str], Scores]) -> "Table":
    from rich.table import Table

    table = Table("asked", "source", *_PAIR_COLUMNS.values(), title="by question language and document language")
    for column in table.columns[2:]:
        column.justify = "right"
    asked_above = ""
    for (asked, written), scores in pairs.items():
        if asked_above not in ("", asked):
            table.add_section()
        cells = [_cell(name, getattr(scores, name)) for name in _PAIR_COLUMNS]
        table.add_row("" if asked == asked_above else asked, written, *cells)
        asked_above = asked
    return table


def _cell(name: str, value: float | None) -> str:
    if value is None:
        return "-"
    if name in ("questions", "answerable"):
        return str(value)
    return f"{value:.1f}" if name.endswith("_ms") else f"{value:.3f}"
