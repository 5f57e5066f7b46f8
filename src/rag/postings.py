"""Which passages a term stands in and what it adds to their BM25 scores: built in parts, read from mapped files."""

import json
import math
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from rag.files import mapped, room

_FORMAT = 2
_PASSAGES_AT_ONCE = 4096
_COLUMNS = (("rows", "<i4"), ("values", "<f4"))
# Sums of the same numbers in another order differ by less than this share.
_ROUNDING = 1e-5
# Terms whose numbers are remembered, some 100 bytes each.
REMEMBERED = 16_384

# What a word of a question may be in the passages: numbers of terms, and how much each counts.
Word = Mapping[int, float]


class Terms(Sequence[str]):
    """The terms of an index in the order of their UTF-8 bytes: a mapped file that is searched by halving."""

    __slots__ = ("_bounds", "_found", "_text")

    def __init__(self, text: NDArray[np.uint8], bounds: NDArray[np.int64]) -> None:
        self._text, self._bounds = text, bounds
        # One question looks the same few terms up for every sentence that it weighs.
        self._found = lru_cache(maxsize=REMEMBERED)(partial(_halved, text, bounds))

    def __len__(self) -> int:
        return len(self._bounds) - 1

    def __getitem__(self, number: int) -> str:  # type: ignore[override]  # no slices
        """Return a term."""
        return _bytes_at(self._text, self._bounds, number).decode("utf-8", "surrogatepass")

    def number(self, term: str) -> int | None:
        """Return the number of a term, None when no passage has it."""
        return self._found(term)


def _bytes_at(text: NDArray[np.uint8], bounds: NDArray[np.int64], number: int) -> bytes:
    return text[bounds[number] : bounds[number + 1]].tobytes()


def _halved(text: NDArray[np.uint8], bounds: NDArray[np.int64], term: str) -> int | None:
    """Return the number of a term by halving, None when it is not there."""
    wanted, count = term.encode("utf-8", "surrogatepass"), len(bounds) - 1
    at = bisect_left(range(count), wanted, key=lambda number: _bytes_at(text, bounds, number))
    return at if at < count and _bytes_at(text, bounds, at) == wanted else None


class Postings:
    """For each term its passages, ascending, with what the term adds to the score of each; make one with `load`.

    The score of a passage is the sum over the words of a question of the most that one of the word's terms adds.
    """

    __slots__ = ("_bounds", "_peaks", "_rows", "_values", "count", "terms")

    def __init__(
        self,
        count: int,
        terms: Terms,
        bounds: NDArray[np.int64],
        rows: NDArray[np.int32],
        values: NDArray[np.float32],
        peaks: NDArray[np.float32],
    ) -> None:
        fits = len(bounds) == len(terms) + 1 == len(peaks) + 1 and len(rows) == len(values) == bounds[-1]
        if not fits or (np.diff(bounds) <= 0).any() or count < 0:
            raise ValueError("the parts of the postings do not fit together")
        self.count, self.terms = count, terms
        self._bounds, self._rows, self._values, self._peaks = bounds, rows, values, peaks

    @classmethod
    def load(cls, folder: Path) -> "Postings":
        """Open what `write_postings` wrote; raises OSError or ValueError when a file is missing or something else."""
        described = json.loads((folder / "lexical.json").read_bytes())
        if described["format"] != _FORMAT:
            raise ValueError(f"format {described['format']}, not {_FORMAT}")
        terms = Terms(_array(folder, "terms", "u1"), _array(folder, "term_bounds", "<i8"))
        return cls(
            int(described["passages"]),
            terms,
            _array(folder, "bounds", "<i8"),
            _array(folder, "rows", "<i4"),
            _array(folder, "values", "<f4"),
            _array(folder, "peaks", "<f4"),
        )

    def frequency(self, number: int) -> int:
        """Return the number of passages that a term stands in."""
        return int(self._bounds[number + 1] - self._bounds[number])

    def scores(self, words: Sequence[Word], rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the score of each of these passages, shape (rows,), the same whatever else is asked for."""
        total = np.zeros(len(rows), np.float64)
        for word in words:
            total += self._looked_up(word, rows)
        return total.astype(np.float32)

    def best(
        self, words: Sequence[Word], k: int, *, allowed: NDArray[np.int64] | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return the `k` best passages that score above 0, best first, of equal ones the lower first, and their scores.

        Exact, and yet common terms are not added to every passage: the words are taken from the weightiest to the
        lightest, and as soon as all that is left could not lift another passage among the best, only those already
        met are looked up (MaxScore; Turtle and Flood 1995). `allowed`, ascending, are the passages considered.
        """
        if k == 0 or (allowed is not None and not len(allowed)):
            return np.empty(0, np.int64), np.empty(0, np.float32)
        if allowed is not None and len(allowed) <= _PASSAGES_AT_ONCE:
            candidates = allowed
        else:
            candidates = self._candidates(words, k, allowed)
        scores = self.scores(words, candidates)
        kept = np.flatnonzero(scores > 0)
        order = kept[np.lexsort((candidates[kept], -scores[kept]))][:k]
        return candidates[order], scores[order]

    def _candidates(self, words: Sequence[Word], k: int, allowed: NDArray[np.int64] | None) -> NDArray[np.int64]:
        """Return passages, ascending, that hold the `k` best and all that tie with the last of them."""
        within = None
        if allowed is not None:
            within = np.zeros(self.count, bool)
            within[allowed] = True
        bounds = [max(weight * float(self._peaks[number]) for number, weight in word.items()) for word in words]
        order = sorted(range(len(words)), key=lambda at: -bounds[at])
        left = sum(bounds)
        sums = np.zeros(self.count, np.float32)
        met = np.empty(0, np.int64)
        for done, at in enumerate(order):
            least = _kth(sums[met], k) * (1 - _ROUNDING)
            if least > left:
                return self._narrowed([(words[i], bounds[i]) for i in order[done:]], met, sums[met], k)
            rows, values = self._merged(words[at], within)
            fresh = rows[sums[rows] == 0]
            sums[rows] += values
            met = np.concatenate((met, fresh))
            left -= bounds[at]
        found = sums[met]
        return np.sort(met[found >= _kth(found, k) * (1 - _ROUNDING)])

    def _narrowed(
        self, words: Sequence[tuple[Word, float]], met: NDArray[np.int64], sums: NDArray[np.float32], k: int
    ) -> NDArray[np.int64]:
        """Return those of the passages `met` that may be among the `k` best when the other words are added."""
        order = np.argsort(met)
        met, sums = met[order], sums[order].astype(np.float64)
        left = sum(bound for _, bound in words)
        for word, bound in words:
            able = sums + left >= _kth(sums, k) * (1 - _ROUNDING)
            met, sums = met[able], sums[able]
            sums += self._looked_up(word, met)
            left -= bound
        return met[sums >= _kth(sums, k) * (1 - _ROUNDING)]

    def _of_term(self, number: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        here = slice(int(self._bounds[number]), int(self._bounds[number + 1]))
        return self._rows[here], self._values[here]

    def _merged(self, word: Word, within: NDArray[np.bool_] | None) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Return the passages of a word, each once, and the most that one of its terms adds."""
        rows, values = self._weighted(*next(iter(word.items())))
        for number, weight in list(word.items())[1:]:
            more, others = self._weighted(number, weight)
            every = np.union1d(rows, more)
            best = np.zeros(len(every), np.float32)
            best[np.searchsorted(every, rows)] = values
            places = np.searchsorted(every, more)
            best[places] = np.maximum(best[places], others)
            rows, values = every, best
        if within is not None:
            kept = within[rows]
            rows, values = rows[kept], values[kept]
        return rows, values

    def _weighted(self, number: int, weight: float) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        rows, values = self._of_term(number)
        return rows, values if weight == 1 else values * np.float32(weight)

    def _looked_up(self, word: Word, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return what a word adds to each of these passages."""
        best = np.zeros(len(rows), np.float64)
        for number, weight in word.items():
            here, values = self._of_term(number)
            places = np.minimum(np.searchsorted(here, rows.astype(np.int32)), len(here) - 1)
            best = np.maximum(best, np.where(here[places] == rows, weight * values[places].astype(np.float64), 0.0))
        return best


def write_postings(folder: Path, passages: Iterable[Sequence[str]], *, k1: float, b: float) -> None:
    """Write the postings of passages, each given as its terms, into a folder that is made if missing.

    The passages are counted in parts, whose counts wait in temporary files of the folder: what stays in memory is the
    vocabulary, and 4 bytes a passage. A term that stands `f` times in a passage and in `n` of `N` adds
    `ln(1 + (N - n + 0.5) / (n + 0.5)) * f / (f + k1 * (1 - b + b * length / average length))`, Lucene's form of BM25
    (Kamphuis et al. 2020). The same passages give the same bytes. Raises OSError where there is no room.
    """
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary: dict[str, int] = {}
    lengths: list[NDArray[np.int32]] = []
    with TemporaryFile(dir=folder) as spool:
        sizes = [_count(spool, part, vocabulary, lengths) for part in _parts(passages)]
        ordered = sorted((term.encode("utf-8", "surrogatepass"), number) for term, number in vocabulary.items())
        ranks = np.empty(len(ordered), np.int64)
        ranks[[number for _, number in ordered]] = np.arange(len(ordered))
        bounds = np.zeros(len(ordered) + 1, np.int64)
        for part in _runs(spool, sizes):
            bounds[1:] += np.bincount(ranks[part[0]], minlength=len(ordered))
        np.cumsum(bounds, out=bounds)
        length = np.concatenate(lengths) if lengths else np.empty(0, np.int32)
        _fill(folder, _runs(spool, sizes), ranks, bounds, length, k1=k1, b=b)
    encoded = [term for term, _ in ordered]
    np.save(folder / "terms.npy", np.frombuffer(b"".join(encoded), np.uint8), allow_pickle=False)
    np.save(folder / "term_bounds.npy", np.cumsum([0, *map(len, encoded)], dtype=np.int64), allow_pickle=False)
    np.save(folder / "bounds.npy", bounds, allow_pickle=False)
    described = {"format": _FORMAT, "k1": k1, "b": b, "passages": len(length)}
    (folder / "lexical.json").write_text(json.dumps(described) + "\n", encoding="ascii")


def _parts(passages: Iterable[Sequence[str]]) -> Iterator[list[Sequence[str]]]:
    part: list[Sequence[str]] = []
    for passage in passages:
        part.append(passage)
        if len(part) == _PASSAGES_AT_ONCE:
            yield part
            part = []
    if part:
        yield part


def _count(
    spool: BinaryIO, part: list[Sequence[str]], vocabulary: dict[str, int], lengths: list[NDArray[np.int32]]
) -> int:
    """Append a run of (term, passage, frequency) in their order, and return how many there are."""
    first = sum(map(len, lengths))
    lengths.append(np.array([len(passage) for passage in part], np.int32))
    numbers = [vocabulary.setdefault(term, len(vocabulary)) for passage in part for term in passage]
    owners = np.repeat(np.arange(len(part), dtype=np.int64), lengths[-1])
    pairs, frequencies = np.unique(np.array(numbers, np.int64) * len(part) + owners, return_counts=True)
    terms, rows = np.divmod(pairs, len(part))
    for column in (terms, rows + first, frequencies):
        spool.write(column.astype(np.int32).tobytes())
    return len(pairs)


def _runs(spool: BinaryIO, sizes: Sequence[int]) -> Iterator[NDArray[np.int32]]:
    """Return the runs again, each as three rows: terms, passages, frequencies."""
    spool.seek(0)
    for size in sizes:
        yield np.frombuffer(spool.read(3 * 4 * size), np.int32).reshape(3, size)


def _fill(
    folder: Path,
    runs: Iterable[NDArray[np.int32]],
    ranks: NDArray[np.int64],
    bounds: NDArray[np.int64],
    lengths: NDArray[np.int32],
    *,
    k1: float,
    b: float,
) -> None:
    """Write each posting to its place: the runs come in the order of the passages, and so do those of a term."""
    peaks = np.zeros(len(ranks), np.float32)
    if not len(ranks):
        np.save(folder / "rows.npy", np.empty(0, np.int32), allow_pickle=False)
        np.save(folder / "values.npy", np.empty(0, np.float32), allow_pickle=False)
    else:
        rows, values = (room(folder / f"{name}.npy", kind, int(bounds[-1])) for name, kind in _COLUMNS)
        found = np.diff(bounds)
        rarity = np.log(1 + (len(lengths) - found + 0.5) / (found + 0.5))
        norms = k1 * (1 - b + b * lengths / max(float(lengths.mean()), math.ulp(0.0)))
        following = bounds[:-1].copy()
        for numbers, owners, frequencies in runs:
            terms, starts, counts = np.unique(numbers, return_index=True, return_counts=True)
            terms = ranks[terms]
            places = np.arange(len(numbers)) + np.repeat(following[terms] - starts, counts)
            added = rarity[ranks[numbers]] * frequencies / (frequencies + norms[owners])
            rows[places], values[places] = owners, added
            peaks[terms] = np.maximum(peaks[terms], np.maximum.reduceat(added, starts).astype(np.float32))
            following[terms] += counts
    np.save(folder / "peaks.npy", peaks, allow_pickle=False)


def _kth(values: NDArray[np.floating], k: int) -> float:
    """Return the k-th largest, 0 where there are not so many."""
    return float(np.partition(values, -k)[-k]) if len(values) >= k else 0.0


def _array(folder: Path, name: str, dtype: str) -> Any:  # noqa: ANN401  # an array of that type
    array = mapped(folder / f"{name}.npy")
    if array.ndim != 1 or array.dtype != np.dtype(dtype):
        raise ValueError(f"{name}.npy holds {array.dtype} of shape {array.shape}")
    return array
