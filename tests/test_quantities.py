"""An answer holds the whole of a quantity or nothing of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.quantities import whole_quantity
from rag.spans import Document, Span

NUMBERS = st.from_regex(r"\A(?:[$€] ?)?[1-9]\d{0,2}(?:[.,]\d{3}){0,3}(?: %)?\Z")


def widened(language: str, text: str, part: str) -> str:
    document = Document("a.txt", "A", language, text)
    start = text.index(part)
    return whole_quantity(Span(document, start, start + len(part)), Span(document, 0, len(text))).text


@pytest.mark.parametrize(
    ("language", "text", "part", "whole"),
    [
        ("it", "Costa decine di migliaia di euro.", "migliaia", "decine di migliaia"),
        ("es", "Unos 100.000 millones de dólares este año.", "millones", "100.000 millones"),
        ("es", "Se crearon decenas de miles de empleos.", "decenas", "decenas de miles"),
        ("es", "Tiene treinta y cinco empleados.", "cinco", "treinta y cinco"),
        ("fr", "Il a soixante et onze salariés.", "onze", "soixante et onze"),
        ("fr", "Il emploie 14\u202f000 personnes.", "000", "14\u202f000"),
        ("fr", "Il coûte 1,5 milliard.", "milliard", "1,5 milliard"),
        ("fr", "des dizaines de milliers de postes", "milliers", "dizaines de milliers"),
        ("en", "It raised $200 million in 2019.", "200", "$200 million"),
        ("en", "Two hundred and forty people work here.", "forty", "Two hundred and forty"),
        ("en", "About 35 % of them left.", "35", "35 %"),
        ("de", "Es kostet 12.500 € im Jahr.", "500", "12.500 €"),
    ],
)
def test_a_part_of_a_quantity_becomes_the_whole(language: str, text: str, part: str, whole: str) -> None:
    assert widened(language, text, part) == whole


@pytest.mark.parametrize(
    ("language", "text", "part"),
    [
        ("en", "In 2019 and two years later it paid.", "2019"),
        ("en", "In 2019 and two years later it paid.", "two years"),
        ("en", "Maria Duarte paid 40 pounds.", "Maria Duarte"),
        ("en", "Between two and three films a year.", "two"),
        ("es", "Entre dos y tres películas al año.", "tres"),
        ("fr", "Entre deux et trois films par an.", "deux"),
        ("it", "Nel 2019 e 2020 furono due o tre.", "due"),
        ("fr", "En 2025, trois films sortent.", "trois films"),
        ("xx", "12 Millionen Menschen", "Menschen"),
    ],
)
def test_other_words_stay_as_they_are(language: str, text: str, part: str) -> None:
    assert widened(language, text, part) == part


@given(NUMBERS, st.data())
def test_any_part_of_a_figure_becomes_the_whole_figure(number: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(number) - 1))
    end = data.draw(st.integers(start + 1, len(number)))
    document = Document("a.txt", "A", "en", f"They paid {number} then.")
    span = Span(document, 10 + start, 10 + end)
    assert whole_quantity(span, Span(document, 0, len(document.text))).text == number


@given(st.text(min_size=1), st.sampled_from(["en", "es", "fr", "it", "und"]), st.data())
def test_the_words_are_kept_and_stay_in_their_sentence(text: str, language: str, data: st.DataObject) -> None:
    document = Document("a.txt", "A", language, text)
    ends = sorted(data.draw(st.lists(st.integers(0, len(text)), min_size=2, max_size=2, unique=True)))
    inner = sorted(data.draw(st.lists(st.integers(*ends), min_size=2, max_size=2)))
    if inner[0] == inner[1]:
        inner = ends
    within, span = Span(document, *ends), Span(document, *inner)
    wide = whole_quantity(span, within)
    assert within.contains(wide)
    assert wide.contains(span)
    assert whole_quantity(wide, within) == wide
