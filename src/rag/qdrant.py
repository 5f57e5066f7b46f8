"""The engine beyond one machine: passages as points of a Qdrant collection."""

import functools
import shutil
import uuid
import weakref
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from rag.engine import Ranking, Selection
from rag.errors import IndexDirectoryError
from rag.files import mapped
from rag.lexical import question_words, rarity
from rag.qdrant_collection import (
    AT_ONCE,
    PAUSES,
    Place,
    VectorsOf,
    check_kind,
    connect,
    digests,
    latest,
    prepare,
    says,
    send,
    tried,
    verified_copy,
)
from rag.qdrant_points import DENSE, WORDS, own_words, point_id, point_names, term_number, term_weight
from rag.spans import Span

if TYPE_CHECKING:
    from qdrant_client import QdrantClient, models

# The server counts ranks from 0 and adds this to them; `fuse` counts from 1 and adds 60.
RRF = 61
_IDS_AT_ONCE = 4096
_MOST_WEIGHTS = 10_000
_TERMS_AT_ONCE = 64

T = TypeVar("T")


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
            with says(place.url):
                shutil.rmtree(store, ignore_errors=True)
                store.mkdir(parents=True)
        client = connect(place, store)
        try:
            width = vectors([0]).shape[1]
            average = prepare(client, place, name, fingerprint, width, passages)
            since = 1 + latest(client, place, name)
            send(client, place, name, passages, ids, vectors, average=average, since=since)
        finally:
            if store is not None:
                client.close()
        if store is not None:
            files = digests(store)
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
            engine = cls(connect(place), place, folder, description)
        else:
            with verified_copy(place.folder / str(description["store"]), description["files"]) as copy:
                engine = cls(connect(place, copy), place, folder, description)
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
                own = own_words(scored[name])
                lexical[at] = sum(
                    max(much * own.get(term_number(term), 0.0) for term, much in word.items()) for word in words
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
        for first in range(start, stop, AT_ONCE):
            names = self._names(np.arange(first, min(first + AT_ONCE, stop)))
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
        check_kind(config, name, url, self.description["fingerprint"], self.dimensions)
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
                values[term_number(term)] = values.get(term_number(term), 0.0) + much / weights[term]
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
                    query=models.SparseVector(indices=[term_number(term)], values=[1.0]),
                    using=WORDS,
                    filter=condition,
                    limit=1,
                    with_vector=[WORDS],
                )
                for term in part
            ]
            responses = self._called(functools.partial(self._client.query_batch_points, self._name, requests))
            for term, response in zip(part, responses, strict=True):
                known[term] = term_weight(term, response.points)
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
        return point_names(self._ids[rows])

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

    def _called(self, call: Callable[[], T], *, pauses: Sequence[float] = PAUSES) -> T:
        return tried(self._place.url, call, pauses=pauses)
