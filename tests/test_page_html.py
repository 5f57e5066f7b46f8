from dataclasses import replace

import pytest

from rag.conversation import Turn
from rag.labels import ENGLISH, FRENCH, ITALIAN, LABELS, SPANISH, Labels
from rag.markup import anchor
from rag.page_html import answer_html, messages, support, turn_html
from rag.panel_html import documents_html, own_html, place_html, source_html
from rag.spans import REASONS, Alternative, Citation, Document, Hit, Level, Reason, Span
from tests.page_parts import (
    DIRIGE,
    HOSTILE,
    LEADS,
    LETTER,
    LETTRE,
    TRAP,
    TRAPPED,
    Elements,
    citation,
    found,
    refused,
    span,
)


def test_the_exact_words_are_marked_inside_their_sentence() -> None:
    elements = Elements(answer_html(found(LEADS), ENGLISH))
    assert elements.texts("blockquote") == ["Albert Cheng leads it."]
    assert elements.texts("mark") == ["Albert Cheng"]
    assert [attributes for tag, attributes, _ in elements.all if tag == "blockquote"] == [{"lang": "en"}]
    assert elements.texts("p", "cited") == ["[1] A letter (en)"]
    assert elements.links() == [f"#{anchor(LETTER, LEADS.answer, LEADS.sentence)}"]
    assert elements.texts("p", "confidence") == ["High confidence 97%at least nine of ten such answers are right"]


def test_a_sentence_that_is_the_answer_is_marked_whole() -> None:
    whole = citation(LETTER, "Albert Cheng leads it.", "Albert Cheng leads it.")
    assert '<mark class="whole">Albert Cheng leads it.</mark>' in answer_html(found(whole), ENGLISH)
    assert "whole" not in answer_html(found(LEADS), ENGLISH)


def test_others_that_say_so_are_listed_with_their_own_words() -> None:
    elements = Elements(answer_html(found(LEADS, DIRIGE), SPANISH))
    assert elements.texts("li") == ["[2] Une lettre (fr) M. Cheng"]
    assert [attributes for tag, attributes, _ in elements.all if tag == "q"] == [{"lang": "fr"}]
    assert elements.texts("p", "also") == ["También lo dicen"]
    assert elements.texts("mark") == ["Albert Cheng"]


def test_a_quotation_in_another_language_than_the_question_says_so() -> None:
    assert Elements(answer_html(found(DIRIGE), ITALIAN)).texts("span", "foreign") == ["La citazione è in francese"]
    assert Elements(answer_html(found(DIRIGE, language="fr"), ITALIAN)).texts("span", "foreign") == []
    assert Elements(answer_html(found(DIRIGE, language="und"), ITALIAN)).texts("span", "foreign") == []


@pytest.mark.parametrize(
    ("confidence", "labels", "level", "words"),
    [
        (0.974, ENGLISH, "high", "High confidence 97%"),
        (0.9, ITALIAN, "high", "Affidabilità alta 90%"),
        (0.89, ITALIAN, "good", "Affidabilità buona 89%"),
        (0.5, SPANISH, "low", "Confianza baja 50\N{NO-BREAK SPACE}%"),
        (0.0, FRENCH, "doubtful", "Réponse douteuse 0\N{NO-BREAK SPACE}%"),
    ],
)
def test_confidence_is_a_level_a_percentage_and_a_meaning(
    confidence: float, labels: Labels, level: Level, words: str
) -> None:
    elements = Elements(answer_html(found(LEADS, confidence=confidence), labels))
    assert elements.texts("p", level) == [words + labels.levels[level][1]]
    assert elements.texts("span", "meaning") == [labels.levels[level][1]]


@pytest.mark.parametrize(
    ("citations", "searched", "labels", "words"),
    [
        ([LEADS, DIRIGE], 5, ENGLISH, "2 of 5 documents say so: en, fr"),
        ([LEADS], 5, ITALIAN, "Lo dice 1 documento su 5: en"),
        ([DIRIGE, LEADS], 2, FRENCH, "2 documents sur 2 le disent\N{NO-BREAK SPACE}: fr, en"),
        ([LEADS, LEADS], 3, SPANISH, "Lo dice 1 de 3 documentos: en"),
        ([LEADS], 1, ENGLISH, ""),
        ([LEADS], 0, ENGLISH, ""),
    ],
)
def test_how_many_documents_say_so_is_counted(
    citations: list[Citation], searched: int, labels: Labels, words: str
) -> None:
    html = answer_html(found(*citations), labels, searched)
    assert Elements(html).texts("p", "support") == ([words] if words else [])


def test_a_count_that_was_cut_short_says_so() -> None:
    documents = [Document(f"{number}.txt", "T", "en", "Albert Cheng leads it.") for number in range(5)]
    cited = [citation(each, "Albert Cheng", "Albert Cheng leads it.") for each in documents]
    assert support(found(*cited), ENGLISH, 9) == "At least 5 of 9 documents say so: en"
    assert support(found(*cited), ENGLISH, 5) == "5 of 5 documents say so: en"


def test_names_that_no_document_has_are_told_beside_answers_and_refusals() -> None:
    assert "mentions" not in answer_html(found(LEADS), ENGLISH)
    for answer in (found(LEADS), refused("too_uncertain", LEADS.sentence)):
        html = answer_html(replace(answer, unmentioned=("O'Hara", "2012")), ENGLISH)
        assert "No document mentions “O'Hara”, “2012”" in Elements(html).texts("p", "support")


def test_documents_that_say_otherwise_are_shown_and_numbered_on() -> None:
    answer = replace(found(LEADS), others=(Alternative((DIRIGE,)),))
    elements = Elements(answer_html(answer, ENGLISH))
    assert elements.texts("p", "others") == ["Other documents say otherwise"]
    assert elements.texts("li") == ["[2] Une lettre (fr) M. Cheng"]


def test_a_page_number_stands_in_the_link_and_beside_the_title() -> None:
    paged = replace(LETTER, pages=(0, LETTER.text.index("He has")))
    second = citation(paged, "two", "He has two")
    assert Elements(answer_html(found(second), ITALIAN)).texts("p", "cited") == ["[1] A letter (en), pagina 2"]
    assert Elements(source_html(paged, second, ENGLISH)).texts("p", "about") == [
        "English · 2026-02-08 · page 2 · a.txt"
    ]


TURN = Turn("t1", "who leads it?", found(LEADS), searched=2, next=("And when?",))


def test_a_turn_can_be_copied_asked_again_and_judged() -> None:
    elements = Elements(turn_html(TURN, ENGLISH, last=True))
    buttons = [(each["name"], each["value"]) for tag, each, _ in elements.all if tag == "button"]
    assert buttons == [
        ("copy", "“Albert Cheng leads it.”\nA letter · 2026-02-08 · a.txt"),
        ("retry", ""),
        ("right", "t1"),
        ("wrong", "t1"),
        ("ask", "And when?"),
    ]
    before = Elements(turn_html(TURN, ENGLISH, last=False))
    assert [each["name"] for tag, each, _ in before.all if tag == "button"] == ["copy", "right", "wrong"]


def test_a_judged_turn_asks_why_once() -> None:
    wrong = Elements(turn_html(replace(TURN, verdict="wrong"), FRENCH, last=False))
    reasons = [(each["name"], each["value"]) for tag, each, _ in wrong.all if tag == "button"][1:]
    assert reasons == [("comment", "t1"), ("why", "t1 not_said"), ("why", "t1 elsewhere"), ("why", "t1 inexact")]
    right = Elements(turn_html(replace(TURN, verdict="right"), FRENCH, last=False))
    assert [each["name"] for tag, each, _ in right.all if tag == "button"] == ["copy", "comment"]
    done = Elements(turn_html(replace(TURN, verdict="wrong", why="inexact"), FRENCH, last=False))
    assert [each["name"] for tag, each, _ in done.all if tag == "button"] == ["copy"]
    assert FRENCH.noted in done.text


def test_what_a_readers_own_files_say_is_not_judged() -> None:
    elements = Elements(turn_html(replace(TURN, own=True), ENGLISH, last=True))
    assert "verdict" not in [each.get("class") for _, each, _ in elements.all]


def test_passages_alone_are_shown_without_an_answer() -> None:
    answer = replace(found(LEADS), passages=(Hit(LEADS.sentence, 0.5), Hit(DIRIGE.sentence, 0.4)))
    elements = Elements(turn_html(Turn("t", "q", answer, passages_only=True), ENGLISH, last=True))
    assert elements.texts("blockquote") == [LEADS.sentence.text, DIRIGE.sentence.text]
    assert elements.links() == [f"#{anchor(LETTER, LEADS.sentence)}", f"#{anchor(LETTRE, DIRIGE.sentence)}"]
    assert elements.texts("mark") == []


def test_a_conversation_alternates_and_waits_for_its_last_answer() -> None:
    said = messages([TURN, TURN], ITALIAN, "E quando?")
    assert [each["role"] for each in said] == ["user", "assistant"] * 3
    assert Elements(said[4]["content"]).text == "E quando?"
    assert Elements(said[5]["content"]).texts("p", "working") == [ITALIAN.working]
    assert "retry" not in said[1]["content"] + said[3]["content"]


def test_own_files_are_listed_each_with_a_way_to_remove_it() -> None:
    elements = Elements(own_html(["a<b>.txt", "c.md"], SPANISH, "Listo"))
    assert [each["value"] for tag, each, _ in elements.all if tag == "button"] == ["a<b>.txt", "c.md"]
    assert elements.texts("button") == ["Quitar a<b>.txt", "Quitar c.md"]
    assert elements.texts("p", "status") == ["Listo"]


@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
@pytest.mark.parametrize("reason", REASONS)
def test_a_refusal_gives_its_reason_and_the_nearest_passages(reason: Reason, labels: Labels) -> None:
    near = span(LETTRE, "Le studio est dirigé par M. Cheng.")
    elements = Elements(answer_html(refused(reason, near), labels))
    assert labels.reasons[reason] in elements.texts("p")
    assert elements.texts("summary") == [labels.nearest]
    assert elements.texts("blockquote") == ["Le studio est dirigé par M. Cheng."]
    assert elements.links() == [f"#{anchor(LETTRE, near)}"]
    assert "details" not in [tag for tag, _, _ in Elements(answer_html(refused(reason), labels)).all]


def test_a_long_passage_is_cut_at_a_word_and_only_three_are_shown() -> None:
    long = Document("d.txt", "Long", "en", "seven letters " * 100)
    elements = Elements(answer_html(refused("too_uncertain", *[Span(long, 0, 1400)] * 5), ENGLISH))
    excerpts = elements.texts("blockquote")
    assert len(excerpts) == 3
    assert excerpts[0].endswith("seven …")
    assert long.text.startswith(excerpts[0].removesuffix(" …"))
    assert 250 < len(excerpts[0]) < 285


@pytest.mark.parametrize(
    "html",
    [
        answer_html(found(TRAPPED, TRAPPED), ENGLISH),
        answer_html(refused("too_uncertain", Span(TRAP, 0, len(TRAP.text))), ENGLISH),
        source_html(TRAP, TRAPPED, ENGLISH),
        documents_html([TRAP], ENGLISH),
    ],
    ids=["answer", "refusal", "source", "documents"],
)
def test_no_text_of_a_document_becomes_markup(html: str) -> None:
    elements = Elements(html)
    ours = {
        "time",
        "div",
        "p",
        "span",
        "b",
        "a",
        "blockquote",
        "mark",
        "ul",
        "li",
        "q",
        "details",
        "summary",
        "nav",
        "article",
    }
    assert {tag for tag, _, _ in elements.all} <= ours | {"header", "h2"}
    assert {name for _, attributes, _ in elements.all for name in attributes} <= {
        "class",
        "lang",
        "href",
        "id",
        "tabindex",
        "data-place",
        "datetime",
    }
    assert all(link.startswith("#src") or link == "#chat" for link in elements.links())
    assert 'Trap <b onclick="evil()">' in elements.text
    assert "\n" not in html, "gradio trims the lines of a message"


def test_a_hostile_sentence_is_shown_character_by_character() -> None:
    elements = Elements(answer_html(found(TRAPPED), ENGLISH))
    assert elements.texts("blockquote") == [HOSTILE]
    assert elements.texts("mark") == ['<img src=x onerror="evil()">']


def test_a_source_shows_the_whole_document_with_one_place_to_go_to() -> None:
    elements = Elements(source_html(LETTER, LEADS, ENGLISH))
    assert elements.texts("h2") == ["A letter"]
    assert elements.texts("p", "about") == ["English · 2026-02-08 · a.txt"]
    lines = ["Dear all.", "Albert Cheng leads it. He has two", "pizzas.", "Bye."]
    assert elements.texts("div", "text") == ["".join(lines)]
    assert elements.texts("p")[1:] == lines
    assert elements.texts("p", "block") == ["Albert Cheng leads it. He has two"]
    assert elements.texts("mark") == ["Albert Cheng"]
    assert elements.texts("span", "place") == elements.texts("span", "quoted")[:1]


def test_words_and_sentences_that_run_over_a_line_are_marked_on_both_lines() -> None:
    elements = Elements(source_html(LETTER, citation(LETTER, "two\npizzas", "He has two\npizzas."), ENGLISH))
    assert elements.texts("mark") == ["two", "pizzas"]
    assert "".join(elements.texts("span", "quoted")) == "He has twopizzas."
    assert len(elements.texts("span", "place")) == 1


def test_a_passage_is_highlighted_without_words() -> None:
    elements = Elements(source_html(LETTER, None, ENGLISH, passage=span(LETTER, "Bye.")))
    assert elements.texts("mark") == []
    assert elements.texts("span", "place") == ["Bye."]
    assert Elements(source_html(LETTER, None, ENGLISH)).texts("span", "place") == []


def test_every_link_of_an_answer_opens_its_own_place() -> None:
    documents = [LETTRE, TRAP, LETTER]
    for each in (LEADS, DIRIGE, TRAPPED):
        document = each.answer.document
        name = anchor(document, each.answer, each.sentence)
        assert place_html(name, documents, ENGLISH) == source_html(document, each, ENGLISH)
        assert place_html(anchor(document, each.sentence), documents, ENGLISH) == source_html(
            document, None, ENGLISH, passage=each.sentence
        )
        assert place_html(anchor(document), documents, ENGLISH) == source_html(document, None, ENGLISH)


@pytest.mark.parametrize(
    "ending",
    ["", "-0", "-0-1-0", "-5-5", "-9-3", "-0-9999999999", "-0-5-6-9", "-0-1-0-2-0-3", "-a-b", "-0-1\n", "-٠-١"],
)
def test_a_place_that_is_not_there_opens_the_list_of_documents(ending: str) -> None:
    known = anchor(LETTER) if ending else "src"
    assert place_html(known + ending, [LETTER, LETTRE], FRENCH) == documents_html([LETTER, LETTRE], FRENCH)
    assert place_html(anchor(TRAP) + ending, [LETTER, LETTRE], FRENCH) == documents_html([LETTER, LETTRE], FRENCH)


def test_a_long_list_of_documents_is_cut_and_says_so() -> None:
    documents = [Document(f"{number}.txt", f"Title {number}", "und", "Text.") for number in range(130)]
    elements = Elements(documents_html(documents, ITALIAN))
    assert len(elements.links()) == 100
    assert "e altri 30" in elements.texts("p")
    assert elements.texts("li")[0] == "Title 0"
