import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.lists import MOST_WORDS, asks_for_several, whole_list
from rag.spans import Document, Span


@pytest.mark.parametrize(
    ("question", "language"),
    [
        ("Which companies build it?", "en"),
        ("what tools do they use", "en"),
        ("Which other streaming platforms use AI?", "en"),
        ("Who are the founders?", "en"),
        ("¿Quiénes formaron el jurado?", "es"),
        ("¿Qué empresas construyen el puente?", "es"),
        ("¿Cuáles son las paradas?", "es"),
        ("Quelles entreprises construisent le pont ?", "fr"),
        ("Qui sont les fondateurs ?", "fr"),
        ("Quali strumenti usano?", "it"),
        ("Chi sono i fondatori?", "it"),
    ],
)
def test_what_asks_for_several(question: str, language: str) -> None:
    assert asks_for_several(question, language)


@pytest.mark.parametrize(
    ("question", "language"),
    [
        ("Which director works with the studio?", "en"),
        ("Who leads AI Studio?", "en"),
        ("Which series did he direct?", "en"),
        ("What does the bridge cost?", "en"),
        ("What is it called?", "en"),
        ("¿Qué mes empieza?", "es"),
        ("¿Quién dirige el festival?", "es"),
        ("¿Qué es el Halo?", "es"),
        ("Quel film a gagné ?", "fr"),
        ("Quale compagnia?", "it"),
        ("Chi guida Lunaria?", "it"),
        ("which companies", "de"),
    ],
)
def test_what_asks_for_one(question: str, language: str) -> None:
    assert not asks_for_several(question, language)


@pytest.mark.parametrize(
    ("text", "item", "whole", "language"),
    [
        (
            "The work goes to three companies: Costruzioni Riva, the steel maker Halden and the cable firm Tirso.",
            "Costruzioni Riva",
            "Costruzioni Riva, the steel maker Halden and the cable firm Tirso",
            "en",
        ),
        (
            "El jurado lo formaron la actriz Lucía Ferrán, el montador Peter Okafor y la compositora Anaïs Delmas.",
            "Peter Okafor",
            "la actriz Lucía Ferrán, el montador Peter Okafor y la compositora Anaïs Delmas",
            "es",
        ),
        (
            "They use ground radar, drones and old aerial photographs to find more walls.",
            "ground radar",
            "ground radar, drones and old aerial photographs",
            "en",
        ),
        (
            "El tren parará en Turín, Milán, Verona e Innsbruck.",
            "Verona",
            "Turín, Milán, Verona e Innsbruck",
            "es",
        ),
        (
            "Les fondateurs sont Marta Lindqvist et Oskar Brandt, partis en 2027.",
            "Oskar Brandt",
            "Marta Lindqvist et Oskar Brandt",
            "fr",
        ),
        (
            "Dalla terra sono usciti un mosaico con delfini, anfore da vino, monete d'argento e una lucerna di bronzo.",
            "un mosaico con delfini",
            "un mosaico con delfini, anfore da vino, monete d'argento e una lucerna di bronzo",
            "it",
        ),
        ("The bridge was designed by Nadia Verrel.", "Nadia Verrel", "Nadia Verrel", "en"),
        # What a name is explained by is no item beside it.
        (
            "Heliora uses its own cable division, Tirso Cables, for repairs and works with several banks.",
            "Tirso Cables, for repairs and works with several banks",
            "Tirso Cables, for repairs and works with several banks",
            "en",
        ),
    ],
)
def test_an_item_is_widened_to_its_enumeration(text: str, item: str, whole: str, language: str) -> None:
    document = Document("a.txt", "A", language, text)
    start = text.index(item)
    words, sentence = whole_list(Span(document, start, start + len(item)), Span(document, 0, len(text)))
    assert words.text == whole
    assert sentence.text == text


@pytest.mark.parametrize(
    ("text", "answer", "language"),
    [
        # What follows goes on with the sentence, or with what the answer is.
        (
            "El tranvía usa los primeros motores de hidrógeno y permite un viaje sin ruido.",
            "los primeros motores",
            "es",
        ),
        ("Il ponte usa cavi che tengono il vento e la pioggia.", "cavi", "it"),
        ("The bridge was drawn by Nadia Verrel, a mother of three from Portalba.", "Nadia Verrel", "en"),
        ("Les rebelles gagnent des renforts et assiègent la ville.", "la ville", "fr"),
        # It is whole as it is.
        ("Late in May, the mayor and Nadia Verrel and Elio Santoro opened it.", "Nadia Verrel and Elio Santoro", "en"),
    ],
)
def test_what_is_no_item_is_left_out(text: str, answer: str, language: str) -> None:
    document = Document("a.txt", "A", language, text)
    start = text.index(answer)
    item = Span(document, start, start + len(answer))
    assert whole_list(item, Span(document, 0, len(text)))[0].text == answer


def test_what_the_question_names_is_no_item() -> None:
    text = "The river divides Lenna and Portalba."
    document = Document("a.txt", "A", "en", text)
    item, sentence = Span(document, 28, 36), Span(document, 0, len(text))
    assert whole_list(item, sentence)[0].text == "Lenna and Portalba"
    assert whole_list(item, sentence, besides="What does it divide from Lenna?")[0].text == "Portalba"


def test_bullets_are_one_list() -> None:
    text = "Partners\n\n- Nordnet\n- Sol & Tak\n- University of Lund\n\nThe rest is secret."
    document = Document("a.txt", "A", "en", text)
    start = text.index("Sol")
    words, sentence = whole_list(Span(document, start, start + 9), Span(document, start - 2, start + 9))
    assert words.text == "- Nordnet\n- Sol & Tak\n- University of Lund"
    assert sentence == words


def test_a_long_enumeration_stays_an_item() -> None:
    text = "It has " + ", ".join(f"a thing called Number{n}" for n in range(12)) + " and a lid."
    document = Document("a.txt", "A", "en", text)
    item = Span(document, 7, 29)
    assert whole_list(item, Span(document, 0, len(text)))[0] == item


@given(st.text(st.sampled_from("ab AB,;:. yeando\n-"), min_size=1, max_size=60), st.data())
def test_what_is_widened_holds_the_answer_and_lies_in_the_sentence(text: str, data: st.DataObject) -> None:
    document = Document("a.txt", "A", "en", text)
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    answer, whole = Span(document, start, end), Span(document, 0, len(text))
    words, sentence = whole_list(answer, whole)
    assert sentence.contains(words)
    assert words.overlaps(answer)
    assert words == answer or len(words.text.split()) <= 2 * MOST_WORDS
