import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rag import Assistant, build
from rag.encode import BUNDLED_FOLDER, ONNX_FILE
from rag.errors import CorpusError, EncoderError, IndexDirectoryError
from rag.index import JOURNAL, SLICE, BuildReport, Settings, build_with, open_index, renew
from rag.manifest import FORMAT
from rag.passages import Passages
from rag.sentences import sentences
from rag.sources import Corpus, Skipped
from rag.spans import Document, Span
from rag.split import split

if TYPE_CHECKING:
    from tests.conftest import WordHashEncoder

ROOT = Path(__file__).parent.parent
STARTER = Settings()
SMALL = Settings(passage_size=120, passage_overlap=40)


def quiet(stage: str, done: int, total: int) -> None:
    pass


def built(corpus: Path, index: Path, encoder: "WordHashEncoder", settings: Settings = STARTER) -> BuildReport:
    return build_with(corpus, index, encoder, settings=settings, progress=quiet)


def state(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Return every file's content and time of change, but the journal's of a build that was stopped."""
    return {
        path.relative_to(folder).as_posix(): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != JOURNAL
    }


def data_folder(index: Path) -> Path:
    return index / str(json.loads((index / "manifest.json").read_bytes())["data"])


def rewritten(index: Path, **changes: object) -> None:
    """Change fields of the manifest and vouch for them."""
    manifest = json.loads((index / "manifest.json").read_bytes())
    del manifest["checksum"]
    manifest |= changes
    checksum = hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()
    (index / "manifest.json").write_text(json.dumps({**manifest, "checksum": checksum}))


def refusal(index: Path) -> str:
    """Return the one sentence with which a damaged index is refused, and nothing of it touched."""
    before = state(index)
    with pytest.raises(IndexDirectoryError) as caught:
        open_index(index)
    assert state(index) == before
    message = str(caught.value)
    assert "\n" not in message
    assert str(index) in message
    assert "`rag build" in message
    return message


def texts(index: Path) -> set[str]:
    """Return the texts of the passages and sentences of an index, which are what is embedded."""
    opened = open_index(index).collection
    return {span.text for span in (*opened.passages, *opened.sentences.spans)}


@pytest.fixture
def corpus(corpus_dir: Path, tmp_path: Path) -> Path:
    """A corpus of its own, to be changed."""
    return Path(shutil.copytree(corpus_dir, tmp_path / "corpus"))


@pytest.fixture
def index(corpus: Path, tmp_path: Path, word_hash: "WordHashEncoder") -> Path:
    built(corpus, tmp_path / "index", word_hash)
    word_hash.embedded = 0
    return tmp_path / "index"


def test_an_index_holds_the_documents_and_their_passages(
    corpus: Path, index: Path, word_hash: "WordHashEncoder"
) -> None:
    opened = open_index(index)
    assert [(d.id, d.text) for d in opened.documents] == [
        (path.name, path.read_text("utf-8")) for path in sorted(corpus.glob("*.txt"))
    ]
    expected = [
        span
        for document in opened.documents
        for span in split(document, sentences(Span(document, 0, len(document.text))))
    ]
    assert list(opened.passages) == expected
    assert np.array_equal(
        opened.engine.rows(0, len(expected)), word_hash.encode_questions([span.text for span in expected])
    )
    assert len(opened.engine) == len(expected)
    for row, passage in enumerate(expected):
        own = opened.collection.sentences.of_passage(row)
        whole = sentences(Span(passage.document, 0, len(passage.document.text)))
        assert own.spans == tuple(sentence for sentence in whole if sentence.overlaps(passage))
        vectors = word_hash.encode_questions([sentence.text for sentence in own.spans])
        assert (own.vectors * vectors).sum(axis=1).min() > 0.9999
    assert (opened.encoder_name, opened.encoder_fingerprint) == (word_hash.name, word_hash.fingerprint)
    assert opened.settings == Settings()
    assert opened.languages == ("en", "es", "fr", "it")
    assert {d.id: d.date for d in opened.documents if d.date} == {"moulin.txt": "2021-05-04"}


def test_a_build_reports_what_it_did(corpus: Path, tmp_path: Path, word_hash: "WordHashEncoder") -> None:
    told: list[tuple[str, int, int]] = []
    report = build_with(
        corpus, tmp_path / "index", word_hash, settings=SMALL, progress=lambda *told_: told.append(told_)
    )
    count = len(open_index(tmp_path / "index").passages)
    assert (report.documents, report.passages, report.embedded, report.reused) == (5, count, count, 0)
    every = len(texts(tmp_path / "index"))
    assert word_hash.embedded == every > 2 * count
    assert report.seconds > 0
    assert told[0] == ("read", 5, 5)
    assert told[1:6] == [("split", number, 5) for number in range(1, 6)]
    assert told[6:] == [("embed", every, every)]


def test_only_the_index_is_left(index: Path) -> None:
    assert sorted(path.name for path in index.iterdir()) == [".lock", data_folder(index).name, "manifest.json"]
    manifest = json.loads((index / "manifest.json").read_bytes())
    assert set(manifest["files"]) == {
        path.relative_to(data_folder(index)).as_posix() for path in data_folder(index).rglob("*") if path.is_file()
    }


def test_without_a_change_nothing_is_embedded_or_written(
    corpus: Path, index: Path, word_hash: "WordHashEncoder"
) -> None:
    before = state(index)
    report = built(corpus, index, word_hash)
    assert word_hash.embedded == 0
    assert (report.embedded, report.reused) == (0, report.passages)
    assert state(index) == before


def test_a_changed_document_costs_its_new_passages_only(
    corpus: Path, tmp_path: Path, word_hash: "WordHashEncoder"
) -> None:
    index = tmp_path / "index"
    built(corpus, index, word_hash, SMALL)
    old = {passage.text for passage in open_index(index).passages}
    path = corpus / "harbour.txt"
    path.write_text(path.read_text("utf-8").replace("in October", "in November"), "utf-8", newline="")
    word_hash.embedded = 0
    report = built(corpus, index, word_hash, SMALL)
    texts = [passage.text for passage in open_index(index).passages]
    fresh = [text for text in texts if text not in old]
    assert 0 < len(fresh) < len([text for text in texts if text in path.read_text("utf-8")])
    assert word_hash.embedded == report.embedded == len(fresh)
    assert report.reused == report.passages - len(fresh)
    rows = open_index(index).engine.rows(0, len(texts))
    assert np.array_equal(rows, word_hash.encode_questions(texts))


def test_a_renamed_file_costs_nothing(corpus: Path, index: Path, word_hash: "WordHashEncoder") -> None:
    (corpus / "faro.txt").rename(corpus / "zz-lighthouse.txt")
    report = built(corpus, index, word_hash)
    assert (word_hash.embedded, report.embedded) == (0, 0)
    opened = open_index(index)
    assert [d.id for d in opened.documents][-1] == "zz-lighthouse.txt"
    assert opened.passages[-1].document.id == "zz-lighthouse.txt"
    assert np.array_equal(
        opened.engine.rows(len(opened.passages) - 1, len(opened.passages))[0],
        word_hash.encode_questions([opened.passages[-1].text])[0],
    )


def test_a_removed_file_is_gone(corpus: Path, index: Path, word_hash: "WordHashEncoder") -> None:
    (corpus / "faro.txt").unlink()
    report = built(corpus, index, word_hash)
    assert (report.documents, word_hash.embedded) == (4, 0)
    opened = open_index(index)
    assert "faro.txt" not in {d.id for d in opened.documents}
    assert len(opened.passages) == len(opened.engine) == report.passages
    assert [path.name for path in index.glob("data-*")] == [data_folder(index).name]


def test_another_encoder_embeds_all(corpus: Path, index: Path, word_hash: "WordHashEncoder") -> None:
    other = type(word_hash)(salt="other", dimensions=32)
    report = built(corpus, index, other)
    assert (report.embedded, other.embedded) == (report.passages, len(texts(index)))
    opened = open_index(index)
    assert opened.encoder_fingerprint == other.fingerprint
    assert opened.engine.dimensions == 32


def test_other_settings_make_other_passages(corpus: Path, index: Path, word_hash: "WordHashEncoder") -> None:
    report = built(corpus, index, word_hash, SMALL)
    opened = open_index(index)
    assert opened.settings == SMALL
    assert max(len(passage.text) for passage in opened.passages) <= 160
    assert report.embedded == word_hash.embedded > 5
    word_hash.embedded = 0
    assert built(corpus, index, word_hash).embedded == 5  # the large ones again
    assert max(len(passage.text) for passage in open_index(index).passages) > 160


def test_only_new_sentences_are_embedded_and_the_others_stay_as_they_were(
    corpus: Path, index: Path, tmp_path: Path, word_hash: "WordHashEncoder"
) -> None:
    before = texts(index)
    (corpus / "ferry.txt").write_text("A storm came up. " + (corpus / "ferry.txt").read_text("utf-8"), "utf-8")
    report = built(corpus, index, word_hash)
    fresh = texts(index) - before
    assert "A storm came up." in fresh
    assert word_hash.embedded == len(fresh) > report.embedded == 1
    built(corpus, tmp_path / "anew", word_hash)
    renewed, anew = open_index(index).collection.sentences, open_index(tmp_path / "anew").collection.sentences
    count = len(anew.spans)
    assert list(renewed.spans) == list(anew.spans)
    assert np.array_equal(renewed.vectors(0, count), anew.vectors(0, count))


def test_a_text_in_several_places_is_embedded_once(tmp_path: Path, word_hash: "WordHashEncoder") -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for name in ("a", "b", "c"):
        (corpus / f"{name}.txt").write_text("The same words stand in all the files.")
    report = built(corpus, tmp_path / "index", word_hash)
    assert (word_hash.embedded, report.embedded, report.reused, report.passages) == (1, 1, 2, 3)
    rows = open_index(tmp_path / "index").engine.rows(0, 3)
    assert np.array_equal(rows[0], rows[1])
    assert np.array_equal(rows[0], rows[2])


def test_a_corpus_of_one_document(tmp_path: Path, word_hash: "WordHashEncoder") -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "città.txt").write_text("Una città.", "utf-8")
    assert built(corpus, tmp_path / "índice", word_hash).passages == 1
    opened = open_index(tmp_path / "índice")
    assert [passage.text for passage in opened.passages] == ["Una città."]
    assert opened.documents[0].id == "città.txt"
    assert built(corpus, tmp_path / "índice", word_hash).reused == 1


def test_a_corpus_that_fails_leaves_the_index(corpus: Path, index: Path, word_hash: "WordHashEncoder") -> None:
    before = state(index)
    for path in corpus.iterdir():
        path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CorpusError, match="No file in"):
        built(corpus, index, word_hash)
    assert state(index) == before


def test_a_file_that_cannot_be_read_is_skipped(corpus: Path, index: Path, word_hash: "WordHashEncoder") -> None:
    (corpus / "bad.txt").write_bytes(b"caf\xe9")
    report = built(corpus, index, word_hash)
    reason = "it is not UTF-8 at byte 3; save it as UTF-8 and try again"
    assert (report.documents, report.embedded, report.skipped) == (5, 0, (Skipped("bad.txt", reason),))


def test_pages_and_headings_are_kept(tmp_path: Path, word_hash: "WordHashEncoder") -> None:
    document = Document("a.pdf", "A", "en", "One.\nHead\nTwo.", None, None, (0, 5), (5,))
    renew(lambda kept: Corpus((document,)), tmp_path, word_hash, settings=STARTER, progress=quiet)
    assert open_index(tmp_path).documents[0] == document
    assert open_index(tmp_path).passages[0].page == 1


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x11
    path.write_bytes(bytes(content))


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def double(path: Path) -> None:
    shutil.copy(path, path.with_name("added"))


@pytest.mark.parametrize("damage", [flip, cut, Path.unlink, double], ids=["flipped", "cut", "missing", "added"])
def test_damage_to_any_file_is_refused_and_mended(
    damage: Callable[[Path], None], corpus: Path, index: Path, tmp_path: Path, word_hash: "WordHashEncoder"
) -> None:
    names = [path.relative_to(index) for path in data_folder(index).rglob("*") if path.is_file()]
    assert len(names) == 14
    for number, name in enumerate(names):
        copy = Path(shutil.copytree(index, tmp_path / f"copy{number}"))
        damage(copy / name)
        assert "damaged" in refusal(copy)
    assert built(corpus, copy, word_hash).reused == 0
    assert len(open_index(copy).documents) == 5


def test_each_byte_of_the_manifest_counts(index: Path) -> None:
    path = index / "manifest.json"
    whole = path.read_bytes()
    for place in range(0, len(whole), 7):
        if chr(whole[place]).isspace():
            continue
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x01]) + whole[place + 1 :])
        refusal(index)
    for content in (b"", whole[:-1], b"[]", b"null", b"{}", b"\xff\xfe"):
        path.write_bytes(content)
        assert "damaged" in refusal(index)


def test_each_field_of_the_manifest_counts(index: Path) -> None:
    path = index / "manifest.json"
    manifest = json.loads(path.read_bytes())
    changes: dict[str, Any] = {
        "built": "2000-01-01T00:00:00+00:00",
        "data": "data-0",
        "inputs": "0" * 64,
        "engine": {"name": "other"},
        "encoder": manifest["encoder"] | {"fingerprint": "0"},
        "settings": {"passage_size": 100, "passage_overlap": 10},
        "passages": 1,
        "sources": {},
        "bytes": 0,
        "files": {},
        "format": FORMAT + 1,
        "checksum": "0" * 64,
        "more": 1,
    }
    assert set(manifest) < set(changes)
    for name, value in changes.items():
        path.write_text(json.dumps(manifest | {name: value}))
        assert "manifest.json was changed" in refusal(index), name
        if name in manifest:
            path.write_text(json.dumps({key: kept for key, kept in manifest.items() if key != name}))
            assert "damaged" in refusal(index), name


def test_another_version_says_so_and_is_made_again(corpus: Path, index: Path, word_hash: "WordHashEncoder") -> None:
    rewritten(index, format=FORMAT + 1)
    message = refusal(index)
    assert f"format {FORMAT + 1} and this version reads {FORMAT}" in message
    assert built(corpus, index, word_hash).embedded == 5
    assert open_index(index).settings == Settings()


def test_a_vouched_manifest_that_does_not_fit_is_refused(index: Path) -> None:
    rewritten(index, settings={"passage_size": 480, "colour": "red"})
    assert "damaged" in refusal(index)


def test_no_index_says_how_to_make_one(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        assert "there is no index" in refusal(folder)


def test_another_encoder_than_the_index_has_is_refused(corpus: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(BUNDLED_FOLDER, tmp_path / "encoder"))
    build(corpus, tmp_path / "index", encoder=str(folder))
    assert len(Assistant.open(tmp_path / "index").documents) == 5
    config = folder / "config.json"
    config.write_text(config.read_text() + "\n")
    with pytest.raises(EncoderError, match=r"has changed since the index in .* was made; make the index again"):
        Assistant.open(tmp_path / "index")
    shutil.rmtree(folder)
    with pytest.raises(EncoderError, match="no encoder folder"):
        Assistant.open(tmp_path / "index")


def test_a_later_build_keeps_the_encoder_unless_another_is_named(corpus: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(BUNDLED_FOLDER, tmp_path / "encoder"))
    config = folder / "config.json"
    config.write_text(config.read_text() + "\n")
    build(corpus, tmp_path / "index", encoder=str(folder))
    (corpus / "new.txt").write_text("A new quay was opened by Ana Ruiz.", encoding="utf-8")
    report = build(corpus, tmp_path / "index")
    assert (report.embedded, open_index(tmp_path / "index").encoder_name) == (1, str(folder.resolve()))
    build(corpus, tmp_path / "index", encoder="bundled")
    assert open_index(tmp_path / "index").encoder_name == "bundled"


def test_an_encoder_is_found_from_another_working_directory(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(BUNDLED_FOLDER, tmp_path / "encoder")
    monkeypatch.chdir(tmp_path)
    build(corpus, "index", encoder="encoder")
    monkeypatch.chdir(ROOT)
    opened = open_index(tmp_path / "index")
    assert opened.encoder_name == str((tmp_path / "encoder").resolve())
    assert Assistant.open(tmp_path / "index").ask("who runs the harbour?", threshold=0).found
    assert (tmp_path / "encoder" / ONNX_FILE).is_file()


@pytest.mark.parametrize("place", ["file", "file/below", "x" * 300])
def test_a_place_that_cannot_be_written_is_one_sentence(
    place: str, corpus: Path, tmp_path: Path, word_hash: "WordHashEncoder"
) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(IndexDirectoryError) as caught:
        built(corpus, tmp_path / place, word_hash)
    assert "cannot be written" in str(caught.value)
    assert "choose another folder with --index" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert (tmp_path / "file").read_text() == "mine"
    assert word_hash.embedded == 0


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="permissions do not stop this user")
def test_a_folder_without_permission_is_one_sentence(
    corpus: Path, tmp_path: Path, word_hash: "WordHashEncoder"
) -> None:
    (tmp_path / "locked").mkdir(mode=0o500)
    with pytest.raises(IndexDirectoryError, match="cannot be written"):
        built(corpus, tmp_path / "locked" / "index", word_hash)


def test_a_failure_while_writing_leaves_the_old_index(corpus: Path, index: Path, word_hash: "WordHashEncoder") -> None:
    (index / "manifest.json.new").mkdir()  # in the way of the new manifest
    before = state(index)
    (corpus / "new.txt").write_text("A new page.")
    with pytest.raises(IndexDirectoryError, match="cannot be written"):
        built(corpus, index, word_hash)
    assert state(index) == before
    (index / "manifest.json.new").rmdir()
    assert built(corpus, index, word_hash).documents == 6


class Failing:
    """Embeds one slice of texts, then fails as a machine out of memory does."""

    name = "failing"
    dimensions = 64

    def __init__(self, encoder: "WordHashEncoder") -> None:
        self.fingerprint = encoder.fingerprint
        self.slices = 0
        self._encoder = encoder

    def encode_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.slices += 1
        if self.slices > 1:
            raise MemoryError
        return self._encoder.encode_passages(texts)

    def encode_questions(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return self._encoder.encode_questions(texts)


def test_a_build_that_fails_half_way_leaves_the_old_index(
    corpus: Path, index: Path, word_hash: "WordHashEncoder"
) -> None:
    before = state(index)
    for number in range(SLICE + 10):
        (corpus / f"page{number}.txt").write_text(f"Page {number} is about the number {number}.")
    failing = Failing(word_hash)
    with pytest.raises(MemoryError):
        build_with(corpus, index, failing, settings=Settings(), progress=quiet)
    assert failing.slices == 2
    assert state(index) == before
    assert len(open_index(index).documents) == 5
    word_hash.embedded = 0
    report = built(corpus, index, word_hash)
    assert (report.documents, report.embedded, word_hash.embedded) == (5 + SLICE + 10, 10, 10)
    assert not (index / JOURNAL).exists()
    rows = open_index(index).engine.rows(0, report.passages)
    assert np.array_equal(rows, word_hash.encode_questions([p.text for p in open_index(index).passages]))


def test_an_error_of_the_encoder_is_not_called_an_unwritable_folder(
    corpus: Path, tmp_path: Path, word_hash: "WordHashEncoder"
) -> None:
    def stopped(stage: str, done: int, total: int) -> None:
        if stage == "embed":
            raise PermissionError(13, "something else")

    with pytest.raises(PermissionError, match="something else"):
        build_with(corpus, tmp_path / "index", word_hash, settings=Settings(), progress=stopped)


def test_leftovers_are_cleared_and_nothing_else(corpus: Path, index: Path, word_hash: "WordHashEncoder") -> None:
    leftover = index / f"data-{'0' * 16}-123"
    (leftover / "lexical").mkdir(parents=True)
    (leftover / "passages.npy").write_bytes(b"half")
    mine = index / "data-2024"
    mine.mkdir()
    (mine / "notes.txt").write_text("mine")
    built(corpus, index, word_hash)
    assert not leftover.exists()
    (leftover / "lexical").mkdir(parents=True)
    (corpus / "new.txt").write_text("A new page.")
    built(corpus, index, word_hash)
    assert not leftover.exists()
    assert (mine / "notes.txt").read_text() == "mine"
    assert {path.name for path in index.iterdir()} == {".lock", "data-2024", data_folder(index).name, "manifest.json"}


BUILDER = """
import sys
from pathlib import Path

import numpy as np

from rag.index import Settings, build_with


class Slow:
    name, fingerprint, dimensions = "slow", "slow", 2

    def encode_passages(self, texts):
        print("embedding", flush=True)
        sys.stdin.readline()
        return np.tile(np.array([1, 0], np.float32), (len(texts), 1))


build_with(Path(sys.argv[1]), Path(sys.argv[2]), Slow(), settings=Settings(), progress=lambda *told: None)
"""


@pytest.mark.skipif(os.name != "posix", reason="the lock is the system's flock")
def test_one_builder_at_a_time(corpus: Path, index: Path, word_hash: "WordHashEncoder") -> None:
    with subprocess.Popen(
        [sys.executable, "-c", BUILDER, str(corpus), str(index)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "embedding\n"
        before = state(index)
        with pytest.raises(IndexDirectoryError, match=r"another build is writing .*; wait until it has ended"):
            built(corpus, index, word_hash)
        assert state(index) == before
        assert open_index(index).encoder_name == word_hash.name  # asking goes on meanwhile
        other.communicate("\n")
    assert other.returncode == 0
    assert open_index(index).encoder_name == "slow"
    assert built(corpus, index, word_hash).embedded == 5


def test_opening_while_others_build(corpus: Path, index: Path, word_hash: "WordHashEncoder") -> None:
    failures: list[Exception] = []
    sizes: set[int] = set()
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            try:
                sizes.add(len(open_index(index).documents))
            except Exception as error:
                failures.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(12):
        path = corpus / "new.txt"
        path.unlink(missing_ok=True)
        if number % 2 == 0:
            path.write_text("A new page.")
        built(corpus, index, word_hash)
    done.set()
    reader.join()
    assert failures == []
    assert sizes <= {5, 6}


def test_an_opened_index_outlives_a_later_build(corpus: Path, index: Path, word_hash: "WordHashEncoder") -> None:
    opened = open_index(index)
    before = [passage.text for passage in opened.passages]
    shutil.rmtree(corpus)
    corpus.mkdir()
    (corpus / "other.txt").write_text("Other words.")
    built(corpus, index, word_hash)
    assert [passage.text for passage in opened.passages] == before
    assert np.array_equal(opened.engine.rows(0, 5), word_hash.encode_questions(before))


def test_passages_are_a_sequence_of_spans() -> None:
    one, two = Document("1", "1", "en", "abcdef"), Document("2", "2", "en", "ghi")
    passages = Passages((one, two), np.array([[0, 0, 3], [0, 2, 6], [1, 0, 3]], np.int64))
    assert [passage.text for passage in passages] == ["abc", "cdef", "ghi"]
    assert passages[-1] == Span(two, 0, 3)
    assert [passage.text for passage in passages[1:]] == ["cdef", "ghi"]
    assert Span(one, 2, 6) in passages
    with pytest.raises(IndexError):
        passages[3]
    assert passages.within(["2"]).rows.tolist() == [2]
    assert passages.within(["2", "1", "nobody"]).rows.tolist() == [0, 1, 2]
    assert passages.within(["nobody"]).rows.tolist() == passages.within([]).rows.tolist() == []
    assert passages.within(language="en").rows.tolist() == [0, 1, 2]
    assert passages.within(["1"], language="it").rows.tolist() == []


def test_the_public_build_uses_the_bundled_encoder(index_dir: Path, corpus_dir: Path) -> None:
    opened = open_index(index_dir)
    assert opened.encoder_name == "bundled"
    before = state(index_dir)
    report = build(str(corpus_dir), str(index_dir))
    assert (report.documents, report.embedded) == (5, 0)
    assert state(index_dir) == before
