import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.lists import MOST_WORDS, whole_list
from rag.spans import Document, Span


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


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("Ha dirigido «Dune», «Arrival» y «Sicario».", "«Dune», «Arrival» y «Sicario»"),
        ("Ha dirigido “Dune”, “Arrival” y “Sicario”.", "“Dune”, “Arrival” y “Sicario”"),
        ('Ha dirigido "Dune", "Arrival" y "Sicario".', '"Dune", "Arrival" y "Sicario"'),
        ("Ha dirigido ‘Dune’, ‘Arrival’ y ‘Sicario’.", "‘Dune’, ‘Arrival’ y ‘Sicario’"),
        ("Il a réalisé « Dune », « Arrival » et « Sicario ».", "« Dune », « Arrival » et « Sicario »"),
        # A comma stands inside the marks, or a title holds what else would separate.
        ("He directed “Dune,” “Arrival,” and “Sicario.”", "“Dune,” “Arrival,” and “Sicario.”"),
        ("Ha diretto «Dune», «Arrival, o no: mai» e «Sicario», poi altro.", "«Dune», «Arrival, o no: mai» e «Sicario»"),
        # One title is what was answered; speech is no title.
        ("Ha dirigido «Dune».", "Dune"),
        ("Dijo “contratamos a Dune, Arrival y Sicario” el lunes.", "Dune, Arrival y Sicario"),
    ],
)
def test_titles_in_quotation_marks_are_items(text: str, whole: str) -> None:
    language = "fr" if " et " in text else "it" if " e " in text else "es" if " y " in text else "en"
    document = Document("a.txt", "A", language, text)
    for item in filter(text.__contains__, ("Dune", "Sicario")):
        start = text.index(item)
        answer, sentence = Span(document, start, start + len(item)), Span(document, 0, len(text))
        assert whole_list(answer, sentence)[0].text == whole


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("lines", [1, 2])
def test_the_items_of_a_list_may_be_a_line_apart(line_break: str, lines: int) -> None:
    items = (line_break * lines).join(["- Riva", "- Halden", "- Tirso"])
    text = f"Partners:{line_break * 3}{items}{line_break * 3}- Nordnet"
    document = Document("a.txt", "A", "en", text)
    start = text.index("Halden")
    assert whole_list(Span(document, start, start + 6), Span(document, start - 2, start + 6))[0].text == items


def test_a_list_is_looked_for_near_its_item() -> None:
    text = "Much is known.\n" * 500 + "- Riva\n- Halden\n\n" + "Little is said.\n" * 500
    document = Document("a.txt", "A", "en", text)
    start = text.index("Halden")
    assert (
        whole_list(Span(document, start, start + 6), Span(document, start - 2, start + 6))[0].text == "- Riva\n- Halden"
    )
    endless = "- 监管港口" + "监管港口" * 30
    document = Document("a.txt", "A", "zh", "\n".join([endless] * 40))
    item = Span(document, len(endless) * 20 + 22, len(endless) * 20 + 24)
    sentence = Span(document, (len(endless) + 1) * 20, (len(endless) + 1) * 20 + len(endless))
    assert whole_list(item, sentence) == (item, sentence)


def test_bullets_are_one_list() -> None:
    text = "Partners\n\n- Nordnet\n- Sol & Tak\n- University of Lund\n\nThe rest is secret."
    document = Document("a.txt", "A", "en", text)
    start = text.index("Sol")
    words, sentence = whole_list(Span(document, start, start + 9), Span(document, start - 2, start + 9))
    assert words.text == "- Nordnet\n- Sol & Tak\n- University of Lund"
    assert sentence == words


def _whole(text: str, item: str, language: str) -> str:
    document = Document("a.txt", "A", language, text)
    start = text.index(item)
    line = text.rfind("\n", 0, start) + 1
    end = text.find("\n", start) if "\n" in text[start:] else len(text)
    return whole_list(Span(document, start, start + len(item)), Span(document, line, end))[0].text


BIDS = "Ramp & Rail (£118,000), Concrete Wave (£132,500) and Moor Skate (£99,000)"
BOOKS = "«Il guado», 2001; «Nevaio», 2008; «Ponte», 2012"
THERE = "Remedios Soler (alcaldesa), D. Ignacio Ugarte y Dña. Ana Ruiz [3]"


@pytest.mark.parametrize(
    ("text", "items", "whole", "language"),
    [
        (f"The tender drew three bids: {BIDS}.", "Ramp & Rail|Concrete Wave|Moor Skate (£99,000)", BIDS, "en"),
        (f"Ha scritto tre opere ({BOOKS}) e un saggio.", "Il guado|Nevaio|Ponte", BOOKS, "it"),
        (f"Asistentes: {THERE}.", "Remedios Soler|D. Ignacio Ugarte|Ana Ruiz", THERE, "es"),
        # What was answered in a bracket is no item of what is around it.
        (f"The tender drew three bids: {BIDS}.", "£132,500", "£132,500", "en"),
        ("Riva (founded in 1990) builds bridges and Halden sells them.", "Riva", "Riva", "en"),
        # The first word of a sentence is written large whatever it is.
        ("Negro, burdeos y verde salvia.", "Negro|burdeos|verde salvia", "Negro, burdeos y verde salvia", "es"),
        ("Heliora, maker of batteries and cables, is Swedish.", "Heliora", "Heliora", "en"),
    ],
)
def test_what_surrounds_an_item_hides_no_other(text: str, items: str, whole: str, language: str) -> None:
    for item in items.split("|"):
        assert _whole(text, item, language) == whole


def test_bullets_may_be_long_lettered_and_below_others() -> None:
    dates = "Anne Riou, du 3 mars au 12 mai 2031 ; salle haute"
    shows = "\n".join(f"- « Verre {number} » – {dates}" for number in ("un", "deux", "dix"))
    assert _whole(f"Expositions :\n\n{shows}\n", "Verre deux", "fr") == shows
    assert _whole("Bring:\na) a rope\nb) a helmet", "a helmet", "en") == "a) a rope\nb) a helmet"
    parts = "- Engine\n  - piston\n  - valve\n- Body\n  - door"
    assert _whole(parts, "piston", "en") == "- piston\n  - valve"
    assert _whole(parts, "Body", "en") == parts
    assert _whole(parts, "door", "en") == "door"
    endless = "\n".join(f"- {'so many words ' * 5}" for _ in range(9))
    assert _whole(endless, "many", "en") == "many"


def test_a_long_enumeration_stays_an_item() -> None:
    text = "It has " + ", ".join(f"a thing called Number{n}" for n in range(12)) + " and a lid."
    document = Document("a.txt", "A", "en", text)
    item = Span(document, 7, 29)
    assert whole_list(item, Span(document, 0, len(text)))[0] == item


@given(st.text(st.sampled_from("ab AB,;:. ()[]\ue000yeando\n\r-«»“”\"‘’'"), min_size=1, max_size=60), st.data())
def test_what_is_widened_holds_the_answer_and_lies_in_the_sentence(text: str, data: st.DataObject) -> None:
    document = Document("a.txt", "A", "en", text)
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    answer, whole = Span(document, start, end), Span(document, 0, len(text))
    words, sentence = whole_list(answer, whole)
    assert sentence.contains(words)
    assert words.overlaps(answer)
    assert words == answer or len(words.text.split()) <= 2 * MOST_WORDS
