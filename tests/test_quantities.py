"""An answer holds the whole of a quantity or nothing of it."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.expect import tells
from rag.quantities import is_minus, whole_quantity
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
        ("fr", "Environ 30\u00a0% des films.", "30", "30\u00a0%"),
        ("fr", "Il coûte 1\u202f200\u202f€ par an.", "200", "1\u202f200\u202f€"),
        ("fr", "Il coûte 1\u2009200\u2009€ par an.", "200", "1\u2009200\u2009€"),
        ("fr", "Il coûte 3\u00a0millions\u00a0d’euros.", "millions", "3\u00a0millions"),
        ("fr", "Il a soixante\u00a0et\u00a0onze salariés.", "onze", "soixante\u00a0et\u00a0onze"),
        ("fr", "des dizaines\nde milliers de postes", "milliers", "dizaines\nde milliers"),
        ("en", "They sold 30\nmillion of them.", "30", "30\nmillion"),
        ("en", "They sold 30 \r\n million of them.", "million", "30 \r\n million"),
        ("en", "About 30 per cent of them left.", "30", "30 per cent"),
        ("en", "About thirty percent of them left.", "thirty", "thirty percent"),
        ("es", "El 30 por ciento se fue.", "30", "30 por ciento"),
        ("es", "Aumentó un cien por cien.", "cien", "cien por cien"),
        ("fr", "Environ 30 pour\u00a0cent des films.", "cent", "30 pour\u00a0cent"),
        ("it", "Il 30 per cento dei soci.", "30", "30 per cento"),
        ("it", "Il 2,5\npercento dei soci.", "2,5", "2,5\npercento"),
        ("it", "Contava 1’200’000 voci.", "200", "1’200’000"),
        ("it", "Costa CHF1’200’000 in tutto.", "200", "1’200’000"),
        ("fr", "La température est tombée à -12 degrés.", "12", "-12"),
        ("it", "Scese a −3,5 gradi.", "3,5 gradi", "−3,5 gradi"),
        ("es", "Perdió –1.200 euros (-8\u00a0%).", "200", "–1.200"),
        ("es", "Perdió –1.200 euros (-8\u00a0%).", "8", "-8\u00a0%"),
        ("en", "It made -$200 million in 2019.", "200", "-$200 million"),
        ("en", "It employs twenty-one people.", "twenty", "twenty-one"),
        ("en", "It employs two hundred and fifty people.", "two", "two hundred and fifty"),
        ("es", "Tiene treinta y cinco empleados.", "treinta", "treinta y cinco"),
        ("es", "Tiene treinta y una empleadas.", "treinta", "treinta y una"),
        ("es", "Tiene doscientas treinta y seis cartas.", "treinta", "doscientas treinta y seis"),
        ("es", "Costó veinticinco millones.", "veinticinco", "veinticinco millones"),
        ("fr", "Il a vingt et un ans.", "vingt", "vingt et un"),
        ("fr", "Il a vingt-et-une lettres.", "une", "vingt-et-une"),
        ("fr", "Il a quatre-vingt-dix ans.", "dix", "quatre-vingt-dix"),
        ("fr", "Il a quatre-vingt-un ans.", "quatre", "quatre-vingt-un"),
        ("fr", "Il a septante-deux ans.", "deux", "septante-deux"),
        ("it", "Costò ventun milioni.", "milioni", "ventun milioni"),
        ("it", "Il trentatré per cento dei soci.", "cento", "trentatré per cento"),
        ("it", "Le mille e una notte.", "mille", "mille e una"),
        ("fr", "Il fait -5 °C ici.", "5", "-5 °C"),
        ("en", "It is USD 12.50 each.", "12", "USD 12.50"),
        ("es", "Son US$ 12.50 por persona.", "12", "US$ 12.50"),
        ("it", "Costa CHF 40 al giorno.", "40", "CHF 40"),
        ("it", "Costa 40 EUR al giorno.", "40", "40 EUR"),
        ("fr", "Il coûte 2,6 M€ par an.", "2,6", "2,6 M€"),
        ("en", "It costs 2.6m euros a year.", "2", "2.6m euros"),
        ("en", "It costs £2.6m a year.", "2", "£2.6m"),
        ("it", "Costa 3,5 mln di euro.", "3", "3,5 mln di euro"),
        ("fr", "Appelez le 01 44 78 12 33.", "44", "01 44 78 12 33"),
        ("it", "Tel. +39 02 1234 5678.", "1234", "+39 02 1234 5678"),
        ("en", "Call (020) 7946 0018 now.", "7946", "(020) 7946 0018"),
        ("en", "Call 212-555-0199 now.", "555", "212-555-0199"),
        ("es", "Tel. 91 345 67 89.", "345", "91 345 67 89"),
        ("es", unicodedata.normalize("NFD", "Costó dos millón y dieciséis."), "dos", "dos millo\u0301n"),
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
        ("it", "Nel 2025 300 dipendenti partirono.", "300"),
        ("es", "En 2025\u00a0300 empleados se fueron.", "2025"),
        ("en", "In 2019 two films came.", "2019"),
        ("en", "The GPT4 300 people use.", "300"),
        ("en", "Of 1,200 300 left.", "300"),
        ("en", "Twenty came.\n\nMillions did not.", "Twenty"),
        ("en", "It costs 20 $30 notes.", "20"),
        ("es", "Murieron 2 por cien mil habitantes.", "2"),
        ("fr", "Il a 30 pour centre.", "30"),
        ("en", "From 2019-2020 on.", "2020"),
        ("en", "Between 10%-20% of them.", "20%"),
        ("en", "Eggs:\n- 12 eggs", "12 eggs"),
        ("en", "Eggs:\n1. twelve eggs", "twelve"),
        ("en", "See pages 12-15.", "12"),
        ("es", "Ganó 3 a 2.", "3"),
        ("en", "It is v. 1.2 of it.", "1.2"),
        ("en", "It is 10 m from here.", "10"),
        ("it", "Il 12° c'è.", "12°"),
        ("it", "Dalle 08.30-12.30 in poi.", "12.30"),
        ("fr", "Le 01.02.2026.", "2026"),
        ("fr", "Un et deux font trois.", "deux"),
        ("es", "Entre veinte y un amigo.", "veinte"),
        ("es", "Los empleados –12 en total– se fueron.", "12"),
        ("fr", unicodedata.normalize("NFD", "Depuis deux millénaires et un récent million."), "deux"),
        ("fr", unicodedata.normalize("NFD", "Depuis deux millénaires et un récent million."), "million"),
    ],
)
def test_other_words_stay_as_they_are(language: str, text: str, part: str) -> None:
    assert widened(language, text, part) == part


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "twenty-one"),
        ("es", "tardó veintitrés días"),
        ("es", "unos veintiséis"),
        ("es", "veintiún días"),
        ("es", "cuatrocientas"),
        ("es", "quinientas"),
        ("fr", "vingt-deux"),
        ("fr", "septante"),
        ("fr", "nonante"),
        ("it", "portiere da ventisei anni"),
        ("it", "duecento"),
        ("it", "trentun giorni"),
        ("it", "trentatré"),
        ("it", "ventotto"),
        ("it", "centottanta"),
        ("it", "duecentocinquantamila"),
        ("it", unicodedata.normalize("NFD", "trentatré")),
    ],
)
def test_compounds_count(language: str, text: str) -> None:
    assert tells(text, "amount", language)


@pytest.mark.parametrize("text", ["il uomo del mestiere", "Trent e il suo vento", "cent del rapper", "il centrista"])
def test_words_that_begin_as_numbers_do_are_none(text: str) -> None:
    assert not tells(text, "amount", "it")


@pytest.mark.parametrize(
    ("text", "minus"),
    [
        ("-12", True),
        ("da -12 a −5", True),
        ("(–8 %)", True),
        ("-$5", True),
        ("2019-2020", False),
        ("Covid-19", False),
        ("10 €–20 €", False),
        ("- 12", False),
        ("—12 en total—", False),
        ("–12 en total–, decía", False),
    ],
)
def test_a_minus_is_told_from_other_dashes(text: str, minus: bool) -> None:
    assert next(is_minus(text, at) for at, mark in enumerate(text) if mark in "-−–—") is minus


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
