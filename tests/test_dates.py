"""An answer holds the whole of a date, or its year alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.dates import MONTHS, whole_date
from rag.spans import Document, Span


def widened(language: str, text: str, part: str) -> str:
    document = Document("a.txt", "A", language, text)
    start = text.index(part)
    return whole_date(Span(document, start, start + len(part)), Span(document, 0, len(text))).text


@pytest.mark.parametrize(
    ("language", "text", "part", "whole"),
    [
        ("it", "Parte già a marzo 2026 con pochi soci.", "a marzo", "a marzo 2026"),
        ("it", "Nacque l'8 febbraio 2026 a Trieste.", "febbraio", "8 febbraio 2026"),
        ("it", "Nell'aprile del 1943 partì.", "aprile", "aprile del 1943"),
        ("es", "Empieza en marzo de 2026.", "marzo", "marzo de 2026"),
        ("es", "Se firmó el 25 de mayo de 1521 en Worms.", "25 de mayo", "25 de mayo de 1521"),
        ("es", "En setiembre del 1999 cerró.", "setiembre", "setiembre del 1999"),
        ("fr", "Il arrive le 1er août 2013.", "août", "1er août 2013"),
        ("fr", "Le 7 juin 2013, on fêta.", "7", "7 juin 2013"),
        ("en", "It opened on March 3, 2026.", "March", "March 3, 2026"),
        ("en", "On the 3rd of May 1808 it fell.", "May", "3rd of May 1808"),
        ("en", "It closed in October, 2010.", "October", "October, 2010"),
    ],
)
def test_a_part_of_a_date_becomes_the_whole(language: str, text: str, part: str, whole: str) -> None:
    assert widened(language, text, part) == whole


@pytest.mark.parametrize(
    ("language", "text", "part"),
    [
        ("it", "Parte già a marzo 2026.", "2026"),
        ("en", "It opened on March 3, 2026.", "2026"),
        ("en", "They may 2026 times over regret it.", "may"),
        ("en", "In March 350 shots were made.", "March"),
        ("en", "It opened in March 2026 in Rome.", "in Rome"),
        ("es", "En marzo, 2026 personas vinieron.", "marzo"),
        ("de", "Es beginnt im März 2026.", "März"),
    ],
)
def test_other_words_stay_as_they_are(language: str, text: str, part: str) -> None:
    assert widened(language, text, part) == part


@given(st.sampled_from(sorted(MONTHS)), st.integers(0, 11), st.integers(1000, 2099), st.data())
def test_any_part_but_the_year_becomes_the_whole_date(
    language: str, month: int, year: int, data: st.DataObject
) -> None:
    name = MONTHS[language].split()[month].capitalize()
    date = f"{name} {'de ' if language == 'es' else ''}{year}"
    text = f"Xyz {date} xyz."
    start = 4 + data.draw(st.integers(0, len(name) - 1))
    end = data.draw(st.integers(start + 1, 4 + len(date)))
    document = Document("a.txt", "A", language, text)
    found = whole_date(Span(document, start, end), Span(document, 0, len(text)))
    assert (found.start, found.end) == (4, 4 + len(date))


def test_nothing_is_taken_from_beyond_the_sentence() -> None:
    document = Document("a.txt", "A", "en", "It began in March\n2026 was a good year. In May 2026.")
    sentence = Span(document, 0, 17)
    assert whole_date(Span(document, 12, 17), sentence).text == "March"
