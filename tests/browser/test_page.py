"""What a reader does with the page, in a real browser before a real server. Run by `make browser`."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, FilePayload, expect, sync_playwright

from rag.labels import LABELS
from tests.browser.harness import Reader, browser_of, busy, served
from tests.page_parts import HOSTILE

Visit = Callable[..., Reader]
QUESTIONS = {
    "en-GB": "Who leads AI Studio?",
    "it-IT": "Chi guida l'AI Studio?",
    "es-ES": "¿Quién dirige el AI Studio?",
    "fr-FR": "Qui dirige l'AI Studio ?",
}
# What axe finds in gradio's own markup, and we cannot reach: the rule, and a part of the element's markup.
GRADIOS_OWN: tuple[tuple[str, str], ...] = ()


@pytest.fixture(scope="session")
def feedback(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("feedback") / "feedback.jsonl"


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory, feedback: Path) -> Iterator[str]:
    with served(tmp_path_factory.mktemp("served") / "index", feedback) as address:
        yield address


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = browser_of(playwright)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser: Browser, address: str) -> Iterator[Visit]:
    readers: list[Reader] = []

    def come(locale: str = "en-US", **options: Any) -> Reader:
        readers.append(Reader.at(browser, address, locale, **options))
        return readers[-1]

    yield come
    for reader in readers:
        reader.leave()


@pytest.mark.parametrize("locale", QUESTIONS)
def test_an_answer_is_quoted_in_the_readers_language(visit: Visit, locale: str) -> None:
    labels = LABELS[locale[:2]]
    reader = visit(locale)
    page = reader.page
    expect(page.locator("html")).to_have_attribute("lang", labels.language)
    expect(page.locator("#header p")).to_have_text(labels.tagline)
    expect(page.get_by_role("button", name=labels.ask, exact=True)).to_be_visible()
    expect(page.get_by_role("log", name=labels.conversation)).to_be_attached()
    expect(page.locator("#search")).to_contain_text(f"{labels.search}: {labels.everywhere}")
    expect(page.locator("#own h2")).to_have_text(labels.own)
    reader.ask(QUESTIONS[locale])
    expect(reader.last.locator(".kind")).to_contain_text(labels.quotation)
    expect(reader.last.locator("blockquote mark")).to_contain_text("Cheng")
    spoken = reader.last.locator("blockquote").get_attribute("lang")
    assert spoken in LABELS
    foreign = labels.foreign.format(language=labels.languages[spoken])
    expect(reader.last.locator(".foreign")).to_have_text([foreign] if spoken != labels.language else [])
    levels = [f"{name} .*{meaning}" for name, meaning in labels.levels.values()]
    expect(reader.last.locator(".confidence")).to_have_text(re.compile("|".join(levels)))
    expect(reader.last.get_by_role("button", name=labels.copy)).to_be_visible()


@pytest.mark.parametrize("by", ["mouse", "keyboard"])
def test_a_citation_opens_its_article_at_the_words(visit: Visit, by: str) -> None:
    reader = visit()
    page = reader.page
    reader.ask(QUESTIONS["en-GB"])
    words = reader.last.locator("blockquote mark").inner_text()
    page.locator("#sources nav a").first.click()
    expect(page.locator("#sources h2").first).to_have_text(LABELS["en"].documents)
    link = reader.last.locator(".cited a")
    if by == "mouse":
        link.click()
    else:
        link.focus()
        page.keyboard.press("Enter")
    place = page.locator("#sources .place")
    expect(place).to_be_focused()
    expect(place).to_be_in_viewport()
    expect(page.locator("#sources mark")).to_have_text(words)
    expect(page.locator("#sources .about")).to_contain_text("English")
    page.keyboard.press("Escape")
    expect(link).to_be_focused()
    link.press("Enter")  # the same place again, which is open already
    expect(place).to_be_focused()


def test_a_citation_on_a_phone_scrolls_to_its_place_and_back(visit: Visit) -> None:
    reader = visit(viewport={"width": 390, "height": 740})
    page = reader.page
    reader.ask(QUESTIONS["en-GB"])
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing is wider than the screen"
    link = reader.last.locator(".cited a")
    link.click()
    expect(page.locator("#sources .place")).to_be_in_viewport()
    page.get_by_role("link", name=LABELS["en"].back).click()
    expect(link).to_be_in_viewport()


def test_a_refusal_says_why_and_opens_the_nearest_passages(visit: Visit) -> None:
    reader = visit()
    reader.ask("How do I cook spaghetti carbonara?")
    expect(reader.last).to_contain_text(LABELS["en"].refusal)
    reasons = "|".join(map(re.escape, LABELS["en"].reasons.values()))
    expect(reader.last).to_contain_text(re.compile(reasons))
    reader.last.get_by_text(LABELS["en"].nearest).click()
    reader.last.locator("details a").first.click()
    expect(reader.page.locator("#sources .place")).to_be_focused()


def test_a_follow_up_is_read_in_the_light_of_the_conversation(visit: Visit) -> None:
    reader = visit()
    reader.ask("When does the closed beta start?")
    expect(reader.last.locator("blockquote mark").first).to_contain_text(re.compile(r"\b(March|marzo|mars)\b"))
    # Alone it does not say that a date is asked for.
    reader.ask("And the results?")
    expect(reader.page.locator("#chat .bot-row")).to_have_count(2)
    expect(reader.last.locator("blockquote mark").first).to_contain_text(re.compile(r"\b(May|maggio|mayo|mai)\b"))


def test_filters_leave_only_what_was_chosen(visit: Visit) -> None:
    reader = visit()
    page = reader.page
    page.locator("#search > button").click()
    page.get_by_label("French").check()
    expect(page.locator("#search > button")).to_contain_text("in 2 of 5")
    reader.ask(QUESTIONS["en-GB"])
    links = reader.last.locator("a[href^='#src']")
    assert links.count() > 0
    for text in links.all_inner_texts():
        assert text.endswith("(fr)")
    page.get_by_label("French").uncheck()
    page.get_by_label(LABELS["en"].passages_only).check()
    reader.ask(QUESTIONS["en-GB"])
    expect(reader.last.locator(".passages blockquote").first).to_be_visible()
    expect(reader.last.locator("mark")).to_have_count(0)


def test_examples_and_next_questions_are_asked_when_chosen(visit: Visit) -> None:
    reader = visit()
    example = reader.page.locator("#examples button").first
    question = example.inner_text()
    example.click()
    expect(reader.page.locator("#chat .asked")).to_have_text(question)
    expect(reader.page.locator("#chat .working")).to_have_count(0)
    expect(reader.last.locator("blockquote mark")).to_be_visible()
    reader.last.get_by_role("button", name=LABELS["en"].retry).click()
    expect(reader.page.locator("#chat .working")).to_have_count(0)
    expect(reader.page.locator("#chat .asked")).to_have_text([question])
    reader.page.get_by_role("button", name=LABELS["en"].clear).click()
    expect(reader.page.locator("#chat .asked")).to_have_count(0)
    expect(reader.page.locator("#examples button").first).to_be_visible()


def test_a_question_that_is_stopped_stays_to_be_asked_again(visit: Visit, address: str) -> None:
    reader = visit()
    page = reader.page
    question = "Which executive leads the AI Studio today?"  # asked nowhere else, so that reading takes its time
    with busy(address):
        page.locator("#question textarea").fill(question)
        page.keyboard.press("Enter")
        page.get_by_role("button", name=LABELS["en"].stop).click()
        expect(page.locator("#chat .working")).to_have_count(0)
        expect(page.locator("#question textarea")).to_have_value(question)
    expect(page.locator("#chat .bot-row")).to_have_count(0)
    page.locator("#question textarea").focus()
    page.keyboard.press("Enter")
    expect(reader.last.locator("blockquote mark")).to_be_visible()
    expect(page.locator("#chat .asked")).to_have_text([question])


def test_an_answer_is_copied_and_the_conversation_exported(visit: Visit) -> None:
    reader = visit(permissions=["clipboard-read", "clipboard-write"])
    page = reader.page
    reader.ask(QUESTIONS["en-GB"])
    sentence = reader.last.locator("blockquote").inner_text()
    reader.last.get_by_role("button", name=LABELS["en"].copy).click()
    expect(reader.last.get_by_role("button", name=LABELS["en"].copied)).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()").startswith(f"“{sentence.strip()}”\n")
    saved = {}
    for form in ("Markdown", "JSON"):
        page.get_by_text(LABELS["en"].export).click()
        with page.expect_download() as download:
            page.get_by_role("button", name=form).click()
        saved[form] = Path(download.value.path()).read_text(encoding="utf-8")
    assert f"## {QUESTIONS['en-GB']}" in saved["Markdown"]
    (turn,) = json.loads(saved["JSON"])["turns"]
    assert turn["answer"]["citations"][0]["sentence"].strip() == sentence.strip()


def test_a_verdict_and_its_reason_are_written_down(visit: Visit, feedback: Path) -> None:
    reader = visit()
    reader.ask(QUESTIONS["en-GB"])
    reader.last.get_by_role("button", name=LABELS["en"].wrong, exact=True).click()
    reader.last.get_by_role("button", name=LABELS["en"].complaints["inexact"]).click()
    expect(reader.last.locator(".why")).to_have_count(0)
    reader.ask("Who is the director of House of David?")
    reader.last.get_by_role("button", name=LABELS["en"].right, exact=True).click()
    reader.last.get_by_label(LABELS["en"].why).fill("I looked it up")
    reader.page.keyboard.press("Enter")
    expect(reader.last.locator(".why")).to_have_count(0)
    lines = [json.loads(line) for line in feedback.read_text(encoding="utf-8").splitlines()]
    assert [(line["verdict"], line["why"]) for line in lines] == [
        ("wrong", ""),
        ("wrong", "inexact"),
        ("right", ""),
        ("right", "I looked it up"),
    ]


def upload(reader: Reader, name: str, text: str) -> None:
    reader.page.set_input_files(
        "#own input[type=file]", [FilePayload(name=name, mimeType="text/plain", buffer=text.encode())]
    )
    expect(reader.page.locator("#own .status")).to_have_text(LABELS["en"].own_ready)


def test_own_files_are_asked_seen_by_nobody_else_and_removed(visit: Visit) -> None:
    mine, other = visit(), visit()
    upload(mine, "bakery.txt", "The bakery on Mill Street belongs to Ada Quill. It opens at six in the morning.")
    expect(mine.page.locator("#panel .documents li")).to_have_count(1)
    mine.ask("Who does the bakery on Mill Street belong to?")
    expect(mine.last).to_contain_text("Ada Quill")
    expect(mine.page.locator("#panel article, #panel .documents")).to_be_visible()
    expect(other.page.locator("#panel .documents li")).to_have_count(5)
    expect(other.page.locator("#own .own")).to_have_count(0)
    other.ask("Who does the bakery on Mill Street belong to?")
    expect(other.last).not_to_contain_text("Ada Quill")
    if mine.page.locator("#sources nav a").count():
        mine.page.locator("#sources nav a").first.click()
    mine.page.get_by_role("button", name="Remove bakery.txt").click()
    expect(mine.page.locator("#own .status")).to_have_text(LABELS["en"].own_removed)
    expect(mine.page.locator("#panel .documents li")).to_have_count(5)


def test_a_file_that_is_not_taken_is_said_in_italian(visit: Visit) -> None:
    reader = visit("it-IT")
    reader.page.set_input_files(
        "#own input[type=file]", [FilePayload(name="a.exe", mimeType="application/x", buffer=b"MZ")]
    )
    expect(reader.page.locator("#own .status")).to_contain_text("a.exe non è di un tipo che si può leggere")


def test_a_hostile_document_and_a_hostile_question_run_nothing(visit: Visit) -> None:
    reader = visit()
    page = reader.page
    title = "Trap <img src=x onerror=evil()> $$\\alert(1)$$"
    upload(reader, "hostile.txt", f"{title}\n\nThe password of the trap: {HOSTILE}\n")
    page.locator("#search > button").click()
    page.get_by_label(LABELS["en"].passages_only).check()
    reader.ask("What is the password of the trap?")
    expect(reader.last.locator("blockquote").first).to_contain_text("<img src=x onerror")
    reader.last.locator("a[href^='#src']").first.click()
    expect(page.locator("#sources .text")).to_contain_text("<script>evil()</script>")
    page.get_by_label(LABELS["en"].passages_only).uncheck()
    reader.ask(HOSTILE)
    expect(page.locator("#chat .asked").last).to_have_text(" ".join(HOSTILE.split()))
    expect(page.locator("#chat :is(script, img, iframe), #sources :is(script, img, iframe), .katex")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_stands_in_the_way_of_any_reader(visit: Visit, scheme: str) -> None:
    reader = visit(color_scheme=scheme, reduced_motion="reduce")
    page = reader.page
    expect(page.locator("#examples button").first).to_be_visible()
    found = _violations(reader)
    reader.ask(QUESTIONS["en-GB"])
    reader.last.get_by_role("button", name=LABELS["en"].wrong, exact=True).click()
    expect(reader.last.locator(".why")).to_be_visible()
    page.locator("#search > button").click()
    expect(page.get_by_label(LABELS["en"].passages_only)).to_be_visible()
    found += _violations(reader)
    assert found == []


def _violations(reader: Reader) -> list[str]:
    return [
        f"{violation['id']}: {node['html'][:300]}"
        for violation in Axe().run(reader.page).response["violations"]
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
        if not any(violation["id"] == rule and part in node["html"] for rule, part in GRADIOS_OWN)
    ]
