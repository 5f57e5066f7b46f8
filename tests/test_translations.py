import lzma
from pathlib import Path

import pytest

from rag.errors import RagError
from rag.lexical import terms
from rag.translations import FORMAT, MOST, TRANSLATIONS_FILE, Translations, translations


@pytest.mark.parametrize(
    ("word", "language", "other", "wanted"),
    [
        ("war", "en", "es", "guerra"),
        ("river", "en", "fr", "fleuve"),
        ("city", "en", "it", "città"),
        ("ciudad", "es", "en", "city"),
        ("trabajo", "es", "it", "lavoro"),
        ("guerre", "fr", "es", "guerra"),
        ("libro", "it", "fr", "livre"),
    ],
)
def test_the_bundled_table_knows_common_words(word: str, language: str, other: str, wanted: str) -> None:
    found = translations().of(terms(word, language)[0], language, other)
    assert terms(wanted, other)[0] in list(found)[:2]
    assert list(found.values()) == sorted(found.values(), reverse=True)
    assert len(found) <= MOST
    assert all(0 < sure < 1 for sure in found.values())


def test_the_bundled_table_is_small() -> None:
    assert TRANSLATIONS_FILE.stat().st_size < 300_000


def test_what_the_table_lacks_has_no_translation() -> None:
    assert translations().of("war", "en", "en") == {}
    assert translations().of("war", "en", "de") == {}
    assert translations().of("krieg", "de", "it") == {}
    assert translations().of("qwertyuiop", "en", "it") == {}


def test_english_stands_between_two_other_languages() -> None:
    table = Translations(
        {("it", "en"): {"guid": {"lead": 0.5, "drive": 0.5}}, ("en", "es"): {"lead": {"lider": 0.8, "dirig": 0.4}}}
        | {("en", "es"): {"lead": {"dirig": 0.8, "plom": 0.1}, "drive": {"dirig": 0.2, "conduc": 0.6}}}
    )
    assert table.of("guid", "it", "es") == pytest.approx({"dirig": 0.5, "conduc": 0.3})


def write(path: Path, text: str) -> Path:
    path.write_bytes(lzma.compress(text.encode()))
    return path


def test_a_table_is_read_in_both_directions(tmp_path: Path) -> None:
    table = Translations.load(
        write(tmp_path / "t.xz", f"{FORMAT}\tes\tit\nwar\tguerr9\t\nwork\ttrabaj7 obra2\tlavor8\n")
    )
    assert table.of("work", "en", "es") == {"trabaj": 0.7, "obra": 0.2}
    assert table.of("guerr", "es", "en") == {"war": 0.9}
    assert table.of("war", "en", "it") == {}
    assert table.of("lavor", "it", "es") == pytest.approx({"trabaj": 0.56, "obra": 0.16})


@pytest.mark.parametrize("text", ["", "other-format\tes\n", f"{FORMAT}\tes\nwar\tguerrx\n", f"{FORMAT}\tes\nwar\n"])
def test_a_damaged_table_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(RagError, match="install Verbatim again"):
        Translations.load(write(tmp_path / "t.xz", text))


def test_a_missing_or_truncated_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RagError, match="cannot be read"):
        Translations.load(tmp_path / "none.xz")
    (tmp_path / "half.xz").write_bytes(TRANSLATIONS_FILE.read_bytes()[:1000])
    with pytest.raises(RagError, match="cannot be read"):
        Translations.load(tmp_path / "half.xz")
