"""Reads passages: from what search found to narrower places that may answer the question."""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rag.encode import ONNX_FILE, Encoder, printable
from rag.errors import EncoderError
from rag.search import Found
from rag.sentences import sentences
from rag.spans import Document, Span

READER_FOLDER = Path(__file__).parent / "models" / "reader"
QUESTION_TOKENS = 40
PASSAGE_TOKENS = 240
ANSWER_TOKENS = 40
LIKELY = 12
SPANS_OF_A_PASSAGE = 3
# How much better a span that crosses a sentence's end must score.
CROSSING = 3.0
_OPENING = " \t\n«“\"'‘([{,;:.-–—"
_CLOSING = " \t\n»”\"'’)]},;:.!?–—"
# As many sentence vectors as are kept between questions: 6 MB at 384 dimensions.
REMEMBERED = 4096


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """A place that may answer: the words, the sentence around them, and what speaks for them.

    `score` is the reader's own, comparable within one question; `likeness` the cosine of question and sentence;
    `vector` the sentence's, of unit length; `found` the passage it was read in.
    """

    answer: Span
    sentence: Span
    score: float
    likeness: float
    vector: NDArray[np.float32]
    found: Found


class Reader(Protocol):
    """Passages to readings, in any order."""

    def read(self, question: str, query: NDArray[np.float32], found: Sequence[Found]) -> list[Reading]:
        """Return the places that may answer; `query` is the question's vector."""
        ...


class SentenceReader:
    """Takes whole sentences as answers, by the encoder's likeness of question and sentence."""

    def __init__(self, encoder: Encoder) -> None:
        self._vectors = SentenceVectors(encoder)

    def read(self, question: str, query: NDArray[np.float32], found: Sequence[Found]) -> list[Reading]:
        """Return every sentence of the passages once, in the best passage that holds it."""
        places: dict[tuple[str, int], tuple[Span, Found]] = {}
        for passage in found:
            for sentence in sentences_within(passage.hit.span):
                places.setdefault((sentence.document.id, sentence.start), (sentence, passage))
        spans = [sentence for sentence, _ in places.values()]
        vectors = self._vectors.of(spans)
        return [
            Reading(sentence, sentence, float(vector @ query), float(vector @ query), vector, passage)
            for (sentence, passage), vector in zip(places.values(), vectors, strict=True)
        ]


class SpanReader:
    """Takes the exact words, by a model that scores each token of a passage as the start and the end of the answer.

    The score of a span is its start's and its end's less those of `[CLS]`, which stand for "no answer here" (Devlin et
    al. 2019).
    """

    def __init__(self, encoder: Encoder, folder: Path = READER_FOLDER) -> None:
        """Load the model; raise EncoderError when the folder is damaged."""
        import onnxruntime
        from tokenizers import Tokenizer

        try:
            self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
            self._session = onnxruntime.InferenceSession(folder / ONNX_FILE, providers=["CPUExecutionProvider"])
        except Exception as error:  # each library raises types of its own, all meaning a damaged file
            raise EncoderError(f"the reader in {folder} cannot be loaded; install it again") from error
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._cls, self._sep = self._tokenizer.encode("").ids
        self._vectors = SentenceVectors(encoder)

    def read(self, question: str, query: NDArray[np.float32], found: Sequence[Found]) -> list[Reading]:
        """Return the best few spans of each passage, each place once."""
        if not found:
            return []
        asked = self._tokenizer.encode(printable(question), add_special_tokens=False).ids[:QUESTION_TOKENS]
        places = [(passage, self._tokens(passage.hit.span)) for passage in found]
        starts, ends = self._scores(asked, [tokens for _, tokens in places])
        first = len(asked) + 2
        best: dict[tuple[str, int, int], tuple[float, Span, Span, Found]] = {}
        for row, (passage, tokens) in enumerate(places):
            inside = slice(first, first + len(tokens))
            nothing = float(starts[row, 0] + ends[row, 0])
            for score, span in _best_spans(passage.hit.span, tokens, starts[row, inside], ends[row, inside]):
                sentence = _around(span, passage.hit.span)
                key = (span.document.id, span.start, span.end)
                if key not in best or best[key][0] < score - nothing:
                    best[key] = (score - nothing, span, sentence, passage)
        vectors = self._vectors.of([sentence for _, _, sentence, _ in best.values()])
        return [
            Reading(span, sentence, score, float(vector @ query), vector, passage)
            for (score, span, sentence, passage), vector in zip(best.values(), vectors, strict=True)
        ]

    def _tokens(self, passage: Span) -> list[tuple[int, int, int]]:
        """Return (id, start, end) of the passage's tokens, places in the document."""
        encoding = self._tokenizer.encode(printable(passage.text), add_special_tokens=False)
        places = zip(encoding.ids, encoding.offsets, strict=True)
        return [(i, passage.start + a, passage.start + b) for i, (a, b) in places][:PASSAGE_TOKENS]

    def _scores(
        self, asked: Sequence[int], passages: Sequence[Sequence[tuple[int, int, int]]]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return start and end scores, each (passages, tokens), of one padded batch."""
        rows = [[self._cls, *asked, self._sep, *(i for i, _, _ in tokens), self._sep] for tokens in passages]
        longest = max(map(len, rows))
        ids = np.zeros((len(rows), longest), np.int64)
        mask, types = np.zeros_like(ids), np.zeros_like(ids)
        for i, row in enumerate(rows):
            ids[i, : len(row)] = row
            mask[i, : len(row)] = 1
            types[i, len(asked) + 2 : len(row)] = 1
        inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": types}
        starts, ends = self._session.run(["start", "end"], inputs)
        return starts, ends


def _best_spans(
    passage: Span, tokens: Sequence[tuple[int, int, int]], starts: NDArray[np.float32], ends: NDArray[np.float32]
) -> list[tuple[float, Span]]:
    """Return the best spans of a passage that share no word, with their scores; within a sentence unless far better."""
    if not tokens:
        return []
    likely_starts, likely_ends = (np.argsort(-scores, kind="stable")[:LIKELY] for scores in (starts, ends))
    bounds = np.array([sentence.end for sentence in sentences_within(passage)])
    candidates = []
    for i in likely_starts.tolist():
        for j in likely_ends.tolist():
            if not i <= j < i + ANSWER_TOKENS:
                continue
            crosses = np.searchsorted(bounds, tokens[i][1], "right") != np.searchsorted(bounds, tokens[j][2], "left")
            score = float(starts[i] + ends[j]) - (CROSSING if crosses else 0.0)
            candidates.append((score, i, j))
    candidates.sort(key=lambda candidate: (-candidate[0], candidate[1], candidate[2]))
    chosen: list[tuple[float, Span]] = []
    for score, i, j in candidates:
        span = whole_words(Span(passage.document, tokens[i][1], tokens[j][2]), passage)
        if not any(span.overlaps(other) for _, other in chosen):
            chosen.append((score, span))
        if len(chosen) == SPANS_OF_A_PASSAGE:
            break
    return chosen


def whole_words(span: Span, within: Span) -> Span:
    """Return the span widened to whole words, without the marks at its edges that belong to the sentence."""
    text, start, end = span.document.text, span.start, span.end
    while start > within.start and text[start - 1].isalnum() and text[start].isalnum():
        start -= 1
    while end < within.end and text[end - 1].isalnum() and text[end].isalnum():
        end += 1
    while end - start > 1 and text[start] in _OPENING:
        start += 1
    while end - start > 1 and text[end - 1] in _CLOSING and not _closes(text[start:end]):
        end -= 1
    return Span(span.document, start, end)


def _closes(text: str) -> bool:
    """Tell whether the last character closes a bracket that the text opens."""
    return text.endswith(")") and text.count("(") == text.count(")")


def _around(span: Span, passage: Span) -> Span:
    """Return the sentence that holds the span, or the few that it crosses."""
    touched = [sentence for sentence in sentences_within(passage) if sentence.overlaps(span)]
    first = min([span.start, *(sentence.start for sentence in touched)])
    last = max([span.end, *(sentence.end for sentence in touched)])
    return Span(span.document, first, last)


def open_reader(encoder: Encoder) -> Reader:
    """Return the reader that asking uses: exact words where the reading model is installed, else whole sentences."""
    if (READER_FOLDER / ONNX_FILE).is_file():
        return SpanReader(encoder)
    return SentenceReader(encoder)


class SentenceVectors:
    """The vectors of sentences, remembered between questions; safe to share between threads."""

    def __init__(self, encoder: Encoder, *, remembered: int = REMEMBERED) -> None:
        self._encoder = encoder
        self._remembered = remembered
        self._known: OrderedDict[str, NDArray[np.float32]] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, spans: Sequence[Span]) -> NDArray[np.float32]:
        """Return a row for each span, (spans, dimensions)."""
        texts = [span.text for span in spans]
        with self._lock:
            vectors = {text: self._known[text] for text in texts if text in self._known}
        missing = list(dict.fromkeys(text for text in texts if text not in vectors))
        # A copy, because a row of the encoder's keeps all of its batch in memory.
        fresh = (row.copy() for row in self._encoder.encode_passages(missing))
        vectors.update(zip(missing, fresh, strict=True))
        with self._lock:
            for text, row in vectors.items():
                self._known[text] = row
                self._known.move_to_end(text)
            while len(self._known) > self._remembered:
                self._known.popitem(last=False)
        if not texts:
            return np.empty((0, self._encoder.dimensions), np.float32)
        return np.stack([vectors[text] for text in texts])


def sentences_within(passage: Span) -> list[Span]:
    """Return the document's sentences that touch the passage, whole."""
    return [sentence for sentence in _sentences_of(passage.document) if sentence.overlaps(passage)]


@lru_cache(maxsize=256)
def _sentences_of(document: Document) -> tuple[Span, ...]:
    return sentences(Span(document, 0, len(document.text)))
