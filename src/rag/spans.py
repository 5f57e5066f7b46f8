"""The nouns of the program: an answer is a place in a document, and every text is a slice of one."""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, get_args

Reason = Literal["nothing_relevant", "no_answer_in_passages", "not_a_question", "too_uncertain"]
REASONS: tuple[Reason, ...] = get_args(Reason)
Level = Literal["high", "good", "low", "doubtful"]
# Confidence is a probability, so the levels are cut where what it promises to a reader changes; the least confidence
# of each and what it means, surest first. `rag evaluate` shows how many of each level were right.
LEVELS: Mapping[Level, tuple[float, str]] = {
    "high": (0.9, "at least nine of ten such answers are right"),
    "good": (0.7, "most such answers are right: read the sentence before relying on one"),
    "low": (0.4, "about every other such answer is right: read what stands around it"),
    "doubtful": (0.0, "such answers are more often wrong than right: take it as a place to begin reading"),
}


@dataclass(frozen=True, slots=True)
class Document:
    """One text of the corpus.

    `id` is the path below the corpus folder with forward slashes, `language` an ISO 639-1 code ("und" when unknown),
    `date` an ISO 8601 day. Positions in `text` are Unicode code points. `pages` holds where each page begins, the first
    at 0, and nothing where the format has no pages; `headings` where the lines begin that are headings. Raises
    ValueError when these places are not in order or do not lie in the text.
    """

    id: str
    title: str
    language: str
    text: str
    date: str | None = None
    url: str | None = None
    pages: tuple[int, ...] = ()
    headings: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        for places in (self.pages, self.headings):
            if places and (list(places) != sorted(places) or not 0 <= places[0] <= places[-1] <= len(self.text)):
                raise ValueError(f"the pages or headings of {self.id!r} are not places in its text in order")
        if self.pages and self.pages[0] != 0:
            raise ValueError(f"the first page of {self.id!r} begins at {self.pages[0]} and not at 0")

    def __repr__(self) -> str:
        return f"Document({self.id!r}, {self.language!r}, {len(self.text)} characters)"


@dataclass(frozen=True, slots=True)
class Span:
    """A non-empty piece of a document: the code points from `start` up to, not including, `end`.

    Raises ValueError when the bounds do not lie in the document or enclose nothing.

    >>> Span(Document("a.txt", "A", "en", "Albert Cheng leads it."), 0, 12).text
    'Albert Cheng'
    """

    document: Document
    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end <= len(self.document.text):
            raise ValueError(
                f"span {self.start}:{self.end} does not lie in {self.document.id!r} "
                f"of {len(self.document.text)} characters"
            )

    @property
    def text(self) -> str:
        """Return the document's own characters."""
        return self.document.text[self.start : self.end]

    @property
    def page(self) -> int | None:
        """Return the number of the page on which the span begins, from 1; None where the format has no pages."""
        return bisect_right(self.document.pages, self.start) or None

    @property
    def heading(self) -> str | None:
        """Return the last heading at or before the span; None where there is none."""
        number = bisect_right(self.document.headings, self.start)
        if not number:
            return None
        text, start = self.document.text, self.document.headings[number - 1]
        end = text.find("\n", start)
        return text[start : end if end >= 0 else len(text)].strip("# \t\r") or None

    def contains(self, other: "Span") -> bool:
        """Tell whether `other` lies wholly inside this span of the same document."""
        return self.document.id == other.document.id and self.start <= other.start and other.end <= self.end

    def overlaps(self, other: "Span") -> bool:
        """Tell whether the two spans share a character."""
        return self.document.id == other.document.id and self.start < other.end and other.start < self.end

    def __repr__(self) -> str:
        return f"Span({self.document.id!r}, {self.start}, {self.end}, {self.text[:40]!r})"


@dataclass(frozen=True, slots=True)
class Hit:
    """A span that a stage found, with its score; a higher score is always better."""

    span: Span
    score: float


@dataclass(frozen=True, slots=True)
class Citation:
    """Where it says so: the exact words, and the sentence around them, in one document.

    Raises ValueError when the words do not lie inside the sentence.
    """

    answer: Span
    sentence: Span
    score: float

    def __post_init__(self) -> None:
        if not self.sentence.contains(self.answer):
            raise ValueError(f"the answer {self.answer!r} lies outside its sentence {self.sentence!r}")

    @property
    def page(self) -> int | None:
        """Return the number of the page on which the answer begins, from 1; None where the format has no pages."""
        return self.answer.page

    @property
    def heading(self) -> str | None:
        """Return the heading under which the answer stands; None where there is none."""
        return self.answer.heading

    def to_dict(self) -> dict[str, Any]:
        """Return the citation as JSON values."""
        document = self.answer.document
        return {
            "document": document.id,
            "title": document.title,
            "language": document.language,
            "page": self.page,
            "heading": self.heading,
            "start": self.answer.start,
            "end": self.answer.end,
            "text": self.answer.text,
            "sentence": self.sentence.text,
            "score": round(self.score, 4),
        }


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another answer that documents give to the same question, with the places that give it, best first.

    Raises ValueError when it has no citation.
    """

    citations: tuple[Citation, ...]

    def __post_init__(self) -> None:
        if not self.citations:
            raise ValueError("an alternative has a citation")

    @property
    def text(self) -> str:
        """Return the exact words of the best citation."""
        return self.citations[0].answer.text

    def to_dict(self) -> dict[str, Any]:
        """Return the alternative as JSON values."""
        return {"answer": self.text, "citations": [citation.to_dict() for citation in self.citations]}


class Explains(Protocol):
    """What knows how an answer came about."""

    def explain(self) -> dict[str, Any]:
        """Return the stages as JSON values."""
        ...


@dataclass(frozen=True, slots=True)
class Answer:
    """What the documents say to a question, or why they do not.

    `citations` come best first, and the first one is the answer; there are none exactly when `reason` says why.
    `confidence` is the probability, 0 to 1, that the first citation answers the question. `passages` are the passages
    that were found, best first, and those of further citations. `others` are answers of other documents that
    contradict this one and are nearly as well supported, best first; `unmentioned` the question's names and numbers
    that stand in no document; `trace` is what `explain` reads. Raises ValueError when citations and reason contradict
    each other.
    """

    question: str
    language: str
    citations: tuple[Citation, ...]
    confidence: float
    reason: Reason | None
    passages: tuple[Hit, ...] = ()
    others: tuple[Alternative, ...] = ()
    unmentioned: tuple[str, ...] = ()
    trace: Explains | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        if bool(self.citations) == (self.reason is not None):
            raise ValueError("an answer has citations or a reason for having none, and never both")
        if not 0.0 <= self.confidence <= 1.0:
            raise ValueError(f"confidence {self.confidence} is not a probability")

    @property
    def found(self) -> bool:
        """Tell whether the documents answer the question."""
        return self.reason is None

    @property
    def text(self) -> str:
        """Return the exact words of the best citation; empty when nothing was found."""
        return self.citations[0].answer.text if self.citations else ""

    @property
    def level(self) -> Level | None:
        """Return the name of the confidence's level, one of LEVELS; None when nothing was found."""
        return level_of(round(self.confidence, 4)) if self.found else None

    def explain(self) -> dict[str, Any]:
        """Return, as JSON values, the ranks and scores of each stage for the winning and the best losing readings.

        They are worked out only here. Empty where nothing was searched for.
        """
        return self.trace.explain() if self.trace else {}

    def to_dict(self) -> dict[str, Any]:
        """Return the answer as JSON values, in the one schema that every interface shares."""
        return {
            "question": self.question,
            "language": self.language,
            "found": self.found,
            "answer": self.text,
            "confidence": round(self.confidence, 4),
            "level": self.level,
            "reason": self.reason,
            "citations": [citation.to_dict() for citation in self.citations],
            "others": [other.to_dict() for other in self.others],
            "unmentioned": list(self.unmentioned),
            "passages": [
                {
                    "document": hit.span.document.id,
                    "start": hit.span.start,
                    "end": hit.span.end,
                    "score": round(hit.score, 4),
                }
                for hit in self.passages
            ],
        }


def level_of(confidence: float) -> Level:
    """Return the name of the level that a confidence, 0 to 1, belongs to.

    >>> level_of(0.97), level_of(0.1)
    ('high', 'doubtful')
    """
    return next(name for name, (least, _) in LEVELS.items() if confidence >= least)
