"""Reads passages: from what search found to narrower places that may answer the question."""

import os
import threading
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rag.choose import choose_span, joint_score
from rag.dates import whole_date
from rag.edges import whole_words
from rag.encode import ONNX_FILE, Encoder, printable
from rag.errors import EncoderError
from rag.expect import Told, asks_to_be_told, tells
from rag.intent import asks_of_documents
from rag.quantities import whole_quantity
from rag.search import Found
from rag.sentences import is_stamp
from rag.spans import Span

READER_FOLDER = Path(__file__).parent / "models" / "reader"
QUESTION_TOKENS = 40
PASSAGE_TOKENS = 240
ANSWER_TOKENS = 25
# Sentences kept of a question's passages, by the reader's score: they held the right one for 99.3% of held-back
# questions.
KEPT = 16
# Passages read at once; more than this only makes questions wait for each other.
MOST_AT_ONCE = 4
# As many vectors of answers, tokens and scores of passages, as are kept between questions: 6 to 12 MB each.
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

    @property
    def exact(self) -> bool:
        """Whether the answer is words of the sentence, whose score is above 0 where they rather answer than not."""
        return self.answer != self.sentence

    def tells(self, told: Told) -> bool:
        """Tell whether the answer has an amount, money or a date."""
        document = self.answer.document
        return tells(
            self.answer.text, told, document.language, behind=document.text[self.answer.end : self.sentence.end]
        )


class Reader(Protocol):
    """Passages to readings, in any order."""

    def read(
        self, question: str, query: NDArray[np.float32], found: Sequence[Found], *, most: int = KEPT
    ) -> list[Reading]:
        """Return the places that may answer, all or the `most` likeliest; `query` is the question's vector."""
        ...


class SentenceReader:
    """Takes whole sentences as answers, by the encoder's likeness of question and sentence."""

    def read(
        self, question: str, query: NDArray[np.float32], found: Sequence[Found], *, most: int = KEPT
    ) -> list[Reading]:
        """Return every sentence of the passages once, in the best passage that holds it, however many."""
        readings: dict[tuple[str, int], Reading] = {}
        for passage in found:
            for sentence, vector in zip(passage.sentences.spans, passage.sentences.vectors, strict=True):
                likeness = float(vector @ query)
                reading = Reading(sentence, sentence, likeness, likeness, vector, passage)
                readings.setdefault((sentence.document.id, sentence.start), reading)
        return list(readings.values())


class SpanReader:
    """Takes the exact words, by a model that scores each token of a passage as the start and the end of the answer.

    The score of a span is its start's and its end's less those of `[CLS]`, which stand for "no answer here" (Devlin et
    al. 2019); that of a sentence is the logarithm of the summed odds of its spans. Each passage is read by itself,
    several at once: the model rounds its numbers by their range, so in one batch a passage's scores would depend on
    what else is in it, and short passages would cost as much as the longest.
    """

    def __init__(self, folder: Path = READER_FOLDER) -> None:
        """Load the model; raise EncoderError when the folder is damaged."""
        import onnxruntime
        from tokenizers import Tokenizer

        try:
            self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = 1
            self._session = onnxruntime.InferenceSession(folder / ONNX_FILE, options)
        except Exception as error:  # each library raises types of its own, all meaning a damaged file
            raise EncoderError(f"the reader in {folder} cannot be loaded; install it again") from error
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._cls, self._sep = self._tokenizer.encode("").ids
        # Another threshold, filter or turn of a chat asks about the same passages again.
        self._remembered = lru_cache(maxsize=REMEMBERED)(self._scores)
        self._tokens = lru_cache(maxsize=REMEMBERED)(self._tokenized)
        self._pool = ThreadPoolExecutor(min(MOST_AT_ONCE, os.cpu_count() or 1), thread_name_prefix="read")

    def read(
        self, question: str, query: NDArray[np.float32], found: Sequence[Found], *, most: int = KEPT
    ) -> list[Reading]:
        """Return the best words of each sentence of the passages, each sentence once: the `most` best sentences."""
        if not found:
            return []
        asked = self._tokenizer.encode(printable(question), add_special_tokens=False).ids[:QUESTION_TOKENS]
        texts, offsets = zip(*(self._tokens(passage.hit.span.text) for passage in found), strict=True)
        # The longest first, so that no core waits for a long one that began last.
        order = sorted(range(len(texts)), key=lambda i: -len(texts[i]))
        done = self._pool.map(self._remembered, [tuple(asked)] * len(texts), [texts[i] for i in order])
        scored = dict(zip(order, done, strict=True))
        first = len(asked) + 2
        best: dict[tuple[str, int], _Scored] = {}
        for i, passage in enumerate(found):
            starts, ends = scored[i]
            nothing = float(starts[0] + ends[0])
            inside, places = slice(first, first + len(texts[i])), offsets[i] + passage.hit.span.start
            for sentence, vector in zip(passage.sentences.spans, passage.sentences.vectors, strict=True):
                read = _scored(sentence, vector, passage, places, starts[inside], ends[inside], nothing)
                key = (sentence.document.id, sentence.start)
                if read and (key not in best or best[key].score < read.score):
                    best[key] = read
        kept = sorted(best.values(), key=lambda scored: -scored.score)[:most]
        return [
            Reading(each.words(), each.sentence, each.score, float(each.vector @ query), each.vector, each.passage)
            for each in kept
        ]

    def _tokenized(self, text: str) -> tuple[tuple[int, ...], NDArray[np.int64]]:
        """Return the ids of a passage's tokens, and where in it each begins and ends, (tokens, 2)."""
        encoding = self._tokenizer.encode(printable(text), add_special_tokens=False)
        offsets = np.array(encoding.offsets[:PASSAGE_TOKENS], np.int64).reshape(-1, 2)
        return tuple(encoding.ids[:PASSAGE_TOKENS]), offsets

    def _scores(self, asked: tuple[int, ...], text: tuple[int, ...]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the start and end scores of one passage, each (tokens of the window,)."""
        ids = np.array([[self._cls, *asked, self._sep, *text, self._sep]], np.int64)
        types = np.zeros_like(ids)
        types[0, len(asked) + 2 :] = 1
        inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": types}
        starts, ends = self._session.run(["start", "end"], inputs)
        return starts[0], ends[0]


@dataclass(frozen=True, slots=True, eq=False)
class _Scored:
    """A sentence of a passage with the scores of its tokens, and its own above "no answer here"."""

    sentence: Span
    vector: NDArray[np.float32]
    passage: Found
    places: NDArray[np.int64]
    starts: NDArray[np.float32]
    ends: NDArray[np.float32]
    score: float

    def words(self) -> Span:
        """Return the words that answer best."""
        first, last = choose_span(self.starts, self.ends, self.places, most_tokens=ANSWER_TOKENS)
        start, end = int(self.places[first, 0]), int(self.places[last, 1])
        words = whole_words(Span(self.sentence.document, start, end), self.sentence)
        return whole_date(whole_quantity(words, self.sentence), self.sentence)


def _scored(
    sentence: Span,
    vector: NDArray[np.float32],
    passage: Found,
    places: NDArray[np.int64],
    starts: NDArray[np.float32],
    ends: NDArray[np.float32],
    nothing: float,
) -> _Scored | None:
    """Return a sentence with its tokens' scores; None when no token of the sentence was read.

    `places` are those of the passage's tokens in the document, (tokens, 2).
    """
    begin, end = places[:, 0], places[:, 1]
    inside = np.flatnonzero((sentence.start <= begin) & (begin < end) & (end <= sentence.end))
    if not inside.size:
        return None
    joint = joint_score(starts[inside], ends[inside], most_tokens=ANSWER_TOKENS)
    return _Scored(sentence, vector, passage, places[inside], starts[inside], ends[inside], joint - nothing)


def stated(question: str, readings: Sequence[Reading]) -> list[Reading]:
    """Return the readings without the dates above texts, which say nothing of what is asked but when it was written."""
    if asks_of_documents(question):
        return list(readings)
    return [reading for reading in readings if not is_stamp(reading.sentence)]


def telling(question: str, language: str, readings: Sequence[Reading]) -> list[Reading]:
    """Return the readings that tell what a question in that language asks for, an amount or a date, if any does.

    Where it asks for money and none has any, those with another amount.
    """
    told = asks_to_be_told(question, language)
    if told is None:
        return list(readings)
    kinds: tuple[Told, ...] = ("money", "amount") if told == "money" else (told,)
    kept = ([r for r in readings if r.tells(kind)] for kind in kinds)
    return next(filter(None, kept), list(readings))


def open_reader() -> Reader:
    """Return the reader that asking uses: exact words where the reading model is installed, else whole sentences."""
    if (READER_FOLDER / ONNX_FILE).is_file():
        return SpanReader()
    return SentenceReader()


class AnswerVectors:
    """The vectors of answers, which are compared by meaning, remembered between questions; threads may share it."""

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
