from itertools import pairwise
from typing import get_args

import pytest

from rag.spans import LEVELS, Alternative, Answer, Citation, Document, Level, Span, level_of

ARTICLE = Document("a.txt", "Studio", "en", "Albert Cheng leads the studio.")
CITATION = Citation(Span(ARTICLE, 0, 12), Span(ARTICLE, 0, len(ARTICLE.text)), 0.9)


def answer(confidence: float) -> Answer:
    return Answer("who?", "en", (CITATION,), confidence, None)


@pytest.mark.parametrize(
    ("confidence", "level"),
    [
        (1.0, "high"),
        (0.9, "high"),
        (0.89, "good"),
        (0.7, "good"),
        (0.69, "low"),
        (0.4, "low"),
        (0.39, "doubtful"),
        (0.0, "doubtful"),
    ],
)
def test_the_level_of_a_confidence(confidence: float, level: str) -> None:
    assert level_of(confidence) == level
    assert answer(confidence).level == level
    assert answer(confidence).to_dict()["level"] == level


def test_the_level_is_that_of_the_confidence_that_is_printed() -> None:
    values = answer(0.89996).to_dict()
    assert (values["confidence"], values["level"]) == (0.9, "high")


def test_a_refusal_has_no_level() -> None:
    refused = Answer("who?", "en", (), 0.95, "too_uncertain")
    assert refused.level is None
    assert refused.to_dict()["level"] is None


def test_each_level_has_a_least_confidence_and_a_meaning() -> None:
    assert tuple(LEVELS) == get_args(Level)
    assert all(above > below for (above, _), (below, _) in pairwise(LEVELS.values()))
    assert LEVELS["doubtful"][0] == 0.0
    assert len({meaning for _, meaning in LEVELS.values()}) == 4


def test_an_alternative_is_its_citations() -> None:
    other = Alternative((CITATION,))
    assert other.text == "Albert Cheng"
    assert other.to_dict() == {"answer": "Albert Cheng", "citations": [CITATION.to_dict()]}
    assert Answer("who?", "en", (CITATION,), 0.5, None, others=(other,)).to_dict()["others"] == [other.to_dict()]
    assert answer(0.5).to_dict()["others"] == []
    with pytest.raises(ValueError, match="an alternative has a citation"):
        Alternative(())
