import math
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.errors import IndexDirectoryError
from rag.lexical import (
    BEGINNING,
    Lexical,
    _stopword_lists,
    coverage,
    question_words,
    rarity,
    terms,
    with_beginning,
)
from rag.spans import Document, Span

LANGUAGES = ["en", "es", "fr", "it", "de", "und"]
# Few words, so that random passages share some; words of several languages, so that stopwords and stems matter.
WORDS = [
    "Amazon",
    "studio",
    "studios",
    "ciudad",
    "producción",
    "the",
    "della",
    "città",
    "30.000",
    "son",
    "2026",
    "city",
]
TEXTS = st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join)
PASSAGES = st.lists(st.tuples(TEXTS, st.sampled_from(LANGUAGES)), max_size=12)


def reference(passages: list[tuple[str, str]], query: list[dict[str, float]], k1: float, b: float) -> list[float]:
    """Score by the formula, one term of one passage after the other."""
    bags = [terms(text, language) for text, language in passages]
    average = sum(map(len, bags)) / len(bags) if bags else 0.0
    scores = []
    for bag in bags:
        counts, score = Counter(bag), 0.0
        for word in query:
            rarities = {}
            for term in word:
                holding = sum(term in other for other in bags)
                if holding:
                    rarities[term] = math.log(1 + (len(bags) - holding + 0.5) / (holding + 0.5))
            score += max(
                word[term]
                * min(rarities.values())
                * counts[term]
                / (counts[term] + k1 * (1 - b + b * len(bag) / average))
                if counts[term]
                else 0.0
                for term in word
            )
        scores.append(score)
    return scores


@settings(deadline=None)
@given(PASSAGES, TEXTS, st.lists(st.sampled_from(LANGUAGES), max_size=4), st.floats(0.1, 3), st.floats(0, 1))
def test_scores_follow_the_formula(
    passages: list[tuple[str, str]], question: str, languages: list[str], k1: float, b: float
) -> None:
    lexical = Lexical.of([text for text, _ in passages], [language for _, language in passages], k1=k1, b=b)
    wanted = reference(passages, question_words(question, languages), k1, b)
    assert lexical.scores(question, languages).tolist() == pytest.approx(wanted, abs=1e-5)
    ids, scores = lexical.search(question, languages, len(passages))
    assert set(ids.tolist()) == {number for number, score in enumerate(wanted) if score > 0}
    assert scores.tolist() == pytest.approx([wanted[number] for number in ids], abs=1e-5)
    assert list(zip(-scores, ids, strict=True)) == sorted(zip(-scores, ids, strict=True))


def test_a_worked_example() -> None:
    lexical = Lexical.of(["red apple", "green apple apple", "blue"], ["und"] * 3, k1=1.2, b=0.75)
    ids, scores = lexical.search("apple", ["und"], 3)
    # ln(1 + (3 - 2 + 0.5) / (2 + 0.5)) = 0.470; an average passage has 2 terms.
    assert ids.tolist() == [1, 0]
    assert scores.tolist() == pytest.approx([0.470 * 2 / (2 + 1.2 * 1.375), 0.470 * 1 / (1 + 1.2)], abs=1e-3)


@settings(deadline=None)
@given(PASSAGES, TEXTS, st.integers(0, 12), st.sets(st.integers(0, 11)))
def test_allowed_passages_keep_their_scores_and_order(
    passages: list[tuple[str, str]], question: str, k: int, some: set[int]
) -> None:
    lexical = Lexical.of([text for text, _ in passages], [language for _, language in passages])
    allowed = [number for number in some if number < len(passages)]
    ids, scores = lexical.search(question, LANGUAGES, k, allowed=np.array(allowed, dtype=np.int64))
    every = zip(*(part.tolist() for part in lexical.search(question, LANGUAGES, len(passages))), strict=True)
    assert list(zip(ids.tolist(), scores.tolist(), strict=True)) == [pair for pair in every if pair[0] in allowed][:k]


def test_equal_scores_come_in_the_order_of_their_ids() -> None:
    lexical = Lexical.of(["zebra", "lion", *["lion zebra"] * 50], ["und"] * 52)
    assert lexical.search("lion zebra", ["und"], 4)[0].tolist() == [2, 3, 4, 5]


def test_ids_that_are_no_passages() -> None:
    lexical = Lexical.of(["lion"], ["en"])
    with pytest.raises(ValueError, match="ids 0 to 1 are not all passages of 1"):
        lexical.search("lion", ["en"], 1, allowed=np.array([1, 0]))
    with pytest.raises(ValueError, match="cannot return -1 passages"):
        lexical.search("lion", ["en"], -1)
    with pytest.raises(ValueError, match="zip"):
        Lexical.of(["lion", "zebra"], ["en"])


@pytest.mark.parametrize(
    ("accented", "plain", "language"),
    [
        ("producción", "produccion", "es"),
        ("producciones", "producción", "es"),
        ("años", "anos", "es"),
        ("sociétés", "societe", "fr"),
        ("œuvre", "oeuvres", "fr"),
        ("créée", "cree", "fr"),
        ("annoncées", "annoncer", "fr"),
        ("città", "citta", "it"),
        ("società", "SOCIETÀ", "it"),
        ("cafe\u0301", "café", "it"),
        ("studios", "studio", "en"),
        ("Straße", "STRASSE", "de"),
    ],
)
def test_words_are_one_term_with_or_without_accents(accented: str, plain: str, language: str) -> None:
    assert terms(accented, language) == terms(plain, language)
    assert len(terms(accented, language)) == 1


@pytest.mark.parametrize("apostrophe", ["'", "’", "ʼ"])
@pytest.mark.parametrize(
    ("text", "language", "wanted"),
    [
        ("l'IA", "fr", ["ia"]),
        ("l'IA", "it", ["ia"]),
        ("dell'intelligenza", "it", ["intelligent"]),
        ("d'Amazon", "fr", ["amazon"]),
        ("qu'il jusqu'Amazon lorsqu'Amazon", "fr", ["amazon", "amazon"]),
        ("all'Amazon nell'Amazon quest'Amazon", "it", ["amazon"] * 3),
        ("Cheng's studios' don't", "en", ["cheng", "studio"]),
    ],
)
def test_elisions_and_possessives(apostrophe: str, text: str, language: str, wanted: list[str]) -> None:
    assert terms(text.replace("'", apostrophe), language) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("30,000", ["30000"]),
        ("30.000", ["30000"]),
        ("30 000", ["30000"]),
        ("30\u00a0000", ["30000"]),
        ("30\u202f000", ["30000"]),
        ("30’000", ["30000"]),
        ("1.234.567,89 1,234,567.89", ["1234567.89", "1234567.89"]),
        ("3.5 3,5", ["3.5", "3.5"]),
        ("0.125", ["0.125"]),
        ("$3.5M.", ["3.5"]),
        ("2026-02-08 08.02.2026", ["2026", "02", "08", "08", "02", "2026"]),
        ("in 2025 30 000", ["in", "2025", "30000"]),
        ("2026 100.000", ["2026", "100000"]),
        ("5 x 7", ["5", "7"]),
        ("100, 200", ["100", "200"]),
        ("1,2345 10.5.2", ["1.2345", "10", "5", "2"]),
    ],
)
def test_numbers_have_one_spelling(text: str, wanted: list[str]) -> None:
    assert terms(text, "und") == wanted


@pytest.mark.parametrize(
    ("question", "language"),
    [
        ("who is it and where, when, why, how, which, what, whose", "en"),
        ("¿quién, cuándo, cuánto, dónde, cómo, por qué, cuál es?", "es"),
        ("qui, combien, quand, où, comment, pourquoi, quel, quelle est-ce que", "fr"),
        ("chi, quando, quanti, dove, come, perché, quali, che cosa", "it"),
    ],
)
def test_interrogatives_are_no_terms(question: str, language: str) -> None:
    assert terms(f"{question} Amazon", language) == ["amazon"]


def test_a_text_of_stopwords_keeps_them() -> None:
    assert terms("Who?", "en") == ["who"]
    assert terms("", "en") == terms(" ?! ", "it") == []


def test_capitals_are_no_stopwords() -> None:
    assert terms("ai film e AI Studio", "it") == ["film", "ai", "stud"]
    assert terms("CHI GUIDA GLI STUDI", "it") == terms("chi guida gli studi", "it")


def test_abbreviations_and_other_scripts() -> None:
    assert terms("The U.S. and A.I. of J.R.R.Tolkien", "en") == ["us", "ai", "jrr", "tolkien"]
    assert terms("Estados Unidos", "es") == ["estad", "unid"]
    assert terms("東京 猫 Привет ещё", "und") == ["東京", "猫", "привет", "еще"]
    assert terms("서울", "ko") == terms("서울 é", "ko") == ["서울"]


@settings(deadline=None)
@given(st.text() | st.text(alphabet="0123456789.,'’ -aÀé\u00a0ßİ\ud800ﬁ"), st.sampled_from(LANGUAGES))
def test_any_string_has_terms(text: str, language: str) -> None:
    found = terms(text, language)
    assert all(term and not term.isspace() for term in found)
    assert terms(text, language) == found
    assert {term for word in question_words(text, [language]) for term in word} <= set(found)


def test_long_texts_are_quick() -> None:
    for text in ("1" * 100_000, "1,000" * 20_000, "a." * 50_000, "e\u0301" * 50_000, "'" * 100_000):
        terms(text, "fr")


def test_a_question_has_the_terms_of_every_language_once() -> None:
    assert [sorted(word) for word in question_words("studios studios", ["en", "de"])] == [["studio", "studios"]]
    assert question_words("Amazon", []) == []


def test_the_questions_own_stopwords_are_no_evidence_in_another_language() -> None:
    passages = ["La serie House of the Dragon piace.", "Cheng dirige lo studio."]
    lexical = Lexical.of(passages, ["it", "it"])
    assert lexical.search("who is the head of the studio", ["en", "it"], 5)[0].tolist() == [1]


def test_weights() -> None:
    lexical = Lexical.of(["lion zebra", "lion", "lion"], ["und"] * 3)
    assert lexical.weight("lion") == pytest.approx(math.log(1 + 0.5 / 3.5))
    assert lexical.weight("zebra") == pytest.approx(math.log(1 + 2.5 / 1.5))
    assert lexical.weight("unseen") == pytest.approx(math.log(8))


@settings(deadline=None)
@given(PASSAGES, TEXTS)
def test_written_and_loaded_is_the_same(
    tmp_path_factory: pytest.TempPathFactory, passages: list[tuple[str, str]], question: str
) -> None:
    folder = tmp_path_factory.mktemp("lexical")
    texts, languages = [text for text, _ in passages], [language for _, language in passages]
    lexical = Lexical.of(texts, languages, k1=1.1, b=0.3)
    for name in ("one", "two"):
        Lexical.write(folder / name, passages, k1=1.1, b=0.3)
    loaded = Lexical.load(folder / "one")
    assert len(list((folder / "one").iterdir())) == 7
    for file in sorted((folder / "one").iterdir()):
        assert file.read_bytes() == (folder / "two" / file.name).read_bytes()
    assert len(loaded) == len(passages)
    assert loaded.weight("amazon") == lexical.weight("amazon")
    assert loaded.scores(question, LANGUAGES).tolist() == lexical.scores(question, LANGUAGES).tolist()


def test_written_bytes_do_not_depend_on_the_process(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from rag.lexical import Lexical;"
        "Lexical.write(Path(sys.argv[1]), [('lion zebra ant bee cow', 'en'), ('lion dog eel fox', 'it')])"
    )
    for seed in ("1", "2"):
        environment = {"PYTHONPATH": str(Path(__file__).parent.parent / "src"), "PYTHONHASHSEED": seed}
        command = [sys.executable, "-c", code, str(tmp_path / seed)]
        subprocess.run(command, check=True, timeout=60, env=environment)
    saved = [{file.name: file.read_bytes() for file in (tmp_path / seed).iterdir()} for seed in ("1", "2")]
    assert saved[0] == saved[1]


def test_damaged_folders(tmp_path: Path) -> None:
    def refused() -> None:
        with pytest.raises(IndexDirectoryError, match="build the index again"):
            Lexical.load(tmp_path)

    def write() -> None:
        Lexical.write(tmp_path, [("lion zebra", "en")])

    refused()
    described = tmp_path / "lexical.json"
    write()
    described.write_bytes(described.read_bytes().replace(b'"format": 2', b'"format": 3'))
    refused()
    described.write_text("[]")
    refused()
    write()
    (tmp_path / "rows.npy").write_bytes((tmp_path / "rows.npy").read_bytes()[:-2])
    refused()
    write()
    np.save(tmp_path / "bounds.npy", np.array([0, 1, 7]))
    refused()
    write()
    np.save(tmp_path / "values.npy", np.array([0, 1]))
    refused()
    np.save(tmp_path / "values.npy", np.array([0, None]), allow_pickle=True)
    refused()


def test_scores_are_those_of_bm25s() -> None:
    import bm25s

    draw = np.random.default_rng(1)
    texts = [" ".join(f"w{int(n)}" for n in draw.zipf(1.3, 30) if n < 5000) for _ in range(5000)]
    lexical = Lexical.of(texts, ["und"] * len(texts))
    theirs = bm25s.BM25(k1=1.5, b=0.75, method="lucene", backend="numpy", csc_backend="numpy")
    theirs.index([terms(text, "und") for text in texts], show_progress=False)
    for question in ("w1 w2 w3", "w9 w4000 w2", "w1", "w40 w41 w42 w1 w2 w3 w4", "w77 none"):
        wanted = theirs.get_scores([term for term in question.split() if lexical.weight(term) < lexical.weight("none")])
        assert lexical.scores(question, ["und"]).tolist() == pytest.approx(wanted.tolist(), rel=1e-5)
        ids, scores = lexical.search(question, ["und"], 10)
        assert scores.tolist() == pytest.approx(sorted(wanted.tolist(), reverse=True)[: len(scores)], rel=1e-5)
        assert scores.tolist() == lexical.scores(question, ["und"], rows=ids).tolist()
        some = np.arange(0, 5000, 7)
        ids, scores = lexical.search(question, ["und"], 10, allowed=some)
        assert scores.tolist() == pytest.approx(sorted(wanted[some].tolist(), reverse=True)[: len(scores)], rel=1e-5)


def test_threads_do_not_share_a_stemmer() -> None:
    words = [f"{stem}{ending}" for stem in ("annonc", "cré", "produc") for ending in ("ons", "eront", "ateurs")]
    texts = [" ".join(words[number % 9 :]) for number in range(400)]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda text: terms(text, "fr"), texts)) == [terms(text, "fr") for text in texts]


def test_a_translated_word_finds_a_passage_that_shares_none() -> None:
    lexical = Lexical.of(["La guerra comenzó en la ciudad.", "El rey nació en un palacio."], ["es", "es"])
    assert lexical.search("When did the war begin?", ["en"], 2)[0].tolist() == []
    assert lexical.search("When did the war begin?", ["en", "es"], 2)[0].tolist() == [0]
    assert lexical.search("Dove nacque il re?", ["it", "es"], 2)[0].tolist() == [1]


def test_a_word_and_its_translations_count_once() -> None:
    words = question_words("city", ["en", "es", "it"])
    assert len(words) == 1
    assert words[0]["citi"] == 1.0
    assert {"ciud", "citt"} <= {term for term, much in words[0].items() if 0.5 < much < 1.0}
    lexical = Lexical.of(["ciudad città", "città pueblo", "pueblo"], ["und"] * 3)
    both, one, none = lexical.scores("city", ["en", "und"]).tolist()
    assert both == one == none == 0.0  # "und" is not in the table
    lexical = Lexical.of(["ciudad città", "città pueblo", "mar"], ["es", "it", "es"])
    both, one, _ = lexical.scores("city", ["en", "es", "it"]).tolist()
    assert 0 < one <= both < 2 * one


def test_nothing_is_translated_within_one_language() -> None:
    assert question_words("Where is the city?", ["en"]) == [{"citi": 1.0}]


def test_a_rare_translation_is_no_rarer_than_its_word() -> None:
    weights = {"citi": 1.0, "urbe": 3.0}
    assert rarity(["citi", "urbe"], weights.__getitem__) == 1.0
    texts = ["city", "city", "city", "urbe", "mar"]
    lexical = Lexical.of(texts, ["en", "en", "en", "es", "es"])
    scores = lexical.scores("city", ["en", "es"])
    assert scores[3] < scores[0]


def test_coverage_counts_the_best_of_a_words_terms() -> None:
    words = [{"war": 1.0, "guerr": 0.8}, {"king": 1.0, "re": 0.9}]
    assert coverage(words, {"war", "guerr"}, lambda term: 2.0) == pytest.approx(0.5)
    assert coverage(words, {"guerr"}, lambda term: 2.0) == pytest.approx(0.4)
    rare = {"war": 3.0, "guerr": 3.0, "king": 1.0, "re": 5.0}
    assert coverage(words, {"guerr", "re"}, rare.__getitem__) == pytest.approx((3 * 0.8 + 1 * 0.9) / 4)
    assert coverage([], {"war"}, lambda term: 1.0) == 0.0


def test_terms_need_no_more_of_bm25s_than_its_stopwords_and_never_jax() -> None:
    code = "import sys; from rag.lexical import terms; print(terms('who leads it', 'en'), *sorted(sys.modules))"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.startswith("['lead'] ")
    assert not {"bm25s", "jax", "scipy"} & set(printed.split())


@pytest.mark.parametrize("name", ["STOPWORDS_EN_PLUS", "STOPWORDS_SPANISH", "STOPWORDS_FRENCH", "STOPWORDS_ITALIAN"])
def test_the_stopwords_are_those_that_bm25s_exports(name: str) -> None:
    from bm25s import stopwords

    assert len(getattr(stopwords, name)) > 100
    assert getattr(_stopword_lists(), name) == getattr(stopwords, name)


def test_a_passage_is_searched_after_what_its_document_begins_with() -> None:
    text = f"Acme opens a mine in Chile. {'It is deep and long. ' * 20}The mayor is Ana Ruiz."
    document = Document("a.txt", "Acme opens a mine in Chile.", "en", text)
    first, last = Span(document, 0, 200), Span(document, len(text) - 22, len(text))
    assert with_beginning(first) == first.text
    beginning = with_beginning(last).removesuffix(f" {last.text}")
    assert text.startswith(f"{beginning} ")
    assert BEGINNING - 6 < len(beginning) < BEGINNING


def test_a_passage_is_searched_with_a_title_that_its_text_does_not_begin_with() -> None:
    document = Document("a.html", "Mines of Chile", "en", "Menu. Home. The mayor is Ana Ruiz.")
    assert with_beginning(Span(document, 12, 34)) == "Mines of Chile Menu. Home. The mayor is Ana Ruiz."
    shortened = Document("b.txt", "The mayor is…", "en", "The mayor is Ana Ruiz.")
    assert with_beginning(Span(shortened, 0, 22)) == "The mayor is Ana Ruiz."


@given(st.text(max_size=400), st.text(max_size=40), st.data())
def test_what_comes_before_a_passage_is_of_its_document_and_not_of_itself(
    text: str, title: str, data: st.DataObject
) -> None:
    text += "."
    start = data.draw(st.integers(0, len(text) - 1))
    passage = Span(Document("a.txt", title, "en", text), start, data.draw(st.integers(start + 1, len(text))))
    searched = with_beginning(passage)
    assert searched.endswith(passage.text)
    before = searched.removesuffix(passage.text).removeprefix(title).strip()
    assert len(before) <= BEGINNING
    assert before in text[:start]


def test_a_passage_is_found_by_the_name_that_only_the_beginning_has() -> None:
    texts = [f"{name} opens a mine. {'It is deep and long. ' * 20}The mayor is Ana Ruiz." for name in ("Acme", "Zenit")]
    documents = [Document(f"{number}.txt", "", "en", text) for number, text in enumerate(texts)]
    mayors = [Span(document, len(document.text) - 22, len(document.text)) for document in documents]
    lexical = Lexical.of([with_beginning(passage) for passage in mayors], ["en", "en"])
    for number, name in enumerate(("Acme", "Zenit")):
        assert lexical.search(f"Who is the mayor at the mine of {name}?", ["en"], 2)[0].tolist()[0] == number
