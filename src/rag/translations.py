"""Which stems of one language stand for a stem of another, and how surely: the table of `training/translations.py`."""

import lzma
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from rag.errors import RagError

TRANSLATIONS_FILE = Path(__file__).parent / "models" / "translations" / "translations.tsv.xz"
FORMAT = "verbatim-translations-1"
HUB = "en"
# The most translations that `of` returns, and how sure the least of them is.
MOST, LEAST = 4, 0.1
_TENTHS = {str(digit): digit / 10 for digit in range(1, 10)}

Table = Mapping[str, Mapping[str, float]]


class Translations:
    """The likeliest translations of stems; make one with `load`.

    `tables` maps two languages, one of which is English, to the translations of each stem, and how sure each is, above
    0 to 1. Between two other languages English stands in the middle.
    """

    __slots__ = ("_tables",)

    def __init__(self, tables: Mapping[tuple[str, str], Table]) -> None:
        self._tables = tables

    def of(self, stem: str, language: str, other: str) -> dict[str, float]:
        """Return the likeliest stems of the `other` language for a stem, the surest first, each with how sure it is.

        At most `MOST`, none less sure than `LEAST`; none for a stem or a language that the table lacks, or from one
        language to itself. Stems are written as `rag.lexical.terms` makes them.

        >>> tables = {("it", "en"): {"guid": {"lead": 0.5}}, ("en", "es"): {"lead": {"lider": 0.5, "plom": 0.25}}}
        >>> Translations(tables).of("guid", "it", "es")
        {'lider': 0.25, 'plom': 0.125}
        """
        if language == other:
            return {}
        if HUB in (language, other):
            found = dict(self._tables.get((language, other), {}).get(stem, {}))
        else:
            found = {}
            onwards = self._tables.get((HUB, other), {})
            for middle, sure in self._tables.get((language, HUB), {}).get(stem, {}).items():
                for end, surer in onwards.get(middle, {}).items():
                    found[end] = found.get(end, 0.0) + sure * surer
        best = sorted(found.items(), key=lambda item: (-item[1], item[0]))[:MOST]
        return {stem: sure for stem, sure in best if sure >= LEAST}

    @classmethod
    def load(cls, path: Path = TRANSLATIONS_FILE) -> "Translations":
        """Read the table from an xz-compressed file of tab-separated lines.

        The first line names the format and the languages but English. Every other is an English stem and, for each of
        those languages, its translations with a digit after each: how sure it is in tenths. Raises RagError when the
        file is missing, damaged or of another format.
        """
        try:
            with lzma.open(path, "rt", encoding="utf-8") as file:
                (name, *languages), *rows = (line.rstrip("\n").split("\t") for line in file)
            if name != FORMAT:
                raise ValueError(f"its format is {name}")
            return cls(_tables(languages, rows))
        except (OSError, EOFError, ValueError, LookupError, lzma.LZMAError) as error:
            raise RagError(f"The table of translations {path} cannot be read; install Verbatim again.") from error


def _tables(languages: list[str], rows: list[list[str]]) -> dict[tuple[str, str], dict[str, dict[str, float]]]:
    tables: dict[tuple[str, str], dict[str, dict[str, float]]] = {}
    for at, language in enumerate(languages, start=1):
        forth: dict[str, dict[str, float]] = {}
        back: dict[str, dict[str, float]] = {}
        for row in rows:
            if row[at]:
                forth[row[0]] = {part[:-1]: _TENTHS[part[-1]] for part in row[at].split(" ")}
        for english, translated in forth.items():
            for stem, sure in translated.items():
                back.setdefault(stem, {})[english] = sure
        tables[HUB, language], tables[language, HUB] = forth, back
    return tables


@cache
def translations() -> Translations:
    """Return the bundled table, read when it is first asked for."""
    return Translations.load()
