"""Small folders of news articles with questions about them, to choose by and to fit the decision to.

The held-back questions of the public sets were each written from one paragraph of an encyclopaedia. These were written
about whole folders, as a journalist would ask, in four languages whatever the documents' own, and two in five of them
look answerable and are not. The articles are those of WMT's news test sets, so only where each lies in `DATA` is kept
here. As a command it builds an index of every folder, asks its questions, and prints the scores of all.
"""

import argparse
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from rag.gold import read_gold
from rag.spans import Document
from rag.tables import render
from training.folders import Folder, ask
from training.newstest import FOLDERS, Line, in_paragraphs, read_lines


def news_folders(data: Path, kept: Path = FOLDERS) -> list[Folder]:
    """Return the folders, by name, with the texts of `data`.

    Raises ValueError when a text is not the one that the questions were written about.
    """
    lines = read_lines(data)
    documents: dict[str, list[Document]] = {}
    for row in (kept / "documents.jsonl").read_text(encoding="utf-8").splitlines():
        place = json.loads(row)
        text = _text(lines, place["language"], place["first"], place["last"])
        if hashlib.sha256(text.encode()).hexdigest() != place["sha256"]:
            raise ValueError(f"lines {place['first']} to {place['last']} of {data} are not the text of {place['id']}")
        title = text.split("\n", 1)[0]
        documents.setdefault(place["folder"], []).append(Document(place["id"], title, place["language"], text))
    questions = read_gold(kept / "questions.jsonl")
    return [
        Folder(name, tuple(texts), tuple(q for q in questions if q.id.startswith(f"{name}-")))
        for name, texts in sorted(documents.items())
    ]


def _text(lines: Sequence[Line], language: str, first: int, last: int) -> str:
    """Return a title and paragraphs of the lines that the language has, both ends among them."""
    title, *sentences = (line[language] for line in lines[first : last + 1] if language in line)
    return f"{title}\n\n{in_paragraphs(sentences)[0]}\n"


def main() -> None:
    """Ask the questions of all folders and print the scores."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--data", type=Path, required=True)
    arguments = options.parse_args()
    render(ask(news_folders(arguments.data)), Console())


if __name__ == "__main__":
    main()
