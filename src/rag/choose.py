"""Chooses the words of an answer: of all spans, the one that most likely agrees with what a person would mark."""

import numpy as np
from numpy.typing import NDArray

# Spans that are weighed against each other; those below have hardly any likelihood left.
CONSIDERED = 48
# The likeliest span is often half of the answer, as its start and its end are scored apart: "directors" of "directors,
# cinematographers and editors". So spans are chosen by how well they agree with all the likely ones, in the share of
# common characters (F1) and, for the rest of the weight, in holding the other whole: see training/README.md. Holding
# what is less than MOSTLY like it counts for nothing, lest two rival answers be quoted with all that stands between.
TEMPERATURE = 1.0
WHOLE = 0.3
MOSTLY = 0.5

Scores = NDArray[np.float32]


def joint_score(starts: Scores, ends: Scores, *, most_tokens: int) -> float:
    """Return the logarithm of the odds that any span answers, of all of them together.

    A span's own score is its first token's start score and its last one's end score, summed. Where several bounds are
    as likely, none of them scores high.
    """
    return float(np.logaddexp.reduce(span_scores(starts, ends, most_tokens), axis=None))


def choose_span(starts: Scores, ends: Scores, places: NDArray[np.int64], *, most_tokens: int) -> tuple[int, int]:
    """Return the first and the last token of the answer.

    `starts` and `ends` are the tokens' scores, logarithms of odds, (tokens,) each; `places` their characters, (tokens,
    2): start and end. A span has at most `most_tokens`. Minimum Bayes risk (Kumar and Byrne 2004): the span with the
    highest expected agreement under the scores, not the one with the highest score.
    """
    scores = span_scores(starts, ends, most_tokens).ravel()
    likeliest = np.argsort(-scores, kind="stable")[:CONSIDERED]
    odds = np.exp((scores[likeliest] - scores[likeliest[0]]) / TEMPERATURE)
    firsts, lasts = np.divmod(likeliest, len(ends))
    # What is no span has odds of 0, and characters that run backwards: it agrees with nothing.
    agreement = agreements(places[firsts, 0], places[lasts, 1]) @ odds
    chosen = int(np.where(odds > 0, agreement, -1.0).argmax())
    return int(firsts[chosen]), int(lasts[chosen])


def span_scores(starts: Scores, ends: Scores, most_tokens: int) -> NDArray[np.float64]:
    """Return the score of every span, (first tokens, last tokens); -inf where it is none.

    An end before its start, or farther than any answer is long, is no answer.
    """
    together = np.add.outer(starts, ends).astype(np.float64)
    length = np.subtract.outer(np.arange(len(ends)), np.arange(len(starts))).T
    return np.where((length >= 0) & (length < most_tokens), together, -np.inf)


def agreements(start: NDArray[np.int64], end: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return how well each span agrees with each other one, 0 to 1, (spans, spans); row by row, the row's as answer.

    >>> agreements(np.array([0, 0]), np.array([10, 30])).round(2).tolist()
    [[1.0, 0.35], [0.65, 1.0]]
    >>> agreements(np.array([0, 0]), np.array([10, 20])).round(2).tolist()
    [[1.0, 0.47], [0.77, 1.0]]
    """
    common = np.minimum(end[:, None], end[None, :]) - np.maximum(start[:, None], start[None, :])
    common = np.maximum(common, 0)
    length = np.maximum(end - start, 0)
    shared = 2.0 * common / np.maximum(length[:, None] + length[None, :], 1)
    held = (common >= length[None, :]) & (shared >= MOSTLY)
    return np.asarray((1 - WHOLE) * shared + WHOLE * held)
