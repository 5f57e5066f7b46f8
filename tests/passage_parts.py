"""Passages with their sentences, as search would hand them on, without an index."""

import numpy as np

from rag.encode import Encoder
from rag.passage_sentences import Sentences
from rag.search import Found
from rag.sentences import sentences
from rag.spans import Hit, Span


def sentences_within(passage: Span) -> tuple[Span, ...]:
    """Return the document's sentences that touch the passage, whole."""
    whole = Span(passage.document, 0, len(passage.document.text))
    return tuple(sentence for sentence in sentences(whole) if sentence.overlaps(passage))


def found(
    passage: Span,
    encoder: Encoder | None = None,
    *,
    row: int = 0,
    score: float = 0.1,
    dense: float = 0.5,
    lexical: float = 1.0,
    ranks: tuple[int | None, int | None] = (1, 1),
) -> Found:
    """Return a passage that was found; its sentences have the vectors of the encoder, or none where it has none."""
    own = sentences_within(passage) if encoder else ()
    vectors = encoder.encode_passages([span.text for span in own]) if encoder else np.empty((0, 1), np.float32)
    return Found(Hit(passage, score), row, dense, lexical, *ranks, Sentences(own, vectors))
