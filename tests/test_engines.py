"""One contract for every engine: the local one says what is right, and Qdrant must find the same.

`:memory:` and a folder are the client's own exact search; a real server is asked when QDRANT_URL is set. One
of one shard is held to the same checks, because so few passages are searched exactly there, too.
"""

import os
import random
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse
from typer.testing import CliRunner

from rag.ask import Assistant
from rag.cli import app
from rag.engine import Engine
from rag.errors import EngineError, IndexDirectoryError
from rag.index import BuildReport, Index, Settings, build, build_with, open_index
from rag.manifest import MANIFEST
from rag.qdrant import Qdrant
from rag.qdrant_collection import Place, checked_url, memory, tried
from rag.qdrant_points import POINTS
from rag.search import search
from tests.conftest import CORPUS, WordHashEncoder

PLACES = [
    "memory",
    "folder",
    pytest.param(
        "server",
        marks=[
            pytest.mark.enable_socket,
            pytest.mark.skipif("QDRANT_URL" not in os.environ, reason="QDRANT_URL names no server"),
        ],
    ),
]
QUESTIONS = [
    "Who runs the harbour of Port Ellis?",
    "¿Quién construyó el faro de Cabo Blanco?",
    "Combien de personnes emploie le meunier ?",
    "Chi ha riaperto la biblioteca dopo l'alluvione?",
    "How often does the ferry cross?",
    "harbour harbour ferry 240 people",
    "qzx vvw",
]


def _corpus(folder: Path) -> Path:
    folder.mkdir()
    words = sorted({word for text in CORPUS.values() for word in text.split()})
    generator = random.Random(7)
    for name, text in CORPUS.items():
        (folder / name).write_text(text, encoding="utf-8")
        for number in range(4):
            chosen = [" ".join(generator.choices(text.split() + words, k=14)) + "." for _ in range(24)]
            (folder / f"{name[:-4]}-{number}.txt").write_text("\n\n".join(chosen), encoding="utf-8")
    return folder


def _build(
    corpus: Path,
    index: Path,
    encoder: WordHashEncoder | None = None,
    *,
    engine: str | None = None,
    url: str | None = None,
) -> BuildReport:
    return build_with(
        corpus,
        index,
        encoder or WordHashEncoder(),
        settings=Settings(),
        progress=lambda stage, done, total: None,
        engine=engine,
        url=url,
    )


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _corpus(tmp_path_factory.mktemp("engines") / "corpus")


@pytest.fixture(scope="module")
def local(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Index:
    folder = tmp_path_factory.mktemp("local") / "index"
    _build(corpus, folder)
    return open_index(folder)


def _url(kind: str, folder: Path) -> str:
    return {"memory": ":memory:", "folder": str(folder / "store"), "server": os.environ.get("QDRANT_URL", "")}[kind]


@pytest.fixture(params=PLACES)
def elsewhere(request: pytest.FixtureRequest, corpus: Path, tmp_path: Path) -> Iterator[Index]:
    url = _url(request.param, tmp_path)
    _build(corpus, tmp_path / "index", engine="qdrant", url=url)
    index = open_index(tmp_path / "index")
    yield index
    if request.param == "server":
        QdrantClient(url=url).delete_collection(str(index.engine.description["collection"]))


@pytest.fixture
def in_memory(corpus: Path, tmp_path: Path) -> Index:
    _build(corpus, tmp_path / "index", engine="qdrant", url=":memory:")
    return open_index(tmp_path / "index")


def _query(question: str) -> NDArray[np.float32]:
    vector: NDArray[np.float32] = WordHashEncoder().encode_questions([question])[0]
    return vector


def _name(index: Index) -> str:
    return str(index.engine.description["collection"])


def test_the_same_passages_lie_in_both(local: Index, elsewhere: Index) -> None:
    assert isinstance(elsewhere.engine, Qdrant)
    assert len(elsewhere.engine) == len(local.engine) == len(local.passages) > 50
    assert elsewhere.engine.dimensions == local.engine.dimensions == 64
    assert np.array_equal(elsewhere.passages.places, local.passages.places)
    # As they were written, to the last bit.
    assert np.array_equal(elsewhere.engine.rows(0, 60), local.engine.rows(0, 60))
    assert elsewhere.engine.rows(3, 3).shape == (0, 64)
    with pytest.raises(IndexError):
        elsewhere.engine.rows(0, len(local.engine) + 1)


@pytest.mark.parametrize("depth", [1, 8, 50])
def test_the_same_rankings(local: Index, elsewhere: Index, depth: int) -> None:
    for question in QUESTIONS:
        # Asked in one language a word has one term, and the sum of terms is the best of them.
        wanted = local.engine.rank(question, _query(question), ["en"], depth=depth)
        found = elsewhere.engine.rank(question, _query(question), ["en"], depth=depth)
        assert found.dense == wanted.dense
        scores = _as_ranked(wanted.lexical, question, local.engine)
        assert _as_ranked(found.lexical, question, elsewhere.engine) == pytest.approx(scores, abs=1e-5)
        # Passages of one score are ranked by the server as it likes, and so are their sums.
        if len({round(score, 5) for score in scores}) == len(scores):
            assert {row for row, _ in found.fused} == {row for row, _ in wanted.fused}
            assert [score for _, score in found.fused] == pytest.approx([score for _, score in wanted.fused], abs=1e-7)


def _as_ranked(rows: Sequence[int], question: str, engine: Engine) -> list[float]:
    """Return the scores in the ranking's order: which of two passages of one score comes first is not promised."""
    return [float(each) for each in engine.scores(question, _query(question), ["en"], np.array(rows, np.int64))[1]]


def test_the_same_scores(local: Index, elsewhere: Index) -> None:
    rows = np.random.default_rng(3).permutation(len(local.passages))[:40]
    languages = list(local.languages)
    for question in QUESTIONS:
        wanted = local.engine.scores(question, _query(question), languages, rows)
        found = elsewhere.engine.scores(question, _query(question), languages, rows)
        for each, other in zip(wanted, found, strict=True):
            assert other.dtype == np.float32
            np.testing.assert_allclose(other, each, atol=1e-5)
    empty = elsewhere.engine.scores("harbour", _query("harbour"), languages, np.empty(0, np.int64))
    assert [len(each) for each in empty] == [0, 0]


def test_the_same_weights_of_terms(local: Index, elsewhere: Index) -> None:
    for term in ("harbour", "port", "far", "moulin", "2019", "never-written"):
        assert elsewhere.engine.weight(term) == pytest.approx(local.engine.weight(term), rel=1e-5), term


@pytest.mark.parametrize(
    ("documents", "language"),
    [(["harbour.txt"], None), (["harbour.txt", "faro-1.txt"], None), (None, "it"), (["faro.txt", "ferry.txt"], "es")],
)
def test_the_same_filters(local: Index, elsewhere: Index, documents: list[str] | None, language: str | None) -> None:
    selection = elsewhere.passages.within(documents, language=language)
    allowed = set(selection.rows.tolist())
    for question in QUESTIONS:
        wanted = local.engine.rank(question, _query(question), list(local.languages), depth=30, selection=selection)
        found = elsewhere.engine.rank(question, _query(question), list(local.languages), depth=30, selection=selection)
        assert found.dense == wanted.dense
        assert len(found.lexical) == len(wanted.lexical)
        assert {row for row, _ in found.fused} <= allowed


def test_what_nothing_meets_finds_nothing(elsewhere: Index) -> None:
    nowhere = elsewhere.passages.within(["none.txt"])
    ranking = elsewhere.engine.rank("harbour", _query("harbour"), ["en"], depth=5, selection=nowhere)
    assert (ranking.fused, ranking.dense, ranking.lexical) == ((), (), ())


def test_the_same_passages_are_read(local: Index, elsewhere: Index) -> None:
    for question in QUESTIONS:
        languages = list(local.languages)
        wanted, found = (
            search(
                index.collection,
                question=question,
                query=_query(question),
                languages=languages,
                depth=len(index.passages),
            )
            for index in (local, elsewhere)
        )
        assert [hit.row for hit in found] == [hit.row for hit in wanted]
        assert [hit.hit.score for hit in found] == pytest.approx([hit.hit.score for hit in wanted], abs=1e-5)


def test_the_same_question_finds_the_same_again(elsewhere: Index) -> None:
    first, second = (
        elsewhere.engine.rank(QUESTIONS[5], _query(QUESTIONS[5]), list(elsewhere.languages), depth=50) for _ in "12"
    )
    assert first == second
    reopened = open_index(elsewhere.folder).engine
    assert reopened.rank(QUESTIONS[5], _query(QUESTIONS[5]), list(elsewhere.languages), depth=50) == first


def test_a_question_that_is_no_vector_is_refused(elsewhere: Index) -> None:
    with pytest.raises(ValueError, match="64 dimensions"):
        elsewhere.engine.rank("harbour", np.ones(3, np.float32), ["en"], depth=5)
    with pytest.raises(ValueError, match="not finite"):
        elsewhere.engine.rank("harbour", np.full(64, np.nan, np.float32), ["en"], depth=5)


def test_points_say_where_they_come_from(in_memory: Index) -> None:
    points, _ = memory().scroll(_name(in_memory), limit=1000)
    assert len(points) == len(in_memory.passages)
    for point in points[:20]:
        payload = point.payload or {}
        document = next(each for each in in_memory.documents if each.id == payload["document"])
        assert payload["language"] == document.language
        assert any(
            (span.document.id, span.start, span.end) == (document.id, payload["start"], payload["end"])
            for span in in_memory.passages
        )


def test_only_what_is_new_is_sent_and_what_is_gone_is_deleted(corpus: Path, tmp_path: Path) -> None:
    own, encoder = Path(shutil.copytree(corpus, tmp_path / "corpus")), WordHashEncoder()
    _build(own, tmp_path / "index", encoder, engine="qdrant", url=":memory:")
    before, embedded = open_index(tmp_path / "index"), encoder.embedded
    ids = _ids(before)
    (own / "ferry.txt").write_text(CORPUS["ferry.txt"] + "\nThe captain of the Aurora is Edda Holm.\n", "utf-8")
    (own / "moulin.txt").unlink()
    report = _build(own, tmp_path / "index", encoder)
    after = open_index(tmp_path / "index")
    # A new passage, and the new sentence in it.
    assert (report.embedded, encoder.embedded - embedded) == (1, 2)
    assert _name(after) == _name(before)
    assert len(_ids(after)) == len(after.passages) == len(before.passages) - 1
    assert len(_ids(after) - ids) == 1
    sent = models.Filter(must=[models.FieldCondition(key="since", match=models.MatchValue(value=2))])
    assert memory().count(_name(after), count_filter=sent, exact=True).count == 1
    question = "Who is the captain of the Aurora?"
    ranking = after.engine.rank(question, _query(question), ["en"], depth=5)
    assert "Edda Holm" in after.passages[ranking.fused[0][0]].text
    fresh = tmp_path / "fresh"
    _build(own, fresh)
    wanted = open_index(fresh).engine.rank(question, _query(question), ["en"], depth=10)
    assert ranking.dense == wanted.dense[:5]


def _ids(index: Index) -> set[str]:
    points, _ = memory().scroll(_name(index), limit=10_000, with_payload=False)
    return {str(point.id) for point in points}


def test_building_again_without_a_manifest_sends_and_embeds_nothing_twice(in_memory: Index, corpus: Path) -> None:
    ids = _ids(in_memory)
    (in_memory.folder / MANIFEST).unlink()
    report = _build(corpus, in_memory.folder)
    again = open_index(in_memory.folder)
    assert report.passages == len(again.passages)
    assert _name(again) == _name(in_memory)
    assert _ids(again) == ids
    late = models.Filter(must=[models.FieldCondition(key="since", range=models.Range(gt=1))])
    assert memory().count(_name(again), count_filter=late, exact=True).count == 0


def test_readers_do_not_see_a_build_that_has_not_ended(in_memory: Index, corpus: Path, tmp_path: Path) -> None:
    own = Path(shutil.copytree(corpus, tmp_path / "more"))
    (own / "harbour.txt").write_text("Nobody runs the harbour of Port Ellis.\n", encoding="utf-8")
    _build(own, tmp_path / "other")
    new = open_index(tmp_path / "other")
    question = QUESTIONS[0]
    before = in_memory.engine.rank(question, _query(question), ["en"], depth=50)
    engine = in_memory.engine
    place = Place(":memory:", str(engine.description["token"]))

    (tmp_path / "data").mkdir()
    Qdrant.write(
        tmp_path / "data",
        new.passages,
        lambda rows: np.concatenate([new.engine.rows(row, row + 1) for row in rows]),
        place=place,
        fingerprint=WordHashEncoder().fingerprint,
    )
    assert memory().count(_name(in_memory), exact=True).count > len(in_memory.passages)
    assert engine.rank(question, _query(question), ["en"], depth=50).dense == before.dense
    reopened = open_index(in_memory.folder)
    assert reopened.engine.rank(question, _query(question), ["en"], depth=50).dense == before.dense
    _build(corpus, in_memory.folder)
    assert memory().count(_name(in_memory), exact=True).count == len(in_memory.passages)


def test_sending_that_stopped_goes_on_where_it_was(in_memory: Index, tmp_path: Path) -> None:
    passages, rows = in_memory.passages, in_memory.engine.rows
    asked: list[int] = []

    def vectors(numbers: Sequence[int]) -> NDArray[np.float32]:
        asked.extend(numbers)
        return np.concatenate([rows(number, number + 1) for number in numbers])

    place = Place(":memory:", "stopped")
    fingerprint = WordHashEncoder().fingerprint
    (tmp_path / "data").mkdir()
    made = Qdrant.write(tmp_path / "data", passages, vectors, place=place, fingerprint=fingerprint)
    assert sorted(set(asked)) == list(range(len(passages)))
    gone = made._names(np.arange(10, 30))
    memory().delete(str(made.description["collection"]), models.PointIdsList(points=[*gone]))
    asked.clear()
    Qdrant.write(tmp_path / "data", passages, vectors, place=place, fingerprint=fingerprint)
    # Row 0 is asked for its length.
    assert sorted(set(asked)) == [0, *range(10, 30)]


def test_another_encoder_gets_another_collection_and_the_old_one_goes(in_memory: Index, corpus: Path) -> None:
    _build(corpus, in_memory.folder, WordHashEncoder(dimensions=32))
    after = open_index(in_memory.folder)
    assert after.engine.dimensions == 32
    assert _name(after) != _name(in_memory)
    assert not memory().collection_exists(_name(in_memory))


def _made_again(index: Index, *, size: int, fingerprint: str) -> None:
    client, name = memory(), _name(index)
    client.delete_collection(name)
    client.create_collection(
        name,
        vectors_config={"dense": models.VectorParams(size=size, distance=models.Distance.DOT)},
        sparse_vectors_config={"words": models.SparseVectorParams(modifier=models.Modifier.IDF)},
        metadata={"points": POINTS, "fingerprint": fingerprint, "average_length": 10.0},
    )


def test_a_collection_of_another_encoder_is_refused(in_memory: Index, corpus: Path) -> None:
    _made_again(in_memory, size=64, fingerprint="another")
    for attempt in (lambda: open_index(in_memory.folder), lambda: _build(corpus, in_memory.folder)):
        with pytest.raises(EngineError, match="is of another encoder than this index"):
            attempt()


def test_a_collection_of_other_dimensions_is_refused(in_memory: Index) -> None:
    _made_again(in_memory, size=63, fingerprint=WordHashEncoder().fingerprint)
    with pytest.raises(EngineError, match="holds vectors of 63 numbers and the encoder makes 64"):
        open_index(in_memory.folder)


def test_a_collection_that_has_gone_is_said_so_and_made_again(in_memory: Index, corpus: Path) -> None:
    memory().delete_collection(_name(in_memory))
    with pytest.raises(IndexDirectoryError, match=f"the collection {_name(in_memory)} is not at :memory:"):
        open_index(in_memory.folder)
    assert _build(corpus, in_memory.folder).embedded > 0
    assert len(open_index(in_memory.folder).engine) == len(in_memory.passages)


def test_passages_that_have_gone_are_noticed_and_sent_again(in_memory: Index, corpus: Path) -> None:
    engine = in_memory.engine
    assert isinstance(engine, Qdrant)
    memory().delete(_name(in_memory), models.PointIdsList(points=[*engine._names(np.arange(3))]))
    with pytest.raises(IndexDirectoryError, match="passages are missing from the collection"):
        open_index(in_memory.folder)
    _build(corpus, in_memory.folder)
    assert np.array_equal(open_index(in_memory.folder).engine.rows(0, 5)[:, :3].shape, (5, 3))
    assert memory().count(_name(in_memory), exact=True).count == len(in_memory.passages)


def test_a_changed_folder_is_refused_before_anything_parses_it(corpus: Path, tmp_path: Path) -> None:
    _build(corpus, tmp_path / "index", engine="qdrant", url=str(tmp_path / "store"))
    stored = next((tmp_path / "store").rglob("storage.sqlite"))
    content = bytearray(stored.read_bytes())
    content[len(content) // 2] ^= 1
    stored.write_bytes(content)
    with pytest.raises(IndexDirectoryError, match=r"storage\.sqlite of .* was changed"):
        open_index(tmp_path / "index")
    _build(corpus, tmp_path / "index")
    assert len(open_index(tmp_path / "index").engine) > 50
    # What the build before left has gone.
    assert len(list((tmp_path / "store").iterdir())) == 1


def test_a_folder_has_several_readers_and_a_builder_at_once(corpus: Path, tmp_path: Path) -> None:
    own = Path(shutil.copytree(corpus, tmp_path / "corpus"))
    _build(own, tmp_path / "index", engine="qdrant", url=str(tmp_path / "store"))
    readers = [open_index(tmp_path / "index") for _ in range(2)]
    (own / "new.txt").write_text("A new lamp was lit in the lighthouse.\n", encoding="utf-8")
    assert _build(own, tmp_path / "index").embedded == 1
    for reader in readers:
        ranking = reader.engine.rank("harbour", _query("harbour"), ["en"], depth=5)
        assert len(ranking.dense) == 5
    assert len(open_index(tmp_path / "index").passages) == len(readers[0].passages) + 1


def test_an_index_is_never_converted(corpus: Path, tmp_path: Path) -> None:
    _build(corpus, tmp_path / "files")
    _build(corpus, tmp_path / "points", engine="qdrant", url=":memory:")
    for index, options, where in [
        ("files", {"engine": "qdrant", "url": ":memory:"}, "its own folder"),
        ("points", {"engine": "local"}, "the engine qdrant at :memory:"),
        ("points", {"engine": "qdrant", "url": "http://localhost:6333"}, "the engine qdrant at :memory:"),
    ]:
        manifest = (tmp_path / index / MANIFEST).read_bytes()
        with pytest.raises(EngineError, match=f"has its passages in {where} and a build does not move them"):
            _build(corpus, tmp_path / index, engine=options.get("engine"), url=options.get("url"))
        assert (tmp_path / index / MANIFEST).read_bytes() == manifest
    # Said the same again, or not said: the engine of the first build is kept, even where the manifest is damaged.
    _build(corpus, tmp_path / "points", engine="qdrant", url=":memory:")
    (tmp_path / "points" / MANIFEST).write_bytes(b"{}")
    _build(corpus, tmp_path / "points")
    assert isinstance(open_index(tmp_path / "points").engine, Qdrant)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"engine": "qdrant"}, "needs --url"),
        ({"engine": "local", "url": "http://localhost:6333"}, "give --engine qdrant with it"),
        ({"url": "http://localhost:6333"}, "give --engine qdrant with it"),
        ({"engine": "elastic"}, "there is no engine 'elastic'"),
        ({"engine": "qdrant", "url": "localhost:6333"}, "write it as http://localhost:6333"),
        ({"engine": "qdrant", "url": "ftp://localhost"}, "is no URL of a Qdrant server"),
        ({"engine": "qdrant", "url": "http://localhost:port"}, "is no URL of a Qdrant server"),
        ({"engine": "qdrant", "url": ""}, "is no URL of a Qdrant server"),
        ({"engine": "qdrant", "url": "https://me:secret@example.org"}, "QDRANT_API_KEY"),
        ({"engine": "qdrant", "url": "https://example.org?api-key=secret"}, "QDRANT_API_KEY"),
    ],
)
def test_what_cannot_be_an_engine_is_one_sentence(
    corpus: Path, tmp_path: Path, options: dict[str, str], said: str
) -> None:
    with pytest.raises(EngineError, match=said) as caught:
        _build(corpus, tmp_path / "index", engine=options.get("engine"), url=options.get("url"))
    assert "secret" not in str(caught.value)
    assert not (tmp_path / "index" / ".engine.json").exists()


def test_a_url_keeps_its_port_and_path() -> None:
    assert checked_url("http://localhost:6333/") == "http://localhost:6333"
    assert checked_url("https://example.org/qdrant") == "https://example.org/qdrant"
    assert checked_url(":memory:") == ":memory:"
    assert checked_url("points") == str(Path("points").resolve())


@pytest.mark.enable_socket
def test_a_server_that_is_not_there_is_one_sentence(corpus: Path, tmp_path: Path) -> None:
    arguments = ["--index", str(tmp_path / "index"), "--engine", "qdrant", "--url", "http://127.0.0.1:9"]
    encoder = WordHashEncoder()
    with pytest.raises(EngineError, match=r"the Qdrant server at http://127.0.0.1:9 cannot be reached \(.*refused.*\)"):
        _build(corpus, tmp_path / "index", encoder, engine="qdrant", url="http://127.0.0.1:9")
    assert encoder.embedded == 0
    result = CliRunner().invoke(app, ["build", str(tmp_path / "none"), *arguments])
    assert result.exit_code == 2


def test_memory_is_not_for_the_command_line(corpus: Path, tmp_path: Path) -> None:
    index = str(tmp_path / "index")
    result = CliRunner().invoke(
        app, ["build", str(corpus), "--index", index, "--engine", "qdrant", "--url", ":memory:"]
    )
    assert result.exit_code == 2
    assert result.stderr == ("rag: an index in memory would end with this command; give --url a server or a folder\n")


def test_without_the_package_the_message_says_what_to_install(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "qdrant_client", None)
    with pytest.raises(EngineError, match=r'pip install "verbatim-qa\[qdrant\]"'):
        _build(corpus, tmp_path / "index", engine="qdrant", url=str(tmp_path / "store"))


def _failing(*errors: Exception) -> Callable[[], str]:
    left = list(errors)

    def call() -> str:
        if left:
            raise left.pop(0)
        return "done"

    return call


def _answered(status: int) -> UnexpectedResponse:
    return UnexpectedResponse(status, "reason", b'{"status": "said"}', {})


def test_calls_are_tried_again_while_the_network_or_the_load_is_in_the_way() -> None:
    passing = (ResponseHandlingException(OSError("gone")), _answered(503), _answered(429))
    assert tried("http://x", _failing(*passing), pauses=(0, 0, 0)) == "done"
    with pytest.raises(EngineError, match="cannot be reached"):
        tried("http://x", _failing(ResponseHandlingException(OSError("gone"))), pauses=())
    refused = _failing(_answered(400), _answered(400))
    with pytest.raises(EngineError, match="refused a request"):
        tried("http://x", refused, pauses=(0, 0, 0))
    with pytest.raises(EngineError, match="refuses the key; set the environment variable QDRANT_API_KEY"):
        tried("http://x", _failing(_answered(401), _answered(401)), pauses=(0,))


def test_an_assistant_answers_the_same_from_both(corpus_dir: Path, index_dir: Path, tmp_path: Path) -> None:
    build(corpus_dir, tmp_path / "index", engine="qdrant", url=str(tmp_path / "store"))
    files, points = Assistant.open(index_dir), Assistant.open(tmp_path / "index")
    for question in QUESTIONS:
        wanted, found = files.ask(question, threshold=0), points.ask(question, threshold=0)
        assert (found.text, found.reason) == (wanted.text, wanted.reason)
        assert found.confidence == pytest.approx(wanted.confidence, abs=1e-4)
        within = points.ask(question, documents=["ferry.txt"], threshold=0)
        assert {hit.span.document.id for hit in within.passages} <= {"ferry.txt"}
    assert points.description["documents"] == len(CORPUS)
