"""The nouns of the program: an answer is a place in a document, and every text is a slice of one."""

from dataclasses import dataclass
from typing import Any, Literal, get_args

Reason = Literal["nothing_relevant", "no_answer_in_passages", "not_a_question", "too_uncertain"]
REASONS: tuple[Reason, ...] = get_args(Reason)


@dataclass(frozen=True, slots=True)
class Document:
    """One text of the corpus.

    `id` is the path below the corpus folder with forward slashes, `language` an ISO 639-1 code ("und" when unknown),
    `date` an ISO 8601 day. Positions in `text` are Unicode code points.
    """

    id: str
    title: str
    language: str
    text: str
    date: str | None = None
    url: str | None = None

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

    def to_dict(self) -> dict[str, Any]:
        """Return the citation as JSON values."""
        document = self.answer.document
        return {
            "document": document.id,
            "title": document.title,
            "language": document.language,
            "start": self.answer.start,
            "end": self.answer.end,
            "text": self.answer.text,
            "sentence": self.sentence.text,
            "score": round(self.score, 4),
        }


@dataclass(frozen=True, slots=True)
class Answer:
    """What the documents say to a question, or why they do not.

    `citations` come best first, and the first one is the answer; there are none exactly when `reason` says why.
    `confidence` is the probability, 0 to 1, that the first citation answers the question. `passages` are the passages
    that were read, best first. Raises ValueError when citations and reason contradict each other.
    """

    question: str
    language: str
    citations: tuple[Citation, ...]
    confidence: float
    reason: Reason | None
    passages: tuple[Hit, ...] = ()

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

    def to_dict(self) -> dict[str, Any]:
        """Return the answer as JSON values, in the one schema that every interface shares."""
        return {
            "question": self.question,
            "language": self.language,
            "found": self.found,
            "answer": self.text,
            "confidence": round(self.confidence, 4),
            "reason": self.reason,
            "citations": [citation.to_dict() for citation in self.citations],
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
