import numpy as np
import pytest

from rag.contradict import MOST_OTHERS, contradicting
from rag.decide import SAME, likeness
from rag.expect import Kind
from rag.read import Reading
from rag.spans import Document, Span
from tests.passage_parts import found

EAST, NORTH = (1.0, 0.0), (0.0, 1.0)


def reading(
    id: str, sentence: str, answer: str, *, language: str = "en", vector: tuple[float, float] = EAST, of: str = ""
) -> Reading:
    document = Document(f"{id}.txt", id, language, of or sentence)
    whole = document.text.index(sentence)
    start = document.text.index(answer, whole)
    place = Span(document, whole, whole + len(sentence))
    read_in = found(place)
    return Reading(Span(document, start, start + len(answer)), place, 1.0, 0.5, np.array(vector, np.float32), read_in)


def others(kind: Kind, *readings: Reading, scores: tuple[float, ...] = ()) -> list[list[str]]:
    values = np.array(scores or [1.0] * len(readings))
    groups = contradicting(readings, values, likeness(readings), kind, same=SAME)
    return [[readings[i].answer.text for i in group] for group in groups]


COST = reading("a", "It will cost 42 million euros.", "42 million euros")
COSTO = reading("b", "L'opera costerà 48 milioni di euro.", "48 milioni di euro", language="it")


def test_two_numbers_for_one_fact_are_shown() -> None:
    assert others("number", COST, COSTO) == [["48 milioni di euro"]]


def test_documents_that_give_the_other_answer_stand_together() -> None:
    coste = reading("c", "La obra costará 48 millones.", "48 millones", language="es")
    assert others("number", COST, COSTO, coste) == [["48 milioni di euro", "48 millones"]]


def test_a_document_that_says_the_same_elsewhere_does_not_contradict() -> None:
    text = "The bridge costs 42 million. Its first draft would have cost 48 million."
    twice = [
        reading("b", "Its first draft would have cost 48 million.", "48 million", of=text),
        reading("b", "The bridge costs 42 million.", "42 million", of=text),
    ]
    assert others("number", COST, *twice) == []


def test_a_sentence_with_both_answers_is_no_contradiction() -> None:
    both = reading("b", "The cost rose from 42 million to 48 million.", "48 million")
    assert others("number", COST, both) == []


def test_another_fact_is_no_contradiction() -> None:
    ferry = reading("b", "The ferry carries 1,200 passengers.", "1,200 passengers", vector=NORTH)
    assert others("number", COST, ferry) == []


def test_what_is_far_less_supported_is_left_out() -> None:
    assert others("number", COST, COSTO, scores=(1.0, -0.1)) == [["48 milioni di euro"]]
    assert others("number", COST, COSTO, scores=(1.0, -0.3)) == []  # ln 0.3 = -1.2


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("time", ("Amazon cut posts since October.", "October"), ("Amazon taglia negli ultimi mesi.", "ultimi mesi")),
        ("number", ("It cut about 30,000 posts.", "30,000"), ("Ha tagliato decine di migliaia.", "decine di migliaia")),
    ],
)
def test_what_is_vaguer_is_no_contradiction(kind: Kind, one: tuple[str, str], other: tuple[str, str]) -> None:
    assert others(kind, reading("a", *one), reading("b", *other, language="it")) == []


def test_two_people_for_one_office_are_shown() -> None:
    maria = reading("a", "The harbour is run by Maria Duarte.", "Maria Duarte")
    luis = reading("b", "The harbour is run by Luis Ortega.", "Luis Ortega")
    assert others("name", maria, luis) == [["Luis Ortega"]]
    assert others("name", maria, reading("b", "A captain, Maria Duarte, runs it.", "Maria Duarte")) == []


def test_at_most_three_are_shown() -> None:
    rivals = [reading(f"b{n}", f"It will cost {n} million euros.", f"{n} million euros") for n in range(60, 70)]
    assert len(others("number", COST, *rivals)) == MOST_OTHERS
