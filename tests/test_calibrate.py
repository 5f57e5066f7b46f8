import lzma
from argparse import ArgumentTypeError
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from training.calibrate import (
    MOST_WRONG_REFUSALS,
    SHARES,
    UNANSWERABLE_SHARE,
    Asked,
    Posed,
    dossiers_by_turns,
    refused_at_most,
    set_traps,
    translations_of,
    what_counts,
)
from training.data import Question
from training.translated import ASKED_FILE, asked_questions, read_asked

from rag.decide import EVIDENCE, rank
from rag.gold import GoldQuestion
from rag.read import Reading
from rag.spans import Document, Span
from tests.passage_parts import found


def held_back(name: str, language: str) -> Question:
    passage = "Ada vive en Tokorozawa."
    return Question(name, language, "¿Dónde vive Ada?", passage, "Tokorozawa", passage.index("Tokorozawa"), "test")


def test_a_question_is_asked_in_another_language_about_its_own_passage(tmp_path: Path) -> None:
    with lzma.open(tmp_path / ASKED_FILE, "wt", encoding="utf-8") as file:
        file.write("en\ta\tWhere does “Ada” live?\nfr\ta\tOù vit Ada ?\nen\tb\tWho lives there?\n")
    asked = read_asked(tmp_path)
    assert asked["fr"] == {"a": "Où vit Ada ?"}
    development = {"es": [held_back("a", "es"), held_back("c", "es")], "en": [held_back("b", "en")]}
    # One's own language is no translation, and what nobody translated is not asked.
    foreign = translations_of(development, "en", asked)
    assert list(foreign) == ["a"]
    assert (foreign["a"].question, foreign["a"].language) == ("Where does “Ada” live?", "en")
    assert (foreign["a"].passage, foreign["a"].start) == (held_back("a", "es").passage, held_back("a", "es").start)


def test_a_question_of_another_language_is_asked_with_its_sources_and_without() -> None:
    question = translations_of({"es": [held_back("a", "es")]}, "en", {"en": {"a": "Where does Ada live?"}})["a"]
    posed = Posed(question, {"es-1": (12, 22), "it-1": (9, 19)}, translated=True)
    assert posed.hidings() == [frozenset(), frozenset({"es-1", "it-1"})]
    # In the language of one of the sources, that one alone is hidden as well: the other has to answer.
    assert Posed(held_back("a", "es"), posed.places).hidings()[-1] == frozenset({"es-1"})


def test_a_trap_is_set_as_it_was_written_and_in_one_other_language() -> None:
    traps = [replace(held_back(name, "es"), start=-1, answer="") for name in ("a", "b", "c")]
    posed = set_traps(traps, {"fr": {"a": "Où ?", "b": "Où donc ?"}, "en": {"b": "Where?"}, "es": {"c": "¿Y?"}})
    assert all(each.trap and each.hidings() == [frozenset()] for each in posed)
    words = [(each.question.question, each.question.language, each.translated) for each in posed]
    assert words[:3] == [("¿Dónde vive Ada?", "es", False)] * 3
    assert words[3:] == [("Où ?", "fr", True), ("Où donc ?", "fr", True)]
    assert not posed[0].is_right(Span(Document("es-1", "Ada", "es", traps[0].passage), 0, 10))


def test_a_translation_in_which_nobody_marked_the_answer_is_always_hidden() -> None:
    posed = Posed(held_back("a", "es"), {"es-1": (12, 22)}, unmarked=frozenset({"it-1"}))
    assert posed.hidings() == [frozenset({"it-1"}), frozenset({"es-1", "it-1"})]


def test_a_sentence_is_right_where_it_touches_the_answer_or_has_its_words_in_a_source() -> None:
    text = "Ada vive en Tokorozawa. ¿Por qué en Tokorozawa? Tokorozawanos hay pocos."
    posed = Posed(held_back("a", "es"), {"es-1": (12, 22)})

    def right(document: str, start: int, end: int) -> bool:
        return posed.is_right(Span(Document(document, "Ada", "es", text), start, end))

    assert right("es-1", 0, 23)
    assert right("es-1", 21, 23)
    assert right("es-1", 24, 47)
    assert not right("es-1", 48, len(text))
    assert not right("es-2", 0, 23)


def test_a_folder_without_translated_questions_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArgumentTypeError, match=r"has no asked\.tsv\.xz: make it anew"):
        asked_questions(str(tmp_path))


def test_what_a_gold_question_accepts_is_right_in_its_sources() -> None:
    gold = GoldQuestion("n0-it-01", "it", "Chi vive a Porto?", ("Ada Ferro",), ("en-n0-1.txt",))
    posed = Posed(held_back("a", "it"), dict.fromkeys(gold.sources, (0, 0)), gold=gold)
    assert posed.hidings() == [frozenset(), frozenset({"en-n0-1.txt"})]
    text = "Ada Ferro lives in Porto. She paints."

    def right(document: str, start: int, end: int) -> bool:
        return posed.is_right(Span(Document(document, "Ada", "en", text), start, end))

    assert right("en-n0-1.txt", 0, 25)
    assert not right("en-n0-1.txt", 26, 37)
    assert not right("en-n0-2.txt", 0, 25)


def test_questions_count_by_what_they_are_about_and_as_users_ask_them() -> None:
    whole = Span(Document("a", "A", "en", "Ada."), 0, 4)
    reading = Reading(whole, whole, 1.0, 0.5, np.ones(1, np.float32), found(whole))
    case = rank("Who?", "en", [reading], np.zeros((1, len(EVIDENCE))), np.ones((1, 1)), [0.0] * len(EVIDENCE))
    kinds = [(True, "passages")] * 6 + [(False, "passages")] * 4 + [(True, "news")] * 3 + [(False, "news")]
    kinds += [(True, "dossiers"), (False, "dossiers")]
    asked = [Asked("en", case, np.array([known]), known, False, 0.5, False, about=about) for known, about in kinds]
    weights = what_counts(asked)
    assert weights.sum() == pytest.approx(1)
    for about, first, last in (("passages", 0, 10), ("news", 10, 14), ("dossiers", 14, 16)):
        assert weights[first:last].sum() == pytest.approx(SHARES[about])
    assert weights[:6].sum() / weights[:10].sum() == pytest.approx(1 - UNANSWERABLE_SHARE)
    assert weights[13] / weights[10:14].sum() == pytest.approx(UNANSWERABLE_SHARE)
    assert weights[0] == weights[5]
    without = what_counts(asked[:10])
    assert (without.sum(), without[:6].sum()) == (pytest.approx(1), pytest.approx(1 - UNANSWERABLE_SHARE))


def test_a_question_about_a_dossier_is_asked_in_one_language_by_turns() -> None:
    for folder in dossiers_by_turns():
        by_question: dict[str, set[str]] = {}
        for gold in folder.questions:
            by_question.setdefault(gold.id.rsplit("-", 1)[0], set()).add(gold.language)
        assert {len(languages) for languages in by_question.values()} == {1}
        assert set.union(*by_question.values()) == {"en", "es", "fr", "it"}


def test_the_threshold_refuses_so_many_of_the_answerable_as_they_count() -> None:
    sure = np.linspace(1, 0, 1001)
    assert refused_at_most(sure, np.ones(1001)) == pytest.approx(MOST_WRONG_REFUSALS, abs=0.002)
    # What is least sure counts a tenth, and ten times as much of it is refused.
    counts = np.where(sure < 0.8, 0.1, 1.0)
    assert counts[sure < refused_at_most(sure, counts)].sum() == pytest.approx(
        MOST_WRONG_REFUSALS * counts.sum(), abs=0.2
    )
