"""Scores as the papers define them: pure functions from texts, ranks and confidences to numbers."""

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from itertools import groupby

# One set for all languages: both sides of every comparison lose the same words, whatever language they are in.
_ARTICLES = frozenset(
    {"a", "an", "the", "el", "la", "los", "las", "lo", "un", "una", "unos", "unas"}
    | {"il", "i", "gli", "le", "uno", "les", "une", "des"}
)
_ELIDED = re.compile(r"(?<!\w)(?:l|d|un)['’](?=\w)")
_NOT_A_WORD = re.compile(r"[\W_]+")
_INVISIBLE = {"Mn", "Cf"}


def normalise(text: str) -> str:
    """Return the text as answers are compared: lower case, without accents, punctuation and articles.

    The articles are those of English, Spanish, French and Italian, with the elided l', d' and un'. A text of nothing
    but articles keeps them, so that only a text without letters and digits becomes empty. Source: the answer
    normalisation of SQuAD (Rajpurkar et al. 2016), extended to four languages.

    >>> normalise("L’intelligenza artificiale, d'Amazon: più VELOCE!")
    'intelligenza artificiale amazon piu veloce'
    """
    whole = unicodedata.normalize("NFKD", text).casefold().replace("ʼ", "'")
    plain = "".join(letter for letter in whole if unicodedata.category(letter) not in _INVISIBLE)
    words = _NOT_A_WORD.sub(" ", _ELIDED.sub(" ", plain)).split()
    return " ".join([word for word in words if word not in _ARTICLES] or words)


def exact_match(prediction: str, accepted: Sequence[str]) -> float:
    """Return 1.0 when the prediction is one of the accepted wordings after `normalise`, else 0.0.

    An empty prediction matches nothing. Source: EM of Rajpurkar et al. 2016.
    """
    wanted = normalise(prediction)
    return float(bool(wanted) and any(wanted == normalise(wording) for wording in accepted))


def f1(prediction: str, accepted: Sequence[str]) -> float:
    """Return the best F1, 0 to 1, of the prediction's words against the words of an accepted wording.

    F1 = 2PR / (P + R), where P and R are the words in common, counted with repetition, as a share of the prediction's
    and of the wording's words. Source: F1 of Rajpurkar et al. 2016.

    >>> round(f1("Albert Cheng of Amazon", ["Albert Cheng"]), 3)
    0.667
    """
    return max((_f1(normalise(prediction).split(), normalise(wording).split()) for wording in accepted), default=0.0)


def _f1(prediction: Sequence[str], wording: Sequence[str]) -> float:
    common = (Counter(prediction) & Counter(wording)).total()
    return 2 * common / (len(prediction) + len(wording)) if common else 0.0


def contains(text: str, wording: str) -> bool:
    """Tell whether the wording occurs in the text as whole words, both after `normalise`.

    >>> contains("The Studio, in March.", "in march"), contains("It marched on.", "march")
    (True, False)
    """
    wanted = normalise(wording)
    return bool(wanted) and f" {wanted} " in f" {normalise(text)} "


def recall_at_k(relevant: Sequence[bool], k: int) -> float:
    """Return 1.0 when one of the first k results is relevant, else 0.0; no results score 0.0.

    `relevant` tells of each result, best first, whether it holds the answer. Source: the top-k retrieval accuracy of
    Karpukhin et al. 2020, which question answering calls recall@k because one passage is enough. Raises ValueError when
    k is below 1.
    """
    if k < 1:
        raise ValueError(f"recall needs k of at least 1, not {k}")
    return float(any(relevant[:k]))


def reciprocal_rank(relevant: Sequence[bool]) -> float:
    """Return 1 / the rank of the first relevant result, ranks from 1; 0.0 when none is (Voorhees 1999).

    >>> reciprocal_rank([False, False, True, True])
    0.3333333333333333
    """
    return next((1 / rank for rank, hit in enumerate(relevant, start=1) if hit), 0.0)


def expected_calibration_error(confidences: Sequence[float], correct: Sequence[bool], *, bins: int = 10) -> float:
    """Return how far confidence lies from accuracy on average, 0 (calibrated) to 1.

    The answers go into `bins` bins of equal width by confidence (0 to 1, a bin includes its upper edge); the error is
    the sum over bins of (answers in the bin / all answers) * |accuracy - mean confidence|. No answers score 1.0, the
    worst: silence is not calibration. Source: Guo et al. 2017. Raises ValueError when the lengths differ.

    >>> round(expected_calibration_error([0.9, 0.9, 0.3], [True, False, False]), 3)
    0.367
    """
    binned = reliability(confidences, correct, bins=bins)
    if not binned:
        return 1.0
    return sum(count * abs(right - sure) for sure, right, count in binned) / len(confidences)


def reliability(
    confidences: Sequence[float], correct: Sequence[bool], *, bins: int = 10
) -> tuple[tuple[float, float, int], ...]:
    """Return (mean confidence, accuracy, answers) of each bin of equal width that has answers, by rising confidence.

    Bins go from 0 to 1 and include their upper edge. Source: the reliability diagram of Guo et al. 2017. Raises
    ValueError when the lengths differ.

    >>> reliability([0.875, 0.875, 0.25], [True, False, False])
    ((0.25, 0.0, 1), (0.875, 0.5, 2))
    """
    binned: dict[int, list[tuple[float, bool]]] = {}
    for confidence, right in zip(confidences, correct, strict=True):
        binned.setdefault(max(math.ceil(confidence * bins), 1), []).append((confidence, right))
    return tuple(
        (sum(sure for sure, _ in rows) / len(rows), sum(right for _, right in rows) / len(rows), len(rows))
        for _, rows in sorted(binned.items())
    )


def percentile(values: Sequence[float], q: float) -> float:
    """Return the q-th percentile, q from 0 to 100, linear between neighbours (Hyndman and Fan 1996, type 7).

    Raises ValueError when there are no values or q is out of range.

    >>> percentile([10.0, 20.0, 40.0], 75)
    30.0
    """
    if not values or not 0 <= q <= 100:
        raise ValueError(f"a percentile needs values and a q from 0 to 100, not {len(values)} values and q = {q}")
    ordered = sorted(values)
    position = (len(ordered) - 1) * q / 100
    below = math.floor(position)
    above = math.ceil(position)
    return ordered[below] + (ordered[above] - ordered[below]) * (position - below)


def risk_coverage(confidences: Sequence[float], correct: Sequence[bool]) -> tuple[tuple[float, float], ...]:
    """Return the (coverage, risk) points of answering only above a confidence, from the strictest threshold down.

    Coverage is the share of answers kept and risk the share of the kept ones that are wrong; answers of one confidence
    are kept or dropped together. Source: El-Yaniv and Wiener 2010. Raises ValueError when the lengths differ.

    >>> risk_coverage([0.9, 0.5, 0.5, 0.1], [True, True, False, False])
    ((0.25, 0.0), (0.75, 0.3333333333333333), (1.0, 0.5))
    """
    ranked = sorted(zip(confidences, correct, strict=True), reverse=True)
    points: list[tuple[float, float]] = []
    kept = wrong = 0
    for _, rows in groupby(ranked, key=lambda pair: pair[0]):
        for _, right in rows:
            kept += 1
            wrong += not right
        points.append((kept / len(ranked), wrong / kept))
    return tuple(points)
