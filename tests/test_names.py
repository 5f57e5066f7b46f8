import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.lexical import Lexical
from rag.names import names, unmentioned

TEXTS = [
    "Portalba. Il sindaco Elio Santoro apre la passerella nel 2033.",
    "Mayor Elio Santoro calls the bridge of Nadia Verrel a promise. It costs 42 million euros.",
    "La ville de Londres a envoyé des ingénieurs.",
]
LANGUAGES = ["it", "en", "fr"]


@pytest.fixture(scope="module")
def lexical() -> Lexical:
    return Lexical.of(TEXTS, LANGUAGES)


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Who is Elio Santoro?", ["Elio", "Santoro"]),
        ("¿Quién es Elio Santoro?", ["Elio", "Santoro"]),
        ("« Qui dirige l'AI Studio ? »", ["AI", "Studio"]),
        ("It is late. Who left in 2019 with 30,000 euros?", ["2019", "30,000"]),
        ("2019?", ["2019"]),
        ("Is it from the 1950s, from the 57th fair in the U.S., or 1.5 years old?", ["1.5"]),
        ("¿Qué ocurrió en el 57.º festival de EE.UU. de 2004?", ["2004"]),
        ("Where can I see Amazon's films, or the Smiths' ones?", ["Amazon", "Smiths"]),
        ("Did Charles I see what I'm told of Łukasz Šefčovič?", ["Charles", "Łukasz", "Šefčovič"]),
        ("Quelle est l'œuvre de Zola ?", ["Zola"]),
        ("who leads it?", []),
        ("", []),
    ],
)
def test_names_are_written_large_within_a_sentence(question: str, expected: list[str]) -> None:
    assert names(question) == expected


@pytest.mark.parametrize(
    ("question", "language", "expected"),
    [
        ("Chi è il sindaco di Napoli?", "it", ("Napoli",)),
        ("Chi è il sindaco di Portalba?", "it", ()),
        ("Who won the Tour de France in 2012?", "en", ("Tour", "France", "2012")),
        ("When did Robert Stromberg open it in 2033?", "en", ("Robert Stromberg",)),
        ("Who is the head of Napoli's harbour?", "en", ("Napoli",)),
        # Spelled in another way, or another language's word for it.
        ("Che cosa ha detto Elio Sanctoro?", "it", ()),
        ("Who came from London?", "en", ()),
        ("WHO IS THE MAYOR OF NAPOLI?", "en", ()),
        ("Who Is The Mayor of Portalba?", "en", ()),
        ("Cosa ha detto Napoli, e che cosa Napoli?", "it", ("Napoli",)),
    ],
)
def test_what_no_document_names(lexical: Lexical, question: str, language: str, expected: tuple[str, ...]) -> None:
    languages = list(dict.fromkeys([language, *LANGUAGES]))
    assert unmentioned(question, languages, lexical.weight, TEXTS) == expected


@given(st.text(max_size=60))
def test_any_question_has_its_own_words_only(question: str) -> None:
    lacking = unmentioned(question, ["en"], lambda term: 1.0, [])
    assert all(name and name in question for name in lacking)
