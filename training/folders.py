"""Small folders of documents with questions about them, and how the program answers these."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.progress import track

from rag.ask import Assistant
from rag.evaluate import Evaluation, Outcome, evaluate
from rag.gold import GoldQuestion
from rag.index import build
from rag.spans import Document


@dataclass(frozen=True, slots=True)
class Folder:
    """The documents of a folder and the questions about them; a document's id is unique among all folders."""

    name: str
    documents: tuple[Document, ...]
    questions: tuple[GoldQuestion, ...]


def ask(folders: Sequence[Folder]) -> Evaluation:
    """Build an index of each folder, ask its questions, and return the outcomes of all."""
    outcomes, languages = list[Outcome](), dict[str, str]()
    assistant = None
    with tempfile.TemporaryDirectory() as work:
        for folder in track(folders, "asking"):
            texts, index = Path(work) / folder.name, Path(work) / f"{folder.name}.index"
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
