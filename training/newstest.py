"""The sentences of WMT's news test sets, which professionals translated: news in up to four languages, line by line.

The texts stay in `DATA`; what is written about them says on which lines they are.
"""

import lzma
from collections.abc import Mapping, Sequence
from pathlib import Path

# Which lines are the documents of the folders of `training.news`, and the questions about these.
FOLDERS = Path(__file__).parent / "news_folders"
# Lines that make a paragraph.
PARAGRAPH = 3

# A sentence in each language that has it.
Line = Mapping[str, str]


def read_lines(data: Path) -> list[Line]:
    """Return the lines of the English-Spanish sets in their order, then those that English and French alone have."""
    pairs = {x: _pairs(data / "parallel" / f"wmt-newstest.en-{x}.tsv.xz") for x in ("es", "fr", "it")}
    others = {x: dict(pairs[x]) for x in ("fr", "it")}
    lines = [
        {"en": english, "es": spanish} | {x: known[english] for x, known in others.items() if english in known}
        for english, spanish in pairs["es"]
    ]
    there = {line["en"] for line in lines}
    return [*lines, *({"en": english, "fr": french} for english, french in pairs["fr"] if english not in there)]


def in_paragraphs(sentences: Sequence[str]) -> tuple[str, list[int]]:
    r"""Return a text of the sentences, `PARAGRAPH` to a paragraph, and where each begins in it.

    >>> in_paragraphs(["One.", "Two.", "Three.", "Four."])
    ('One. Two. Three.\n\nFour.', [0, 5, 10, 18])
    """
    text, starts = "", list[int]()
    for i, sentence in enumerate(sentences):
        text += "" if not i else " " if i % PARAGRAPH else "\n\n"
        starts.append(len(text))
        text += sentence
    return text, starts


def _pairs(path: Path) -> list[tuple[str, str]]:
    with lzma.open(path, "rt", encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("\t") for line in file]
    return [(row[0].strip(), row[1].strip()) for row in rows]
