"""A document and its sentences -> passages."""

import time
from pathlib import Path

import pytest

from rag.sentences import sentences
from rag.spans import Document, Span
from rag.split import split

SEEDS = sorted((Path(__file__).parents[1] / "seeds").glob("*.txt"))


def passages(text: str, *, size: int = 480, overlap: int = 160) -> list[str]:
    document = Document("a.txt", "A", "und", text)
    found = sentences(Span(document, 0, len(text))) if text else ()
    return [passage.text for passage in split(document, found, size=size, overlap=overlap)]


FIRST = "Il porto apre nel mese di giugno."
SECOND = "Lo dirige una capitana in pensione."
THIRD = "Vi lavorano oggi 240 persone."
FOURTH = "Una gru arriva in ottobre."


def test_a_short_document_is_one_passage() -> None:
    assert passages(f"  {FIRST} {SECOND}\n") == [f"{FIRST} {SECOND}"]


@pytest.mark.parametrize("text", ["", " ", "\n\t\u00a0\u2028\r\n", " " * 5_000])
def test_white_space_has_no_passages(text: str) -> None:
    assert passages(text) == []


def test_passages_are_whole_sentences() -> None:
    text = f"{FIRST} {SECOND} {THIRD} {FOURTH}"
    assert passages(text, size=72, overlap=0) == [f"{FIRST} {SECOND}", f"{THIRD} {FOURTH}"]
    assert passages(text, size=72, overlap=40) == [f"{FIRST} {SECOND}", f"{SECOND} {THIRD} {FOURTH}"]
    assert passages(text, size=72, overlap=34) == [f"{FIRST} {SECOND}", f"{THIRD} {FOURTH}"]


def test_a_heading_goes_with_what_follows_it() -> None:
    text = f"{FIRST} {SECOND}\n\nChi lavora al porto\n{THIRD}\n{FOURTH}"
    assert passages(text, size=92, overlap=0) == [f"{FIRST} {SECOND}", f"Chi lavora al porto\n{THIRD}\n{FOURTH}"]


def test_a_heading_too_long_to_fit_is_still_read_before_what_follows() -> None:
    text = f"Chi lavora al porto di una città di mare\n{FIRST[:-1]} e resta aperto."
    assert passages(text, size=60, overlap=0) == text.split("\n")
    assert passages(text, size=60, overlap=50) == [text]


def test_an_introduction_goes_with_its_list() -> None:
    text = f"{FIRST} {SECOND} Il porto offre:\n- un molo per i traghetti\n- una gru"
    assert passages(text, size=72, overlap=0) == [
        f"{FIRST} {SECOND}",
        "Il porto offre:\n- un molo per i traghetti\n- una gru",
    ]


def test_a_question_or_a_list_item_on_its_own_line() -> None:
    text = f"{FIRST} {SECOND}\n¿Quién paga?\n{THIRD} {FOURTH}"
    assert passages(text, size=80, overlap=0) == [f"{FIRST} {SECOND}", f"¿Quién paga?\n{THIRD} {FOURTH}"]
    text = f"{FIRST} {SECOND}\n- pesci\n{THIRD} {FOURTH}"
    assert passages(text, size=80, overlap=0) == [f"{FIRST} {SECOND}\n- pesci", f"{THIRD} {FOURTH}"]


def test_a_sentence_longer_than_a_passage_is_cut_at_clauses() -> None:
    text = "una frase che non finisce mai, " * 9 + "poi finisce."
    found = passages(text, size=100, overlap=40)
    assert all(len(passage) <= 140 for passage in found)
    assert all(passage.startswith(("una frase", "poi")) for passage in found)
    assert all(passage.endswith((",", ".")) for passage in found)


def test_a_word_longer_than_a_passage_is_cut() -> None:
    assert passages("x" * 130, size=50, overlap=0) == ["x" * 50, "x" * 50, "x" * 30]


def test_letters_of_the_text_are_no_separators() -> None:
    text = "PLSFC x PLSFC x PLSFC. " * 10
    assert passages(text, size=50, overlap=0) == ["PLSFC x PLSFC x PLSFC. PLSFC x PLSFC x PLSFC."] * 5


@pytest.mark.parametrize(("size", "overlap"), [(49, 0), (0, 0), (-1, 0), (100, -1), (100, 100), (50, 60)])
def test_sizes_that_make_no_sense_are_refused(size: int, overlap: int) -> None:
    with pytest.raises(ValueError, match=r"is under 50|is not in 0\.\."):
        passages("A text.", size=size, overlap=overlap)


@pytest.mark.parametrize("path", SEEDS, ids=lambda path: path.stem)
@pytest.mark.parametrize(("size", "overlap"), [(480, 160), (480, 0), (600, 200), (1000, 300)])
def test_no_sentence_of_the_articles_is_cut(path: Path, size: int, overlap: int) -> None:
    text = path.read_text("utf-8")
    document = Document(path.name, "A", "und", text)
    whole = sentences(Span(document, 0, len(text)))
    begins, ends = {sentence.start for sentence in whole}, {sentence.end for sentence in whole}
    found = split(document, whole, size=size, overlap=overlap)
    assert {passage.start for passage in found} <= begins
    assert {passage.end for passage in found} <= ends
    # Each passage but the last ends where a sentence does, and never in a heading or an introduction to a list.
    assert not [passage for passage in found if passage.text[-1] == ":"]


def test_time_is_linear() -> None:
    sentence = "Il porto di Montalto apre nel mese di giugno, dice la capitana. "
    document = Document("a.txt", "A", "it", sentence * 15_000)
    starts = range(0, len(document.text), len(sentence))
    whole = [Span(document, start, start + len(sentence) - 1) for start in starts]
    split(document, whole[:1])
    started = time.process_time()
    found = split(document, whole)
    assert time.process_time() - started < 6.0
    assert len(found) == 15_000 / 7 // 1 + 1
