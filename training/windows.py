"""Windows as the reader's network sees them: a question and a piece of text in tokens, padded to batches."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from training.alignment import words_of_tokens
from training.examples import Example
from training.network import QUESTION_TOKENS, WINDOW_TOKENS


@dataclass(frozen=True, slots=True)
class Row:
    """One window as the network sees it: token ids, where the text begins, and the target tokens (0: no answer).

    `spans` are the code points of the text's tokens, `words` the place of each token's word among those of the question
    and then the text, -1 for a special token.
    """

    ids: list[int]
    text_at: int
    start: int
    end: int
    spans: Sequence[tuple[int, int]] = ()
    words: Sequence[int] = ()


def answer_tokens(offsets: Sequence[tuple[int, int]], start: int, end: int) -> tuple[int, int] | None:
    """Return the first and last token that share a character with `start` to `end`, None when no token does."""
    inside = [i for i, (first, last) in enumerate(offsets) if last > start and first < end]
    return (inside[0], inside[-1]) if inside else None


def window(
    tokenizer: Tokenizer,
    question: Sequence[int],
    text: Sequence[int],
    target: tuple[int, int] | None,
    spans: Sequence[tuple[int, int]] = (),
    words: tuple[Sequence[int], Sequence[int]] = ((), ()),
) -> Row:
    """Return `[CLS] question [SEP] text [SEP]` with the target's tokens counted from the window's start."""
    # Encoding nothing yields the two special tokens.
    first, separator = tokenizer.encode("").ids
    ids = [first, *question, separator, *text, separator]
    at = len(question) + 2
    start, end = (at + target[0], at + target[1]) if target else (0, 0)
    return Row(ids, at, start, end, spans, [-1, *words[0], -1, *words[1], -1])


def words_of_window(
    example: Example, asked: Encoding, text: str, encoding: Encoding, tokens: slice
) -> tuple[list[int], list[int]]:
    """Return the words of the question's tokens, and of some tokens of the text, counted from where these begin."""
    question = words_of_tokens(example.question, asked)[:QUESTION_TOKENS]
    before = example.question.count(" ") + 1 - text[: encoding.offsets[tokens][0][0]].count(" ") if encoding.ids else 0
    return question, [word + before if word >= 0 else -1 for word in words_of_tokens(text, encoding)[tokens]]


def make_rows(tokenizer: Tokenizer, examples: Sequence[Example], choose: random.Random) -> list[Row]:
    """Return one window for each example; a text that is too long loses tokens before and after the answer.

    An example whose answer does not fit is left out.
    """
    questions = tokenizer.encode_batch([e.question for e in examples], add_special_tokens=False)
    texts = tokenizer.encode_batch([e.text for e in examples], add_special_tokens=False)
    rows = []
    for example, asked, text in zip(examples, questions, texts, strict=True):
        question = asked.ids[:QUESTION_TOKENS]
        room = WINDOW_TOKENS - 3 - len(question)
        target = answer_tokens(text.offsets, example.start, example.end) if example.start >= 0 else None
        if example.start >= 0 and (target is None or target[1] - target[0] >= room):
            continue
        low, high = 0, max(0, len(text.ids) - room)
        if target is not None:
            low, high = max(0, target[1] - room + 1), min(high, target[0])
        at = choose.randint(low, max(low, high))
        moved = (target[0] - at, target[1] - at) if target is not None else None
        kept = slice(at, at + room)
        words = words_of_window(example, asked, example.text, text, kept)
        rows.append(window(tokenizer, question, text.ids[kept], moved, text.offsets[kept], words))
    return rows


def other_rows(tokenizer: Tokenizer, examples: Sequence[Example], rows: Sequence[Row]) -> list[Row]:
    """Return the windows of `make_rows` in the tokens of another network, without targets.

    Where it needs more tokens than a window has, the last of the text are missing.
    """
    pieces = [(row.spans[0][0], row.spans[-1][1]) if row.spans else (0, 0) for row in rows]
    questions = tokenizer.encode_batch([e.question for e in examples], add_special_tokens=False)
    texts = [example.text[first:last] for example, (first, last) in zip(examples, pieces, strict=True)]
    encodings = tokenizer.encode_batch(texts, add_special_tokens=False)
    others = []
    for example, (first, _), asked, text, encoding in zip(examples, pieces, questions, texts, encodings, strict=True):
        question = asked.ids[:QUESTION_TOKENS]
        kept = slice(0, WINDOW_TOKENS - 3 - len(question))
        spans = [(first + start, first + end) for start, end in encoding.offsets[kept]]
        words = words_of_window(example, asked, text, encoding, kept)
        others.append(window(tokenizer, question, encoding.ids[kept], None, spans, words))
    return others


def places(row: Row, other: Row) -> tuple[list[int], list[int]]:
    """Return in which of the row's tokens each of the other's begins, and in which it ends; 0 outside the text."""
    if not row.spans:
        return [0] * len(other.ids), [0] * len(other.ids)
    starts, ends = np.array(row.spans).T
    at, last = row.text_at, len(row.spans) - 1
    outside = [0] * other.text_at
    # A token may begin with a space, which is none of the row's.
    firsts = [at + min(int(np.searchsorted(ends, start, side="right")), last) for start, _ in other.spans]
    lasts = [at + max(int(np.searchsorted(starts, end, side="left")) - 1, 0) for _, end in other.spans]
    return [*outside, *firsts, 0], [*outside, *lasts, 0]


@dataclass(frozen=True, slots=True)
class Batch:
    """Windows padded to one length: token ids, (windows, tokens), and one number a window of everything else.

    `together` holds the places of the windows of each question that has several, (questions, most windows), the one
    with the answer first, -1 where it has fewer; `words` are those of each window's tokens. `other` are the windows in
    the tokens of another network, and `places`, (2, windows, its tokens), in which token of ours each of those begins
    and ends.
    """

    ids: NDArray[np.int32]
    lengths: NDArray[np.int64]
    text_at: NDArray[np.int64]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    together: NDArray[np.int64]
    words: Sequence[Sequence[int]]
    other: "Batch | None" = None
    places: NDArray[np.int64] | None = None

    @classmethod
    def of(cls, questions: Sequence[Sequence[Row]], others: Sequence[Sequence[Row]] = ()) -> "Batch":
        """Return the windows of the questions, those of one question next to each other.

        `others` are the same windows in another network's tokens.
        """
        rows = [row for windows in questions for row in windows]
        ids = np.zeros((len(rows), max(len(row.ids) for row in rows)), np.int32)
        for i, row in enumerate(rows):
            ids[i, : len(row.ids)] = row.ids
        counts = [len(windows) for windows in questions]
        firsts = np.cumsum([0, *counts[:-1]])
        several = [(first, count) for first, count in zip(firsts, counts, strict=True) if count > 1]
        together = np.full((len(several), max((count for _, count in several), default=0)), -1, np.int64)
        for i, (first, count) in enumerate(several):
            together[i, :count] = np.arange(first, first + count)
        lengths, text_at, starts, ends = np.array([(len(r.ids), r.text_at, r.start, r.end) for r in rows], np.int64).T
        words = [row.words for row in rows]
        if not others:
            return cls(ids, lengths, text_at, starts, ends, together, words)
        other = cls.of(others)
        found = np.zeros((2, *other.ids.shape), np.int64)
        for i, pair in enumerate(zip(rows, (row for windows in others for row in windows), strict=True)):
            found[:, i, : other.lengths[i]] = places(*pair)
        return cls(ids, lengths, text_at, starts, ends, together, words, other, found)

    def inputs(self, device: str) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return ids, attention mask and token types, each (windows, tokens)."""
        ids = torch.from_numpy(self.ids).to(device).long()
        lengths, text_at = (torch.tensor(numbers, device=device)[:, None] for numbers in (self.lengths, self.text_at))
        places = torch.arange(ids.shape[1], device=device)[None]
        mask = places < lengths
        return ids, mask.long(), (mask & (places >= text_at)).long()
