import lzma
from pathlib import Path

from training.calibrate import Posed, translations_of
from training.data import Question
from training.translated import ASKED_FILE, read_asked


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
    foreign = translations_of(development, "en", asked["en"])
    assert list(foreign) == ["a"]
    assert (foreign["a"].question, foreign["a"].language) == ("Where does “Ada” live?", "en")
    assert (foreign["a"].passage, foreign["a"].start) == (held_back("a", "es").passage, held_back("a", "es").start)


def test_a_question_of_another_language_is_asked_with_its_sources_and_without() -> None:
    question = translations_of({"es": [held_back("a", "es")]}, "en", {"a": "Where does Ada live?"})["a"]
    posed = Posed(question, {"es-1": (12, 22), "it-1": (9, 19)}, translated=True)
    assert posed.hidings() == [frozenset(), frozenset({"es-1", "it-1"})]
    # In the language of one of the sources, that one alone is hidden as well: the other has to answer.
    assert Posed(held_back("a", "es"), posed.places).hidings()[-1] == frozenset({"es-1"})
