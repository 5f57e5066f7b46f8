from pathlib import Path

import pytest

from rag.documents import Documents, write_documents
from rag.spans import Document

LONG = Document("long.txt", "Long", "und", "x" * 40_000_000)
PAGES = Document("a.pdf", "A", "en", "One.\nHead\nTwo.", None, None, (0, 5), (5,))
ODD = Document("città\u2028.txt", "Città", "it", "perché\ud800 \U0001f600", "2026-01-02", "https://example.org/a")


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    write_documents(tmp_path, [PAGES, ODD, PAGES])
    documents = Documents(tmp_path)
    assert tuple(documents) == (PAGES, ODD, PAGES)
    assert (documents[-2], documents[:2]) == (ODD, (PAGES, ODD))
    assert [(head.id, head.language) for head in documents.heads[:2]] == [("a.pdf", "en"), (ODD.id, "it")]
    assert documents[1] is documents[1]
    with pytest.raises(IndexError):
        documents[3]


def test_texts_that_are_too_long_to_keep_are_read_again(tmp_path: Path) -> None:
    write_documents(tmp_path, [PAGES, LONG, ODD])
    documents = Documents(tmp_path)
    first = documents[0]
    assert documents[1].text == LONG.text
    assert documents[0] == first
    assert documents[0] is not first


def test_they_are_read_when_their_files_are_gone(tmp_path: Path) -> None:
    write_documents(tmp_path, [PAGES])
    documents = Documents(tmp_path)
    for path in tmp_path.iterdir():
        path.unlink()
    assert documents[0] == PAGES


def test_texts_that_were_cut_are_refused(tmp_path: Path) -> None:
    write_documents(tmp_path, [PAGES])
    (tmp_path / "texts.bin").write_bytes(b"One.")
    with pytest.raises(ValueError, match="another size"):
        Documents(tmp_path)
