from pathlib import Path

import pytest

pytest.importorskip("scipy")

from training.data import Pair
from training.translations import align, rows_of, write_table

from rag.translations import Translations

SENTENCES = [
    Pair("the king sleeps", "el rey duerme", "es"),
    Pair("the king reads", "el rey lee", "es"),
    Pair("the king eats", "el rey come", "es"),
    Pair("the lion sleeps", "el león duerme", "es"),
    Pair("the lion reads", "el león lee", "es"),
    Pair("the lion eats", "el león come", "es"),
]
WORDS = [Pair("war", "guerra", "es"), Pair("hotel", "hotel", "es")]


def sure(english: str, other: str) -> float:
    aligned = align(SENTENCES, WORDS)
    return float(aligned.sure[aligned.english.index(english), aligned.other.index(other)])


def test_stems_that_translate_each_other_are_found_in_sentences_and_dictionaries() -> None:
    assert sure("king", "rey") > 0.9
    assert sure("lion", "leon") > 0.9
    assert sure("war", "guerr") > 0.9
    assert sure("king", "leon") == 0.0
    assert sure("king", "duerm") < 0.1


def test_the_table_has_the_stems_seen_most_and_the_same_bytes_every_time(tmp_path: Path) -> None:
    aligned = {"es": align(SENTENCES, WORDS)}
    assert {row[0] for row in rows_of(aligned, 10)} >= {"king", "lion", "war"}
    assert "hotel" not in {row[0] for row in rows_of(aligned, 10)}  # it is the same word in every language
    rows = rows_of(aligned, 2)
    assert [row[0] for row in rows] == ["king", "lion"]
    for name in ("one.xz", "other.xz"):
        write_table(tmp_path / name, ["es"], rows)
    assert (tmp_path / "one.xz").read_bytes() == (tmp_path / "other.xz").read_bytes()
    assert Translations.load(tmp_path / "one.xz").of("king", "en", "es") == {"rey": 0.9}
