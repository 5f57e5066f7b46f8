from dataclasses import fields
from string import Formatter

import pytest

from rag.labels import COMPLAINTS, LABELS, REFUSED, Labels, labels_for
from rag.spans import LEVELS, REASONS


@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
def test_labels_are_complete(labels: Labels) -> None:
    assert set(labels.reasons) == set(REASONS)
    assert set(labels.languages) == {"it", "es", "en", "fr"} == set(LABELS)
    for field in fields(labels):
        assert all(word.strip() == word != "" for word in _words(labels, field.name)), field.name
    assert labels.too_long.format(length=2001, limit=2000).count("200") == 2
    assert labels.percent.format(percent=7).startswith("7")
    assert "5" in labels.more_documents.format(count=5)
    assert set(labels.levels) == set(LEVELS)
    assert set(labels.complaints) == set(COMPLAINTS)
    assert set(labels.refused) == set(REFUSED)


def _words(labels: Labels, name: str) -> list[str]:
    value = getattr(labels, name)
    words = list(value.values()) if isinstance(value, dict) else [value]
    return [each for word in words for each in (word if isinstance(word, tuple) else (word,))]


@pytest.mark.parametrize(
    "name", [field.name for field in fields(Labels) if field.name not in ("language", "languages")]
)
def test_the_languages_fill_in_the_same_places(name: str) -> None:
    def places(labels: Labels) -> tuple[tuple[str, ...], ...]:
        return tuple(
            tuple(sorted(field for _, field, _, _ in Formatter().parse(word) if field)) for word in _words(labels, name)
        )

    assert len({places(labels) for labels in LABELS.values()}) == 1


def test_no_two_languages_share_a_sentence() -> None:
    for name in (
        "tagline",
        "placeholder",
        "refusal",
        "too_long",
        "documents_hint",
        "nearest",
        "also",
        "own_hint",
        "search",
        "failed",
        "foreign",
    ):
        assert len({getattr(labels, name) for labels in LABELS.values()}) == 4, name
    for reason in REASONS:
        assert len({labels.reasons[reason] for labels in LABELS.values()}) == 4


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("it-IT,it;q=0.9,en;q=0.8", "it"),
        ("de-DE,de;q=0.9,fr;q=0.8,en;q=0.7", "fr"),
        ("en;q=0.5, ES-419;q=0.7", "es"),
        ("fr;q=0, it;q=0.1", "it"),
        ("es, fr", "es"),
        ("de", "en"),
        ("*", "en"),
        ("", "en"),
        (";;;,,q=,it;q=x,fr; q=0.3", "fr"),
    ],
)
def test_labels_follow_what_the_browser_asks_for(header: str, language: str) -> None:
    assert labels_for(header).language == language
