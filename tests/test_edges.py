"""Where the words of an answer begin and end."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.edges import whole_words
from rag.spans import Document, Span


def span(document: Document, text: str) -> Span:
    start = document.text.index(text)
    return Span(document, start, start + len(text))


def widened(text: str, words: str) -> str:
    document = Document("a.txt", "A", "und", text)
    return whole_words(span(document, words), Span(document, 0, len(text))).text


@pytest.mark.parametrize(
    ("text", "words", "whole"),
    [
        ("José dirige.", "Jose", "José"),
        ("Es José.", "José.", "José"),
        ("El alcalde Ibáñez dirige.", "Ib", "Ibáñez"),
        ("El alcalde Ibáñez dirige.", "ez", "Ibáñez"),
        ("La ville de Besançon, en été.", "Bes", "Besançon"),
        ("Dice perché (così).", "perche", "perché"),
        ("Maria (née à Orléans) court.", "ne", "née"),
    ],
)
def test_accents_that_stand_apart_from_their_letters_are_of_the_word(text: str, words: str, whole: str) -> None:
    decomposed = unicodedata.normalize("NFD", text)
    assert widened(decomposed, unicodedata.normalize("NFD", words)) == unicodedata.normalize("NFD", whole)


@pytest.mark.parametrize(
    ("text", "words", "whole"),
    [
        ("La température est tombée à -12 degrés.", "-12 degrés", "-12 degrés"),
        ("La temperatura (–12 gradi) scese.", "(–12 gradi)", "–12 gradi"),
        ("Bajó a −12 grados.", "−12 grados.", "−12 grados"),
        ("It made -$200 in May.", " -$200", "-$200"),
        ("From 2019-2020 on.", "-2020", "2020"),
        ("From 2019–2020 on.", "2019–2020", "2019–2020"),
        ("Il en a 10\u00a0%-20\u00a0%.", "-20\u00a0%", "20\u00a0%"),
        ("Eggs:\n- 12 of them", "- 12 of them", "12 of them"),
        ("Ella –dijo– corre.", "–dijo–", "dijo"),
        ("Ellos –12 en total– corren.", "–12 en total–", "12 en total"),
    ],
)
def test_a_minus_is_of_its_number_and_other_dashes_of_the_sentence(text: str, words: str, whole: str) -> None:
    assert widened(text, words) == whole


@pytest.mark.parametrize(
    ("text", "words", "whole"),
    [
        ("It opens at 9.10 p.m. on Monday.", "9.10 p.m", "9.10 p.m."),
        ("It opens at 3 p.m.", "3 p.m", "3 p.m."),
        ("It opens at 10p.m. daily.", "p.m", "10p.m."),
        ("It opens at 3 pm.", "3 pm.", "3 pm"),
        ("The B.B.C. said so.", "B.B.C", "B.B.C."),
        ("The U.S. is big.", "U", "U.S."),
        ("Vive en EE.UU. desde 2020.", "EE.UU", "EE.UU."),
        ("Acme Ltd. of London grew.", "Acme Ltd", "Acme Ltd."),
        ("It belongs to Acme Ltd.", "Acme Ltd.", "Acme Ltd"),
        ("Mrs. Cameron paid.", "Mrs", "Mrs."),
        ("They waited... then left.", "waited", "waited"),
        ("La fin.Nuevo día.", "fin", "fin"),
        ("It runs on Node.js.", "Node.js.", "Node.js"),
        ("He left home.", "home.", "home"),
    ],
)
def test_a_full_stop_of_a_word_is_kept_and_one_of_the_sentence_is_not(text: str, words: str, whole: str) -> None:
    assert widened(text, words) == whole


@pytest.mark.parametrize(
    ("text", "words", "whole"),
    [
        ("| Adult | £18.00 | not offered |", "£18.00 | not offered", "£18.00"),
        ("| Adult | £18.00 | not offered |", "| £18.00 | not", "£18.00"),
        ("| Acto | Lugar |", "Acto | Lugar", "Acto"),
        ("Acto | Lugar\n--- | ---\nGala | Teatro", "Acto | Lugar", "Acto"),
        ("Acto | Lugar\n--- | ---\nGala | Teatro", "Lugar", "Lugar"),
        ("The odds of a | b are low.", "a | b", "a | b"),
    ],
)
def test_words_are_those_of_one_cell_of_a_table(text: str, words: str, whole: str) -> None:
    assert widened(text, words) == whole


@pytest.mark.parametrize(
    ("text", "words", "whole"),
    [
        ("Date: ** 4, 11 e 18 aprile**", "** 4, 11 e 18 aprile**", "4, 11 e 18 aprile"),
        ("Run `x` now.", "`x`", "x"),
        ("He said _so_.", "_so_.", "so"),
        ("## Opening hours", "## Opening hours", "Opening hours"),
        ("> She wrote it.", "> She", "She"),
        ("It is written in C# now.", "C#", "C#"),
        ("A hotel with 5* is dear.", "5*", "5*"),
        ("Those with >5 points pass.", ">5 points", ">5 points"),
        ("They tagged it #MeToo.", "#MeToo", "#MeToo"),
        ("Call snake_case_x or a*b.", "snake_case_x or a*b", "snake_case_x or a*b"),
    ],
)
def test_marks_of_markdown_are_left_out_at_the_edges_alone(text: str, words: str, whole: str) -> None:
    assert widened(text, words) == whole


@pytest.mark.parametrize(
    ("text", "words", "whole"),
    [
        ("Costs 110 € (95 € for members).", "110 € (95 €", "110 € (95 € for members)"),
        ("Costs 110 € (95 €).", "110 € (95 €", "110 € (95 €)"),
        ("De 10 h à 18 h (19 h en août), sauf lundi.", "10 h à 18 h (19 h en août", "10 h à 18 h (19 h en août)"),
        (f"Costs 110 € (95 {'and more ' * 6}).", "110 € (95", "110 €"),
        ("Costs 110 € (95 € for members.", "110 € (95 €", "110 €"),
        ("Acme (Paris) bought it.", "Paris) bought", "(Paris) bought"),
        ("Acme (Paris), which grew.", "), which", "which"),
        ("He went (to Paris).", "(to Paris)", "to Paris"),
        ("It is (a) and (b).", "(a) and (b).", "(a) and (b)"),
        ("a) first item", "a) first", "a) first"),
        ("Le film « Dune » plaît.", "film « Dune", "film « Dune »"),
        ("Le film « Dune » plaît.", "« Dune »", "Dune"),
        ("He reads “Dune” daily.", "Dune” daily", "“Dune” daily"),
        (f"He said “so {'and so ' * 8}”.", "said “so and", "said “so and"),
    ],
)
def test_brackets_and_quotation_marks_stay_in_pairs(text: str, words: str, whole: str) -> None:
    assert widened(text, words) == whole


@given(st.text(st.sampled_from("aB1 .,()[«»“”*_#>`|\n"), min_size=1, max_size=24), st.data())
def test_whole_words_are_whole_whatever_marks_there_are(text: str, data: st.DataObject) -> None:
    document = Document("a.txt", "A", "und", text)
    start, end = sorted(data.draw(st.lists(st.integers(0, len(text)), min_size=2, max_size=2, unique=True)))
    first = data.draw(st.integers(start, end - 1))
    within = Span(document, start, end)
    words = whole_words(Span(document, first, data.draw(st.integers(first + 1, end))), within)
    assert within.contains(words)
    assert whole_words(words, within) == words


@given(st.text(st.sampled_from("ae1 -–−.,(\u0301\u0327\n"), min_size=1, max_size=20), st.data())
def test_words_stay_in_their_sentence_and_end_before_no_accent(text: str, data: st.DataObject) -> None:
    document = Document("a.txt", "A", "und", text)
    start, end = sorted(data.draw(st.lists(st.integers(0, len(text)), min_size=2, max_size=2, unique=True)))
    first = data.draw(st.integers(start, end - 1))
    within = Span(document, start, end)
    words = whole_words(Span(document, first, data.draw(st.integers(first + 1, end))), within)
    assert within.contains(words)
    assert words.end == end or not unicodedata.combining(text[words.end])
    assert whole_words(words, within) == words
