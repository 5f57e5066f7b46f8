"""Which readings of other documents contradict the answer, nearly as well supported."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rag.expect import Kind
from rag.read import Reading
from rag.same import Said, contradicts, said

# How far the odds of a contradicting reading may be below the best's, and how alike two sentences must be to speak of
# one fact: "it will cost 42 million" and "costerà 48 milioni" do, "it carries 1,200 passengers" does not.
NEARLY = 0.3
ONE_FACT = 0.5
MOST_OTHERS = 3
MOST_WORDS = 12


def contradicting(
    readings: Sequence[Reading], scores: NDArray[np.float64], alike: NDArray[np.float64], kind: Kind, *, same: float
) -> list[list[int]]:
    """Return the places of readings that contradict the first one, those that say the same together, best first.

    `scores` are logarithms of odds, `alike` is (readings, readings) and from `same` on two readings give one answer. A
    document that says what the first reading says, anywhere, does not contradict it, and neither does a sentence that
    holds both answers: then they answer different questions.
    """
    agreeing = {r.answer.document.id for i, r in enumerate(readings) if i == 0 or alike[0, i] >= same}
    best = _Claim(readings[0])
    groups: list[list[int]] = []
    for i, reading in enumerate(readings[1:], start=1):
        if reading.answer.document.id in agreeing or scores[i] < scores[0] + math.log(NEARLY):
            continue
        if not best.contradicted_by(_Claim(reading), kind):
            continue
        group = next((group for group in groups if alike[group[0], i] >= same), None)
        if group is None:
            groups.append([i])
        elif reading.answer.document.id not in {readings[j].answer.document.id for j in group}:
            group.append(i)
    return groups[:MOST_OTHERS]


class _Claim:
    """What a reading says, and what its sentence says besides."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._said = said(reading.answer.text, reading.answer.document.language)

    def contradicted_by(self, other: "_Claim", kind: Kind) -> bool:
        return (
            self._is_brief()
            and other._is_brief()
            and float(self._reading.vector @ other._reading.vector) >= ONE_FACT
            and contradicts(self._said, other._said, kind)
            and not self._mentions(other._said)
            and not other._mentions(self._said)
        )

    def _is_brief(self) -> bool:
        return len(self._reading.answer.text.split()) <= MOST_WORDS

    def _mentions(self, other: Said) -> bool:
        """Tell whether the sentence also says the other answer."""
        whole = said(self._reading.sentence.text, self._reading.sentence.document.language)
        if other.figures:
            return other.figures <= whole.figures
        return bool(other.names) and other.names <= whole.names
