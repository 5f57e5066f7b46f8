import unicodedata
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.agreed import agreed_words
from rag.spans import Document, Span

TEXT = "En la segunda temporada, el director Jon Erwin combinó imágenes reales, dice (M. Pérez) de Amazon."
WORDS = st.lists(st.sampled_from(["Jon", "Erwin", "jon", "combinó", "el", "PEREZ", "-", "", "Amazon"]), max_size=5)


def answer(words: str) -> Span:
    start = TEXT.index(words)
    return Span(Document("es.txt", "Serie", "es", TEXT), start, start + len(words))


@pytest.mark.parametrize(
    ("own", "others", "agreed"),
    [
        ("Jon Erwin combinó imágenes", [], "Jon Erwin combinó imágenes"),
        ("Jon Erwin combinó imágenes", ["Jon Erwin", "director Jon Erwin"], "Jon Erwin"),
        ("Jon Erwin combinó imágenes", ["jon ERWIN", "Jon Erwin combino"], "Jon Erwin combinó"),
        ("el director Jon Erwin", ["Jon Erwin"], "el director Jon Erwin"),  # one against one
        ("director Jon Erwin combinó imágenes", ["Jon Erwin", "Jon Erwin", "Jon Erwin"], "Jon Erwin"),
        ("Jon Erwin combinó imágenes", ["Albert Cheng", "the man whom they call Erwin"], "Jon Erwin combinó imágenes"),
        ("Jon Erwin combinó imágenes", ["", "-"], "Jon Erwin combinó imágenes"),
        ("imágenes reales, dice (M. Pérez) de Amazon", ["Perez", "M. Perez", "monsieur Pérez"], "M. Pérez"),
    ],
)
def test_the_words_that_documents_have_in_common(own: str, others: list[str], agreed: str) -> None:
    assert agreed_words(answer(own), others).text == agreed


@pytest.mark.parametrize(
    ("text", "others", "agreed"),
    [
        ("José dirige", ["José", "Jose"], "José"),
        ("el alcalde Ibáñez", ["Ibáñez", "IBANEZ"], "Ibáñez"),
        ("la mairie de Besançon", ["Besançon", "Besancon"], "Besançon"),
        ("disse che perché", ["perché", "perche"], "perché"),
        ("Anna runs it", ["Anna", "anna"], "Anna"),
        ("हिन्दी भाषा", ["हिन्दी", "हिन्दी"], "हिन्दी"),
    ],
)
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_accents_that_stand_apart_from_their_letters_stay_with_them(
    form: Literal["NFC", "NFD"], text: str, others: list[str], agreed: str
) -> None:
    text, agreed = (unicodedata.normalize(form, each) for each in (text, agreed))
    whole = Span(Document("es.txt", "Serie", "es", text), 0, len(text))
    assert agreed_words(whole, others).text == agreed
    assert agreed_words(whole, [unicodedata.normalize("NFD", other) for other in others]).text == agreed


@given(st.integers(0, len(TEXT)), st.integers(0, len(TEXT) - 1), st.lists(WORDS.map(" ".join), max_size=4))
def test_a_part_of_the_answer_is_left_and_never_nothing(one: int, other: int, others: list[str]) -> None:
    start, end = sorted((one, other + (one == other)))
    whole = Span(Document("es.txt", "Serie", "es", TEXT), start, end)
    part = agreed_words(whole, others)
    assert start <= part.start < part.end <= end
    assert agreed_words(whole, []) == whole
