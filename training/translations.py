"""Makes the table of word translations that lexical search uses: stems aligned in sentence pairs and dictionaries."""

import argparse
import lzma
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import track
from scipy.sparse import csr_matrix, diags

from rag.lexical import terms
from rag.translations import FORMAT, HUB, TRANSLATIONS_FILE
from training.data import LANGUAGES, Pair, held_back, read_dictionary, read_tsv

# Sources whose licence allows a table made from them to be passed on, and how many pairs of each language to take.
SOURCES = {
    "tatoeba-manythings": 25_000,
    "opusmt-tatoeba": 20_000,
    "tatoeba-pivot": 5_000,
    "tico19": 3_000,
    "mt-geneval": 3_000,
    "opensource-guide": 2_000,
    "nextstrain-sitreps": 1_000,
    "ms-businesscentral": 8_000,
}
MOST_WORDS = 40
ROUNDS = 4
BLOCK = 50_000
# A pair of stems that no dictionary has must occur together this often, and this exclusively, to be considered.
FEWEST, EXCLUSIVE = 3, 0.01
CONSIDERED = 8
# What is kept: the stems of English seen most often, their surest translations, and none that is less sure.
STEMS, TRANSLATIONS, LEAST = 12_000, 3, 0.1
# In every position of every text a word may also translate nothing.
NOTHING = 1e-3


@dataclass(frozen=True, slots=True)
class Aligned:
    """The stems of English and of one other language, with how often each was seen and how sure each pair is."""

    english: list[str]
    other: list[str]
    seen_english: NDArray[np.float32]
    seen_other: NDArray[np.float32]
    sure: csr_matrix


def read_sentences(data: Path, language: str) -> Iterator[Pair]:
    """Yield the sentence pairs to learn from, the development pairs left out."""
    for source, most in SOURCES.items():
        path = data / "parallel" / f"{source}.en-{language}.tsv.xz"
        if not path.is_file():
            continue
        rows = [Pair(row[0], row[1], language) for row in read_tsv(path) if len(row) == 2]
        rows = [pair for pair in rows if 1 < len(pair.english.split()) <= MOST_WORDS and not held_back(pair)]
        yield from random.Random(0).sample(rows, min(most, len(rows)))


def read_words(data: Path, language: str) -> Iterator[Pair]:
    """Yield the dictionary's pairs of single words; "to" before an English verb is no word."""
    for pair in read_dictionary(data):
        english = pair.english.removeprefix("to ")
        if pair.language == language and len(english.split()) == len(pair.other.split()) == 1:
            yield Pair(english, pair.other, language)


def occurrences(texts: Sequence[Sequence[str]]) -> tuple[csr_matrix, list[str]]:
    """Return which stems each text holds, a (texts, stems) matrix of ones, and the stems in its columns' order."""
    columns: dict[str, int] = {}
    ends, ids = [0], list[int]()
    for text in texts:
        ids.extend(columns.setdefault(term, len(columns)) for term in dict.fromkeys(text))
        ends.append(len(ids))
    ones = np.ones(len(ids), np.float32)
    return csr_matrix((ones, ids, ends), shape=(len(texts), len(columns))), list(columns)


def best_of_rows(matrix: csr_matrix, most: int) -> csr_matrix:
    """Return a matrix with only the `most` highest numbers of each row."""
    matrix = matrix.tocsr()
    kept = np.ones(matrix.nnz, bool)
    for first, last in zip(matrix.indptr[:-1], matrix.indptr[1:], strict=True):
        if last - first > most:
            row = matrix.data[first:last]
            kept[first:last] = False
            kept[first + np.argsort(-row, kind="stable")[:most]] = True
    chosen = matrix.copy()
    chosen.data = np.where(kept, matrix.data, 0)
    chosen.eliminate_zeros()
    return chosen


def candidates(english: csr_matrix, other: csr_matrix, words: int) -> csr_matrix:
    """Return the pairs to consider, 1 for each: those of the last `words` texts, and what often occurs together."""
    together = sum(
        (english[i : i + BLOCK].T @ other[i : i + BLOCK] for i in range(0, english.shape[0], BLOCK)),
        start=csr_matrix((english.shape[1], other.shape[1]), dtype=np.float32),
    ).tocoo()
    of_english, of_other = np.asarray(english.sum(0)).ravel(), np.asarray(other.sum(0)).ravel()
    strength = together.data**2 / (of_english[together.row] * of_other[together.col])
    kept = (together.data >= FEWEST) & (strength >= EXCLUSIVE)
    strong = csr_matrix((strength[kept], (together.row[kept], together.col[kept])), shape=together.shape)
    strong = best_of_rows(strong, CONSIDERED) + best_of_rows(strong.T, CONSIDERED).T
    if words:
        strong = strong + english[-words:].T @ other[-words:]
    considered = strong.tocsr()
    considered.data = np.ones_like(considered.data, dtype=np.float32)
    return considered


def translation_model(source: csr_matrix, target: csr_matrix, considered: csr_matrix) -> csr_matrix:
    """Return the chance of each target stem for each source stem, (source, target).

    IBM's first model (Brown et al. 1993) over the sets of stems of each pair of texts, by expectation maximization.
    """
    chance = _rows_to_one(considered)
    for _ in range(ROUNDS):
        counts = csr_matrix(considered.shape, dtype=np.float32)
        for i in range(0, source.shape[0], BLOCK):
            here, there = source[i : i + BLOCK], target[i : i + BLOCK]
            share = (here @ chance).multiply(there).tocsr()
            share.data = 1 / (share.data + NOTHING)
            counts = counts + (here.T @ share).multiply(considered)
        chance = _rows_to_one(counts.multiply(chance).tocsr())
    return chance


def _rows_to_one(matrix: csr_matrix) -> csr_matrix:
    sums = np.asarray(matrix.sum(1)).ravel()
    return (diags(1 / np.where(sums, sums, 1)) @ matrix).astype(np.float32).tocsr()


def align(pairs: Sequence[Pair], words: Sequence[Pair]) -> Aligned:
    """Return the stems of sentence pairs and of word pairs in one language, aligned.

    A pair is as sure as the geometric mean of its chances in both directions.
    """
    every = [*pairs, *words]
    english, english_stems = occurrences([terms(pair.english, "en") for pair in every])
    other, other_stems = occurrences([terms(pair.other, pair.language) for pair in every])
    considered = candidates(english, other, len(words))
    forth = translation_model(english, other, considered)
    back = translation_model(other, english, considered.T.tocsr())
    return Aligned(
        english_stems,
        other_stems,
        np.asarray(english.sum(0)).ravel(),
        np.asarray(other.sum(0)).ravel(),
        forth.multiply(back.T).sqrt().tocsr(),
    )


def rows_of(aligned: Mapping[str, Aligned], most: int) -> list[list[str]]:
    """Return the lines of the table: an English stem, and its translations into each language with how sure they are.

    The `most` stems that were seen most often are kept, in alphabetical order; those that are the same in every
    language are left out, as a word always stands for itself.
    """
    cells: dict[str, dict[str, str]] = {}
    seen: dict[str, float] = {}
    telling: set[str] = set()
    for language, one in aligned.items():
        for at, (stem, count) in enumerate(zip(one.english, one.seen_english.tolist(), strict=True)):
            here = slice(one.sure.indptr[at], one.sure.indptr[at + 1])
            ranked = sorted(
                (-sure, one.other[column])
                for column, sure in zip(one.sure.indices[here].tolist(), one.sure.data[here].tolist(), strict=True)
                # An Italian "thè" must not find an English title with "the".
                if sure >= LEAST and len(terms(f"{one.other[column]} {stem}", HUB)) > 1
            )[:TRANSLATIONS]
            if ranked:
                cells.setdefault(stem, {})[language] = " ".join(f"{x}{_tenths(-sure)}" for sure, x in ranked)
                seen[stem] = seen.get(stem, 0.0) + count
                telling |= {stem} if any(other != stem for _, other in ranked) else set()
    kept = sorted(sorted(telling, key=lambda stem: (-seen[stem], stem))[:most])
    return [[stem, *(cells[stem].get(language, "") for language in aligned)] for stem in kept]


def _tenths(sure: float) -> int:
    return max(1, min(9, round(10 * sure)))


def write_table(path: Path, languages: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Write what `rag.translations.Translations.load` reads; the same rows give the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = "".join("\t".join(row) + "\n" for row in [[FORMAT, *languages], *rows])
    path.write_bytes(lzma.compress(lines.encode(), preset=9 | lzma.PRESET_EXTREME))


def main() -> None:
    """Write the table, and say how large it is."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--data", type=Path, required=True, help="folder with parallel/ and dict/")
    options.add_argument("--out", type=Path, default=TRANSLATIONS_FILE)
    options.add_argument("--stems", type=int, default=STEMS, help="how many stems of English to keep")
    arguments = options.parse_args()
    aligned = {}
    for language in track(LANGUAGES, "aligning"):
        aligned[language] = align(
            list(read_sentences(arguments.data, language)), list(read_words(arguments.data, language))
        )
    rows = rows_of(aligned, arguments.stems)
    write_table(arguments.out, LANGUAGES, rows)
    count = sum(len(cell.split()) for row in rows for cell in row[1:])
    print(f"{len(rows)} stems, {count} translations, {arguments.out.stat().st_size:,} bytes")  # noqa: T201


if __name__ == "__main__":
    main()
