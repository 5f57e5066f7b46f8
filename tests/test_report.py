import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from rag.errors import GoldError
from rag.evaluate import Evaluation, Outcome
from rag.gold import GoldQuestion
from rag.plots import reliability_plot, risk_coverage_plot
from rag.report import WORST, page, write_report
from rag.spans import Answer, Citation, Document, Span

ARTICLE = Document("a.txt", "Studio", "en", "Albert <b>Cheng</b> leads & rules the studio.")
SENTENCE = Span(ARTICLE, 0, len(ARTICLE.text))
VOID = {"meta", "br", "circle", "line", "polyline"}


class Parser(HTMLParser):
    """Collects what a page holds, and fails where a tag is not closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text += data


def read(html: str) -> Parser:
    parser = Parser()
    parser.feed(html)
    assert parser.open == []
    return parser


def outcome(id: str, *, right: bool, confidence: float = 0.8, found: bool = True) -> Outcome:
    gold = GoldQuestion(id, "en", f"who <{id}>?", ("Albert",) if right or found else ("Cheng & Co",), ("a.txt",))
    citations = (Citation(Span(ARTICLE, 0, 6), SENTENCE, confidence),) if found else ()
    answer = Answer(gold.question, "en", citations, confidence, None if found else "too_uncertain")
    return Outcome(gold, answer, right, right, float(right), float(right), 1.0, 1.0, len(citations), 1, 1, 80.0, True)


@pytest.fixture
def evaluation() -> Evaluation:
    outcomes = (
        outcome("q1", right=True, confidence=0.95),
        outcome("q2", right=False, confidence=0.75),
        outcome("q3", right=False, confidence=0.1, found=False),
    )
    chats = (outcome("c1", right=True),)
    return Evaluation(outcomes, chats, {"a.txt": "fr"}, (outcome("q1", right=False, confidence=0.6),))


def test_the_page_holds_every_part(evaluation: Evaluation) -> None:
    told = read(page(evaluation, title="Evaluation of gold & silver"))
    for words in (
        "Evaluation of gold & silver",
        "Question language by document language",
        "Follow-ups, both ways",
        "Of 1 full questions, 1 came out right alone and 0 at the end of a chat about something else",
        "history harmed 1 (q1).",
        "at least nine of ten such answers are right",
        "Causes of the misses",
        f"The {WORST} worst misses",
        "who <q2>?",
        "refused (too_uncertain)",
        "“Cheng & Co”",
        "0.75",
    ):
        assert words in told.text
    assert "who <q1>?" not in told.text
    assert told.text.count("ranking") == 2  # its row among the causes, and the one such miss


def test_the_page_needs_nothing_from_elsewhere(evaluation: Evaluation) -> None:
    html = page(evaluation, title="t")
    tags = read(html).tags
    assert not [tag for tag, _ in tags if tag in ("script", "link", "img", "iframe")]
    assert not [attributes for _, attributes in tags if {"src", "href", "onclick"} & attributes.keys()]
    assert "http" not in html.replace("http-equiv", "")
    assert "url(" not in html


def test_the_texts_of_documents_are_escaped(evaluation: Evaluation) -> None:
    html = page(evaluation, title="<script>alert(1)</script>")
    assert "<b>" not in html
    assert "<script>" not in html
    assert "<mark>Albert</mark> &lt;b&gt;Cheng&lt;/b&gt; leads &amp; rules the studio." in html


def test_an_evaluation_of_nothing_has_a_page() -> None:
    told = read(page(Evaluation((), (), {}), title="Nothing"))
    assert "No chats were given." in told.text
    assert "no answers" in told.text


def test_the_report_is_written(evaluation: Evaluation, tmp_path: Path) -> None:
    write_report(evaluation, tmp_path / "report.html", title="t")
    assert (tmp_path / "report.html").read_text("utf-8") == page(evaluation, title="t")
    with pytest.raises(GoldError, match=r"the report .* cannot be written .*: give a file in a folder that exists"):
        write_report(evaluation, tmp_path / "nowhere" / "report.html", title="t")


def test_reliability_is_drawn_where_it_is() -> None:
    drawn = reliability_plot([(0.25, 0.0, 1), (0.75, 1.0, 4)])
    dots = re.findall(r'<circle class="dot" cx="([\d.]+)" cy="([\d.]+)" r="([\d.]+)">', drawn)
    assert dots == [("102.0", "276.0", "7.5"), ("218.0", "44.0", "12.0")]
    assert "<desc>confidence 0.25: right 0.00 of 1 answer; confidence 0.75: right 1.00 of 4 answers</desc>" in drawn


def test_risk_and_coverage_are_drawn_where_they_are() -> None:
    drawn = risk_coverage_plot([(0.25, 0.0), (0.5, 0.5), (1.0, 0.25)])
    assert 'class="line" points="102.0,276.0 160.0,160.0 276.0,218.0"' in drawn
    assert "<desc>risk 0.25 when all are answered, 0.50 when the surer half is</desc>" in drawn
    assert "no answers" in risk_coverage_plot([])
