"""An answer holds the whole of a date, or its year alone."""

import unicodedata

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
        ("en", "It opened in March\n2026 in Rome.", "March", "March\n2026"),
        ("en", "It opened on March\u00a03,\r\n2026.", "March", "March\u00a03,\r\n2026"),
        ("en", "On the 3rd\u00a0of\u00a0May 1808 it fell.", "May", "3rd\u00a0of\u00a0May 1808"),
        ("es", "El 1º de marzo de 2026 abre.", "marzo", "1º de marzo de 2026"),
        ("es", "El 1.º de marzo\nde 2026 abre.", "marzo", "1.º de marzo\nde 2026"),
        ("es", "El primero de mayo de 1886 pararon.", "mayo", "primero de mayo de 1886"),
        ("fr", "Le 3\u00a0mars 2026, il ouvre.", "mars", "3\u00a0mars 2026"),
        ("fr", "Le 1er\u202faoût\u202f2013, il ouvre.", "août", "1er\u202faoût\u202f2013"),
        ("fr", "Le 3\u2009mars\u20092026, il ouvre.", "3", "3\u2009mars\u20092026"),
        ("fr", unicodedata.normalize("NFD", "Le 7 décembre 2013."), "7", "7 de\u0301cembre 2013"),
        ("it", "Apre il 1° marzo 2026.", "marzo", "1° marzo 2026"),
        ("it", "Apre il 1º\u00a0marzo del\u00a02026.", "marzo", "1º\u00a0marzo del\u00a02026"),
        ("it", "Apre il primo marzo 2026.", "marzo", "primo marzo 2026"),
        ("en", "It opened on 12/03/2026 in Rome.", "03", "12/03/2026"),
        ("it", "Apre il 12.03.2026 a Roma.", "12.03", "12.03.2026"),
        ("es", "Abre el 12-03-2026.", "12", "12-03-2026"),
        ("und", "2026-03-12: Eröffnung", "2026-03", "2026-03-12"),
        ("en", "It opened on 3/5/26.", "5", "3/5/26"),
        ("en", "It opens at 10:30 sharp.", "30", "10:30"),
        ("en", "It opens at 4:40 a.m. daily.", "4", "4:40 a.m."),
        ("en", "It opens at 9.10 p.m. daily.", "9.10", "9.10 p.m."),
        ("en", "It opens at 9\u00a0pm daily.", "9", "9\u00a0pm"),
        ("es", "Abre a las 4:40 a. m. cada día.", "4:40", "4:40 a. m."),
        ("fr", "Il ouvre à 20h30.", "20", "20h30"),
        ("fr", "Il ouvre à 20 h 30.", "20", "20 h 30"),
        ("fr", "De 10 h à 18 h.", "10", "10 h"),
        ("it", "Apre alle 18:30–21:30.", "30–21", "18:30–21:30"),
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
        ("en", "It closed in March.\n\n2026 was better.", "March"),
        ("en", "In March 12,000 people came.", "March"),
        ("en", "In March 30 per cent left.", "March"),
        ("en", "In March 3.5 million came.", "March"),
        ("fr", "Il fait 12° en mars 2026.", "12°"),
        ("it", "Ne ha 300\u00a0marzo compreso.", "marzo"),
        ("en", "It opened on 12/03/2026.", "2026"),
        ("en", "It opened on 2026-03-12.", "2026"),
        ("en", "From 2019-2020 on.", "2019"),
        ("en", "See pages 12-15.", "12"),
        ("en", "It is v. 1.2 of it.", "1.2"),
        ("en", "It is at 192.168.1.10 now.", "168"),
        ("es", "Ganó 3 a 2.", "3"),
        ("en", "It has 3 amps.", "3"),
        ("en", "It is 16:9.", "16"),
        ("it", "Apre alle 18:30–21:30.", "18:30"),
        ("fr", "À 20 h 30 000 personnes chantent.", "30 000"),
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
