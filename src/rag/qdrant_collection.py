"""A Qdrant server, or a folder in its place: reaching it, making a collection there, and sending points."""

import functools
import hashlib
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from rag.errors import EngineError, IndexDirectoryError
from rag.qdrant_points import DENSE, POINTS, WORDS, payload_of, point_names, vectors_of, words_of
from rag.spans import Span

if TYPE_CHECKING:
    from qdrant_client import QdrantClient, models

MEMORY = ":memory:"
KEY_VARIABLE = "QDRANT_API_KEY"
OLDEST_SERVER = (1, 16)
# Points of one request.
AT_ONCE = 256
# Seconds between two tries.
PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)
_SECONDS = 60

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


def reach(place: Place) -> None:
    """Raise EngineError where a server cannot be used, before hours of embedding find out."""
    if "://" in place.url:
        connect(place).close()


def connect(place: Place, store: Path | None = None) -> "QdrantClient":
    """Return a client of the place, or of a folder in it.

    Raises EngineError where the package is missing, or the server is not to be reached, or too old.
    """
    try:
        from qdrant_client import QdrantClient
    except ImportError as error:
        raise EngineError(
            'the engine "qdrant" needs the package qdrant-client: run `pip install "verbatim-qa[qdrant]"`'
        ) from error
    if store is not None:
        with says(place.url):
            return QdrantClient(path=str(store), force_disable_check_same_thread=True)
    if place.url == MEMORY:
        return memory()
    port = urlsplit(place.url).port or (443 if place.url.startswith("https") else 6333)
    client = QdrantClient(
        url=place.url,
        port=port,
        api_key=os.environ.get(KEY_VARIABLE) or None,
        timeout=_SECONDS,
        check_compatibility=False,
    )
    version = tried(place.url, client.info, pauses=()).version
    if tuple(map(int, re.findall(r"\d+", version)[:2])) < OLDEST_SERVER:
        oldest = ".".join(map(str, OLDEST_SERVER))
        raise EngineError(f"the Qdrant server at {place.url} is version {version}; it takes {oldest} or a later one")
    return client


@functools.cache
def memory() -> "QdrantClient":
    """Return what `:memory:` is in this process: one store, so that what was built can be opened."""
    from qdrant_client import QdrantClient

    return QdrantClient(location=MEMORY)


@contextmanager
def says(url: str) -> Iterator[None]:
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


def tried(url: str, call: Callable[[], T], *, pauses: Sequence[float] = PAUSES) -> T:
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
    with says(url):
        return call()


def prepare(
    client: "QdrantClient", place: Place, name: str, fingerprint: str, width: int, passages: Sequence[Span]
) -> float:
    """Make the collection where it is not there yet, and return the average length its passages are compared with."""
    from qdrant_client import models

    if tried(place.url, lambda: client.collection_exists(name)):
        config = tried(place.url, lambda: client.get_collection(name)).config
        check_kind(config, name, place.url, fingerprint, width)
        return float((config.metadata or {})["average_length"])
    lengths = sum(len(words_of(passage)) for passage in passages)
    average = max(lengths / max(len(passages), 1), 1e-9)
    codes = models.ScalarQuantization(
        scalar=models.ScalarQuantizationConfig(type=models.ScalarType.INT8, quantile=0.99, always_ram=True)
    )
    tried(
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
            tried(
                place.url,
                functools.partial(client.create_payload_index, name, field, schema, wait=True),
            )
    return average


def check_kind(config: "models.CollectionConfig", name: str, url: str, fingerprint: str, width: int) -> None:
    """Raise EngineError when a collection is of another encoder or of other vectors."""
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


def latest(client: "QdrantClient", place: Place, name: str) -> int:
    """Return the last build that sent a point, 0 for none."""
    from qdrant_client import models

    order = models.OrderBy(key="since", direction=models.Direction.DESC)
    points, _ = tried(
        place.url, lambda: client.scroll(name, limit=1, order_by=order, with_payload=["since"], with_vectors=False)
    )
    return int((points[0].payload or {})["since"]) if points else 0


def send(
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

    for first in range(0, len(passages), AT_ONCE):
        names = point_names(ids[first : first + AT_ONCE])
        there = tried(
            place.url, functools.partial(client.retrieve, name, names, with_payload=False, with_vectors=False)
        )
        known = {str(point.id) for point in there}
        missing = [(first + at, each) for at, each in enumerate(names) if each not in known]
        if not missing:
            continue
        rows = vectors([row for row, _ in missing])
        points = [
            models.PointStruct(
                id=each, vector=vectors_of(passages[row], vector, average), payload=payload_of(passages[row], since)
            )
            for (row, each), vector in zip(missing, rows, strict=True)
        ]
        tried(place.url, functools.partial(client.upsert, name, points, wait=True))


def digests(store: Path) -> dict[str, str]:
    """Return the SHA-256 of each file of a local store, by its path there."""
    return {
        path.relative_to(store).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(store.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }


@contextmanager
def verified_copy(store: Path, files: Mapping[str, str]) -> Iterator[Path]:
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
