from rag.ask import READ, worth_reading
from rag.search import Found
from rag.spans import Document, Span
from tests.passage_parts import found


def passages(languages: str) -> list[Found]:
    """Return a passage in each of the languages, named by their first letters, best first."""
    documents = [Document(f"{i}.txt", "Title", {"e": "en", "f": "fr"}[x], "Words.") for i, x in enumerate(languages)]
    return [found(Span(document, 0, 6), row=row) for row, document in enumerate(documents)]


def rows(languages: str, language: str = "fr") -> list[int]:
    return [passage.row for passage in worth_reading(passages(languages), language)]


def test_the_best_are_read_with_one_in_the_questions_language_among_them() -> None:
    assert READ == 4
    assert rows("eeeee") == [0, 1, 2, 3]
    assert rows("efeef") == [0, 1, 2, 3]
    assert rows("eeeeff") == [0, 1, 2, 4]
    assert rows("ef", "en") == [0, 1]
    assert rows("") == []
