"""The engine beyond one machine: passages as points of a Qdrant collection."""

import functools
import hashlib
import json
import os
import re
import shutil
import time
import uuid
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from rag.engine import Ranking, Selection
from rag.errors import EngineError, IndexDirectoryError
from rag.files import mapped
from rag.lexical import question_words, rarity, terms
from rag.spans import Span

if TYPE_CHECKING:
    from qdrant_client import QdrantClient, models

MEMORY = ":memory:"
KEY_VARIABLE = "QDRANT_API_KEY"
# What `since` counts, how terms are numbered and what an id is made of: another number, another collection.
POINTS = 1
OLDEST_SERVER = (1, 16)
DENSE, WORDS = "dense", "words"
# BM25 as `Lexical` has it by default; the inverse document frequency is the server's part.
_K1, _B = 1.5, 0.75
# The server counts ranks from 0 and adds this to them; `fuse` counts from 1 and adds 60.
RRF = 61
_AT_ONCE = 256
_IDS_AT_ONCE = 4096
_PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)
_SECONDS = 60
_MOST_WEIGHTS = 10_000
_TERMS_AT_ONCE = 64
_NAMESPACE = uuid.UUID("5b0c63d1-0f6a-5a3e-9a57-0f4b8f1f2c11")

T = TypeVar("T")
VectorsOf = Callable[[Sequence[int]], NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Place:
    """Where the points of one index lie: a server's URL or a folder, and the token in the names of its collections."""

    url: str
    token: str

    def collection(self, fingerprint: str) -> str:
        """Return the name of the collection for an encoder's vectors."""
        kind = hashlib.sha256(f"{POINTS} {fingerprint}".encode()).hexdigest()[:8]
        return f"{self.family}{kind}"

    @property
    def family(self) -> str:
        """Return how the names of all the index's collections begin."""
        return f"verbatim-{self.token}-"

    @property
    def folder(self) -> Path | None:
        """Return the folder of a place that is no server."""
        return None if self.url == MEMORY or "://" in self.url else Path(self.url)


def checked_url(url: str) -> str:
    """Return the URL of a server, ":memory:", or the absolute path of a folder.

    Raises EngineError when it is none of them or holds a secret.
    """
    if url == MEMORY:
        return url
    if "://" not in url:
        if not url or re.fullmatch(r"[\w.-]+:\d+/?", url):
            raise EngineError(f"{url!r} is no URL of a Qdrant server; write it as http://localhost:6333")
        return str(Path(url).resolve())
    try:
        parts = urlsplit(url)
        well = parts.scheme in ("http", "https") and parts.hostname and (parts.port or 1)
    except ValueError:
        well = None
    if not well:
        raise EngineError(f"{url!r} is no URL of a Qdrant server; write it as http://localhost:6333")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise EngineError(
            f"the URL of the Qdrant server at {parts.hostname} holds more than an address; put the key into the"
            f" environment variable {KEY_VARIABLE}"
        )
    return url.rstrip("/")


class Qdrant:
    """Passages as points, found by dense and sparse vectors; make one with `write` or `load`.

    A point has the passage's unit vector, its terms with their part of BM25, and a payload: document, language, start,
    end, and the build since which it counts. The texts stay in the index's folder. Sums are the server's: the inverse
    document frequency counts the points of a shard, among them deleted ones until the server has tidied up, and the
    average length of passages is that of the build that made the collection.
    """

    def __init__(self, client: "QdrantClient", place: Place, folder: Path, description: Mapping[str, Any]) -> None:
        self.description = description
        self._client, self._place = client, place
        self._name: str = description["collection"]
        self._ids: NDArray[np.uint64] = mapped(folder / "ids.npy")
        self._order: NDArray[np.int64] = mapped(folder / "id_order.npy")
        if len(self._ids) != description["passages"] or self._ids.shape[1:] != (2,) or len(self._order) != len(self):
            raise ValueError("ids.npy does not fit the manifest")
        self._firsts = np.ascontiguousarray(self._ids[self._order, 0])
        self._weights: dict[str, float] = {}

    @classmethod
    def write(
        cls, folder: Path, passages: Sequence[Span], vectors: VectorsOf, *, place: Place, fingerprint: str
    ) -> "Qdrant":
        """Bring what the collection lacks of these passages there, and write into `folder` which points are theirs.

        `vectors` returns the unit vectors of the rows it is given, shape (rows, d). A point's id is made from the
        passage's document, place, text and language and from the encoder, so that a point that is there already need
        not be sent, and sending it twice is harmless. Readers of an earlier build do not see the new points, and none
        is taken away; `tidy` does that when the new manifest is in place. Raises EngineError.
        """
        ids = np.array([point_id(passage, fingerprint) for passage in passages], np.uint64).reshape(-1, 2)
        np.save(folder / "ids.npy", ids, allow_pickle=False)
        np.save(folder / "id_order.npy", np.lexsort((ids[:, 1], ids[:, 0])).astype(np.int64), allow_pickle=False)
        name, files = place.collection(fingerprint), {}
        store = None if place.folder is None else place.folder / f"{name}-{folder.name}"
        if store is not None:
            with _says(place.url):
                shutil.rmtree(store, ignore_errors=True)
                store.mkdir(parents=True)
        client = _connect(place, store)
        try:
            width = vectors([0]).shape[1]
            average = _prepare(client, place, name, fingerprint, width, passages)
            since = 1 + _latest(client, place, name)
            _send(client, place, name, passages, ids, vectors, average=average, since=since)
        finally:
            if store is not None:
                client.close()
        if store is not None:
            files = _digests(store)
        description = {
            "name": "qdrant",
            "url": place.url,
            "token": place.token,
            "collection": name,
            "fingerprint": fingerprint,
            "dimensions": width,
            "passages": len(passages),
            "average_length": average,
            "since": since,
            "store": None if store is None else store.name,
            "files": files,
        }
        return cls.load(folder, description)

    @classmethod
    def load(cls, folder: Path, description: Mapping[str, Any]) -> "Qdrant":
        """Open what `write` wrote.

        Raises EngineError when the server cannot be reached or the collection is of another encoder or width, and
        IndexDirectoryError when points are missing, or the files of a local folder are not those of the build.
        """
        place = Place(description["url"], description["token"])
        if place.folder is None:
            engine = cls(_connect(place), place, folder, description)
        else:
            with _verified_copy(place.folder / str(description["store"]), description["files"]) as copy:
                engine = cls(_connect(place, copy), place, folder, description)
            weakref.finalize(engine, engine._client.close)
        engine._check()
        return engine

    def __len__(self) -> int:
        return len(self._ids)

    @property
    def dimensions(self) -> int:
        """Return the length of a vector."""
        return int(self.description["dimensions"])

    def rank(
        self,
        question: str,
        query: NDArray[np.float32],
        languages: Sequence[str],
        *,
        depth: int,
        selection: Selection | None = None,
    ) -> Ranking:
        """Return the `depth` best rows by vector and by words, and both joined by the server; see `Engine.rank`.

        Of equal scores the lower row comes first among those that the server returned; which of equals it returns at
        the end of a list is its own choice.
        """
        from qdrant_client import models

        if depth <= 0 or (selection is not None and not len(selection.rows)):
            return Ranking((), (), ())
        self._check_query(query)
        words = self._words_of(question, languages)
        condition = self._condition(selection)
        asked: list[tuple[str, list[float] | models.SparseVector]] = [(DENSE, query.tolist())]
        if words:
            asked.append((WORDS, self._sparse(words)))
        single = [
            models.QueryRequest(query=what, using=using, filter=condition, limit=depth, params=self._params(using))
            for using, what in asked
        ]
        joined = models.QueryRequest(
            prefetch=[
                models.Prefetch(query=what, using=using, filter=condition, limit=depth, params=self._params(using))
                for using, what in asked
            ],
            query=models.RrfQuery(rrf=models.Rrf(k=RRF)),
            limit=len(asked) * depth,
        )
        responses = self._called(lambda: self._client.query_batch_points(self._name, [joined, *single]))
        fused, *lists = [self._found(response.points) for response in responses]
        dense, *lexical = [tuple(row for row, _ in each) for each in lists]
        return Ranking(tuple(fused), dense, lexical[0] if lexical else ())

    def scores(
        self, question: str, query: NDArray[np.float32], languages: Sequence[str], rows: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the inner product and the BM25 score of each of these rows, 0 for one that has gone meanwhile."""
        from qdrant_client import models

        dense, lexical = np.zeros(len(rows), np.float32), np.zeros(len(rows), np.float32)
        if not len(rows):
            return dense, lexical
        self._check_query(query)
        words = self._words_of(question, languages)
        names = self._names(rows)
        answer = self._called(
            lambda: self._client.query_points(
                self._name,
                query=query.tolist(),
                using=DENSE,
                query_filter=models.Filter(must=[models.HasIdCondition(has_id=[*names])]),
                limit=len(names),
                search_params=self._params(DENSE, exact=True),
                with_payload=False,
                with_vectors=[WORDS],
            )
        )
        scored = {str(point.id): point for point in answer.points}
        for at, name in enumerate(names):
            if name in scored:
                dense[at] = scored[name].score
                own = _own_words(scored[name])
                lexical[at] = sum(
                    max(much * own.get(_number(term), 0.0) for term, much in word.items()) for word in words
                )
        return dense, lexical

    def weight(self, term: str) -> float:
        """Return the inverse document frequency of a term that the server counts with."""
        return self._learned([term])[term] or float(np.log(1 + (len(self) + 0.5) / 0.5))

    def rows(self, start: int, stop: int) -> NDArray[np.float32]:
        """Return the vectors of the rows from `start` up to, not including, `stop`.

        Raises IndexError beyond the ends, and IndexDirectoryError when a point has gone.
        """
        if not 0 <= start <= stop <= len(self):
            raise IndexError(f"rows {start}:{stop} do not lie in {len(self)} rows")
        found = np.empty((stop - start, self.dimensions), np.float32)
        for first in range(start, stop, _AT_ONCE):
            names = self._names(np.arange(first, min(first + _AT_ONCE, stop)))
            points = self._called(
                functools.partial(self._client.retrieve, self._name, names, with_payload=False, with_vectors=[DENSE])
            )
            vectors = {str(point.id): point.vector[DENSE] for point in points}
            if len(vectors) != len(names):
                raise self._incomplete()
            found[first - start : first - start + len(names)] = [vectors[name] for name in names]
        return found

    def tidy(self) -> None:
        """Delete the points and collections that no passage of this index needs: those of earlier or stopped builds."""
        from qdrant_client import models

        if self._place.folder is not None:
            for path in self._place.folder.glob(f"{self._place.family}*"):
                if path.name != self.description["store"]:
                    shutil.rmtree(path, ignore_errors=True)
            return
        client, name = self._client, self._name
        for each in self._called(client.get_collections).collections:
            if each.name.startswith(self._place.family) and each.name != name:
                self._called(functools.partial(client.delete_collection, each.name))
        if self._called(lambda: client.count(name, exact=True)).count == len(self):
            return
        offset: Any = None
        while True:
            points, offset = self._called(
                functools.partial(
                    client.scroll, name, limit=_IDS_AT_ONCE, offset=offset, with_payload=False, with_vectors=False
                )
            )
            gone = [point.id for point in points if self._row(str(point.id)) is None]
            if gone:
                selector = models.PointIdsList(points=gone)
                self._called(functools.partial(client.delete, name, selector, wait=True))
            if offset is None:
                return

    def _check(self) -> None:
        """Compare the collection with what the manifest says of it."""
        name, url = self._name, self._place.url
        if not self._called(lambda: self._client.collection_exists(name), pauses=()):
            raise IndexDirectoryError(
                f"the collection {name} is not at {url}; build the index again with `rag build`, or restore it there"
            )
        config = self._called(lambda: self._client.get_collection(name)).config
        _check_kind(config, name, url, self.description["fingerprint"], self.dimensions)
        count = self._called(lambda: self._client.count(name, count_filter=self._condition(None), exact=True)).count
        if count < len(self):
            raise self._incomplete()

    def _incomplete(self) -> IndexDirectoryError:
        return IndexDirectoryError(
            f"passages are missing from the collection {self._name} at {self._place.url};"
            " build the index again with `rag build`"
        )

    def _check_query(self, query: NDArray[np.float32]) -> None:
        if query.shape != (self.dimensions,):
            raise ValueError(f"the query has shape {query.shape}, but the rows have {self.dimensions} dimensions")
        if not np.isfinite(query).all():
            raise ValueError("the query vector holds a value that is not finite")

    def _condition(self, selection: Selection | None) -> "models.Filter":
        from qdrant_client import models

        must: list[Any] = [models.FieldCondition(key="since", range=models.Range(lte=self.description["since"]))]
        if selection is not None and selection.documents is not None:
            anyone = models.MatchAny(any=sorted(selection.documents))
            must.append(models.FieldCondition(key="document", match=anyone))
        if selection is not None and selection.language is not None:
            match = models.MatchValue(value=selection.language)
            must.append(models.FieldCondition(key="language", match=match))
        return models.Filter(must=must)

    def _params(self, using: str, *, exact: bool = False) -> "models.SearchParams | None":
        """Return how a server searches; the local client is always exact and says so when told."""
        from qdrant_client import models

        if using != DENSE or "://" not in self._place.url:
            return None
        codes = models.QuantizationSearchParams(ignore=exact, rescore=True, oversampling=2.0)
        return models.SearchParams(exact=exact, quantization=codes)

    def _words_of(self, question: str, languages: Sequence[str]) -> list[dict[str, float]]:
        """Return a question's words as the terms that the passages have, with what `Lexical` lets each count.

        That is before the passage's own part, and with the rarity of the word already in it.
        """
        words = question_words(question, languages)
        weights = self._learned([term for word in words for term in word])
        known = [{term: much for term, much in word.items() if weights[term]} for word in words]
        rare = [rarity(word, weights.__getitem__) if word else 0.0 for word in known]
        return [
            {term: much * least for term, much in word.items()} for word, least in zip(known, rare, strict=True) if word
        ]

    def _sparse(self, words: Sequence[Mapping[str, float]]) -> "models.SparseVector":
        """Return the query of these words: the server multiplies by a term's own rarity, so that is divided out.

        The server adds up the terms of one word where `Lexical` takes the best, so it may propose other passages for
        words with translations; `scores` counts as `Lexical` does.
        """
        from qdrant_client import models

        values: dict[int, float] = {}
        weights = self._learned([term for word in words for term in word])
        for word in words:
            for term, much in word.items():
                values[_number(term)] = values.get(_number(term), 0.0) + much / weights[term]
        return models.SparseVector(indices=[*values], values=[*values.values()])

    def _learned(self, wanted: Sequence[str]) -> dict[str, float]:
        """Return the inverse document frequencies that the server counts with, 0 for a term that no passage has.

        They are learned from what a term adds to the passage it adds most to, over that passage's own part.
        """
        from qdrant_client import models

        known = {term: self._weights[term] for term in wanted if term in self._weights}
        unknown = [term for term in dict.fromkeys(wanted) if term not in known]
        condition = self._condition(None)
        for first in range(0, len(unknown), _TERMS_AT_ONCE):
            part = unknown[first : first + _TERMS_AT_ONCE]
            requests = [
                models.QueryRequest(
                    query=models.SparseVector(indices=[_number(term)], values=[1.0]),
                    using=WORDS,
                    filter=condition,
                    limit=1,
                    with_vector=[WORDS],
                )
                for term in part
            ]
            responses = self._called(functools.partial(self._client.query_batch_points, self._name, requests))
            for term, response in zip(part, responses, strict=True):
                known[term] = _weight(term, response.points)
        # Another thread may do the same; each leaves a whole dictionary.
        merged = {**self._weights, **known}
        self._weights = dict(list(merged.items())[-_MOST_WEIGHTS:]) if unknown else self._weights
        return known

    def _found(self, points: "Sequence[models.ScoredPoint]") -> list[tuple[int, float]]:
        rows = [(self._row(str(point.id)), point.score) for point in points]
        # A point that is not of this index is of an earlier build, or of one under way.
        known = [(row, score) for row, score in rows if row is not None]
        return sorted(known, key=lambda pair: (-pair[1], pair[0]))

    def _names(self, rows: NDArray[np.int64]) -> list[str]:
        return [str(uuid.UUID(int=int(high) << 64 | int(low))) for high, low in self._ids[rows]]

    def _row(self, name: str) -> int | None:
        number = uuid.UUID(name).int
        high, low = np.uint64(number >> 64), number & (1 << 64) - 1
        for at in range(int(np.searchsorted(self._firsts, high)), len(self)):
            if self._firsts[at] != high:
                break
            row = int(self._order[at])
            if int(self._ids[row, 1]) == low:
                return row
        return None

    def _called(self, call: Callable[[], T], *, pauses: Sequence[float] = _PAUSES) -> T:
        return _tried(self._place.url, call, pauses=pauses)


def reach(place: Place) -> None:
    """Raise EngineError where a server cannot be used, before hours of embedding find out."""
    if "://" in place.url:
        _connect(place).close()


def _connect(place: Place, store: Path | None = None) -> "QdrantClient":
    try:
        from qdrant_client import QdrantClient
    except ImportError as error:
        raise EngineError(
            'the engine "qdrant" needs the package qdrant-client: run `pip install "verbatim-qa[qdrant]"`'
        ) from error
    if store is not None:
        with _says(place.url):
            return QdrantClient(path=str(store), force_disable_check_same_thread=True)
    if place.url == MEMORY:
        return _memory()
    port = urlsplit(place.url).port or (443 if place.url.startswith("https") else 6333)
    client = QdrantClient(
        url=place.url,
        port=port,
        api_key=os.environ.get(KEY_VARIABLE) or None,
        timeout=_SECONDS,
        check_compatibility=False,
    )
    version = _tried(place.url, client.info, pauses=()).version
    if tuple(map(int, re.findall(r"\d+", version)[:2])) < OLDEST_SERVER:
        oldest = ".".join(map(str, OLDEST_SERVER))
        raise EngineError(f"the Qdrant server at {place.url} is version {version}; it takes {oldest} or a later one")
    return client


@functools.cache
def _memory() -> "QdrantClient":
    """Return what `:memory:` is in this process: one store, so that what was built can be opened."""
    from qdrant_client import QdrantClient

    return QdrantClient(location=MEMORY)


@contextmanager
def _says(url: str) -> Iterator[None]:
    """Say in one sentence what keeps the engine from working."""
    from qdrant_client.http.exceptions import ApiException, UnexpectedResponse

    try:
        yield
    except UnexpectedResponse as error:
        if error.status_code in (401, 403):
            raise EngineError(
                f"the Qdrant server at {url} refuses the key; set the environment variable {KEY_VARIABLE}"
            ) from error
        said = " ".join(str(error).split())[:200]
        raise EngineError(f"the Qdrant server at {url} refused a request ({said}); look into its log") from error
    except ApiException as error:
        said = " ".join(str(error).split())[:160] or type(error).__name__
        raise EngineError(
            f"the Qdrant server at {url} cannot be reached ({said}); start it, or correct the URL"
        ) from error
    except OSError as error:
        raise EngineError(
            f"the folder {url} cannot be used ({error.strerror or error}); name another one with --url"
        ) from error


def _tried(url: str, call: Callable[[], T], *, pauses: Sequence[float] = _PAUSES) -> T:
    """Return what a call returns, trying again while the network or the server's load is in the way."""
    from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

    for pause in pauses:
        try:
            return call()
        except UnexpectedResponse as error:
            if error.status_code is None or (error.status_code != 429 and error.status_code < 500):
                break
        except ResponseHandlingException:
            pass
        time.sleep(pause)
    with _says(url):
        return call()


def _prepare(
    client: "QdrantClient", place: Place, name: str, fingerprint: str, width: int, passages: Sequence[Span]
) -> float:
    """Make the collection where it is not there yet, and return the average length its passages are compared with."""
    from qdrant_client import models

    if _tried(place.url, lambda: client.collection_exists(name)):
        config = _tried(place.url, lambda: client.get_collection(name)).config
        _check_kind(config, name, place.url, fingerprint, width)
        return float((config.metadata or {})["average_length"])
    lengths = sum(len(terms(passage.text, passage.document.language)) for passage in passages)
    average = max(lengths / max(len(passages), 1), 1e-9)
    codes = models.ScalarQuantization(
        scalar=models.ScalarQuantizationConfig(type=models.ScalarType.INT8, quantile=0.99, always_ram=True)
    )
    _tried(
        place.url,
        lambda: client.create_collection(
            name,
            # The whole vectors stay on the disk; what is searched in memory are their 8-bit codes.
            vectors_config={DENSE: models.VectorParams(size=width, distance=models.Distance.DOT, on_disk=True)},
            sparse_vectors_config={WORDS: models.SparseVectorParams(modifier=models.Modifier.IDF)},
            quantization_config=codes,
            on_disk_payload=True,
            metadata={"points": POINTS, "fingerprint": fingerprint, "average_length": average},
        ),
    )
    if "://" in place.url:
        for field, kind in (("document", "keyword"), ("language", "keyword"), ("since", "integer")):
            schema = models.PayloadSchemaType(kind)
            _tried(
                place.url,
                functools.partial(client.create_payload_index, name, field, schema, wait=True),
            )
    return average


def _check_kind(config: "models.CollectionConfig", name: str, url: str, fingerprint: str, width: int) -> None:
    said = config.metadata or {}
    if said.get("fingerprint") != fingerprint or said.get("points") != POINTS:
        raise EngineError(
            f"the collection {name} at {url} is of another encoder than this index; delete it there, and build again"
        )
    vectors = config.params.vectors
    found = vectors[DENSE].size if isinstance(vectors, dict) and DENSE in vectors else None
    if found != width:
        raise EngineError(
            f"the collection {name} at {url} holds vectors of {found} numbers and the encoder makes {width};"
            " delete it there, and build again"
        )


def _latest(client: "QdrantClient", place: Place, name: str) -> int:
    """Return the last build that sent a point, 0 for none."""
    from qdrant_client import models

    order = models.OrderBy(key="since", direction=models.Direction.DESC)
    points, _ = _tried(
        place.url, lambda: client.scroll(name, limit=1, order_by=order, with_payload=["since"], with_vectors=False)
    )
    return int((points[0].payload or {})["since"]) if points else 0


def _send(
    client: "QdrantClient",
    place: Place,
    name: str,
    passages: Sequence[Span],
    ids: NDArray[np.uint64],
    vectors: VectorsOf,
    *,
    average: float,
    since: int,
) -> None:
    """Send the points that are not there yet, a batch at a time."""
    from qdrant_client import models

    for first in range(0, len(passages), _AT_ONCE):
        names = [str(uuid.UUID(int=int(high) << 64 | int(low))) for high, low in ids[first : first + _AT_ONCE]]
        there = _tried(
            place.url, functools.partial(client.retrieve, name, names, with_payload=False, with_vectors=False)
        )
        known = {str(point.id) for point in there}
        missing = [(first + at, each) for at, each in enumerate(names) if each not in known]
        if not missing:
            continue
        rows = vectors([row for row, _ in missing])
        points = [
            models.PointStruct(
                id=each, vector=_vectors(passages[row], vector, average), payload=payload_of(passages[row], since)
            )
            for (row, each), vector in zip(missing, rows, strict=True)
        ]
        _tried(place.url, functools.partial(client.upsert, name, points, wait=True))


def _vectors(passage: Span, vector: NDArray[np.float32], average: float) -> dict[str, Any]:
    from qdrant_client import models

    indices, values = sparse_of(terms(passage.text, passage.document.language), average)
    return {DENSE: vector.tolist(), WORDS: models.SparseVector(indices=indices, values=values)}


def sparse_of(found: Sequence[str], average: float) -> tuple[list[int], list[float]]:
    """Return the numbers of a passage's terms, and what each adds to its BM25 score before the server weighs it."""
    counts: dict[int, int] = {}
    for term in found:
        counts[_number(term)] = counts.get(_number(term), 0) + 1
    norm = _K1 * (1 - _B + _B * len(found) / average)
    return [*counts], [count / (count + norm) for count in counts.values()]


def payload_of(passage: Span, since: int) -> dict[str, Any]:
    """Return what a point says of its passage, and the build since which it counts."""
    document = passage.document
    return {
        "document": document.id,
        "language": document.language,
        "start": passage.start,
        "end": passage.end,
        "since": since,
    }


def point_id(passage: Span, fingerprint: str) -> tuple[int, int]:
    """Return the two halves of the id of a passage's point."""
    document = passage.document
    text = hashlib.sha256(passage.text.encode("utf-8", "surrogatepass")).hexdigest()
    content = [POINTS, fingerprint, document.id, document.language, passage.start, passage.end, text]
    number = uuid.uuid5(_NAMESPACE, json.dumps(content)).int
    return number >> 64, number & (1 << 64) - 1


def _number(term: str) -> int:
    """Return the index of a term in sparse vectors; of a million terms, one in some four thousand shares its number."""
    return int.from_bytes(hashlib.blake2b(term.encode("utf-8", "surrogatepass"), digest_size=4).digest(), "big")


def _own_words(point: "models.ScoredPoint") -> dict[int, float]:
    words = point.vector[WORDS] if isinstance(point.vector, dict) else None
    return dict(zip(words.indices, words.values, strict=True)) if words else {}


def _weight(term: str, points: "Sequence[models.ScoredPoint]") -> float:
    for point in points:
        part = _own_words(point).get(_number(term))
        if part:
            return float(point.score / part)
    return 0.0


def _digests(store: Path) -> dict[str, str]:
    return {
        path.relative_to(store).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(store.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }


@contextmanager
def _verified_copy(store: Path, files: Mapping[str, str]) -> Iterator[Path]:
    """Copy the files of a local store after comparing them with their SHA-256.

    The client unpickles what it reads, so it reads nothing that was not compared; and it locks what it opens, which
    must not keep other readers or the next build away.
    """
    with TemporaryDirectory(prefix="verbatim-", ignore_cleanup_errors=True) as folder:
        copy = Path(folder)
        for name, digest in files.items():
            target = copy / name
            try:
                content = (store / name).read_bytes()
            except OSError as error:
                raise IndexDirectoryError(
                    f"the file {name} of {store} cannot be read; build the index again with `rag build`"
                ) from error
            if hashlib.sha256(content).hexdigest() != digest:
                raise IndexDirectoryError(
                    f"the file {name} of {store} was changed; build the index again with `rag build`"
                )
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        yield copy
