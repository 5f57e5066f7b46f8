"""What the tests of the page share: documents, one of them hostile, and a reader of HTML."""

from html.parser import HTMLParser

from rag.spans import Answer, Citation, Document, Hit, Reason, Span

HOSTILE = (
    'Before <script>evil()</script>, <img src=x onerror="evil()"> & $$x^2$$ [a](javascript:evil()) **b**\t`c` '
    "${evil()} {{evil}} it says 1 < 2."
)
LETTER = Document(
    "a.txt", "A letter", "en", "Dear all.\n\nAlbert Cheng leads it. He has two\npizzas.\nBye.", "2026-02-08"
)
LETTRE = Document("b.txt", "Une lettre", "fr", "Le studio est dirigé par M. Cheng. Fin.")
TRAP = Document("c<i>.txt", 'Trap <b onclick="evil()">', "en", HOSTILE)


def span(document: Document, text: str) -> Span:
    start = document.text.index(text)
    return Span(document, start, start + len(text))


def citation(document: Document, words: str, sentence: str) -> Citation:
    return Citation(span(document, words), span(document, sentence), 0.9)


LEADS = citation(LETTER, "Albert Cheng", "Albert Cheng leads it.")
DIRIGE = citation(LETTRE, "M. Cheng", "Le studio est dirigé par M. Cheng.")
TRAPPED = citation(TRAP, '<img src=x onerror="evil()">', HOSTILE)


def found(*citations: Citation, language: str = "en", confidence: float = 0.97) -> Answer:
    return Answer("who leads it?", language, citations, confidence, None)


def refused(reason: Reason, *passages: Span) -> Answer:
    return Answer("why?", "en", (), 0.1, reason, tuple(Hit(passage, 0.5) for passage in passages))


class Elements(HTMLParser):
    """The elements of a piece of HTML: each tag with its attributes and the text inside it."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.all: list[tuple[str, dict[str, str | None], list[str]]] = []
        self._open: list[tuple[str, dict[str, str | None], list[str]]] = []
        self.text = ""
        self.feed(html)
        self.close()
        assert self._open == [], "every element is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open.append((tag, dict(attrs), []))
        self.all.append(self._open[-1])

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        self.text += data
        for _, _, texts in self._open:
            texts.append(data)

    def texts(self, tag: str, kind: str | None = None) -> list[str]:
        return [
            "".join(texts)
            for each, attributes, texts in self.all
            if each == tag and (kind is None or kind in (attributes.get("class") or "").split())
        ]

    def links(self) -> list[str]:
        return [attributes["href"] or "" for tag, attributes, _ in self.all if tag == "a"]
