"""Small folders of news articles with questions about them, to choose by and to fit the decision to.

The held-back questions of the public sets were each written from one paragraph of an encyclopaedia. These were written
about whole folders, as a journalist would ask, in four languages whatever the documents' own, and two in five of them
look answerable and are not. The articles are those of WMT's news test sets, so only where each lies in `DATA` is kept
here. As a command it builds an index of every folder, asks its questions, and prints the scores of all.
"""

import argparse
import hashlib
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import track

from rag.ask import Assistant
from rag.evaluate import Evaluation, Outcome, evaluate
from rag.gold import GoldQuestion, read_gold
from rag.index import build
from rag.spans import Document
from rag.tables import render
from training.newstest import FOLDERS, Line, in_paragraphs, read_lines


@dataclass(frozen=True, slots=True)
class NewsFolder:
    """The documents of a folder and the questions about them; a document's id is unique among all folders."""

    name: str
    documents: tuple[Document, ...]
    questions: tuple[GoldQuestion, ...]


def news_folders(data: Path, kept: Path = FOLDERS) -> list[NewsFolder]:
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
        NewsFolder(name, tuple(texts), tuple(q for q in questions if q.id.startswith(f"{name}-")))
        for name, texts in sorted(documents.items())
    ]


def _text(lines: Sequence[Line], language: str, first: int, last: int) -> str:
    """Return a title and paragraphs of the lines that the language has, both ends among them."""
    title, *sentences = (line[language] for line in lines[first : last + 1] if language in line)
    return f"{title}\n\n{in_paragraphs(sentences)[0]}\n"


def ask(folders: Sequence[NewsFolder], work: Path) -> Evaluation:
    """Build an index of each folder below `work`, ask its questions, and return the outcomes of all."""
    outcomes, languages = list[Outcome](), dict[str, str]()
    assistant = None
    for folder in track(folders, "asking"):
        texts, index = work / folder.name, work / f"{folder.name}.index"
        texts.mkdir()
        for document in folder.documents:
            (texts / document.id).write_text(document.text, encoding="utf-8")
        told = "".join(f'[documents."{each.id}"]\nlanguage = "{each.language}"\n' for each in folder.documents)
        (texts / "corpus.toml").write_text(told, encoding="utf-8")
        build(texts, index)
        assistant = assistant.over(index) if assistant else Assistant.open(index)
        asked = evaluate(assistant, folder.questions)
        outcomes += asked.outcomes
        languages |= asked.document_languages
    return Evaluation(tuple(outcomes), (), languages)


def main() -> None:
    """Ask the questions of all folders and print the scores."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--data", type=Path, required=True)
    arguments = options.parse_args()
    with tempfile.TemporaryDirectory() as work:
        render(ask(news_folders(arguments.data), Path(work)), Console())


if __name__ == "__main__":
    main()
