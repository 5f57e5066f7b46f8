"""The browser page: a conversation on the left, and the place that each answer quotes on the right."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.endpoints import offer
from rag.labels import ENGLISH, LABELS, Labels, labels_for
from rag.page_html import (
    answer_html,
    documents_html,
    examples_title_html,
    header_html,
    place_html,
    question_html,
    source_html,
)
from rag.spans import Document
from rag.wire import HISTORY_LIMIT, QUESTION_LIMIT, encodable

if TYPE_CHECKING:
    import gradio as gr
    from fastapi import FastAPI

    from rag import Assistant

QUEUE_LIMIT = 64  # questions that wait
CONCURRENT = 2  # questions answered at a time
EXAMPLES_SHOWN = 5

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
        offer(assistant)
    blocks.queue(max_size=QUEUE_LIMIT, default_concurrency_limit=CONCURRENT)
    return blocks


def mount(app: "FastAPI", blocks: "gr.Blocks") -> None:
    """Put the page at the root of an application, behind the routes that the application has already."""
    import gradio as gr

    css = _asset("page.css")
    sans = ["ui-sans-serif", "system-ui", "sans-serif"]
    gr.mount_gradio_app(
        app,
        blocks,
        path="/",
        theme=gr.themes.Base(font=sans, font_mono=["ui-monospace", "monospace"]),
        head=f"<style>{css}</style>",  # css_paths would prefix each rule, and load late
        show_error=False,
        enable_monitoring=False,
        run_history=False,
        footer_links=[],
        ssr_mode=False,
        mcp_server=False,
        pwa=False,
        max_file_size="1b",  # nothing can be uploaded yet, but gradio's route is there
        app_kwargs={"openapi_url": None},  # it would describe gradio's inner routes
    )


def _parts(open_source: Callable[..., str]) -> _Parts:
    import gradio as gr

    with gr.Row(elem_id="top"):
        header = gr.HTML(header_html(ENGLISH), elem_id="header", js_on_load=SET_LANGUAGE_JS)
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
                title = gr.HTML(examples_title_html(ENGLISH))
                with gr.Row():
                    buttons = tuple(gr.Button(visible=False, size="sm", min_width=0) for _ in range(EXAMPLES_SHOWN))
            with gr.Row(elem_id="question"):
                label = ENGLISH.placeholder
                box = gr.Textbox(label=label, placeholder=label, container=False, max_lines=6, autofocus=True, scale=8)
                ask = gr.Button(ENGLISH.ask, variant="primary", scale=0, min_width=88)
        with gr.Column(scale=5, min_width=320, elem_id="sources"):
            panel = gr.HTML(js_on_load=_asset("page.js"), server_functions=[open_source])
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
            header_html(labels),
            documents_html(documents, labels),
            gr.Chatbot(label=labels.conversation),
            gr.Textbox(label=labels.placeholder, placeholder=labels.placeholder),
            gr.Button(labels.ask),
            gr.Button(labels.clear),
            gr.HTML(examples_title_html(labels), visible=bool(shown)),
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
        labels, question = _labels(request), encodable(question)
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


def _reply(assistant: "Assistant", question: str, turns: Sequence[Turn], labels: Labels) -> tuple[Turn, str]:
    """Return the turn that answers a question, and the sources panel beside it."""
    if len(question) > QUESTION_LIMIT:
        message = labels.too_long.format(length=len(question), limit=QUESTION_LIMIT)
        turn = Turn(question[:QUESTION_LIMIT] + "…", f'<p class="refusal">{escape(message)}</p>', None)
        return turn, documents_html(assistant.documents, labels)
    history = [(turn.question, turn.text) for turn in turns if turn.text is not None][-HISTORY_LIMIT:]
    assistant.renew()
    answer = assistant.ask(question, history)
    turn = Turn(question, answer_html(answer, labels), answer.text)
    if not answer.found:
        return turn, documents_html(assistant.documents, labels)
    best = answer.citations[0]
    return turn, source_html(best.answer.document, best, labels)


def _labels(request: "gr.Request") -> Labels:
    return labels_for(request.headers.get("accept-language", ""))


def _examples(labels: Labels, answered: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the reader's own examples, then one of each other language."""
    others = [question for language, found in answered.items() if language != labels.language for question in found[:1]]
    return [*answered[labels.language], *others][:EXAMPLES_SHOWN]


def _messages(turns: Sequence[Turn], pending: str | None = None) -> list[dict[str, str]]:
    messages = []
    for turn in turns:
        messages += [_message("user", question_html(turn.question)), _message("assistant", turn.html)]
    return messages if pending is None else [*messages, _message("user", question_html(pending[:QUESTION_LIMIT]))]


def _message(role: str, html: str) -> dict[str, str]:
    return {"role": role, "content": html}


def _asset(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")
