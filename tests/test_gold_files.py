"""The gold questions, and the second ones, obey the rules of tests/gold/README.md."""

import json
import re
import unicodedata
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).parent
SEEDS = TESTS.parent / "seeds"
LANGUAGES = ("it", "es", "en", "fr")
KINDS = {
    "who",
    "when",
    "where",
    "how_many",
    "which",
    "why",
    "what_called",
    "what",
    "how",
    "list",
    "unanswerable",
}
LONGEST_WORDING = 25  # words; only questions for two whole clauses come near it

Row = dict[str, Any]


def rows_of(name: str) -> list[Row]:
    lines = (TESTS / name).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


ARTICLES = {path.name: path.read_text(encoding="utf-8") for path in sorted(SEEDS.glob("*.txt"))}
QUESTIONS = rows_of("gold/questions.jsonl")
CHATS = rows_of("gold/chats.jsonl")
TURNS = [
    {"id": f"{chat['id']}-turn-{number}", "lang": chat["lang"], **turn}
    for chat in CHATS
    for number, turn in enumerate(chat["turns"], start=1)
]
SECOND = [{**row, "id": f"second-{row['id']}"} for row in rows_of("second/questions.jsonl")]
EVERY = QUESTIONS + TURNS + SECOND


def stands_in(wording: str, article: str) -> bool:
    """Tell whether the wording stands in the article as whole words."""
    return re.search(rf"(?<!\w){re.escape(wording)}(?!\w)", article) is not None


def plain(question: str) -> str:
    """Return the question's letters and digits, without accents, case and punctuation."""
    letters = unicodedata.normalize("NFKD", question.casefold())
    return " ".join(re.findall(r"[^\W_]+", "".join(c for c in letters if not unicodedata.combining(c))))


def test_whole_words_only() -> None:
    assert stands_in("mai", "annoncer les résultats en mai.")
    assert not stands_in("mai", "mais pas pour effacer")
    assert stands_in("“último tramo”", "cubrir el “último tramo” del proceso")


def test_plain_ignores_accents_case_and_punctuation() -> None:
    assert plain("¿Quién está al frente?") == plain("quien esta al  frente") == "quien esta al frente"


def test_the_five_articles_are_there() -> None:
    assert len(ARTICLES) == 5


@pytest.mark.parametrize("row", EVERY, ids=lambda row: row["id"])
def test_wordings_and_sources_prove_each_other(row: Row) -> None:
    assert bool(row["answers"]) == bool(row["sources"])
    assert len(set(row["answers"])) == len(row["answers"])
    assert row["sources"] == sorted(set(row["sources"]))
    sources = {name: ARTICLES[name] for name in row["sources"]}
    for wording in row["answers"]:
        assert wording == wording.strip()
        assert len(wording.split()) <= LONGEST_WORDING
        assert any(stands_in(wording, text) for text in sources.values()), wording
    for name, text in sources.items():
        assert any(stands_in(wording, text) for wording in row["answers"]), name


@pytest.mark.parametrize("row", EVERY, ids=lambda row: row["id"])
def test_question_is_one_clean_line(row: Row) -> None:
    assert row["question"]
    assert row["question"] == " ".join(row["question"].split())
    assert row["question"] == unicodedata.normalize("NFC", row["question"])


@pytest.mark.parametrize("row", QUESTIONS, ids=lambda row: row["id"])
def test_question_has_the_fields_of_the_format(row: Row) -> None:
    assert set(row) - {"sloppy"} == {"id", "lang", "question", "answers", "sources", "kind"}
    assert row.get("sloppy", True) is True
    assert row["lang"] in LANGUAGES
    assert row["kind"] in KINDS
    assert (row["kind"] == "unanswerable") == (not row["answers"])
    assert re.fullmatch(rf"{row['lang']}-\d{{3}}", row["id"])


def test_ids_are_unique() -> None:
    assert max(Counter(row["id"] for row in QUESTIONS + CHATS).values()) == 1


def test_the_second_questions_are_others_of_the_same_kinds() -> None:
    gold = {plain(row["question"]) for row in QUESTIONS + TURNS}
    assert [row["id"] for row in SECOND if plain(row["question"]) in gold] == []
    assert Counter((row["lang"], bool(row["answers"])) for row in SECOND) == {
        (lang, answered): number for lang in LANGUAGES for answered, number in ((True, 20), (False, 12))
    }
    assert {row["kind"] for row in SECOND} <= KINDS


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_question_is_asked_twice_in_a_language(lang: str) -> None:
    asked = Counter(plain(row["question"]) for row in QUESTIONS if row["lang"] == lang)
    assert [question for question, times in asked.items() if times > 1] == []


def test_there_are_enough_questions() -> None:
    assert len(QUESTIONS) >= 170


@pytest.mark.parametrize("lang", LANGUAGES)
def test_each_language_has_enough_questions(lang: str) -> None:
    asked = [row for row in QUESTIONS if row["lang"] == lang]
    assert len(asked) >= 40
    assert sum(row["kind"] == "unanswerable" for row in asked) >= 10


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("article", sorted(ARTICLES))
def test_each_article_alone_answers_questions_in_each_language(lang: str, article: str) -> None:
    assert sum(row["lang"] == lang and row["sources"] == [article] for row in QUESTIONS) >= 2


def test_enough_questions_have_no_answer() -> None:
    assert sum(row["kind"] == "unanswerable" for row in QUESTIONS) >= 45


def test_every_kind_is_asked() -> None:
    assert {row["kind"] for row in QUESTIONS} == KINDS


def test_about_one_question_in_eight_is_typed_sloppily() -> None:
    share = sum(row.get("sloppy", False) for row in QUESTIONS) / len(QUESTIONS)
    assert 0.10 <= share <= 0.15


def test_there_are_enough_chats_in_each_language() -> None:
    assert len(CHATS) >= 20
    assert min(Counter(chat["lang"] for chat in CHATS)[lang] for lang in LANGUAGES) >= 5


@pytest.mark.parametrize("chat", CHATS, ids=lambda chat: chat["id"])
def test_chat_has_the_fields_of_the_format(chat: Row) -> None:
    assert set(chat) == {"id", "lang", "turns"}
    assert re.fullmatch(rf"chat-{chat['lang']}-\d{{3}}", chat["id"])
    assert chat["lang"] in LANGUAGES
    assert 2 <= len(chat["turns"]) <= 3
    for turn in chat["turns"]:
        assert set(turn) == {"question", "answers", "sources"}


@pytest.mark.parametrize("chat", CHATS, ids=lambda chat: chat["id"])
def test_only_the_last_turn_of_a_chat_may_lack_an_answer(chat: Row) -> None:
    assert all(turn["answers"] for turn in chat["turns"][:-1])
