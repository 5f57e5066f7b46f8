"""Dossiers: small folders of five documents about one thing, in four languages, and questions about each.

Public questions about passages were written from one paragraph at a time. What the program is for looks otherwise:
several documents by several hands about one event, firm or person, which say some things twice, in other words and
other languages, and name many people, numbers and dates that a careless reader confuses. A language model wrote these,
documents and questions, all invented; each question in four languages, with every place that answers it, and one in
three looks answerable and is not. One dossier in four is measured by, the others are trained on. As a command it builds
an index of each that is measured by, asks its questions, and prints the scores of all.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from rag.gold import GoldQuestion
from rag.index import Settings, split_documents
from rag.spans import Document, Span
from rag.tables import render
from training.data import Question
from training.folders import Folder, ask

KEPT = Path(__file__).parent / "dossier_folders"
SOURCE = "dossiers"


@dataclass(frozen=True, slots=True)
class Place:
    """The shortest words of a document that answer fully, and where they start in its text, in code points."""

    document: Document
    answer: str
    start: int

    @property
    def end(self) -> int:
        """Where they end."""
        return self.start + len(self.answer)

    def touches(self, span: Span) -> bool:
        """Tell whether a span has any of them."""
        return span.document.id == self.document.id and span.start < self.end and self.start < span.end


@dataclass(frozen=True, slots=True)
class Asked:
    """A question in each of the four languages, and the places that answer it, one a document; none: it has none."""

    id: str
    kind: str
    questions: dict[str, str]
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Dossier:
    """Documents about one thing, and what is asked about them; `measured` when nothing may be trained on them."""

    name: str
    measured: bool
    documents: tuple[Document, ...]
    asked: tuple[Asked, ...]


def read_dossiers(kept: Path = KEPT) -> list[Dossier]:
    """Return all dossiers, by name.

    Raises ValueError when an answer does not stand where it is said to.
    """
    documents: dict[str, dict[str, Document]] = {}
    apart = set[str]()
    for row in _rows(kept / "documents.jsonl"):
        text = row["text"]
        document = Document(row["id"], text.split("\n", 1)[0], row["language"], text)
        documents.setdefault(row["folder"], {})[document.id] = document
        if row["measured"]:
            apart.add(row["folder"])
    asked: dict[str, list[Asked]] = {name: [] for name in documents}
    for row in _rows(kept / "questions.jsonl"):
        there = documents[row["folder"]]
        places = tuple(Place(there[id], each["text"], each["start"]) for id, each in row["answers"].items())
        for place in places:
            if not place.document.text.startswith(place.answer, place.start):
                raise ValueError(f"{row['id']}: {place.answer!r} is not at {place.start} of {place.document.id}")
        asked[row["folder"]].append(Asked(row["id"], row["kind"], row["questions"], places))
    return [
        Dossier(name, name in apart, tuple(there.values()), tuple(asked[name]))
        for name, there in sorted(documents.items())
    ]


def measured(dossiers: Sequence[Dossier]) -> list[Dossier]:
    """Return the dossiers that are measured by, never trained on."""
    return [each for each in dossiers if each.measured]


def trained_on(dossiers: Sequence[Dossier]) -> list[Dossier]:
    """Return the others."""
    return [each for each in dossiers if not each.measured]


def folders(dossiers: Sequence[Dossier]) -> list[Folder]:
    """Return the dossiers with each question in each of its languages as a gold question."""
    return [
        Folder(each.name, each.documents, tuple(gold for asked in each.asked for gold in _gold(asked)))
        for each in dossiers
    ]


def _gold(asked: Asked) -> list[GoldQuestion]:
    wordings = tuple(dict.fromkeys(place.answer for place in asked.places))
    sources = tuple(place.document.id for place in asked.places)
    kind = asked.kind if wordings else "unanswerable"
    return [GoldQuestion(f"{asked.id}-{x}", x, text, wordings, sources, kind) for x, text in asked.questions.items()]


def rows_to_read(dossiers: Sequence[Dossier]) -> list[Question]:
    """Return a row for every place that answers a question, and for every document where none does.

    What is `beside` it are the dossier's documents that do not answer that question.
    """
    rows = []
    for dossier in dossiers:
        for asked in dossier.asked:
            answering = {place.document.id for place in asked.places}
            beside = [each.text for each in dossier.documents if asked.places and each.id not in answering]
            for place in asked.places or [Place(document, "", -1) for document in dossier.documents]:
                rows.append(_row(asked, place, place.document.text, place.start, beside))
    return rows


def rows_to_find(dossiers: Sequence[Dossier]) -> list[list[Question]]:
    """Return for each dossier a row for every place that answers a question, with the passage that an index has of it.

    What is `beside` it are the dossier's other passages that have no answer to that question.
    """
    return [_rows_to_find(each) for each in dossiers]


def _rows_to_find(dossier: Dossier) -> list[Question]:
    passages = split_documents(dossier.documents, Settings()).passages
    rows = []
    for asked in dossier.asked:
        # Passages overlap: an answer may lie in two of its document.
        holding = [[passage for passage in passages if place.touches(passage)] for place in asked.places]
        answering = {passage.text for there in holding for passage in there}
        beside = [passage.text for passage in passages if passage.text not in answering]
        for place, there in zip(asked.places, holding, strict=True):
            passage = next(each for each in there if each.start <= place.start and place.end <= each.end)
            rows.append(_row(asked, place, passage.text, place.start - passage.start, beside))
    return rows


def _row(asked: Asked, place: Place, passage: str, start: int, beside: Sequence[str]) -> Question:
    """Return a question in the language of a place, with a passage of that document and where the answer is in it."""
    language = place.document.language
    also = tuple(sorted((x, text) for x, text in asked.questions.items() if x != language))
    text = asked.questions[language]
    return Question(f"{SOURCE}-{asked.id}", language, text, passage, place.answer, start, SOURCE, also, tuple(beside))


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(row) for row in path.read_text(encoding="utf-8").splitlines()]


def main() -> None:
    """Ask the questions of the dossiers that are measured by and print the scores."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    render(ask(folders(measured(read_dossiers()))), Console())


if __name__ == "__main__":
    main()
