"""Words that questions and passages share: BM25 over passages in several languages at once."""

import math
import re
import threading
import unicodedata
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from functools import cache
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.errors import IndexDirectoryError
from rag.postings import Postings, write_postings
from rag.spans import Span
from rag.translations import translations

# How much a sure translation counts beside the word itself.
TRANSLATED = 0.9
# As many characters of a document's beginning are searched with each of its passages: 3 of 100 more questions about
# news and about dossiers then have a right passage first, with 75 fewer and with 300 as many (see training/README.md).
BEGINNING = 150
_STEMMERS = {"en": "english", "es": "spanish", "fr": "french", "it": "italian"}

_STOPWORDS = {
    "en": "STOPWORDS_EN_PLUS",
    "es": "STOPWORDS_SPANISH",
    "fr": "STOPWORDS_FRENCH",
    "it": "STOPWORDS_ITALIAN",
}

# What the lists of bm25s lack: interrogatives, which a question has and its answer has not, and the words before an
# elision. Written without accents, as all words are compared.
_MORE_STOPWORDS = {
    "en": "also could how may might must shall us whose whom would",
    "es": "adonde aquel aquella aquellas aquellos cada cuales cualquier cuando cuanta cuantas cuanto cuantos segun si",
    "fr": "ca car cela cet cette combien comme comment donc dont jusqu laquelle lequel lesquelles lesquels lorsqu "
    "lorsque ou plus presqu puisqu pourquoi qu quand quel quelle quelles quels quelqu quoi quoiqu si tres y",
    "it": "ad cio com cos cosa cosi ed essere nessun pero po qual quali quando quant quell quest tutt un",
}
# Nouns in the list of bm25s: "Estados Unidos" and "en este sentido" are not the same kind of word.
_NOT_STOPWORDS = {"es": frozenset({"estado", "estados", "sentido", "sentidos"})}

# What normalization leaves apart though people type one for the other.
_SPELLINGS = str.maketrans(
    dict.fromkeys("’‘ʼ‛′`", "'") | {"œ": "oe", "Œ": "OE", "æ": "ae", "Æ": "AE", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L"}
)
_GROUPED = re.compile(
    r"(?<!\d)(?<!\d[.,'])"
    r"(?P<whole>[1-9]\d{0,2}(?P<mark>[., '])\d{3}(?:(?P=mark)\d{3})*)"
    r"(?:[.,](?P<fraction>\d+))?(?![.,']?\d)"
)
_DECIMAL = re.compile(r"(?<!\d)(?<!\d[.,])(\d+),(\d+)(?![.,]?\d)")
_ABBREVIATION = re.compile(r"(?<!\w)(?:[^\W\d_]\.){2,}(?:[^\W\d_](?!\w))?")
_WORD = re.compile(r"(?<![\d.])\d+\.\d+(?!\.?\d)|[^\W_]+")
_FEMININE = re.compile(r"ee(s?)$")


class _Stemmers(threading.local):
    """The stemmers of one thread, by language: a stemmer is not safe to share between threads."""

    def __init__(self) -> None:
        self.by_language: dict[str, Any] = {}


_stemmers = _Stemmers()


def terms(text: str, language: str) -> list[str]:
    """Return the terms of a text in their order, repeated as often as they stand there; never fails.

    Words are compared without case and accents (then stemmed in it, es, en and fr), as people type them both ways;
    elided articles and possessive endings fall off; "30,000", "30.000" and "30 000" are one term, "3,5" and "3.5"
    another. Single letters and the language's stopwords are left out, interrogatives among them, unless nothing else
    is there; a word in capitals ("AI" in Italian) is no stopword. Another language has no stopwords and no stems.

    >>> terms("Chi guida l’AI Studio? 30.000 società", "it")
    ['guid', 'ai', 'stud', '30000', 'societ']
    """
    return _stems(_content(_words(text), language), language)


def with_beginning(passage: Span) -> str:
    """Return a passage's text after its document's title and first words, which name what all of the document is about.

    >>> from rag.spans import Document
    >>> text = Document("a.txt", "Who leads it", "en", "AI Studio grows. It has 30 people. It is led by Albert Cheng.")
    >>> with_beginning(Span(text, 35, 61))
    'Who leads it AI Studio grows. It has 30 people. It is led by Albert Cheng.'
    """
    document = passage.document
    beginning = document.text[:BEGINNING]
    whole_words = (beginning.rpartition(" ")[0] or beginning)[: passage.start].strip()
    known = document.title.removesuffix("…") in document.text[: BEGINNING + len(document.title)]
    return " ".join(filter(None, ("" if known else document.title, whole_words, passage.text)))


def question_words(question: str, languages: Sequence[str]) -> list[dict[str, float]]:
    """Return for each word of a question the terms that may stand for it in passages, with how much each counts.

    `languages` are the question's own, which decides what its stopwords are, and then those of the passages. A word
    stands for itself, stemmed in each of them, with 1, and for its translations with less; a stopword of the question's
    own language is left out in all of them, because an English "of the" would be a rare and so a weighty word among
    Italian passages. Words of one stem are one.

    >>> question_words("Who leads the studios?", ["en", "de"])
    [{'lead': 1.0, 'leads': 1.0}, {'studio': 1.0, 'studios': 1.0}]
    """
    if not languages:
        return []
    own, *others = languages
    words = _content(_words(question), own)
    kept = {other: set(_content(words, other)) for other in others}
    found: dict[str, dict[str, float]] = {}
    for word, stem in zip(words, _stems(words, own), strict=True):
        standing = found.setdefault(stem, {stem: 1.0})
        for other in others:
            if word in kept[other]:
                standing[_stems([word], other)[0]] = 1.0
        for other in others:
            for term, sure in translations().of(stem, own, other).items():
                standing[term] = max(TRANSLATED * math.sqrt(sure), standing.get(term, 0.0))
    return list(found.values())


def rarity(word: Iterable[str], weight: Callable[[str], float]) -> float:
    """Return how rare a question's word is: as its most frequent term, of which `weight` tells the rarity.

    A translation that hardly anybody uses does not make a word rare.
    """
    return min(map(weight, word))


def full_weight(question: str, languages: Sequence[str], weight: Callable[[str], float]) -> float:
    """Return the rarity of all words of a question together, which its BM25 score can only come near."""
    return sum(rarity(word, weight) for word in question_words(question, languages))


def coverage(words: Sequence[Mapping[str, float]], present: Container[str], weight: Callable[[str], float]) -> float:
    """Return how much of a question a text has, 0 to 1: the words of which it has a term, weighted by rarity.

    `words` are those of `question_words`, `present` the text's terms, `weight` the inverse document frequency of a
    term. A word counts as much as the best of its terms that are there, so that a translation counts for less.

    >>> words = [{"lead": 1.0, "guid": 0.5}, {"studio": 1.0, "stud": 0.5}]
    >>> coverage(words, {"guid", "studio"}, lambda term: 1.0)
    0.75
    """
    rare = [rarity(word, weight) for word in words]
    best = [max((much for term, much in word.items() if term in present), default=0.0) for word in words]
    return sum(one * much for one, much in zip(rare, best, strict=True)) / (sum(rare) or 1.0)


def _words(text: str) -> list[str]:
    """Return the words in their own case, without accents, numbers in one spelling."""
    parts = unicodedata.normalize("NFKD", text)
    marks = {part for part in set(parts) if unicodedata.category(part).startswith("M")}
    bare = parts.translate(dict.fromkeys(map(ord, marks))) if marks else parts
    plain = unicodedata.normalize("NFC", bare).translate(_SPELLINGS)
    plain = _GROUPED.sub(_without_marks, plain)
    plain = _DECIMAL.sub(r"\1.\2", plain)
    plain = _ABBREVIATION.sub(lambda match: match.group().replace(".", "") + " ", plain)
    return _WORD.findall(plain)


def _without_marks(number: re.Match[str]) -> str:
    whole = number["whole"].replace(number["mark"], "")
    return f"{whole}.{number['fraction']}" if number["fraction"] else whole


def _content(words: list[str], language: str) -> list[str]:
    """Leave out single letters and stopwords, unless nothing else is there."""
    stopwords = _stopwords(language)
    mixed_case = any(word != word.upper() for word in words)
    kept = [
        word
        for word in words
        if not _is_letter(word) and (word.lower() not in stopwords or (mixed_case and word.isupper()))
    ]
    return kept or words


def _is_letter(word: str) -> bool:
    # A single sign of a script without cases is often a whole word.
    return len(word) == 1 and word.lower() != word.upper()


def _stems(words: list[str], language: str) -> list[str]:
    lowered = [word.casefold() for word in words]
    if language == "fr":
        # Snowball knows the feminine participle by its accent; without this one pair of related words in six is lost.
        lowered = [_FEMININE.sub(r"ée\1", word) for word in lowered]
    stem = _stemmer(language)
    return lowered if stem is None else [word.replace("é", "e") for word in stem(lowered)]


def _stemmer(language: str) -> Callable[[list[str]], list[str]] | None:
    if language not in _STEMMERS:
        return None
    if language not in _stemmers.by_language:
        import Stemmer

        _stemmers.by_language[language] = Stemmer.Stemmer(_STEMMERS[language])
    stem: Callable[[list[str]], list[str]] = _stemmers.by_language[language].stemWords
    return stem


@cache
def _stopword_lists() -> ModuleType:
    """Load the lists of bm25s and nothing else of it.

    As it is imported it tries JAX, where that is installed, which then takes three quarters of a GPU's memory; and it
    brings SciPy, which asking does not need.
    """
    package = find_spec("bm25s")
    (folder,) = (package and package.submodule_search_locations) or ("",)
    spec = spec_from_file_location("bm25s.stopwords", Path(folder) / "stopwords.py")
    if spec is None or spec.loader is None:
        raise ImportError("bm25s has no file of stopwords; install it again")
    lists = module_from_spec(spec)
    spec.loader.exec_module(lists)
    return lists


@cache
def _stopwords(language: str) -> frozenset[str]:
    if language not in _STEMMERS:
        return frozenset()
    listed = getattr(_stopword_lists(), _STOPWORDS[language])
    words = {part.lower() for word in listed for part in _words(word)}
    return frozenset(words | set(_MORE_STOPWORDS[language].split())) - _NOT_STOPWORDS.get(language, frozenset())


class Lexical:
    """BM25 in Lucene's form over the terms of passages, each in its own language; make one with `of` or `load`.

    The score of a passage is the sum, over the question's words, of the best that one of a word's terms gives, so that
    many translations do not add up. A term gives its weight in `question_words` times
    `rarity * f / (f + k1 * (1 - b + b * length / average length))`, where it stands `f` times in the passage. The
    rarity of a term is `ln(1 + (N - n + 0.5) / (n + 0.5))` where it stands in `n` of `N` passages (Kamphuis et al.
    2020, "Which BM25 do you mean?"); all terms of one word have the least of theirs.

    >>> lexical = Lexical.of(["Albert Cheng leads AI Studio.", "La società nasce ad agosto."], ["en", "it"])
    >>> lexical.search("chi guida l'AI Studio?", ["it", "en"], 5)[0]
    array([0])
    """

    __slots__ = ("_last", "_postings")

    def __init__(self, postings: Postings) -> None:
        self._postings = postings
        self._last: tuple[tuple[str, ...], list[dict[int, float]]] = (), []

    @classmethod
    def of(cls, texts: Sequence[str], languages: Sequence[str], *, k1: float = 1.5, b: float = 0.75) -> "Lexical":
        """Index passages, each with the ISO 639-1 code of its language, in files that nobody else sees.

        `k1` is how far repetitions of a term go on counting, `b` (0 to 1) how much a long passage pays for its
        length. Raises ValueError when there are not as many languages as texts.
        """
        with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            cls.write(Path(folder), zip(texts, languages, strict=True), k1=k1, b=b)
            return cls.load(Path(folder))

    @staticmethod
    def write(folder: Path, passages: Iterable[tuple[str, str]], *, k1: float = 1.5, b: float = 0.75) -> None:
        """Index passages, each with its language, into a folder, made if missing; see `of`.

        The same passages give the same bytes. Raises OSError where there is no room.
        """
        write_postings(folder, (terms(text, language) for text, language in passages), k1=k1, b=b)

    @classmethod
    def load(cls, folder: Path) -> "Lexical":
        """Open what `write` wrote, its files mapped and not read.

        Raises IndexDirectoryError when a file is missing, is damaged or is of another format.
        """
        try:
            return cls(Postings.load(folder))
        except (OSError, ValueError, KeyError, TypeError, EOFError) as error:
            raise IndexDirectoryError(f"Cannot read the words in {folder}; build the index again.") from error

    def __len__(self) -> int:
        return self._postings.count

    def weight(self, term: str) -> float:
        """Return the inverse document frequency of a term as `terms` makes it: above 0, highest for one never seen."""
        number = self._postings.terms.number(term)
        count = 0 if number is None else self._postings.frequency(number)
        return math.log(1 + (len(self) - count + 0.5) / (count + 0.5))

    def scores(
        self, query: str, languages: Sequence[str], *, rows: NDArray[np.int64] | None = None
    ) -> NDArray[np.float32]:
        """Return the score of these passages, or of all, 0 where one shares no term; `languages` as in `search`."""
        every = np.arange(len(self)) if rows is None else np.asarray(rows, np.int64)
        return self._postings.scores(self._asked(query, languages), every)

    def search(
        self, query: str, languages: Sequence[str], k: int, *, allowed: NDArray[np.int64] | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return the ids and scores of the `k` best passages that share a term with the query, best first.

        `languages` are the question's own, which decides what its stopwords are, and then those of the corpus; the
        query has the words of `question_words`. Of equal scores the lower id comes first. With `allowed`, only
        the passages of those ids are considered. Raises ValueError when `k` is negative or an allowed id is no passage.
        """
        if k < 0:
            raise ValueError(f"cannot return {k} passages")
        if allowed is not None:
            allowed = np.unique(np.asarray(allowed, np.int64))
            if len(allowed) and (allowed[0] < 0 or allowed[-1] >= len(self)):
                raise ValueError(f"ids {allowed[0]} to {allowed[-1]} are not all passages of {len(self)}")
        return self._postings.best(self._asked(query, languages), k, allowed=allowed)

    def _asked(self, query: str, languages: Sequence[str]) -> list[dict[int, float]]:
        """Return the words of a question as the numbers of their terms, without those that no passage has."""
        # Found and then scored: a question is asked twice.
        last, asked = self._last
        if last != (query, *languages):
            asked = []
            for word in question_words(query, languages):
                numbers = {term: self._postings.terms.number(term) for term in word}
                known = {term: number for term, number in numbers.items() if number is not None}
                if known:
                    rare = rarity(known, self.weight)
                    asked.append({number: word[term] * rare / self.weight(term) for term, number in known.items()})
            self._last = (query, *languages), asked
        return asked
