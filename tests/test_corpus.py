"""A folder of text files -> documents."""

import os
from pathlib import Path

import pytest

from rag.corpus import read_corpus
from rag.errors import CorpusError
from rag.sources import Skipped

SEEDS = Path(__file__).parents[1] / "seeds"


def write(folder: Path, files: dict[str, str | bytes]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def test_the_articles() -> None:
    documents = read_corpus(SEEDS).documents
    assert [(document.id, document.language, document.date) for document in documents] == [
        ("000_06ef235511255f27.txt", "it", None),
        ("001_e8d2b5f56a3416be.txt", "es", None),
        ("002_914cfb54ec739f2b.txt", "en", None),
        ("003_2c4a3315411aaf2f.txt", "fr", None),
        ("004_2d17e4e16bd8b624.txt", "fr", "2026-02-08"),
    ]
    for document in documents:
        assert document.text.encode() == (SEEDS / document.id).read_bytes()
        assert 20 < len(document.title) <= 90
        assert document.title.endswith("…")
    assert documents[1].title.startswith("Amazon MGM Studios crea un AI Studio para integrar")
    assert documents[4].title.startswith("Amazon MGM Studios met en place un « AI Studio »")


def test_ids_are_paths_below_the_folder_in_order(tmp_path: Path) -> None:
    folder = write(
        tmp_path,
        {
            "z.txt": "Zed.",
            "b/a.md": "# Bay\n",
            "a.TXT": "Ay.",
            ".hidden.txt": "No.",
            ".git/x.txt": "No.",
            "blank.txt": " \n\t\u00a0",
            "empty.md": "",
            "picture.png": b"\x89PNG\x00",
            "c/d/e.txt": "Eee.",
        },
    )
    assert [document.id for document in read_corpus(folder).documents] == ["a.TXT", "b/a.md", "c/d/e.txt", "z.txt"]


def test_the_text_is_the_file_unchanged(tmp_path: Path) -> None:
    folder = write(tmp_path, {"a.txt": b"\xef\xbb\xbfUn\r\ndeux\rtrois\n\xe2\x80\xa8e\xcc\x81 \xef\xbb\xbf "})
    assert read_corpus(folder).documents[0].text == "Un\r\ndeux\rtrois\n\u2028e\u0301 \ufeff "


def test_links_that_lead_outside_are_skipped_and_said_to_be(tmp_path: Path) -> None:
    folder = write(tmp_path / "in", {"a.txt": "Inside."})
    write(tmp_path / "out", {"b.txt": "Outside.", "sub/c.txt": "Outside."})
    (folder / "b.txt").symlink_to(tmp_path / "out" / "b.txt")
    (folder / "sub").symlink_to(tmp_path / "out" / "sub")
    (folder / "same.txt").symlink_to(folder / "a.txt")
    found = read_corpus(folder)
    assert [(document.id, document.text) for document in found.documents] == [
        ("a.txt", "Inside."),
        ("same.txt", "Inside."),
    ]
    reason = "it is a link that leads out of the folder; put a copy of the file in its place"
    assert found.skipped == (Skipped("b.txt", reason),)


def test_unusual_file_names(tmp_path: Path) -> None:
    folder = write(tmp_path, {"Città\u00a0d’arte 😀.txt": "Una città."})
    assert read_corpus(folder).documents[0].id == "Città\u00a0d’arte 😀.txt"
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.txt")).write_text("A text.")
    (folder / "..").joinpath(folder.name, "a\nb.txt").write_text("A text.")
    found = read_corpus(folder)
    assert len(found.documents) == 1
    reason = "it has a name that cannot be written as text; rename it"
    assert found.skipped == (Skipped("a\\nb.txt", reason), Skipped("\\udcff.txt", reason))


def test_a_named_pipe_is_not_waited_for(tmp_path: Path) -> None:
    folder = write(tmp_path, {"a.txt": "A text."})
    os.mkfifo(folder / "pipe.txt")
    assert [document.id for document in read_corpus(folder).documents] == ["a.txt"]


@pytest.mark.parametrize(
    ("text", "title", "day"),
    [
        ("date 2026-02-08 Le moulin tourne\n\nIl tourne.", "Le moulin tourne", "2026-02-08"),
        ("\n 2021-05-04\n\nEl faro\n", "El faro", "2021-05-04"),
        ("Fecha: 2021-05-04 El faro", "El faro", "2021-05-04"),
        ("date 2021-13-40 Nothing", "date 2021-13-40 Nothing", None),
        ("The date is 2021-05-04", "The date is 2021-05-04", None),
        ("## **Un titolo** ##\ntesto", "Un titolo", None),
        ("---\n***\n- Un punto della lista\n- Altro", "Un punto della lista", None),
        ("12.5\n\n3) Trois idées", "Trois idées", None),
        ("M. Cheng parle. Il est tard.", "M. Cheng parle.", None),
        ("Who pays? Nobody knows.", "Who pays?", None),
        ("Version 3.5 of it is out", "Version 3.5 of it is out", None),
        (
            "uno due tre " * 20,
            "uno due tre uno due tre uno due tre uno due tre uno due tre uno due tre uno due tre uno…",
            None,
        ),
        ("x" * 200, "x" * 89 + "…", None),
        ("123 456", "a", None),
    ],
)
def test_titles_and_dates_from_the_text(tmp_path: Path, text: str, title: str, day: str | None) -> None:
    document = read_corpus(write(tmp_path, {"a.txt": text})).documents[0]
    assert (document.title, document.date) == (title, day)
    assert document.text == text


def test_a_description_beside_the_files(tmp_path: Path) -> None:
    folder = write(
        tmp_path,
        {
            "sub/a.txt": "date 2020-01-01 The council met.",
            "b.txt": "Il consiglio comunale si è riunito ieri sera.",
            "corpus.toml": (
                '[documents."sub/a.txt"]\ntitle = "Council"\nlanguage = "fr"\ndate = 2026-02-08\n'
                'url = "https://example.org/a"\n[documents."b.txt"]\ndate = "2026-02-09"\n'
            ),
        },
    )
    b, a = read_corpus(folder).documents
    assert (a.title, a.language, a.date, a.url) == ("Council", "fr", "2026-02-08", "https://example.org/a")
    assert (b.title, b.language, b.date, b.url) == (b.text, "it", "2026-02-09", None)


@pytest.mark.parametrize(
    ("description", "said"),
    [
        ('[documents."b.txt"]\ntitle = "B"', "'b.txt'"),
        ('[documents."a.txt"]\nauthor = "B"', "'author'"),
        ('[documents."a.txt"]\ntitle = 3', "title"),
        ('[documents."a.txt"]\ntitle = " "', "title"),
        ('[documents."a.txt"]\nlanguage = "English"', "language"),
        ('[documents."a.txt"]\ndate = "yesterday"', "date"),
        ('[documents]\n"a.txt" = "A"', "table"),
        ('documents = "A"', "'documents'"),
        ("[settings]\nsize = 3", "'settings'"),
        ("not toml", "corpus.toml cannot be read"),
    ],
)
def test_a_wrong_description_is_refused(tmp_path: Path, description: str, said: str) -> None:
    folder = write(tmp_path, {"a.txt": "A text.", "corpus.toml": description})
    with pytest.raises(CorpusError) as refusal:
        read_corpus(folder)
    assert said in str(refusal.value)
    assert str(refusal.value).endswith(".")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.txt", b"abc\xe9def", "it is not UTF-8 at byte 3"),
        ("a.txt", b"\xef\xbb\xbfabc\xe9", "it is not UTF-8 at byte 6"),
        ("a.txt", b"\xed\xa0\x80", "it is not UTF-8 at byte 0"),
        ("sub/a.md", "abc".encode("utf-16"), "NUL"),
        ("a.txt", b"abc\x00", "NUL"),
    ],
)
def test_a_file_that_cannot_be_read_is_skipped(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    folder = write(tmp_path, {name: content})
    with pytest.raises(CorpusError, match=rf"No file in .* can be read; of the first of 1, {name}: .*{said}"):
        read_corpus(folder)
    found = read_corpus(write(folder, {"good.txt": "A good text."}))
    assert [document.id for document in found.documents] == ["good.txt"]
    assert [skipped.id for skipped in found.skipped] == [name]
    assert said in found.skipped[0].reason


def test_a_folder_without_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"no \.txt, \.md, \.html, .* or \.epub file"):
        read_corpus(write(tmp_path, {"a.txt": " \n", "b.png": b"x"}))


def test_folders_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="does not exist"):
        read_corpus(tmp_path / "nowhere")
    with pytest.raises(CorpusError, match="not a folder"):
        read_corpus(write(tmp_path, {"a.txt": "A"}) / "a.txt")
    with pytest.raises(CorpusError, match="holds no"):
        (tmp_path / "empty").mkdir()
        read_corpus(tmp_path / "empty")


@pytest.mark.parametrize("target", ["nothing.txt", "a.txt"])
def test_links_that_lead_nowhere_are_skipped(tmp_path: Path, target: str) -> None:
    (tmp_path / "a.txt").symlink_to(tmp_path / target)
    (tmp_path / "b.txt").write_text("A text.")
    found = read_corpus(tmp_path)
    assert [document.id for document in found.documents] == ["b.txt"]
    assert [skipped.id for skipped in found.skipped] == ["a.txt"]
    assert found.skipped[0].reason.startswith("it cannot be opened (")
