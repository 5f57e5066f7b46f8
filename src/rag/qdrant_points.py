"""How a passage is a point of a Qdrant collection: its id, its vectors, and what is said of it."""

import hashlib
import json
import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rag.lexical import terms, with_beginning
from rag.spans import Span

if TYPE_CHECKING:
    from qdrant_client import models

# What `since` counts, how terms are numbered and what an id is made of: another number, another collection.
POINTS = 2
DENSE, WORDS = "dense", "words"
# BM25 as `Lexical` has it by default; the inverse document frequency is the server's part.
_K1, _B = 1.5, 0.75
_NAMESPACE = uuid.UUID("5b0c63d1-0f6a-5a3e-9a57-0f4b8f1f2c11")


def vectors_of(passage: Span, vector: NDArray[np.float32], average: float) -> dict[str, Any]:
    """Return a point's vectors by name: the passage's own, and its terms."""
    from qdrant_client import models

    indices, values = sparse_of(words_of(passage), average)
    return {DENSE: vector.tolist(), WORDS: models.SparseVector(indices=indices, values=values)}


def words_of(passage: Span) -> list[str]:
    """Return the terms that a passage is found by."""
    return terms(with_beginning(passage), passage.document.language)


def sparse_of(found: Sequence[str], average: float) -> tuple[list[int], list[float]]:
    """Return the numbers of a passage's terms, and what each adds to its BM25 score before the server weighs it."""
    counts: dict[int, int] = {}
    for term in found:
        counts[term_number(term)] = counts.get(term_number(term), 0) + 1
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
    text = hashlib.sha256(with_beginning(passage).encode("utf-8", "surrogatepass")).hexdigest()
    content = [POINTS, fingerprint, document.id, document.language, passage.start, passage.end, text]
    number = uuid.uuid5(_NAMESPACE, json.dumps(content)).int
    return number >> 64, number & (1 << 64) - 1


def point_names(ids: NDArray[np.uint64]) -> list[str]:
    """Return ids, (points, 2) as `point_id` makes them, as the server writes them."""
    return [str(uuid.UUID(int=int(high) << 64 | int(low))) for high, low in ids]


def term_number(term: str) -> int:
    """Return the index of a term in sparse vectors; of a million terms, one in some four thousand shares its number."""
    return int.from_bytes(hashlib.blake2b(term.encode("utf-8", "surrogatepass"), digest_size=4).digest(), "big")


def own_words(point: "models.ScoredPoint") -> dict[int, float]:
    """Return the numbers of a point's terms, each with its part of the BM25 score; none if they did not come along."""
    words = point.vector[WORDS] if isinstance(point.vector, dict) else None
    return dict(zip(words.indices, words.values, strict=True)) if words else {}


def term_weight(term: str, points: "Sequence[models.ScoredPoint]") -> float:
    """Return the inverse document frequency with which a point was scored for a term alone, 0 where none was."""
    for point in points:
        part = own_words(point).get(term_number(term))
        if part:
            return float(point.score / part)
    return 0.0
