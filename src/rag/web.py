"""The browser page: a conversation on the left, and the place that each answer quotes on the right."""

import atexit
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.chat import Chat, Wishes, keep
from rag.conversation import Stops, Turn
from rag.endpoints import offer
from rag.errors import RagError
from rag.export import to_json, to_markdown
from rag.labels import ENGLISH, Labels, labels_for
from rag.markup import questions_html, short_title
from rag.page_html import header_html, messages
from rag.panel_html import DOCUMENTS_LISTED, documents_html
from rag.spans import Document
from rag.suggest import Suggestions
from rag.uploads import UploadRefused
from rag.wire import QUESTION_LIMIT, encodable

if TYPE_CHECKING:
    import gradio as gr
    from fastapi import FastAPI

    from rag import Assistant

QUEUE_LIMIT = 64  # questions that wait
CONCURRENT = 2  # questions answered at a time
EXAMPLES_SHOWN = 5
EXAMPLES_WAIT = 60.0  # seconds until a reader gets those examples that have been tried by then

# Saves what the server sent as a file.
DOWNLOAD_JS = """
watch('value', () => {
  const { name, kind, text } = JSON.parse(props.value);
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], { type: kind }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
});
"""


@dataclass(frozen=True, slots=True)
class _Where:
    """What a reader chooses to search in."""

    search: "gr.Accordion"
    scope: "gr.Radio"
    documents: "gr.CheckboxGroup"
    languages: "gr.CheckboxGroup"
    passages: "gr.Checkbox"

    @property
    def inputs(self) -> list[Any]:
        """Return the components that say it, as `_wishes` takes their values."""
        return [self.scope, self.documents, self.languages, self.passages]


@dataclass(frozen=True, slots=True)
class _Parts:
    """What the page is made of, from top to bottom."""

    header: "gr.HTML"
    chat: "gr.Chatbot"
    examples: "gr.HTML"
    box: "gr.Textbox"
    ask: "gr.Button"
    stop: "gr.Button"
    where: _Where
    panel: "gr.HTML"
    own: "gr.HTML"
    download: "gr.HTML"


def page(
    assistant: "Assistant", *, suggestions: Suggestions | None = None, feedback: Path | None = None
) -> "gr.Blocks":
    """Return the page over an assistant's documents, not yet served; its queue is bounded.

    `suggestions` are questions that it may offer, `feedback` the file to which readers' verdicts are appended.
    """
    # Read by gradio when it is imported or a queue is made: no telemetry, and no statistics of each event for a
    # monitoring page that is switched off (they cost more with every question).
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["GRADIO_ANALYTICS_CACHE_FREQUENCY"] = str(sys.maxsize)
    os.environ["GRADIO_ANALYTICS_MAX_EVENTS"] = "1"
    import gradio as gr

    chat = Chat(assistant, suggestions=suggestions, feedback=feedback)
    atexit.register(chat.uploads.close_all)
    blocks: gr.Blocks = gr.Blocks(title="Verbatim", analytics_enabled=False, fill_height=True, fill_width=True)
    with blocks:
        parts = _parts()
        # The conversation is kept on the server: the chat's messages, which a browser could forge, are never read back.
        turns = gr.State(())
        _greet_readers(blocks, parts, chat)
        _answer_questions(parts, turns, chat)
        _open_places(parts, chat)
        _take_verdicts(parts, turns, chat)
        _export_conversations(parts, turns)
        _choose_where(parts, chat)
        _take_files(blocks, parts, chat)
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
        max_file_size="1b",  # files come another way, but gradio's route for them is there
        app_kwargs={"openapi_url": None},  # it would describe gradio's inner routes
    )


def _parts() -> _Parts:
    import gradio as gr

    header = gr.HTML(header_html(ENGLISH), elem_id="header", js_on_load=None)
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
            examples = gr.HTML(elem_id="examples", js_on_load=None)
            with gr.Row(elem_id="question"):
                label = ENGLISH.placeholder
                box = gr.Textbox(label=label, placeholder=label, container=False, max_lines=6, autofocus=True, scale=8)
                ask = gr.Button(ENGLISH.ask, variant="primary", scale=0, min_width=88, elem_id="ask")
                stop = gr.Button(ENGLISH.stop, scale=0, min_width=88, visible=False, elem_id="stop")
            with gr.Accordion(ENGLISH.search, open=False, elem_id="search") as search:
                scopes = [(ENGLISH.scope_shared, "shared"), (ENGLISH.scope_own, "own")]
                scope = gr.Radio(scopes, value="shared", label=ENGLISH.scope, visible=False)
                languages = _language_filter((), ENGLISH)
                chosen = _document_filter((), ENGLISH)
                passages = gr.Checkbox(label=ENGLISH.passages_only)
        with gr.Column(scale=5, min_width=320, elem_id="sources"):
            panel = gr.HTML(elem_id="panel", js_on_load=_asset("page.js"))
            own = gr.HTML(elem_id="own", js_on_load=None)
    download = gr.HTML(elem_id="download", html_template="<span></span>", js_on_load=DOWNLOAD_JS)
    where = _Where(search, scope, chosen, languages, passages)
    return _Parts(header, chat, examples, box, ask, stop, where, panel, own, download)


def _greet_readers(blocks: "gr.Blocks", parts: _Parts, chat: Chat) -> None:
    """Put the page into the reader's language when it is loaded, and offer examples once they have been tried."""
    import gradio as gr

    where = parts.where

    def greet(request: gr.Request) -> list[Any]:
        labels = _labels(request)
        documents = chat.assistant.documents
        scopes = [(labels.scope_shared, "shared"), (labels.scope_own, "own")]
        searching = _search_label(chat, Wishes(), _session(request), labels)
        return [
            header_html(labels),
            documents_html(documents, labels),
            chat.own_files(_session(request), labels),
            gr.Textbox(label=labels.placeholder, placeholder=labels.placeholder),
            gr.Button(labels.ask),
            gr.Button(labels.stop),
            gr.Accordion(label=searching),
            gr.Radio(scopes, value="shared", label=labels.scope),
            _document_filter(documents, labels),
            _language_filter(documents, labels),
            gr.Checkbox(label=labels.passages_only),
        ]

    def give_examples(request: gr.Request) -> str:
        labels = _labels(request)
        chat.suggestions.wait(EXAMPLES_WAIT)
        return questions_html(labels.examples, chat.suggestions.examples(labels.language, EXAMPLES_SHOWN))

    shown = [parts.header, parts.panel, parts.own, parts.box, parts.ask, parts.stop]
    settings = [where.search, where.scope, where.documents, where.languages, where.passages]
    blocks.load(greet, outputs=[*shown, *settings], api_visibility="private", show_progress="hidden")
    blocks.load(give_examples, outputs=[parts.examples], api_visibility="private", show_progress="hidden")


def _answer_questions(parts: _Parts, turns_so_far: "gr.State", chat: Chat) -> None:
    """Answer what is typed or chosen, again where that is wished; stop, and clear the conversation."""
    import gradio as gr

    pending, stops = gr.State(""), Stops()
    outputs = [parts.chat, turns_so_far, pending, parts.panel, parts.box, parts.examples, parts.ask, parts.stop]

    def reply(
        typed: str,
        turns: Sequence[Turn],
        scope: str,
        documents: list[str],
        languages: list[str],
        passages: bool,
        event: gr.EventData,
        request: gr.Request,
    ) -> Iterator[list[Any]]:
        question, turns = _question(typed, turns, event)
        if not question.strip():
            yield [gr.skip() for _ in outputs]
            return
        labels, session = _labels(request), _session(request)
        wishes, stopped = _wishes(scope, documents, languages, passages), stops.of(session)
        waiting = messages(turns, labels, question[:QUESTION_LIMIT])
        yield [waiting, turns, question, gr.skip(), "", "", *_asking(True)]
        turn = chat.reply(question, turns, wishes, session, labels)
        turns = keep(turns, turn)
        source = chat.beside(turn, wishes, session, labels)
        if stops.of(session) > stopped:  # the page shows what it showed before, and an answer too late would undo that
            yield [gr.skip() for _ in outputs]
            return
        yield [messages(turns, labels), turns, "", source, gr.skip(), gr.skip(), *_asking(False)]

    def stop(turns: Sequence[Turn], question: str, request: gr.Request) -> list[Any]:
        stops.stop(_session(request))
        return [messages(turns, _labels(request)), "", question, *_asking(False)]

    def clear(scope: str, request: gr.Request) -> list[Any]:
        labels = _labels(request)
        stops.stop(_session(request))
        source = documents_html(chat.documents(_session(request), own=scope == "own"), labels)
        questions = chat.suggestions.examples(labels.language, EXAMPLES_SHOWN)
        return [[], (), "", source, "", questions_html(labels.examples, questions), *_asking(False)]

    asking = [
        trigger(
            reply,
            inputs=[parts.box, turns_so_far, *parts.where.inputs],
            outputs=outputs,
            api_visibility="private",
            concurrency_id="ask",
            show_progress="hidden",
        )
        for trigger in (parts.box.submit, parts.ask.click, parts.panel.ask_this)
    ]
    parts.stop.click(
        stop,
        inputs=[turns_so_far, pending],
        outputs=[parts.chat, pending, parts.box, parts.ask, parts.stop],
        cancels=asking,
        api_visibility="private",
        show_progress="hidden",
        queue=False,
    )
    parts.panel.clear_chat(
        clear,
        inputs=[parts.where.scope],
        outputs=outputs,
        cancels=asking,
        api_visibility="private",
        show_progress="hidden",
        queue=False,
    )


def _open_places(parts: _Parts, chat: Chat) -> None:
    """Open the place behind a link in the sources panel."""
    import gradio as gr

    def open_place(scope: str, event: gr.EventData, request: gr.Request) -> str:
        name = str(_sent(event).get("name", ""))
        return chat.place(name, _session(request), own=scope == "own", labels=_labels(request))

    parts.panel.open_place(
        open_place,
        inputs=[parts.where.scope],
        outputs=[parts.panel],
        api_visibility="private",
        show_progress="hidden",
        queue=False,
        trigger_mode="always_last",
    )


def _take_verdicts(parts: _Parts, turns_so_far: "gr.State", chat: Chat) -> None:
    """Note what a reader thinks of an answer."""
    import gradio as gr

    def judge(turns: Sequence[Turn], event: gr.EventData, request: gr.Request) -> list[Any]:
        labels, sent = _labels(request), {name: str(value) for name, value in _sent(event).items()}
        try:
            turns = chat.judge(turns, sent.get("turn", ""), sent.get("verdict", ""), encodable(sent.get("why", "")))
        except RagError as error:
            sys.stderr.write(f"rag: {error}\n")
            gr.Warning(labels.failed, title="")
        return [messages(turns, labels), turns]

    parts.panel.judge(
        judge,
        inputs=[turns_so_far],
        outputs=[parts.chat, turns_so_far],
        api_visibility="private",
        show_progress="hidden",
    )


def _export_conversations(parts: _Parts, turns_so_far: "gr.State") -> None:
    """Send a conversation to be saved as a file."""
    import gradio as gr

    def export(turns: Sequence[Turn], event: gr.EventData, request: gr.Request) -> str:
        as_json = _sent(event).get("form") == "json"
        text = to_json(turns) if as_json else to_markdown(turns, _labels(request))
        name, kind = ("verbatim.json", "application/json") if as_json else ("verbatim.md", "text/markdown")
        # The time makes each one a change, which the browser waits for.
        return json.dumps({"name": name, "kind": kind, "text": text, "at": time.monotonic()})

    parts.panel.export_chat(
        export, inputs=[turns_so_far], outputs=[parts.download], api_visibility="private", show_progress="hidden"
    )


def _choose_where(parts: _Parts, chat: Chat) -> None:
    """Follow what a reader chooses to search in."""
    import gradio as gr

    where = parts.where

    def choose(scope: str, documents: list[str], languages: list[str], passages: bool, request: gr.Request) -> Any:  # noqa: ANN401
        wishes = _wishes(scope, documents, languages, passages)
        return gr.Accordion(label=_search_label(chat, wishes, _session(request), _labels(request)))

    def change_scope(scope: str, request: gr.Request) -> list[Any]:
        return _scoped(chat, scope, _session(request), _labels(request))

    for each in (where.documents, where.languages):
        each.input(
            choose,
            inputs=where.inputs,
            outputs=[where.search],
            api_visibility="private",
            show_progress="hidden",
            queue=False,
        )
    where.scope.input(
        change_scope,
        inputs=[where.scope],
        outputs=[parts.panel, where.search, where.documents, where.languages],
        api_visibility="private",
        show_progress="hidden",
        queue=False,
    )


def _take_files(blocks: "gr.Blocks", parts: _Parts, chat: Chat) -> None:
    """Take in a reader's own files, and delete them when the page is closed."""
    import gradio as gr

    where = parts.where
    outputs = [parts.own, where.scope, parts.panel, where.search, where.documents, where.languages]

    def add(event: gr.EventData, request: gr.Request) -> Iterator[list[Any]]:
        labels, session = _labels(request), _session(request)
        for status, ready in _added(chat, session, _sent(event).get("files"), labels):
            yield _with_own_files(chat, session, labels, status) if ready else _told(chat, session, labels, status)

    def remove(event: gr.EventData, request: gr.Request) -> list[Any]:
        labels, session = _labels(request), _session(request)
        try:
            chat.uploads.remove(session, str(_sent(event).get("name", "")), lambda stage, done, total: None)
        except UploadRefused as refused:
            return _with_own_files(chat, session, labels, refused.message(labels))
        return _with_own_files(chat, session, labels, labels.own_removed)

    def forget(request: gr.Request) -> None:
        chat.uploads.close(_session(request))

    for trigger, act in ((parts.panel.add_files, add), (parts.panel.remove_file, remove)):
        trigger(
            act,
            outputs=outputs,
            api_visibility="private",
            show_progress="hidden",
            concurrency_id="files",
            concurrency_limit=1,
        )
    blocks.unload(forget)


def _added(chat: Chat, session: str, sent: object, labels: Labels) -> Iterator[tuple[str, bool]]:
    """Take in the files that a reader sent, and yield what to tell of it, and whether they are ready."""
    yield labels.own_reading, False
    try:
        for stage, done, total in chat.add_files(session, sent):
            if stage == "embed":
                yield labels.own_indexing.format(done=done, total=total), False
    except UploadRefused as refused:
        yield refused.message(labels), False
    except (RagError, OSError) as error:
        sys.stderr.write(f"rag: {error}\n")
        yield labels.failed, False
    else:
        yield labels.own_ready, True


def _told(chat: Chat, session: str, labels: Labels, status: str) -> list[Any]:
    """Return the part for a reader's own files with a new status, and the rest as it was."""
    import gradio as gr

    return [chat.own_files(session, labels, status), *(gr.skip() for _ in range(5))]


def _with_own_files(chat: Chat, session: str, labels: Labels, status: str) -> list[Any]:
    """Return the page's parts as they are once a reader's own files have changed."""
    import gradio as gr

    has_own = bool(chat.uploads.documents(session))
    scope = "own" if has_own else "shared"
    scoped = _scoped(chat, scope, session, labels)
    return [chat.own_files(session, labels, status), gr.Radio(value=scope, visible=has_own), *scoped]


def _question(typed: str, turns: Sequence[Turn], event: "gr.EventData") -> tuple[str, Sequence[Turn]]:
    """Return the question that an event asks, and the turns before it: typed, chosen, or the last one again."""
    sent = _sent(event)
    if sent.get("again") is True:
        return (turns[-1].question, turns[:-1]) if turns else ("", turns)
    chosen = sent.get("question")
    return encodable(chosen if isinstance(chosen, str) else typed), turns


def _sent(event: "gr.EventData") -> Mapping[str, object]:
    """Return what the page's script sent with an event."""
    return event._data if isinstance(event._data, dict) else {}


def _wishes(scope: str, documents: Sequence[str], languages: Sequence[str], passages: bool) -> Wishes:
    return Wishes(scope == "own", tuple(documents or ()), tuple(languages or ()), bool(passages))


def _asking(now: bool) -> list[Any]:
    """Return the buttons to ask and to stop, of which one is shown."""
    import gradio as gr

    return [gr.Button(visible=not now), gr.Button(visible=now)]


def _scoped(chat: Chat, scope: str, session: str, labels: Labels) -> list[Any]:
    """Return the panel, the label of the search and its filters for everyone's documents or a reader's own files."""
    import gradio as gr

    wishes = Wishes(own=scope == "own")
    documents = chat.documents(session, own=wishes.own)
    return [
        documents_html(documents, labels),
        gr.Accordion(label=_search_label(chat, wishes, session, labels)),
        _document_filter(documents, labels),
        _language_filter(documents, labels),
    ]


def _language_filter(documents: Sequence[Document], labels: Labels) -> "gr.CheckboxGroup":
    import gradio as gr

    spoken = sorted({document.language for document in documents} - {"und"})
    choices = [(labels.languages.get(language, language), language) for language in spoken]
    return gr.CheckboxGroup(choices, value=[], label=labels.filter_languages, visible=len(choices) > 1)


def _document_filter(documents: Sequence[Document], labels: Labels) -> "gr.CheckboxGroup":
    import gradio as gr

    choices = [(short_title(document), document.id) for document in documents[:DOCUMENTS_LISTED]]
    return gr.CheckboxGroup(choices, value=[], label=labels.filter_documents, visible=len(choices) > 1)


def _search_label(chat: Chat, wishes: Wishes, session: str, labels: Labels) -> str:
    total = len(chat.documents(session, own=wishes.own))
    left = len(chat.searched(session, wishes))
    reach = labels.everywhere if left == total else labels.chosen.format(count=left, total=total)
    return f"{labels.search}: {reach}"


def _session(request: "gr.Request") -> str:
    return request.session_hash or ""


def _labels(request: "gr.Request") -> Labels:
    return labels_for(request.headers.get("accept-language", ""))


def _asset(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")
