"""Adding to an index, taking out of it, and what a build would change; only what changed is embedded."""

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fpdf import FPDF
from typer.testing import CliRunner

from rag import add, remove, status
from rag.cli import app
from rag.documents import HEADS
from rag.encode import Encoder
from rag.errors import CorpusError, IndexDirectoryError
from rag.formats import Confined, Extracted
from rag.index import BuildReport, Settings, build_with, open_index
from rag.sources import Skipped

if TYPE_CHECKING:
    from tests.conftest import WordHashEncoder


def built(corpus: Path, index: Path, encoder: Encoder) -> BuildReport:
    return build_with(corpus, index, encoder, settings=Settings(), progress=lambda stage, done, total: None)


def ids(index: Path) -> list[str]:
    return [document.id for document in open_index(index).documents]


def pdf(text: str) -> bytes:
    made = FPDF()
    made.set_font("Helvetica", size=11)
    made.add_page()
    made.cell(text=text)
    return bytes(made.output())


@pytest.fixture
def corpus(corpus_dir: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(corpus_dir, tmp_path / "corpus"))


@pytest.fixture
def index(corpus: Path, tmp_path: Path, word_hash: "WordHashEncoder") -> Path:
    built(corpus, tmp_path / "index", word_hash)
    word_hash.embedded = 0
    return tmp_path / "index"


@pytest.fixture
def letter(tmp_path: Path) -> Path:
    (tmp_path / "elsewhere").mkdir()
    path = tmp_path / "elsewhere" / "letter.txt"
    path.write_text("A letter about the new lighthouse.")
    return path


def test_a_file_from_elsewhere_is_added_and_stays_through_builds(
    corpus: Path, index: Path, letter: Path, word_hash: "WordHashEncoder"
) -> None:
    report = add([letter], index, encoder=word_hash)
    assert (report.documents, report.embedded, word_hash.embedded) == (6, 1, 1)
    assert ids(index)[3:5] == ["harbour.txt", "letter.txt"]
    assert open_index(index).sources.added == {"letter.txt": str(letter.resolve())}
    assert status(index=index).is_current
    before = (index / "manifest.json").read_bytes()
    assert built(corpus, index, word_hash).documents == 6
    assert (index / "manifest.json").read_bytes() == before
    (corpus / "faro.txt").unlink()
    assert built(corpus, index, word_hash).documents == 5
    letter.unlink()
    assert built(corpus, index, word_hash).documents == 5
    assert open_index(index).documents[-2].text == "A letter about the new lighthouse."
    assert word_hash.embedded == 1


def test_an_added_file_that_changed_is_read_again(
    corpus: Path, index: Path, letter: Path, word_hash: "WordHashEncoder"
) -> None:
    add([letter], index, encoder=word_hash)
    letter.write_text("Another letter.")
    assert status(index=index).changed == ("letter.txt",)
    assert add([letter], index, encoder=word_hash).embedded == 1
    letter.write_text("A third letter.")
    assert built(corpus, index, word_hash).embedded == 1
    assert open_index(index).documents[-2].text == "A third letter."


def test_a_file_of_the_folder_is_added_as_a_build_would(
    corpus: Path, index: Path, word_hash: "WordHashEncoder"
) -> None:
    (corpus / "sub").mkdir()
    (corpus / "sub" / "new.md").write_text("# A new page\n\nIt is new.")
    (corpus / "other.txt").write_text("Not added.")
    assert add([corpus / "sub" / "new.md"], index, encoder=word_hash).embedded == 1
    assert "sub/new.md" in ids(index)
    assert "other.txt" not in ids(index)
    assert status(index=index).new == ("other.txt",)
    (corpus / "other.txt").unlink()
    before = (index / "manifest.json").read_bytes()
    built(corpus, index, word_hash)
    assert (index / "manifest.json").read_bytes() == before
    assert open_index(index).sources.added == {}


def test_what_is_removed_stays_out_until_it_is_added(corpus: Path, index: Path, word_hash: "WordHashEncoder") -> None:
    assert remove(["faro.txt"], index, encoder=word_hash).documents == 4
    assert "faro.txt" not in ids(index)
    assert status(index=index).left_out == ("faro.txt",)
    assert status(index=index).is_current
    assert built(corpus, index, word_hash).documents == 4
    assert word_hash.embedded == 0
    assert add([corpus / "faro.txt"], index, encoder=word_hash).documents == 5
    assert status(index=index).left_out == ()
    remove(["faro.txt"], index, encoder=word_hash)
    (corpus / "faro.txt").unlink()
    built(corpus, index, word_hash)
    assert open_index(index).sources.removed == ()


def test_an_added_document_that_is_removed_is_forgotten(
    corpus: Path, index: Path, letter: Path, word_hash: "WordHashEncoder"
) -> None:
    add([letter], index, encoder=word_hash)
    remove(["letter.txt"], index, encoder=word_hash)
    assert built(corpus, index, word_hash).documents == 5
    assert (open_index(index).sources.added, open_index(index).sources.removed) == ({}, ())


def test_an_index_of_added_files_alone(tmp_path: Path, letter: Path, word_hash: "WordHashEncoder") -> None:
    assert add([letter], tmp_path / "index", encoder=word_hash).documents == 1
    with pytest.raises(CorpusError, match="made of added files and not of a folder"):
        status(index=tmp_path / "index")


def test_the_status_goes_by_contents(corpus: Path, index: Path, word_hash: "WordHashEncoder") -> None:
    assert status(corpus, index).is_current
    (corpus / "faro.txt").touch()
    (corpus / "sub").mkdir()
    (corpus / "harbour.txt").rename(corpus / "sub" / "port.txt")
    (corpus / "moulin.txt").unlink()
    (corpus / "ferry.txt").write_text("The ferry has gone.")
    (corpus / "new.txt").write_text("A new page.")
    (corpus / "blank.txt").write_text(" \n")
    (corpus / "bad.txt").write_bytes(b"\xff")
    found = status(index=index)
    assert (found.new, found.changed) == (("bad.txt", "blank.txt", "new.txt"), ("ferry.txt",))
    assert (found.renamed, found.removed) == ((("harbour.txt", "sub/port.txt"),), ("moulin.txt",))
    assert not found.is_current
    assert word_hash.embedded == 0
    report = built(corpus, index, word_hash)
    assert (report.embedded, word_hash.embedded) == (2, 2)  # the changed and the new one
    after = status(index=index)
    assert after.is_current
    assert after.skipped == (("bad.txt", "it is not UTF-8 at byte 0; save it as UTF-8 and try again"),)
    assert open_index(index).documents[-1].title == "The harbour of Port Ellis"
    (corpus / "corpus.toml").write_text('[documents."new.txt"]\ntitle = "New"\n')
    assert status(index=index).changed == ("corpus.toml",)
    built(corpus, index, word_hash)
    assert [d.title for d in open_index(index).documents if d.id == "new.txt"] == ["New"]
    assert word_hash.embedded == 2


def test_what_has_not_changed_is_not_read_again(
    corpus: Path, index: Path, word_hash: "WordHashEncoder", monkeypatch: pytest.MonkeyPatch
) -> None:
    (corpus / "report.pdf").write_bytes(pdf("The report is about boats."))
    assert built(corpus, index, word_hash).embedded == 1
    read: list[str] = []
    original = Confined.read

    def noted(reader: Confined, suffix: str, data: bytes) -> Extracted:
        read.append(suffix)
        return original(reader, suffix, data)

    monkeypatch.setattr(Confined, "read", noted)
    (corpus / "report.pdf").rename(corpus / "boats.pdf")
    (corpus / "faro.txt").write_text("Changed.")
    assert built(corpus, index, word_hash).embedded == 1
    assert read == [".txt"]
    assert open_index(index).documents[1].pages == (0,)
    assert open_index(index).documents[1].id == "boats.pdf"


def test_added_files_survive_another_encoder_and_a_damaged_index(
    corpus: Path, index: Path, letter: Path, word_hash: "WordHashEncoder"
) -> None:
    add([letter], index, encoder=word_hash)
    other = type(word_hash)(salt="other")
    assert built(corpus, index, other).documents == 6
    documents = next(index.glob(f"data-*/{HEADS}"))
    documents.write_bytes(documents.read_bytes()[:-9])
    with pytest.raises(IndexDirectoryError, match="damaged"):
        add([letter], index, encoder=other)
    assert built(corpus, index, other).documents == 6
    documents = next(index.glob(f"data-*/{HEADS}"))
    documents.write_bytes(documents.read_bytes()[:-9])
    letter.unlink()
    report = built(corpus, index, other)
    reason = f"it was added from {letter.resolve()}, which is gone; add it again or `rag remove letter.txt`"
    assert (report.documents, report.skipped) == (5, (Skipped("letter.txt", reason),))


def test_names_that_collide_are_refused_or_said(
    corpus: Path, index: Path, letter: Path, tmp_path: Path, word_hash: "WordHashEncoder"
) -> None:
    namesake = letter.with_name("faro.txt")
    namesake.write_text("Another lighthouse.")
    with pytest.raises(CorpusError, match=r"the index has a document faro\.txt of its folder; give .* another name"):
        add([namesake], index, encoder=word_hash)
    add([letter], index, encoder=word_hash)
    second = tmp_path / "letter.txt"
    second.write_text("A second letter.")
    with pytest.raises(CorpusError, match=r"was added as letter\.txt; rename .*, or `rag remove letter\.txt` first"):
        add([second], index, encoder=word_hash)
    (corpus / "letter.txt").write_text("A third letter.")
    report = built(corpus, index, word_hash)
    assert [skipped.id for skipped in report.skipped] == ["letter.txt"]
    assert report.skipped[0].reason.startswith("it gives way to the folder's file of this name; rename ")
    assert next(d.text for d in open_index(index).documents if d.id == "letter.txt") == "A third letter."


def test_what_cannot_be_added_or_removed_is_said(
    corpus: Path, index: Path, letter: Path, tmp_path: Path, word_hash: "WordHashEncoder"
) -> None:
    before = (index / "manifest.json").read_bytes()
    for wrong, said in (
        (tmp_path / "none.txt", "there is no file"),
        (corpus, "is a folder"),
        (index / "manifest.json", "no kind"),
    ):
        with pytest.raises(CorpusError, match=said):
            add([wrong], index, encoder=word_hash)
    with pytest.raises(CorpusError, match=r'no document "none\.txt"; it has biblioteca\.txt, '):
        remove(["none.txt"], index, encoder=word_hash)
    with pytest.raises(CorpusError, match="these are all the documents"):
        remove(ids(index), index, encoder=word_hash)
    with pytest.raises(IndexDirectoryError, match="there is no index"):
        remove(["a"], tmp_path / "none", encoder=word_hash)
    assert not (tmp_path / "none").exists()
    letter.write_bytes(b"\xff")
    report = add([letter], index, encoder=word_hash)
    assert [skipped.id for skipped in report.skipped] == ["letter.txt"]
    letter.write_text(" ")
    assert add([letter], index, encoder=word_hash).skipped == (Skipped("letter.txt", "it holds no text"),)
    with pytest.raises(CorpusError, match=r"none of the files can be read; letter\.txt: it holds no text"):
        add([letter], tmp_path / "fresh", encoder=word_hash)
    assert (index / "manifest.json").read_bytes() == before


def test_the_commands(corpus: Path, tmp_path: Path, letter: Path) -> None:
    index = str(tmp_path / "index")

    def rag(*arguments: str) -> tuple[int, list[str], list[str]]:
        result = CliRunner().invoke(app, [*arguments, "--index", index])
        return result.exit_code, result.stdout.splitlines(), result.stderr.splitlines()

    (corpus / "bad.txt").write_bytes(b"\xff")
    assert rag("build", str(corpus))[0] == 3
    assert rag("add", str(letter))[:1] == (0,)
    code, lines, _ = rag("remove", "faro.txt")
    assert (code, lines[0].split(" (")[0]) == (0, f"{index}: 5 documents, 5 passages")
    (corpus / "moulin.txt").rename(corpus / "mill.txt")
    (corpus / "new.txt").write_text("New.")
    assert rag("status") == (
        0,
        [
            "new       new.txt",
            "renamed   moulin.txt -> mill.txt",
            "skipped   bad.txt: it is not UTF-8 at byte 0; save it as UTF-8 and try again",
            "left out  faro.txt (by `rag remove`; `rag add` takes it in again)",
            f"added     letter.txt (from {letter.resolve()})",
            f"{index}: 5 documents, {corpus.resolve()}: `rag build` would make 2 changes",
        ],
        [],
    )
    assert rag("remove", "none")[0] == 2
    assert rag("add", str(corpus / "bad.txt"))[0] == 3
    answer = CliRunner().invoke(app, ["ask", "--json", "--threshold", "0", "letter?", "--index", index])
    assert json.loads(answer.stdout)["citations"][0]["page"] is None
