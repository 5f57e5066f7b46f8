"""The folders of news that the decision is fitted to: their questions, and their texts from the data."""

import hashlib
import json
import lzma
from collections import Counter
from pathlib import Path

import pytest
from training.folders import ask
from training.news import news_folders
from training.newstest import FOLDERS

from rag.gold import read_gold

PAIRS = {
    "es": [
        "The mill",
        "El molino",
        "It opened.",
        "Abrió.",
        "The mill is run by Ana Ruiz.",
        "El molino lo dirige Ana Ruiz.",
        "It rains.",
        "Llueve.",
    ],
    "fr": ["The mill", "Le moulin", "It opened.", "Il a ouvert.", "It rains.", "Il pleut."],
    "it": ["The mill", "Il mulino"],
}
ENGLISH = "The mill\n\nIt opened. The mill is run by Ana Ruiz. It rains.\n"
FRENCH = "Le moulin\n\nIl a ouvert. Il pleut.\n"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "parallel").mkdir()
    for language, texts in PAIRS.items():
        rows = "".join(f"{a}\t{b}\n" for a, b in zip(texts[::2], texts[1::2], strict=True))
        path = tmp_path / "parallel" / f"wmt-newstest.en-{language}.tsv.xz"
        path.write_bytes(lzma.compress(rows.encode()))
    return tmp_path


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    rows = [
        {"folder": "n7", "id": "en-n7-1.txt", "language": "en", "first": 0, "last": 3, "sha256": sha256(ENGLISH)},
        {"folder": "n7", "id": "fr-n7-2.txt", "language": "fr", "first": 0, "last": 3, "sha256": sha256(FRENCH)},
    ]
    questions = [
        {
            "id": "n7-es-01",
            "lang": "es",
            "question": "¿Quién dirige el molino?",
            "answers": ["Ana Ruiz"],
            "sources": ["en-n7-1.txt"],
        },
        {"id": "n7-en-01", "lang": "en", "question": "Who built the mill?", "answers": [], "sources": []},
    ]
    for name, values in (("documents", rows), ("questions", questions)):
        lines = "".join(json.dumps(value) + "\n" for value in values)
        (tmp_path / f"{name}.jsonl").write_text(lines, encoding="utf-8")
    return tmp_path


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_a_folder_has_the_lines_that_a_language_has(data: Path, kept: Path) -> None:
    (folder,) = news_folders(data, kept)
    assert folder.name == "n7"
    assert [(d.id, d.title, d.language, d.text) for d in folder.documents] == [
        ("en-n7-1.txt", "The mill", "en", ENGLISH),
        ("fr-n7-2.txt", "Le moulin", "fr", FRENCH),
    ]
    assert [question.question for question in folder.questions] == ["¿Quién dirige el molino?", "Who built the mill?"]


def test_other_data_than_the_questions_are_about_is_refused(data: Path, kept: Path) -> None:
    path = data / "parallel" / "wmt-newstest.en-es.tsv.xz"
    path.write_bytes(lzma.compress(b"Another line\tOtra\n" + lzma.decompress(path.read_bytes())))
    with pytest.raises(ValueError, match=r"^lines 0 to 3 of .* are not the text of en-n7-1\.txt$"):
        news_folders(data, kept)


def test_asking_every_folder_scores_all_questions(data: Path, kept: Path) -> None:
    scores = ask(news_folders(data, kept)).overall
    assert (scores.questions, scores.answerable) == (2, 1)
    assert scores.right_sentence == 1.0
    assert scores.verbatim == 1.0


def test_the_questions_are_as_many_in_each_language_and_name_documents_that_there_are() -> None:
    questions = read_gold(FOLDERS / "questions.jsonl")
    documents = [json.loads(row) for row in (FOLDERS / "documents.jsonl").read_text(encoding="utf-8").splitlines()]
    ids = {row["id"] for row in documents}
    assert len(ids) == len(documents) == 96
    assert {source for question in questions for source in question.sources} <= ids
    asked = Counter((question.language, question.answerable) for question in questions)
    assert asked == {(x, known): 96 if known else 64 for x in ("en", "es", "fr", "it") for known in (True, False)}
    assert all((question.kind == "unanswerable") is not question.answerable for question in questions)
    by_folder = Counter(question.id.split("-")[0] for question in questions)
    assert by_folder == {row["folder"]: 40 for row in documents}
