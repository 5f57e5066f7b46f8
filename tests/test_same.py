import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.same import Said, contradicts, different_names, said, same

THIRTY_THOUSAND = (
    ("30,000", "en"),
    ("about 30,000", "en"),
    ("30 thousand", "en"),
    ("thirty thousand", "en"),
    ("30k", "en"),
    ("30.000", "es"),
    ("unos 30 000", "es"),
    ("30 mil", "es"),
    ("treinta mil", "es"),
    ("30 000", "fr"),
    ("environ 30\u202f000", "fr"),
    ("trente mille", "fr"),
    ("circa 30.000", "it"),
    ("30'000", "it"),
    ("30 mila", "it"),
    ("trentamila", "it"),
)
MONTHS = {
    "en": "January February March April May June July August September October November December",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
}
LANGUAGE = st.sampled_from(tuple(MONTHS))
MARKS = {"en": (",",), "es": (".", " "), "fr": ("\u202f", "\u00a0", " "), "it": (".", "'")}


def two(one: tuple[str, str], other: tuple[str, str]) -> tuple[Said, Said]:
    return said(*one), said(*other)


@pytest.mark.parametrize("one", THIRTY_THOUSAND)
def test_thirty_thousand_is_thirty_thousand_however_it_is_written(one: tuple[str, str]) -> None:
    for other in THIRTY_THOUSAND:
        assert same(*two(one, other)) is True
    assert same(*two(one, ("30", "en"))) is False
    assert same(*two(one, ("3.000", "it"))) is False


@pytest.mark.parametrize(
    ("language", "text", "numbers"),
    [
        ("en", "twenty-five", {25}),
        ("en", "one hundred twenty", {120}),
        ("en", "one hundred and one", {101}),
        ("en", "two hundred, three hundred", {200, 300}),
        ("en", "of twenty, five are left", {20, 5}),
        ("en", "two and three", {2, 3}),
        ("en", "twenty and five", {20, 5}),
        ("en", "between one hundred and two hundred", {100, 200}),
        ("en", "three hundred and fifty thousand two hundred and six", {350_206}),
        ("en", "fifteen hundred", {1500}),
        ("en", "one of them", set()),
        ("en", "half a million", {500_000}),
        ("en", "a quarter of a million", {250_000}),
        ("en", "half of the staff", set()),
        ("en", "two and a half million", {2_500_000}),
        ("en", "2.3 million", {2_300_000}),
        ("en", "several million", set()),
        ("en", "a few hundred thousand", set()),
        ("en", "millions of users", set()),
        ("en", "two dozen", {24}),
        ("en", "a dozen", set()),
        ("en", "£3.5m", {3_500_000}),
        ("en", "a wall of 3.5m", {3.5}),
        ("en", "3.5k", {3500}),
        ("en", "$3bn", {3e9}),
        ("en", "the C-295M", {295}),
        ("es", "treinta y cinco", {35}),
        ("es", "veintiún", {21}),
        ("es", "mil novecientos noventa y cinco", {1995}),
        ("es", "mil doscientos millones", {1.2e9}),
        ("es", "entre mil y dos mil", {1000, 2000}),
        ("es", "medio millón", {500_000}),
        ("es", "dos millones y medio", {2_500_000}),
        ("es", "cientos de millones", set()),
        ("es", "12,5 miles de millones", {1.25e10}),
        ("es", "5 por ciento", {5}),
        ("es", "cien por cien", {100}),
        ("fr", "vingt-cinq salariés", {25}),
        ("fr", "vingt et un", {21}),
        ("fr", "soixante et onze", {71}),
        ("fr", "quatre-vingt-dix-sept", {97}),
        ("fr", "mille neuf cent quatre-vingt-quinze", {1995}),
        ("fr", "un demi-million", {500_000}),
        ("fr", "2 Md €", {2e9}),
        ("fr", "3,5 M€", {3_500_000}),
        ("fr", "50 cents", {50}),
        ("fr", "vingt pour cent", {20}),
        ("fr", "une centaine", set()),
        ("it", "trentacinque", {35}),
        ("it", "ventuno, ventotto, trentatré", {21, 28, 33}),
        ("it", "cento venti", {120}),
        ("it", "duecentocinquantamila", {250_000}),
        ("it", "duemilaventisei", {2026}),
        ("it", "30 mila. Due anni dopo", {30_000, 2}),
        ("it", "3,5 mln di euro", {3_500_000}),
        ("it", "mezzo milione", {500_000}),
        ("it", "qualche milione", set()),
        ("it", "Milano", set()),
        ("de", "3,5 Mio. Euro", {3_500_000}),
    ],
)
def test_numbers_are_read_by_their_value(language: str, text: str, numbers: set[float]) -> None:
    assert said(text, language).numbers == numbers


@given(st.integers(1_000, 999_999_999), LANGUAGE, LANGUAGE, st.data())
def test_a_number_is_the_same_in_every_spelling(number: int, one: str, other: str, data: st.DataObject) -> None:
    spelt = [
        f"{number:,}".replace(",", data.draw(st.sampled_from(MARKS[language]), label=language))
        for language in (one, other)
    ]
    assert same(said(spelt[0], one), said(spelt[1], other)) is True
    assert same(said(spelt[0], one), said(str(number), other)) is True
    assert same(said(spelt[0], one), said(str(number + 1), other)) is False


@given(st.integers(0, 11), st.integers(0, 11), LANGUAGE, LANGUAGE)
def test_a_month_is_the_same_in_every_language(first: int, second: int, one: str, other: str) -> None:
    mine, its = said(MONTHS[one].split()[first], one), said(MONTHS[other].split()[second], other)
    assert same(mine, its) is (first == second)
    assert contradicts(mine, its, "time") is (first != second)


@given(st.text(max_size=40), st.text(max_size=40), LANGUAGE, LANGUAGE)
def test_the_order_does_not_matter_and_an_answer_says_what_it_says(one: str, other: str, mine: str, its: str) -> None:
    first, second = said(one, mine), said(other, its)
    assert same(first, second) is same(second, first)
    assert same(first, first) is not False
    for kind in ("number", "time", "name", "place", "other"):
        assert contradicts(first, second, kind) is contradicts(second, first, kind)
        assert not contradicts(first, first, kind)
        # What says the same contradicts nothing.
        assert not (same(first, second) and contradicts(first, second, kind))


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (("100.000 millones de dólares", "es"), ("100 milliards", "fr"), True),
        (("100 miliardi di dollari", "it"), ("100 milliards de dollars", "fr"), True),
        (("1,5 millones", "es"), ("1.5 million", "en"), True),
        (("soixante-dix", "fr"), ("seventy", "en"), True),
        (("quatre-vingt-dix mille", "fr"), ("90,000", "en"), True),
        (("already in March 2026", "en"), ("marzo", "it"), True),
        (("le 3 mars", "fr"), ("March 3", "en"), True),
        (("3 marzo", "it"), ("March 5", "en"), False),
        (("lunes", "es"), ("Monday", "en"), True),
        (("in March", "en"), ("16,000", "en"), False),
        (("16,000 jobs", "en"), ("many jobs", "en"), False),
        (("Cheng", "fr"), ("Albert Cheng", "en"), True),
        (("M. Renaud", "fr"), ("Luc Renaud", "es"), True),
        (("la dottoressa Ferri", "it"), ("Anna Ferri", "en"), True),
        (("Mr Duarte", "en"), ("Mr Ortega", "en"), None),
        (("the veteran executive Albert Cheng", "en"), ("Albert Cheng", "it"), True),
        (("María Duarte", "es"), ("Maria Duarte", "en"), True),
        (("Cheng", "en"), ("Cheng said that the tools will help studios make more films", "en"), None),
        (("Amazon cut thousands of posts", "en"), ("Amazon opens a studio in the old port", "en"), None),
        (("House of David", "en"), ("La Casa de David", "es"), None),
        (("350 shots", "en"), ("350 people", "en"), None),
        (("vingt-cinq salariés", "fr"), ("25 salariés", "fr"), True),
        (("£3.5m", "en"), ("£3.5 million", "en"), True),
        (("2 Md €", "fr"), ("2 milliards d'euros", "fr"), True),
        (("15 por ciento", "es"), ("15%", "en"), True),
        (("Julio Iglesias", "es"), ("Julio Iglesias", "en"), True),
        (("Theresa May", "en"), ("Theresa May", "fr"), True),
        (("Mrs May", "en"), ("Theresa May", "es"), True),
        (("30%", "en"), ("30 euros", "en"), False),
        (("30%", "en"), ("30 pour cent", "fr"), True),
        (("30%", "en"), ("30", "it"), True),
        (("2 years", "en"), ("cada dos días", "es"), False),
        (("2 years", "en"), ("due anni", "it"), True),
        (("a two-year term", "en"), ("deux ans", "fr"), True),
        (("$340,000", "en"), ("340.000 €", "es"), False),
        (("$340,000", "en"), ("340.000 dólares", "es"), True),
        (("US$3 million", "en"), ("3 millions d'euros", "fr"), False),
        (("CHF 40", "en"), ("40 franchi", "it"), True),
        (("40 EUR", "en"), ("40 €", "fr"), True),
        (("EUR 40", "en"), ("40 $", "fr"), False),
        (("for 20 $30 a day", "en"), ("20 €", "fr"), False),
        (("5 km", "en"), ("cinq kilomètres", "fr"), True),
        (("5 km", "en"), ("5 kg", "en"), False),
        (("5 l", "fr"), ("5 litri", "it"), True),
        (("5 h", "fr"), ("five minutes", "en"), False),
        (("30 days", "en"), ("30 people", "en"), None),
        (("18 million a year", "en"), ("diciotto milioni di euro", "it"), None),
        (("diciotto milioni l'anno", "it"), ("18 million euros", "en"), None),
        (("5 pm", "en"), ("5 am", "en"), False),
        (("5:30 p.m.", "en"), ("17h30", "fr"), True),
        (("alle 18.30", "it"), ("a las 18:30", "es"), True),
        (("5 de la tarde", "es"), ("17 h", "fr"), True),
        (("17", "en"), ("5 p.m.", "en"), False),
        (("17 febbraio", "it"), ("5 p.m.", "en"), False),
        (("Feb. 17", "en"), ("17 febbraio", "it"), True),
        (("17 févr. 2025", "fr"), ("17 February 2025", "en"), True),
        (("17/02/2025", "fr"), ("17 febbraio", "it"), True),
        (("17/02/2025", "en"), ("Feb 17, 2025", "en"), True),
        (("02/17/2025", "en"), ("17.2.2025", "it"), True),
        (("2025-02-17", "en"), ("17 de febrero", "es"), True),
        (("2025-02-17", "de"), ("17 de marzo", "es"), False),
        (("17/02/2025", "fr"), ("17 marzo", "it"), False),
    ],
)
def test_what_is_the_same(one: tuple[str, str], other: tuple[str, str], expected: bool | None) -> None:
    assert same(*two(one, other)) is expected


@pytest.mark.parametrize(
    ("one", "other", "kind"),
    [
        (("30,000", "en"), ("28 000", "fr"), "number"),
        (("350 planos", "es"), ("400 shots", "en"), "number"),
        (("in March", "en"), ("en mayo", "es"), "time"),
        (("in 2019", "en"), ("nel 2021", "it"), "time"),
        (("Maria Duarte", "en"), ("Luis Ortega", "es"), "name"),
        (("Secret City", "en"), ("Good Karma", "fr"), "other"),
        (("Theresa May", "en"), ("Boris Johnson", "en"), "name"),
        (("2,5%", "it"), ("2,6%", "it"), "number"),
        (("12", "en"), ("13", "en"), "number"),
        (("5 pm", "en"), ("5 am", "en"), "time"),
        (("12 euros", "en"), ("13", "en"), "number"),
        (("12 euros", "en"), ("13 €", "fr"), "number"),
    ],
)
def test_what_contradicts(one: tuple[str, str], other: tuple[str, str], kind: str) -> None:
    assert contradicts(*two(one, other), kind)  # type: ignore[arg-type]  # a literal in a table


@pytest.mark.parametrize(
    ("one", "other", "kind"),
    [
        (("since October", "en"), ("negli ultimi mesi", "it"), "time"),
        (("last August", "en"), ("la scorsa estate", "it"), "time"),
        (("approximately 30,000", "en"), ("decine di migliaia", "it"), "number"),
        (("31,000", "en"), ("30 850", "fr"), "number"),  # rounded
        (("2,5%", "it"), ("2,54%", "it"), "number"),
        (("12", "en"), ("12.5", "en"), "number"),
        (("cientos de millones", "es"), ("300 millones", "es"), "number"),
        (("Maria Duarte", "en"), ("la directora Duarte", "es"), "name"),
        (("Maria Duarte", "en"), ("una veterana", "es"), "name"),
        (("March", "en"), ("marzo 2026", "it"), "time"),
        (("to save money", "en"), ("para crecer", "es"), "other"),
        (("2 years", "en"), ("24 mesi", "it"), "number"),
        (("11.860 metri", "it"), ("doce kilómetros", "es"), "number"),
        (("30%", "en"), ("40 euros", "en"), "number"),
        (("5 p.m.", "en"), ("17 heures", "fr"), "time"),
        (("alle 5", "it"), ("5 p.m.", "en"), "time"),
        (("17/02/2025", "fr"), ("Feb. 17", "en"), "time"),
    ],
)
def test_what_is_vaguer_contradicts_nothing(one: tuple[str, str], other: tuple[str, str], kind: str) -> None:
    assert not contradicts(*two(one, other), kind)  # type: ignore[arg-type]  # a literal in a table


@pytest.mark.parametrize(
    ("language", "text", "units"),
    [
        ("en", "30-day", {(30.0, "day")}),
        ("en", "in the 1990s", set()),
        ("en", "the C-295m", set()),
        ("en", "30 m²", set()),
        ("en", "30 km/h", {(30.0, "km")}),
        ("en", "12 people in 3 weeks", {(3.0, "week")}),
        ("en", "March 3", set()),
        ("es", "3 millones de euros", {(3e6, "eur")}),
        ("fr", "3,5 M€", {(3.5e6, "eur")}),
        ("fr", "10 min et 5 s", {(10.0, "minute"), (5.0, "second")}),
        ("it", "il 5 per cento", {(5.0, "percent")}),
        ("de", "40 EUR", {(40.0, "eur")}),
    ],
)
def test_what_numbers_are_of(language: str, text: str, units: set[tuple[float, str]]) -> None:
    assert {unit[:2] for unit in said(text, language).units} == units


@pytest.mark.parametrize(
    ("language", "text", "months"),
    [
        ("en", "03/04/2025", set()),
        ("en", "03/03/2025", {"month3"}),
        ("es", "03/04/2025", {"month4"}),
        ("fr", "31/13/2025", set()),
        ("en", "Jan Blanc", set()),
        ("en", "Jan. 5", {"month1"}),
        ("es", "17 de feb. de 2025", {"month2"}),
        ("es", "el mar", set()),
        ("it", "3 set", set()),
        ("it", "3 sett. 2025", {"month9"}),
        ("fr", "déc. 2025", {"month12"}),
    ],
)
def test_months_in_short_and_in_figures(language: str, text: str, months: set[str]) -> None:
    assert said(text, language).calendar == months


def test_different_names_are_names_alone_and_share_no_word() -> None:
    assert different_names(*two(("Maria Duarte", "en"), ("Luis Ortega", "es")))
    assert not different_names(*two(("Maria Duarte", "en"), ("Sra. Duarte", "es")))
    assert not different_names(*two(("Maria Duarte", "en"), ("una directora, Ortega", "es")))
    assert not different_names(*two(("Maria Duarte", "en"), ("Luis Ortega, 35", "es")))
    assert not different_names(*two(("Maria Duarte", "en"), ("", "es")))
