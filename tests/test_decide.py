import json
import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from rag.decide import (
    ASSURANCE,
    EVIDENCE,
    MOST_CITATIONS,
    Case,
    Decision,
    Weights,
    decide,
    further,
    gather,
    likeness,
    weigh,
)
from rag.expect import asks_of_another_date
from rag.lexical import Lexical
from rag.read import AnswerVectors, Reading, telling
from rag.spans import Document, Span
from tests.passage_parts import found

EN = Document("en.txt", "Studio", "en", "Maria runs the harbour since 2019. It has a blue crane.")
ES = Document("es.txt", "Puerto", "es", "María dirige el puerto. Tiene una grúa.")
FR = Document("fr.txt", "Port", "fr", "Maria dirige le port. Il a une grue.")
LEXICAL = Lexical.of([EN.text, ES.text, FR.text, "Maria again."], ["en", "es", "fr", "en"])
EAST, NORTH = (1.0, 0.0), (0.0, 1.0)
NEARLY_EAST = (0.8, 0.6)


def span(document: Document, text: str) -> Span:
    start = document.text.index(text)
    return Span(document, start, start + len(text))


def reading(
    document: Document = EN,
    text: str = "Maria runs the harbour since 2019.",
    *,
    score: float = 0.5,
    vector: tuple[float, float] = EAST,
    dense: float = 0.5,
    lexical: float = 2.0,
    ranks: tuple[int | None, int | None] = (1, 1),
) -> Reading:
    sentence = span(document, text)
    passage = found(Span(document, 0, len(document.text)), dense=dense, lexical=lexical, ranks=ranks)
    return Reading(sentence, sentence, score, dense, np.array(vector, np.float32), passage)


def weights(
    *, threshold: float = 0.5, relevance: float = 0.3, bias: float = 0.0, confidence: dict[str, float] | None = None
) -> Weights:
    """Return weights that rank by the reader's score, and are as sure as `confidence` says."""
    chosen = confidence or {}
    return Weights(
        tuple(float(name == "reader") for name in EVIDENCE),
        tuple(chosen.get(name, 0.0) for name in ASSURANCE),
        bias,
        threshold,
        relevance,
    )


def case(*readings: Reading, question: str = "who runs it?", language: str = "en") -> Case:
    return weigh(question, language, readings, LEXICAL, weights())


def cited(decision: Decision) -> list[str]:
    return [citation.answer.document.id for citation in decision.citations]


def evidence(one: Reading, question: str, language: str, *others: Reading) -> dict[str, float]:
    return dict(zip(EVIDENCE, gather(question, language, [one, *others], LEXICAL)[0].tolist(), strict=True))


def test_the_evidence_of_a_sentence_in_the_question_s_language() -> None:
    one = reading(score=0.7, dense=0.6)
    other = reading(text="It has a blue crane.")
    seen = evidence(one, "who runs the harbour?", "en", other)
    assert seen == pytest.approx(
        {
            "reader": 0.7,
            "coverage": 1.0,  # "run" and "harbour"
            "coverage_abroad": 0.0,
            "passage_coverage": 1.0,
            "names": 1.0,  # it names none
            "expected": 0.0,  # a name is asked for, and the first word of a sentence may be one
            "abroad": 0.0,
            "brief": 1 / 6,
            "likeness": 0.6,
            "echo": 0.4,  # "run" and "harbour" of "maria", "run", "harbour", "sinc", "2019"
            "words": math.log(6),
        }
    )


def test_coverage_is_by_weight_and_of_the_sentence() -> None:
    rare, common = LEXICAL.weight("crane"), LEXICAL.weight("maria")
    assert rare > common > 0
    seen = evidence(reading(text="It has a blue crane."), "maria and the crane", "en")
    assert seen["coverage"] == pytest.approx(rare / (rare + common))
    assert seen["passage_coverage"] == pytest.approx(1.0)
    assert evidence(reading(), "pizza", "en")["coverage"] == 0.0
    assert evidence(reading(), "?", "en")["coverage"] == 0.0


def test_another_language_s_sentence_has_its_own_column() -> None:
    seen = evidence(reading(ES, "María dirige el puerto."), "does maria run the harbour?", "en")
    assert seen["coverage"] == 0.0
    assert 0.0 < seen["coverage_abroad"] < 1.0
    assert seen["abroad"] == 1.0
    at_home = evidence(reading(ES, "María dirige el puerto."), "¿maria dirige el puerto?", "es")
    assert (at_home["coverage"], at_home["coverage_abroad"], at_home["abroad"]) == (1.0, 0.0, 0.0)


def test_how_well_the_passage_was_found_is_no_evidence() -> None:
    far = reading(lexical=0.0, ranks=(9, None))
    assert evidence(far, "who?", "en") == evidence(reading(lexical=4.0, ranks=(1, 1)), "who?", "en")


def test_names_and_numbers_of_the_question_are_looked_for() -> None:
    assert evidence(reading(), "Is it Maria who runs it?", "en")["names"] == 1.0
    assert evidence(reading(), "Is it Marta who runs it?", "en")["names"] == 0.0
    assert evidence(reading(), "Did Maria and Luis come in 2019?", "en")["names"] == pytest.approx(2 / 3)


@pytest.mark.parametrize(("question", "expected"), [("when?", 1.0), ("how many?", 1.0), ("where?", 0.0), ("so?", 0.0)])
def test_the_expected_kind(question: str, expected: float) -> None:
    assert evidence(reading(), question, "en")["expected"] == expected


def test_readings_are_ranked_by_their_evidence() -> None:
    second, first = reading(score=0.4), reading(FR, "Il a une grue.", score=0.9, vector=NORTH)
    ranked = case(second, first)
    assert [r.score for r in ranked.readings] == [0.9, 0.4]
    assert ranked.scores.tolist() == pytest.approx([0.9, 0.4])
    assert ranked.evidence[:, EVIDENCE.index("reader")].tolist() == pytest.approx([0.9, 0.4])
    assert ranked.alike == pytest.approx(np.eye(2))


@pytest.mark.parametrize("score", [0.1, 0.3, 0.7, 1.1, 2.3, 3.7])
def test_of_agreeing_documents_the_one_with_more_evidence_comes_first(score: float) -> None:
    places = [
        (EN, "Maria runs the harbour since 2019."),
        (ES, "María dirige el puerto."),
        (FR, "Maria dirige le port."),
    ]
    for order in permutations([score, score - 0.2, score - 0.5]):
        ranked = case(*(reading(*place, score=own) for place, own in zip(places, order, strict=True)))
        assert ranked.scores.tolist() == pytest.approx([score, score - 0.2, score - 0.5])
        assert ranked.pooled == pytest.approx(np.full(3, ranked.pooled[0]))


def test_agreement_can_outweigh_a_better_single_sentence() -> None:
    alone = reading(EN, "It has a blue crane.", score=1.0, vector=NORTH)
    agreed = [reading(ES, "María dirige el puerto.", score=0.7), reading(FR, "Maria dirige le port.", score=0.7)]
    assert [r.answer.document.id for r in case(alone, *agreed).readings] == ["es.txt", "fr.txt", "en.txt"]
    assert [r.answer.document.id for r in case(alone, agreed[0]).readings] == ["en.txt", "es.txt"]


def test_equal_evidence_is_in_the_order_of_the_documents() -> None:
    readings = [
        reading(FR, "Maria dirige le port."),
        reading(EN, "It has a blue crane."),
        reading(EN, "Maria runs the harbour since 2019."),
    ]
    for order in ([0, 1, 2], [2, 1, 0], [1, 0, 2]):
        ranked = case(*(readings[i] for i in order))
        assert [(r.answer.document.id, r.answer.start) for r in ranked.readings] == [
            ("en.txt", 0),
            ("en.txt", 35),
            ("fr.txt", 0),
        ]


def test_the_assurance_of_the_first() -> None:
    best = reading(score=2.0)
    twin = reading(FR, "Maria dirige le port.", score=1.5, vector=NEARLY_EAST)
    rival = reading(ES, "Tiene una grúa.", score=1.25, vector=NORTH)
    numbers = dict(zip(ASSURANCE, case(best, twin, rival).assurance().tolist(), strict=True))
    assert numbers["score"] == pytest.approx(2.0)
    # Over the rival, not over what says the same: that adds to the best.
    assert numbers["lead"] == pytest.approx(math.log(math.exp(2.0) + math.exp(1.5)) - 1.25)
    assert numbers["agreement"] == pytest.approx(math.log(2))
    assert numbers["reader"] == pytest.approx(2.0)
    assert numbers["unmentioned"] == 0.0
    unheard = dict(zip(ASSURANCE, replace(case(best), unmentioned=("Napoli",)).assurance().tolist(), strict=True))
    assert unheard["unmentioned"] == 1.0


def test_the_lead_of_the_only_one_and_of_one_far_ahead_is_3() -> None:
    lead = ASSURANCE.index("lead")
    assert case(reading()).assurance()[lead] == pytest.approx(3.0)
    assert case(reading(score=9.0), reading(score=1.0, vector=NORTH)).assurance()[lead] == pytest.approx(3.0)


def test_what_is_alike_but_far_behind_does_not_agree() -> None:
    ranked = case(reading(score=3.0), reading(FR, "Maria dirige le port.", score=1.0))
    assert ranked.agreeing(0) == [0]
    assert ranked.agreeing(1) == [0, 1]


def worded(document: Document, sentence: str, words: str, *, score: float) -> Reading:
    """Return a reading of exact words."""
    return replace(reading(document, sentence, score=score), answer=span(document, words))


def test_the_same_words_farther_behind_are_cited_where_they_answer_by_themselves_and_the_answer_is_trusted() -> None:
    def cites(score: float, sure: float = 0.7) -> list[str]:
        first = worded(EN, "Maria runs the harbour since 2019.", "Maria", score=3.0)
        other = worded(FR, "Maria dirige le port.", "Maria", score=score)
        return cited(decide(case(first, other), weights(bias=math.log(sure / (1 - sure)))))

    assert cites(1.4) == ["en.txt", "fr.txt"]  # ln 0.2 = -1.61: of one mind
    assert cites(0.1) == ["en.txt", "fr.txt"]  # ln 0.05 = -3.0, and above 0
    assert cites(0.1, sure=0.59) == ["en.txt"]
    assert cites(-0.1) == ["en.txt"]
    far = worded(EN, "Maria runs the harbour since 2019.", "Maria", score=3.2)
    faint = worded(FR, "Maria dirige le port.", "Maria", score=0.1)
    assert cited(decide(case(far, faint), weights(bias=2.0))) == ["en.txt"]


def test_an_answer_has_the_words_that_other_documents_answer_too_but_a_date_or_a_number_is_left() -> None:
    def answers(*words: str) -> list[str]:
        sentences = [(EN, "Maria runs the harbour since 2019."), (ES, "María dirige el puerto."), (FR, FR.text[:22])]
        told = [worded(*sentences[i], each, score=3.0 - i / 2) for i, each in enumerate(words)]
        return [citation.answer.text for citation in decide(case(*told), weights(bias=2.0)).citations]

    assert answers("Maria runs", "María", "Maria") == ["Maria", "María", "Maria"]
    assert answers("Maria runs") == ["Maria runs"]
    assert answers("since 2019") == ["since 2019"]


def test_further_citations_leave_out_what_is_cited_and_fill_up_to_five() -> None:
    first = reading(score=1.0)
    documents = [Document(f"{number}.txt", "T", "en", EN.text) for number in range(MOST_CITATIONS + 2)]
    decision = decide(case(first, reading(documents[0], score=0.9)), weights(bias=2.0))
    assert cited(decision) == ["en.txt", "0.txt"]
    wider = case(first, *(reading(document, score=0.5) for document in documents))
    more = further(wider, first, decision)
    assert [citation.answer.document.id for citation in more] == ["1.txt", "2.txt", "3.txt"]
    assert [c.score for c in more] == pytest.approx([decision.confidence * math.exp(-0.5)] * 3)


def test_agreeing_documents_are_cited_in_order_once_each() -> None:
    ranked = case(
        reading(score=1.0),
        reading(FR, "Maria dirige le port.", score=0.8),
        reading(FR, "Il a une grue.", score=0.5, vector=NEARLY_EAST),
        reading(ES, "María dirige el puerto.", score=0.6),
        reading(EN, "It has a blue crane.", score=0.95, vector=NORTH),
    )
    decision = decide(ranked, weights(bias=2.0))
    assert [(c.answer.document.id, c.answer.text) for c in decision.citations] == [
        ("en.txt", "Maria runs the harbour since 2019."),
        ("fr.txt", "Maria dirige le port."),
        ("es.txt", "María dirige el puerto."),
    ]
    assert decision.confidence == pytest.approx(1 / (1 + math.exp(-2.0)))
    assert [c.score for c in decision.citations] == pytest.approx(
        [decision.confidence * math.exp(-behind) for behind in (0.0, 0.2, 0.4)]
    )
    assert all(c.answer == c.sentence for c in decision.citations)
    assert decision.reason is None


def test_the_question_s_language_leads_where_it_is_as_good() -> None:
    def order(behind: float, vector: tuple[float, float] = NEARLY_EAST) -> list[str]:
        told = (reading(score=1.0), reading(FR, "Maria dirige le port.", score=1.0 - behind, vector=vector))
        ranked = case(*told, question="Qui le dirige ?", language="fr")
        return cited(decide(ranked, weights(), threshold=0))

    assert order(0.5) == ["fr.txt", "en.txt"]
    assert order(0.52) == ["en.txt", "fr.txt"]  # ln 0.6 = -0.51
    assert order(1.7) == ["en.txt"]  # ln 0.2 = -1.61: no longer of one mind
    assert order(0.1, NORTH) == ["en.txt"]  # says something else


def test_an_answer_from_another_year_is_less_sure() -> None:
    def sure(question: str, document: Document = EN) -> float:
        answered = worded(document, "Maria runs the harbour since 2019.", "Maria", score=1.0)
        told = case(answered, question=question)
        return decide(told, weights(bias=2.0, confidence={"another_date": -1.5}), threshold=0).confidence

    usual = 1 / (1 + math.exp(-2.0))
    assert sure("Who ran it in 2019?") == pytest.approx(usual)
    assert sure("Who runs the harbour?") == pytest.approx(usual)
    assert sure("Who ran it in 2017?") == pytest.approx(1 / (1 + math.exp(-0.5)))
    assert sure("Who ran it in 2017?", replace(EN, date="2017-03-01")) == pytest.approx(usual)


@pytest.mark.parametrize(
    ("question", "language", "text", "written", "another"),
    [
        ("¿Cuántos despidos hubo en diciembre?", "es", "16,000 jobs in January and 14,000 in October", "en", True),
        ("¿Cuántos despidos hubo en octubre?", "es", "16,000 jobs in January and 14,000 in October", "en", False),
        ("combien de postes en fevrier", "fr", "postes supprimés en février", "fr", False),
        ("¿Qué pasó en setiembre?", "es", "tutto a settembre", "it", False),
        ("What may happen in March?", "en", "L'Amazonia non è mai stata così", "it", False),
        ("What may happen in March?", "en", "You may march in May", "en", True),
        ("What happened in 2017?", "en", "after 2,017 days, 1990% more, and 20180 people", "en", False),
        ("What happened in 2017?", "en", "in 2019", "en", True),
        ("What happened in 2017?", "en", "between 2017 and 2019", "en", False),
        ("What happened?", "en", "in March 2019", "en", False),
        ("Who cut 1500 jobs?", "en", "In 2026 Amazon cut 1,500 jobs", "en", False),
        ("Who paid 2000 euros?", "en", "in 2026", "en", False),
        ("¿Quién despidió a 1500 de los suyos?", "es", "en 2019", "es", False),
        ("Who won the 2018 election?", "en", "in 2019", "en", True),
        ("Who starred in Newman's 1968 film?", "en", "in 2019", "en", True),
        ("Chi guidava nel 1500 la banca?", "it", "nel 2019", "it", True),
        ("Qui en 2019 dirigeait le port ?", "fr", "en 2021", "fr", True),
        ("cuts of 1500 jobs in 2026", "en", "cuts of 1500 jobs in 2025", "en", True),
        ("¿Quién sustituyó a Julio Iglesias?", "es", "Lo sustituyó Ana en marzo", "es", False),
        ("¿Quién lo dirigió en julio?", "es", "Lo dirigió Ana en marzo", "es", True),
        ("2017年に何が?", "ja", "in March 2019", "en", True),
    ],
)
def test_dates_of_the_question_that_a_text_has_none_of(
    question: str, language: str, text: str, written: str, another: bool
) -> None:
    assert asks_of_another_date(question, language, text, written) is another


def test_an_answer_with_the_year_leads_where_a_year_is_asked_for() -> None:
    def order(question: str, behind: float) -> list[str]:
        undated = reading(FR, "Maria dirige le port.", score=1.0)
        told = case(undated, reading(score=1.0 - behind), question=question, language="fr")
        return cited(decide(told, weights(), threshold=0))

    assert order("Depuis quelle année dirige-t-elle le port ?", 1.5) == ["en.txt", "fr.txt"]
    assert order("Depuis quelle année dirige-t-elle le port ?", 1.7) == ["fr.txt"]  # no longer of one mind
    assert order("Depuis quand dirige-t-elle le port ?", 1.5) == ["fr.txt", "en.txt"]


def test_an_answer_with_the_year_leads_among_all_that_may_be_cited() -> None:
    opened = Document("a.txt", "T", "en", "It opened in March. It is big.")
    dated = Document("b.txt", "T", "en", "It opened in March 2019. It is big.")

    def order(sure: float) -> list[str]:
        told = [
            worded(opened, opened.text[:19], "March", score=3.0),
            worded(dated, dated.text[:24], "March 2019", score=0.5),
        ]
        question = "In which month and year did it open?"
        bias = math.log(sure / (1 - sure))
        return cited(decide(case(*told, question=question), weights(bias=bias)))

    assert order(0.7) == ["b.txt", "a.txt"]
    assert order(0.55) == ["a.txt"]  # not trusted: what is far behind is not cited


@pytest.mark.parametrize(
    ("words", "leads"),
    [("Ana Duarte", True), ("the captain Ana Duarte", False), ("Duarte", False), ("Ana Duarte and Rui Lobo", False)],
)
def test_a_name_in_full_leads_where_a_part_of_it_would_have(words: str, leads: bool) -> None:
    brief = Document("a.txt", "T", "fr", "Mme Duarte dirige le port.")
    full = Document("b.txt", "T", "en", f"It is {words} who runs the harbour.")
    told = [worded(brief, brief.text, "Mme Duarte", score=1.0), worded(full, full.text, words, score=0.3)]
    decision = decide(case(*told, question="Qui dirige le port ?", language="fr"), weights(bias=2.0))
    assert cited(decision)[0] == ("b.txt" if leads else "a.txt")


@pytest.mark.parametrize(
    ("question", "language", "kept"),
    [
        ("How many cranes does it have?", "en", ["240 cranes", "dos grúas", "a few cranes"]),
        ("Combien de grues a-t-il ?", "fr", ["240 cranes", "dos grúas", "a few cranes"]),
        ("In what year did it get them?", "en", ["240 cranes", "last March"]),
        # There is no money among them, but other amounts.
        ("How much does it cost?", "en", ["240 cranes", "dos grúas", "a few cranes"]),
        (
            "What does it have?",
            "en",
            ["240 cranes", "Maria Duarte", "dos grúas", "a harbour with a crane", "a few cranes", "last March"],
        ),
    ],
)
def test_who_asks_for_an_amount_or_a_date_is_told_one(question: str, language: str, kept: list[str]) -> None:
    told = [
        worded(Document(f"{at}.txt", "T", own, words), words, words, score=1.0)
        for at, (words, own) in enumerate(
            [
                ("240 cranes", "en"),
                ("Maria Duarte", "es"),
                ("dos grúas", "es"),
                ("a harbour with a crane", "en"),
                ("a few cranes", "en"),
                ("last March", "en"),
            ]
        )
    ]
    assert [reading.answer.text for reading in telling(question, language, told)] == kept
    others = [reading for reading in told if reading.answer.text in ("Maria Duarte", "a harbour with a crane")]
    assert telling(question, language, others) == others


def test_what_tells_no_date_where_one_is_asked_for_is_less_sure() -> None:
    text = "In March they moved to the harbour."
    document = Document("a.txt", "T", "en", text)

    def sure(question: str, words: str) -> float:
        told = [worded(document, text, words, score=0.0)]
        return decide(case(*told, question=question), weights(bias=0.0), threshold=0).confidence

    assert sure("In what month did they move?", "In March") == sure("Where did they move?", "the harbour")
    assert sure("Where did they move?", "the harbour") == pytest.approx(0.5)
    # Odds of 0.03 to 0.65.
    assert sure("In what month did they move?", "the harbour") == pytest.approx(0.03 / 0.68)


def test_an_amount_of_something_else_where_money_is_asked_for_is_less_sure() -> None:
    def sure(text: str) -> float:
        told = worded(Document("a.txt", "T", "en", text), text, "40", score=0.0)
        question = "How much does a crane cost?"
        return decide(case(told, question=question), weights(bias=0.0), threshold=0).confidence

    assert sure("A crane costs 40 thousand euros.") == pytest.approx(0.5)
    # Odds of 0.15 to 0.66.
    assert sure("A crane costs 40 people their work.") == pytest.approx(0.15 / 0.81)


def test_at_most_five_are_cited() -> None:
    documents = [Document(f"{number}.txt", "T", "en", EN.text) for number in range(MOST_CITATIONS + 2)]
    decision = decide(case(*(reading(document) for document in documents)), weights(), threshold=0)
    assert cited(decision) == [f"{number}.txt" for number in range(MOST_CITATIONS)]


def test_the_threshold_decides_and_zero_always_answers() -> None:
    ranked = case(reading())
    assert decide(ranked, weights(bias=-30.0), threshold=0).citations
    assert decide(ranked, weights(bias=0.0), threshold=0.5).citations
    refused = decide(ranked, weights(bias=0.0), threshold=0.51)
    assert (refused.citations, refused.confidence) == ((), 0.5)
    assert decide(ranked, weights(threshold=0.5, bias=0.1)).citations
    assert not decide(ranked, weights(threshold=0.5, bias=-0.1)).citations


@pytest.mark.parametrize(
    ("dense", "bias", "reason"),
    [
        (0.2, -0.1, "nothing_relevant"),
        (0.3, -0.1, "too_uncertain"),
        (0.3, -3.0, "no_answer_in_passages"),
        (0.2, -3.0, "nothing_relevant"),
    ],
)
def test_the_reason_for_no_answer(dense: float, bias: float, reason: str) -> None:
    ranked = case(reading(dense=dense), reading(FR, "Il a une grue.", dense=0.1))
    assert decide(ranked, weights(bias=bias)).reason == reason


@given(st.floats(-50, 50), st.floats(0, 5), st.floats(0, 5), st.floats(0, 3))
def test_confidence_is_a_probability_and_grows_with_the_lead(
    bias: float, first: float, second: float, weight: float
) -> None:
    def confidence(lead: float) -> float:
        ranked = case(reading(score=1.0), reading(FR, "Il a une grue.", score=1.0 - lead, vector=NORTH))
        return decide(ranked, weights(bias=bias, confidence={"lead": weight}), threshold=0).confidence

    low, high = confidence(min(first, second)), confidence(max(first, second))
    assert 0.0 <= low <= high <= 1.0


def test_the_fitted_weights_can_be_read() -> None:
    fitted = Weights.load()
    assert (len(fitted.ranking), len(fitted.confidence)) == (len(EVIDENCE), len(ASSURANCE))
    assert all(map(math.isfinite, (*fitted.ranking, *fitted.confidence, fitted.bias)))
    assert 0.0 < fitted.threshold < 1.0
    assert -1.0 < fitted.relevance < 1.0


def test_weights_are_read_by_name(tmp_path: Path) -> None:
    values = {
        "confidence": {name: number for number, name in reversed(list(enumerate(ASSURANCE)))},
        "ranking": {name: -number for number, name in reversed(list(enumerate(EVIDENCE)))},
        "threshold": 0.25,
        "relevance": 0.125,
        "bias": -1.5,
        "measured_on_other_questions": {},
    }
    path = tmp_path / "decision.json"
    path.write_text(json.dumps(values))
    assert Weights.load(path) == Weights(
        tuple(float(-number) for number in range(len(EVIDENCE))),
        tuple(float(number) for number in range(len(ASSURANCE))),
        -1.5,
        0.25,
        0.125,
    )
    del values["ranking"]["names"]  # type: ignore[attr-defined]
    path.write_text(json.dumps(values))
    with pytest.raises(KeyError, match="names"):
        Weights.load(path)


class Alike:
    """An encoder by which two texts are as like as is said."""

    name = fingerprint = "alike"
    dimensions = 2

    def __init__(self, likeness: float) -> None:
        self._rows = [(1.0, 0.0), (likeness, math.sqrt(1 - likeness**2))]

    def encode_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.array(self._rows[: len(texts)], np.float32).reshape(-1, 2)

    def encode_questions(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return self.encode_passages(texts)


@pytest.mark.parametrize(
    ("one", "other", "least"),
    [("the harbour master", "le capitaine", 0.7), ("Carla Ruiz", "Ugo Brent", 0.77), ("Londres", "London", 0.77)],
)
def test_two_names_without_a_common_word_are_the_same_from_a_greater_likeness_on(
    one: str, other: str, least: float
) -> None:
    exact = [
        worded(Document(f"{x}.txt", "T", x, f"It is {words}."), f"It is {words}.", words, score=1.0)
        for x, words in (("en", one), ("fr", other))
    ]
    assert likeness(exact, AnswerVectors(Alike(least + 0.01)))[0, 1] == 1
    assert likeness(exact, AnswerVectors(Alike(least - 0.01)))[0, 1] == 0
