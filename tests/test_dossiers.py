"""Dossiers: where their answers lie, what is measured by and what is trained on, and what the reader learns of them."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from training.contrast import Questions
from training.dossiers import (
    KEPT,
    SOURCE,
    Asked,
    Dossier,
    Place,
    folders,
    measured,
    read_dossiers,
    rows_to_find,
    rows_to_read,
    trained_on,
)
from training.examples import Examples

from rag.spans import Document
from tests.training_parts import NoWords

ENGLISH = "The mill\n\nThe mill was built in 1840. It is run by Ana Ruiz, who likes it."
FRENCH = "Le moulin\n\nLe moulin est dirigé par Mme Ruiz. Il pleut."
ITALIAN = "Il mulino\n\nIl mulino ha quattro pale."
WHO = {"en": "Who runs the mill?", "es": "¿Quién lleva el molino?", "fr": "Qui dirige le moulin ?", "it": "chi guida?"}
AGE = {"en": "How old is Ana?", "es": "¿Qué edad tiene Ana?", "fr": "Quel âge a Ana ?", "it": "Quanti anni ha Ana?"}


def keep(folder: Path, *, off: int = 0) -> Path:
    texts = {"en-d0-1.txt": ENGLISH, "fr-d0-2.txt": FRENCH, "it-d0-3.txt": ITALIAN}
    folder_and_use = {"folder": "d0", "measured": False}
    documents = [folder_and_use | {"id": id, "language": id[:2], "text": text} for id, text in texts.items()]
    answers = {
        "en-d0-1.txt": {"text": "Ana Ruiz", "start": ENGLISH.index("Ana Ruiz") + off},
        "fr-d0-2.txt": {"text": "Mme Ruiz", "start": FRENCH.index("Mme Ruiz")},
    }
    questions = [
        {"folder": "d0", "id": "d0-01", "kind": "who", "questions": WHO, "answers": answers},
        {"folder": "d0", "id": "d0-02", "kind": "how many", "questions": AGE, "answers": {}},
    ]
    for name, rows in (("documents", documents), ("questions", questions)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return folder


def test_a_question_is_asked_in_all_languages_and_right_in_every_document_that_answers(tmp_path: Path) -> None:
    (folder,) = folders(read_dossiers(keep(tmp_path)))
    assert [(gold.id, gold.question) for gold in folder.questions[:4]] == [(f"d0-01-{x}", WHO[x]) for x in WHO]
    assert {gold.answers for gold in folder.questions[:4]} == {("Ana Ruiz", "Mme Ruiz")}
    assert {gold.sources for gold in folder.questions[:4]} == {("en-d0-1.txt", "fr-d0-2.txt")}
    assert [gold.answerable for gold in folder.questions] == [True] * 4 + [False] * 4
    assert [document.title for document in folder.documents] == ["The mill", "Le moulin", "Il mulino"]


def test_an_answer_that_is_not_where_it_is_said_to_be_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^d0-01: 'Ana Ruiz' is not at \d+ of en-d0-1\.txt$"):
        read_dossiers(keep(tmp_path, off=1))


def test_every_place_is_a_row_to_read_and_every_document_where_there_is_none(tmp_path: Path) -> None:
    rows = rows_to_read(read_dossiers(keep(tmp_path)))
    english, french, *lacking = rows
    assert (english.question, english.answer, french.question, french.answer) == (
        WHO["en"],
        "Ana Ruiz",
        WHO["fr"],
        "Mme Ruiz",
    )
    assert english.passage[english.start :].startswith("Ana Ruiz, who")
    assert dict(english.also) == {x: WHO[x] for x in ("es", "fr", "it")}
    assert english.beside == french.beside == (ITALIAN,)
    assert [(row.passage, row.question, row.start) for row in lacking] == [
        (ENGLISH, AGE["en"], -1),
        (FRENCH, AGE["fr"], -1),
        (ITALIAN, AGE["it"], -1),
    ]


def test_near_misses_are_of_the_same_dossier(tmp_path: Path) -> None:
    rows = rows_to_read(read_dossiers(keep(tmp_path)))
    examples = Examples(rows, NoWords(), seed=1, dossiers=1.0)
    found = {text for _ in range(40) for text in examples.near_misses(replace(rows[0], passage="Ana Ruiz.", start=0))}
    assert found
    assert all(text in ITALIAN for text in found)


def test_the_share_of_dossiers_is_drawn(tmp_path: Path) -> None:
    rows = rows_to_read(read_dossiers(keep(tmp_path)))
    languages = ("en", "es", "fr", "it")
    rows += [replace(rows[0], id=x, language=x, source="other", beside=()) for x in languages]
    for share in (0.0, 0.3, 1.0):
        examples = Examples(rows, NoWords(), seed=1, dossiers=share)
        drawn = Counter(examples.draw("en").source for _ in range(1000))
        assert drawn[SOURCE] / 1000 == pytest.approx(share, abs=0.05)
    # Italian has a document that answers nothing, Spanish none at all.
    assert Examples(rows, NoWords(), seed=1, dossiers=1.0).draw("es").source == "other"


def test_pieces_are_as_long_as_is_asked_for() -> None:
    sentence = "The mill has many sails and turns. "
    (dossier,) = read_dossiers_of(sentence * 60)
    examples = Examples(rows_to_read([dossier]), NoWords(), seed=1, dossiers=1.0, characters=(150, 300))
    lengths = [len(examples.piece(dossier.documents[0].text)) for _ in range(200)]
    assert 150 < sorted(lengths)[100] < max(lengths) <= 300 + len(sentence)


def read_dossiers_of(text: str) -> list[Dossier]:
    (first, *_) = read_dossiers()
    (document, *_) = first.documents
    asked = replace(first.asked[0], places=())
    return [Dossier("d", False, (replace(document, language="en", text=text),), (asked,))]


def test_what_is_kept_has_each_question_in_four_languages_and_documents_in_as_many() -> None:
    dossiers = read_dossiers(KEPT)
    assert {document.language for each in dossiers for document in each.documents} == {"en", "es", "fr", "it"}
    for dossier in dossiers:
        assert len(dossier.documents) == 5
        assert {document.language for document in dossier.documents} == {"en", "es", "fr", "it"}
        assert all(set(asked.questions) == {"en", "es", "fr", "it"} for asked in dossier.asked)
        answerable = sum(bool(asked.places) for asked in dossier.asked)
        assert 15 <= answerable < len(dossier.asked) - 5
    ids = [asked.id for dossier in dossiers for asked in dossier.asked]
    assert len(set(ids)) == len(ids)


def test_nothing_that_is_measured_by_is_trained_on() -> None:
    dossiers = read_dossiers()
    by, on = measured(dossiers), trained_on(dossiers)
    assert not {each.name for each in by} & {each.name for each in on}
    assert len(by) + len(on) == len(dossiers)
    assert len(dossiers) / 5 < len(by) < len(dossiers) / 3
    texts = {document.text for dossier in by for document in dossier.documents}
    assert not texts & {row.passage for row in rows_to_read(on)}


def test_what_is_to_be_found_is_the_passage_of_an_index_and_others_of_the_dossier_are_beside_it() -> None:
    filling = " The wind blew and the sails turned, as they had on every other day of that long year." * 12
    text = f"The mill\n\nIt is run by Ana Ruiz.{filling}\n\nIts miller before was Leo Sanz.{filling}"
    document = Document("en-d-1.txt", "The mill", "en", text)
    places = tuple(Place(document, name, text.index(name)) for name in ("Ana Ruiz", "Leo Sanz"))
    dossier = Dossier(
        "d", False, (document,), (Asked("d-1", "who", WHO, places[:1]), Asked("d-2", "who", AGE, places[1:]))
    )
    ((first, second),) = rows_to_find([dossier])
    assert (first.answer, second.answer) == ("Ana Ruiz", "Leo Sanz")
    for row in (first, second):
        assert row.passage in text
        assert row.passage[row.start :].startswith(row.answer)
        assert len(row.passage) < len(text) / 3
        assert row.beside
        assert row.passage not in row.beside
    assert second.passage in first.beside


def test_a_passage_that_shares_the_sentence_with_the_answer_is_not_beside_it() -> None:
    dossier = trained_on(read_dossiers())[0]
    (rows,) = rows_to_find([dossier])
    around = [
        place.document.text[max(0, place.start - 15) : place.end + 15]
        for asked in dossier.asked
        for place in asked.places
    ]
    assert len(rows) == len(around) > 20
    assert not [text for row, text in zip(rows, around, strict=True) if any(text in other for other in row.beside)]


def test_a_run_about_a_dossier_has_its_other_passages_for_rivals_and_none_that_answers() -> None:
    dossiers = rows_to_find(read_dossiers()[:2])
    questions = Questions([], NoWords(), 1, size=12, dossiers=dossiers, share=1.0)
    seen = set()
    for _ in range(8):
        rows, beside = questions.run_of_dossier()
        assert 8 < len(rows) <= 12
        assert len({row.id for row in rows}) == len(rows)
        assert {row.id.split("-")[1] for row in rows} == {rows[0].id.split("-")[1]}
        seen.add(rows[0].id.split("-")[1])
        assert beside
        for row in rows:
            assert set(beside) | {other.passage for other in rows} - {row.passage} <= set(row.beside)
    assert len(seen) == 2
    wordings, texts, passages = questions.batch()
    assert len(wordings) < len(texts) == len(passages)
    assert all(text in passage for text, passage in zip(texts, passages, strict=True))
