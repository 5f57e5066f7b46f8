"""The browser page: a conversation on the left, and the place that each answer quotes on the right."""

import hashlib
import os
import re
import socket
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import chain, pairwise
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, Any

from rag.errors import RagError
from rag.labels import ENGLISH, LABELS, Labels, labels_for
from rag.spans import Answer, Citation, Document, Span

if TYPE_CHECKING:
    import gradio as gr

    from rag import Assistant

QUESTION_LIMIT = 2_000  # characters; gradio's own max_length is not enforced on the server
HISTORY_LIMIT = 20  # turns that a question takes along
QUEUE_LIMIT = 64  # questions that wait
CONCURRENT = 2  # questions answered at a time
EXAMPLES_SHOWN = 5
DOCUMENTS_LISTED = 100
NEAREST_SHOWN = 3
EXCERPT_LENGTH = 280  # characters
TITLE_LENGTH = 90  # characters
CONFIDENT, DOUBTFUL = 0.8, 0.5  # from here up a confidence is called high, medium

# Opens the place behind a citation in the sources panel, by mouse or by keyboard (Enter on a link is a click).
OPEN_SOURCE_JS = """
const behavior = matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth';
const panel = element.closest('#sources');
watch('value', () => {
  const place = element.querySelector('.place');
  const below = place ? place.getBoundingClientRect().top - panel.getBoundingClientRect().top : -panel.scrollTop;
  panel.scrollTop += below - (place ? panel.clientHeight / 3 : 0);
});
document.addEventListener('click', async (event) => {
  const link = event.target.closest?.('a[href^="#src"]');
  if (!link) return;
  event.preventDefault();
  const html = await server.open_source(link.getAttribute('href').slice(1));
  if (typeof html !== 'string') return;
  props.value = html;
  requestAnimationFrame(() => {
    const place = element.querySelector('.place');
    const target = place ?? element.querySelector('h2');
    target.focus({ preventScroll: true });
    target.scrollIntoView({ block: place ? 'center' : 'nearest', behavior });
  });
});
let replies = 0;
new MutationObserver(() => {
  // Gradio labels each message with its markup; the message itself is what should be read out.
  const labelled = document.querySelectorAll('#chat [aria-label*="message: <"]');
  for (const message of labelled) message.removeAttribute('aria-label');
  // A new answer is read from its question on, not from its end.
  const now = document.querySelectorAll('#chat .bot-row').length;
  if (now > replies) [...document.querySelectorAll('#chat .user-row')].at(-1)?.scrollIntoView({ block: 'start' });
  replies = now;
}).observe(document.body, { childList: true, subtree: true });
"""
SET_LANGUAGE_JS = """
const tell = () => { document.documentElement.lang = element.querySelector('[lang]').lang; };
watch('value', tell);
tell();
"""


@dataclass(frozen=True, slots=True)
class _Parts:
    """What the page is made of, from top to bottom."""

    header: "gr.HTML"
    chat: "gr.Chatbot"
    examples: "gr.Column"
    examples_title: "gr.HTML"
    buttons: tuple["gr.Button", ...]
    box: "gr.Textbox"
    ask: "gr.Button"
    clear: "gr.Button"
    panel: "gr.HTML"


@dataclass(frozen=True, slots=True)
class Turn:
    """One exchange of a conversation: the question, the reply as HTML, and the answer's text; None was no answer."""

    question: str
    html: str
    text: str | None


def anchor(document: Document, *spans: Span) -> str:
    """Return the name of a place, as a link's fragment: a document, a passage in it, or words and their sentence.

    >>> letter = Document("a.txt", "A", "en", "Albert Cheng leads it.")
    >>> anchor(letter, Span(letter, 0, 12), Span(letter, 0, 22))
    'src-dba2d3e3b4-0-12-0-22'
    """
    return "-".join(["src", _key(document), *(f"{span.start}-{span.end}" for span in spans)])


def answer_html(answer: Answer, labels: Labels) -> str:
    """Return the reply to a question as HTML: a quotation with its numbered citations, or a refusal with its reason.

    All text of the documents is escaped; the exact words lie in `<mark>`, inside their sentence.
    """
    return _quotation_html(answer, labels) if answer.found else _refusal_html(answer, labels)


def source_html(document: Document, citation: Citation | None, labels: Labels, *, passage: Span | None = None) -> str:
    """Return a whole document as HTML, with the sentence and the words of `citation` (or a `passage`) highlighted.

    The highlighted sentence has the class `place` and can take the keyboard's focus.
    """
    sentence, words = (citation.sentence, citation.answer) if citation else (passage, None)
    title = f'<h2 tabindex="-1"{_lang(document.language)}>{_escape(document.title)}</h2>'
    text = _document_html(document, sentence, words)
    return (
        f'<nav><a href="#src">← {escape(labels.documents)}</a></nav>'
        f'<article id="{anchor(document)}"><header>{title}'
        f'<p class="about">{_facts(document.language, document.date, document.id)}</p></header>'
        f'<div class="text"{_lang(document.language)}>{text}</div></article>'
    )


def documents_html(documents: Sequence[Document], labels: Labels) -> str:
    """Return the list of the documents as HTML, each a link that opens it."""
    rows = [
        f'<li><a href="#{anchor(document)}"{_lang(document.language)}>{_escape(document.title)}</a>'
        f'<span class="about">{_facts(document.language, document.date)}</span></li>'
        for document in documents[:DOCUMENTS_LISTED]
    ]
    hidden = len(documents) - len(rows)
    more = f'<p class="about">{escape(labels.more_documents.format(count=hidden))}</p>' if hidden else ""
    return (
        f'<h2 tabindex="-1">{escape(labels.documents)}</h2><p class="hint">{escape(labels.documents_hint)}</p>'
        f'<ul class="documents">{"".join(rows)}</ul>{more}'
    )


def place_html(name: str, documents: Sequence[Document], labels: Labels) -> str:
    """Return the HTML of the place that `anchor` named; the list of documents when there is no such place."""
    keys = {_key(document): document for document in documents}
    found = re.fullmatch(r"src-([0-9a-f]{10})((?:-[0-9]{1,10}){0,4})", name)
    document = keys.get(found[1]) if found else None
    if not found or document is None:
        return documents_html(documents, labels)
    bounds = [int(number) for number in found[2].split("-")[1:]]
    try:
        spans = [Span(document, start, end) for start, end in zip(bounds[::2], bounds[1::2], strict=True)]
        citation = Citation(spans[0], spans[1], 0.0) if len(spans) == 2 else None
    except ValueError:
        return documents_html(documents, labels)
    return source_html(document, citation, labels, passage=spans[0] if len(spans) == 1 else None)


def page(assistant: "Assistant") -> "gr.Blocks":
    """Return the page over an assistant's documents, not yet served; its queue is bounded."""
    # Read by gradio when it is imported or a queue is made: no telemetry, and no statistics of each event for a
    # monitoring page that is switched off (they cost more with every question).
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["GRADIO_ANALYTICS_CACHE_FREQUENCY"] = str(sys.maxsize)
    os.environ["GRADIO_ANALYTICS_MAX_EVENTS"] = "1"
    import gradio as gr

    documents = tuple(assistant.documents)

    def open_source(name: object, request: gr.Request) -> str:
        return place_html(str(name), documents, _labels(request))

    blocks: gr.Blocks = gr.Blocks(title="Verbatim", analytics_enabled=False, fill_height=True, fill_width=True)
    with blocks:
        parts = _parts(open_source)
        _greet_readers(blocks, parts, assistant, documents)
        _answer_questions(parts, assistant, documents)
        _answer_programs(assistant, documents)
    blocks.queue(max_size=QUEUE_LIMIT, default_concurrency_limit=CONCURRENT)
    return blocks


def serve(blocks: "gr.Blocks", *, host: str = "127.0.0.1", port: int | None = None, open_browser: bool = False) -> str:
    """Serve the page in the background and return its address; no port, or 0, means the first free one from 7860.

    Raises RagError when the address cannot be used.
    """
    import gradio as gr

    sans = ["ui-sans-serif", "system-ui", "sans-serif"]
    try:
        # Gradio tries the port on the local address only, and waits long for one that it cannot use.
        family, _, _, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        socket.create_server(where[:2], family=family).close()
        _, address, _ = blocks.launch(
            theme=gr.themes.Base(font=sans, font_mono=["ui-monospace", "monospace"]),
            head=f"<style>{_css()}</style>",  # launch's css_paths would prefix each rule, and load late
            server_name=host,
            server_port=port or None,
            inbrowser=open_browser,
            prevent_thread_lock=True,
            quiet=True,
            share=False,
            show_error=False,
            enable_monitoring=False,
            run_history=False,
            footer_links=[],
            ssr_mode=False,
            mcp_server=False,
            pwa=False,
            max_file_size="1b",  # nothing can be uploaded yet, but gradio's route is there
        )
    except OSError as error:
        raise RagError(
            f"the page cannot be served at {host}, port {port or 'any'} ({error.strerror or error}): "
            "choose another host or port"
        ) from error
    return str(address)


def launch(
    index: Path,
    *,
    corpus: Path | None = None,
    host: str = "127.0.0.1",
    port: int | None = None,
    open_browser: bool = False,
) -> None:
    """Open the page on an index and serve it until interrupted.

    With a `corpus` the index is brought up to date first; without one it is built from `seeds` when it is missing.
    Raises RagError when the documents, the index or the port cannot be used.
    """
    from rich.console import Console

    from rag import Assistant, build
    from rag.index import is_missing

    console = Console(markup=False, highlight=False, soft_wrap=True)
    if corpus is None and is_missing(index):
        corpus = Path("seeds")
    if corpus is not None:
        with console.status("Indexing"):
            report = build(corpus, index)
        console.print(f"{index}: {report.documents} documents of {corpus}, {report.embedded} passages new or changed")
    blocks = page(Assistant.open(index))
    address = serve(blocks, host=host, port=port, open_browser=open_browser)
    console.print(f"Ask at {address} (Ctrl+C stops)")
    blocks.block_thread()


def _parts(open_source: Callable[..., str]) -> _Parts:
    import gradio as gr

    with gr.Row(elem_id="top"):
        header = gr.HTML(_header_html(ENGLISH), elem_id="header", js_on_load=SET_LANGUAGE_JS)
        clear = gr.Button(ENGLISH.clear, size="sm", scale=0, min_width=72)
    with gr.Row(elem_id="columns"):
        with gr.Column(scale=6, min_width=320, elem_id="conversation"):
            chat = gr.Chatbot(
                label=ENGLISH.conversation,
                show_label=False,
                elem_id="chat",
                height=None,
                autoscroll=False,
                buttons=[],
                feedback_options=None,
                # Messages are HTML of our own making, sanitised once more by gradio: no Markdown and no LaTeX.
                render_markdown=False,
                latex_delimiters=[],
                sanitize_html=True,
                group_consecutive_messages=False,
                layout="panel",
            )
            with gr.Column(elem_id="examples") as examples:
                title = gr.HTML(_examples_title_html(ENGLISH))
                with gr.Row():
                    buttons = tuple(gr.Button(visible=False, size="sm", min_width=0) for _ in range(EXAMPLES_SHOWN))
            with gr.Row(elem_id="question"):
                label = ENGLISH.placeholder
                box = gr.Textbox(label=label, placeholder=label, container=False, max_lines=6, autofocus=True, scale=8)
                ask = gr.Button(ENGLISH.ask, variant="primary", scale=0, min_width=88)
        with gr.Column(scale=5, min_width=320, elem_id="sources"):
            panel = gr.HTML(js_on_load=OPEN_SOURCE_JS, server_functions=[open_source])
    return _Parts(header, chat, examples, title, buttons, box, ask, clear, panel)


def _greet_readers(blocks: "gr.Blocks", parts: _Parts, assistant: "Assistant", documents: Sequence[Document]) -> None:
    """Put the page into the reader's language when it is loaded, and offer only examples that the documents answer."""
    import gradio as gr

    answered = {
        language: [question for question in labels.examples if assistant.ask(question).found]
        for language, labels in LABELS.items()
    }

    def greet(request: gr.Request) -> list[Any]:
        labels = _labels(request)
        shown = _examples(labels, answered)
        return [
            _header_html(labels),
            documents_html(documents, labels),
            gr.Chatbot(label=labels.conversation),
            gr.Textbox(label=labels.placeholder, placeholder=labels.placeholder),
            gr.Button(labels.ask),
            gr.Button(labels.clear),
            gr.HTML(_examples_title_html(labels), visible=bool(shown)),
            *(gr.Button(question, visible=True) for question in shown),
            *(gr.Button(visible=False) for _ in range(EXAMPLES_SHOWN - len(shown))),
        ]

    outputs = [parts.header, parts.panel, parts.chat, parts.box, parts.ask, parts.clear, parts.examples_title]
    blocks.load(greet, outputs=[*outputs, *parts.buttons], api_visibility="private", show_progress="hidden")


def _answer_questions(parts: _Parts, assistant: "Assistant", documents: Sequence[Document]) -> None:
    """Answer what is typed or chosen, and clear the conversation."""
    import gradio as gr

    # The conversation is kept on the server: the chat's messages, which a browser could forge, are never read back.
    turns_so_far = gr.State([])
    outputs = [parts.chat, turns_so_far, parts.panel, parts.box, parts.examples]

    def reply(question: str, turns: list[Turn], request: gr.Request) -> Iterator[list[Any]]:
        if not question.strip():
            yield [gr.skip() for _ in outputs]
            return
        labels, question = _labels(request), _encodable(question)
        yield [_messages(turns, question), gr.skip(), gr.skip(), "", gr.Column(visible=False)]
        turn, source = _reply(assistant, question, turns, labels)
        yield [_messages([*turns, turn]), [*turns, turn], source, gr.skip(), gr.skip()]

    def clear(request: gr.Request) -> list[Any]:
        return [[], [], documents_html(documents, _labels(request)), "", gr.Column(visible=True)]

    for trigger, question in [
        (parts.box.submit, parts.box),
        (parts.ask.click, parts.box),
        *((button.click, button) for button in parts.buttons),
    ]:
        trigger(
            reply,
            inputs=[question, turns_so_far],
            outputs=outputs,
            api_visibility="private",
            concurrency_id="ask",
            show_progress="hidden",
        )
    parts.clear.click(clear, outputs=outputs, api_visibility="private", show_progress="hidden")


def _answer_programs(assistant: "Assistant", documents: Sequence[Document]) -> None:
    """Offer the answers to programs: /ask and /documents return JSON, and never markup."""
    import gradio as gr
    from gradio.events import api

    chosen = documents

    def ask(
        question: str,
        history: list[list[str]] | None = None,
        language: str | None = None,
        documents: list[str] | None = None,
    ) -> dict[str, Any]:
        """Answer a question in the documents' own words; history is a list of earlier [question, answer] pairs."""
        try:
            turns = [_pair(turn) for turn in history or ()]
            _check_lengths([question, *chain.from_iterable(turns)], len(turns))
            answer = assistant.ask(_encodable(question), turns, language=language, documents=documents)
        except RagError as error:
            raise gr.Error(str(error), print_exception=False) from error
        return answer.to_dict()

    def list_documents() -> list[dict[str, Any]]:
        """List the documents that answers come from."""
        return [
            {"document": each.id, "title": each.title, "language": each.language, "date": each.date, "url": each.url}
            for each in chosen
        ]

    api(ask, api_name="ask", concurrency_id="ask")
    api(list_documents, api_name="documents")


def _reply(assistant: "Assistant", question: str, turns: Sequence[Turn], labels: Labels) -> tuple[Turn, str]:
    """Return the turn that answers a question, and the sources panel beside it."""
    if len(question) > QUESTION_LIMIT:
        message = labels.too_long.format(length=len(question), limit=QUESTION_LIMIT)
        turn = Turn(question[:QUESTION_LIMIT] + "…", f'<p class="refusal">{escape(message)}</p>', None)
        return turn, documents_html(assistant.documents, labels)
    history = [(turn.question, turn.text) for turn in turns if turn.text is not None][-HISTORY_LIMIT:]
    answer = assistant.ask(question, history)
    turn = Turn(question, answer_html(answer, labels), answer.text)
    if not answer.found:
        return turn, documents_html(assistant.documents, labels)
    best = answer.citations[0]
    return turn, source_html(best.answer.document, best, labels)


def _encodable(question: str) -> str:
    """Return the question with `?` for half of a surrogate pair, which JSON can bring in and nothing can send out."""
    return question.encode("utf-8", "replace").decode("utf-8")


def _pair(turn: Sequence[object]) -> tuple[str, str]:
    match turn:
        case [str(question), str(answer)]:
            return question, answer
    raise RagError("a turn of the history is not two strings: give each as [question, answer]")


def _check_lengths(texts: Iterable[str], turns: int) -> None:
    longest = max(len(text) for text in texts)
    if longest > QUESTION_LIMIT:
        raise RagError(ENGLISH.too_long.format(length=longest, limit=QUESTION_LIMIT))
    if turns > HISTORY_LIMIT:
        raise RagError(f"the history has {turns} turns and the limit is {HISTORY_LIMIT}: send only the latest")


def _labels(request: "gr.Request") -> Labels:
    return labels_for(request.headers.get("accept-language", ""))


def _examples(labels: Labels, answered: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the reader's own examples, then one of each other language."""
    others = [question for language, found in answered.items() if language != labels.language for question in found[:1]]
    return [*answered[labels.language], *others][:EXAMPLES_SHOWN]


def _messages(turns: Sequence[Turn], pending: str | None = None) -> list[dict[str, str]]:
    messages = []
    for turn in turns:
        messages += [_message("user", _question_html(turn.question)), _message("assistant", turn.html)]
    return messages if pending is None else [*messages, _message("user", _question_html(pending[:QUESTION_LIMIT]))]


def _message(role: str, html: str) -> dict[str, str]:
    return {"role": role, "content": html}


def _css() -> str:
    return Path(__file__).with_name("page.css").read_text(encoding="utf-8")


def _header_html(labels: Labels) -> str:
    return f"<div{_lang(labels.language)}><h1>Verbatim</h1><p>{escape(labels.tagline)}</p></div>"


def _examples_title_html(labels: Labels) -> str:
    return f"<p>{escape(labels.examples_title)}</p>"


def _question_html(question: str) -> str:
    return f'<p class="asked">{_escape(question)}</p>'


def _quotation_html(answer: Answer, labels: Labels) -> str:
    best, *others = answer.citations
    document = best.answer.document
    also = "".join(
        f"<li>{_link_html(citation, number)} <q{_lang(citation.answer.document.language)}>"
        f"{_escape(citation.answer.text)}</q></li>"
        for number, citation in enumerate(others, start=2)
    )
    return (
        f'<div class="answer"><p class="kind"><span>{escape(labels.quotation)}</span>'
        f"{_confidence_html(answer.confidence, labels)}{_foreign_html(answer, labels)}</p>"
        f"<blockquote{_lang(document.language)}>"
        f"{_marked(document, best.sentence.start, best.sentence.end, None, best.answer)}</blockquote>"
        f'<p class="cited">{_link_html(best, 1)}</p>'
        + (f'<p class="also">{escape(labels.also_said_by)}</p><ul class="also">{also}</ul>' if also else "")
        + "</div>"
    )


def _refusal_html(answer: Answer, labels: Labels) -> str:
    assert answer.reason is not None
    nearest = "".join(
        f'<li><a href="#{anchor(hit.span.document, hit.span)}">{_title_html(hit.span.document)}</a>'
        f"<blockquote{_lang(hit.span.document.language)}>{_excerpt(hit.span)}</blockquote></li>"
        for hit in answer.passages[:NEAREST_SHOWN]
    )
    return (
        f'<div class="refusal"><p class="kind">{escape(labels.refusal)}</p>'
        f"<p>{escape(labels.reasons[answer.reason])}</p>"
        + (f"<details><summary>{escape(labels.nearest)}</summary><ul>{nearest}</ul></details>" if nearest else "")
        + "</div>"
    )


def _foreign_html(answer: Answer, labels: Labels) -> str:
    language = answer.citations[0].answer.document.language
    if language in (answer.language, "und") or answer.language == "und":
        return ""
    words = labels.foreign.format(language=labels.languages.get(language, language))
    return f'<span class="foreign">{escape(words)}</span>'


def _confidence_html(confidence: float, labels: Labels) -> str:
    rank = 0 if confidence >= CONFIDENT else 1 if confidence >= DOUBTFUL else 2
    percent = labels.percent.format(percent=round(100 * confidence))
    return f'<span class="confidence"><b>{escape(labels.confidence[rank])}</b> {escape(percent)}</span>'


def _link_html(citation: Citation, number: int) -> str:
    document = citation.answer.document
    return (
        f'<a href="#{anchor(document, citation.answer, citation.sentence)}"><span class="number">[{number}]</span> '
        f"{_title_html(document)}</a>"
    )


def _title_html(document: Document) -> str:
    """Return a link's text: the title, cut when it is long, and the language."""
    title = f"<span{_lang(document.language)}>{_escape(shorten(document.title, TITLE_LENGTH, placeholder='…'))}</span>"
    return title if document.language == "und" else f"{title} ({escape(document.language)})"


def _excerpt(span: Span) -> str:
    text = span.text.strip()
    return _escape(text if len(text) <= EXCERPT_LENGTH else text[:EXCERPT_LENGTH].rsplit(maxsplit=1)[0] + " …")


def _document_html(document: Document, sentence: Span | None, words: Span | None) -> str:
    """Return the text, a `<p>` for each line; a line after a blank one starts a new block."""
    lines = []
    for line in re.finditer(r"[^\r\n]+", document.text):
        if line[0].isspace():
            continue
        starts_block = document.text[: line.start()].rstrip(" \t\r").endswith("\n\n")
        kind = ' class="block"' if starts_block else ""
        lines.append(f"<p{kind}>{_marked(document, line.start(), line.end(), sentence, words)}</p>")
    return "".join(lines).replace('class="quoted"', 'class="quoted place" tabindex="-1"', 1)


def _marked(document: Document, start: int, end: int, sentence: Span | None, words: Span | None) -> str:
    """Return the text from `start` to `end`, the words in `<mark>` and the sentence in `<span class="quoted">`.

    >>> letter = Document("a.txt", "A", "en", "He leads it.")
    >>> _marked(letter, 0, 12, None, Span(letter, 0, 2))
    '<mark>He</mark> leads it.'
    """
    bounds = [bound for span in (sentence, words) if span for bound in (span.start, span.end)]
    cuts = sorted({start, end, *(min(max(bound, start), end) for bound in bounds)})
    # A whole line in bold singles nothing out: the page sets it lighter.
    whole = ' class="whole"' if words and words.start <= start and end <= words.end else ""
    html = ""
    for left, right in pairwise(cuts):
        piece = _escape(document.text[left:right])
        if words and words.start <= left < words.end:
            piece = f"<mark{whole}>{piece}</mark>"
        if sentence and sentence.start <= left < sentence.end:
            piece = f'<span class="quoted">{piece}</span>'
        html += piece
    return html


def _escape(text: str) -> str:
    """Return text as HTML on one line: gradio trims the lines of a message, and quotations must stay exact."""
    return escape(text).replace("\r", "&#13;").replace("\n", "&#10;").replace("\t", "&#9;")


def _facts(*facts: str | None) -> str:
    return " · ".join(escape(fact) for fact in facts if fact and fact != "und")


def _lang(language: str) -> str:
    return "" if language == "und" else f' lang="{escape(language)}"'


def _key(document: Document) -> str:
    return hashlib.sha256(document.id.encode()).hexdigest()[:10]
