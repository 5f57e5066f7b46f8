"""What happens when a reader asks, opens, judges or brings files: the page's behaviour, without its components."""

import logging
import queue
import secrets
from base64 import b64decode
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rag.conversation import MOST_TURNS, Turn, Verdict, history
from rag.feedback import record
from rag.index import Progress
from rag.labels import COMPLAINTS, Labels
from rag.page_html import WHY_LENGTH
from rag.panel_html import documents_html, own_html, place_html, source_html
from rag.spans import Document
from rag.suggest import Suggestions
from rag.uploads import MOST_BYTES, MOST_FILES, UploadRefused, Uploads
from rag.wire import QUESTION_LIMIT

if TYPE_CHECKING:
    from rag import Assistant

NEXT_SHOWN = 3

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Wishes:
    """Where a reader wants an answer from: their own files or everyone's, and of those only some; empty is all."""

    own: bool = False
    documents: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    passages_only: bool = False


class Chat:
    """Answers the page's readers; safe to share between threads, since each session's turns come and go with it."""

    def __init__(
        self, assistant: "Assistant", *, suggestions: Suggestions | None = None, feedback: Path | None = None
    ) -> None:
        self.assistant = assistant
        self.suggestions = suggestions or Suggestions()
        self.uploads = Uploads(assistant)
        self._feedback = feedback

    def documents(self, session: str, *, own: bool) -> Sequence[Document]:
        """Return everyone's documents, or those of a session's own files."""
        return self.uploads.documents(session) if own else self.assistant.documents

    def searched(self, session: str, wishes: Wishes) -> tuple[Document, ...]:
        """Return the documents that the reader's wishes leave."""
        return tuple(
            document
            for document in self.documents(session, own=wishes.own)
            if (not wishes.documents or document.id in wishes.documents)
            and (not wishes.languages or document.language in wishes.languages)
        )

    def reply(self, question: str, turns: Sequence[Turn], wishes: Wishes, session: str, labels: Labels) -> Turn:
        """Return the turn that answers a question in the light of the turns before it; it never raises."""
        name = secrets.token_hex(8)
        if len(question) > QUESTION_LIMIT:
            notice = labels.too_long.format(length=len(question), limit=QUESTION_LIMIT)
            return Turn(name, question[:QUESTION_LIMIT] + "…", notice=notice)
        try:
            return self._answered(name, question, turns, wishes, session, labels)
        except Exception:  # the reader is told, in their language, and the server's log has the rest
            _log.exception("a question was not answered")
            return Turn(name, question, notice=labels.failed)

    def _answered(
        self, name: str, question: str, turns: Sequence[Turn], wishes: Wishes, session: str, labels: Labels
    ) -> Turn:
        if not wishes.own:
            self.assistant.renew()
        assistant = self.uploads.assistant(session) if wishes.own else self.assistant
        if assistant is None:
            return Turn(name, question, notice=labels.refused["gone"])
        searched = self.searched(session, wishes)
        if not searched:
            return Turn(name, question, notice=labels.nothing_to_search)
        everything = len(searched) == len(assistant.documents)
        # What a reader's own files said is no context for everyone's documents, nor the other way about.
        before = [turn for turn in turns if turn.own == wishes.own]
        answer = assistant.ask(
            question, history(before), documents=None if everything else [document.id for document in searched]
        )
        asked = [*(turn.question for turn in turns), question]
        offered = not wishes.own and not wishes.passages_only and answer.found
        following = self.suggestions.after(answer, asked, NEXT_SHOWN) if offered else ()
        return Turn(
            name,
            question,
            answer,
            searched=len(searched),
            passages_only=wishes.passages_only,
            own=wishes.own,
            next=following,
        )

    def beside(self, turn: Turn, wishes: Wishes, session: str, labels: Labels) -> str:
        """Return the sources panel to show beside a turn: the place that it quotes, or the documents."""
        if turn.answer is not None and turn.answer.found and not turn.passages_only:
            best = turn.answer.citations[0]
            return source_html(best.answer.document, best, labels)
        return documents_html(self.documents(session, own=wishes.own), labels)

    def place(self, name: str, session: str, *, own: bool, labels: Labels) -> str:
        """Return the sources panel at a place; a session's own files are found by it and by no other."""
        documents = (*self.documents(session, own=own), *self.documents(session, own=not own))
        if name == "src":
            return documents_html(self.documents(session, own=own), labels)
        return place_html(name, documents, labels)

    def judge(self, turns: Sequence[Turn], name: str, verdict: str, why: str) -> tuple[Turn, ...]:
        """Return the turns with what the reader thinks of one of them, once that is noted.

        An unknown turn or verdict changes nothing. Raises RagError when it cannot be noted.
        """
        number = next((number for number, turn in enumerate(turns) if turn.id == name), None)
        if number is None or turns[number].answer is None or turns[number].own:
            return tuple(turns)
        turn = turns[number]
        chosen = _verdict(verdict) or turn.verdict
        if chosen is None:
            return tuple(turns)
        reason = why if why in COMPLAINTS else " ".join(why[:WHY_LENGTH].split())
        judged = replace(turn, verdict=chosen, why=reason)
        if self._feedback is not None:
            before = [each for each in turns[:number] if each.own == turn.own]
            record(self._feedback, judged, before, at=datetime.now(UTC))
        return (*turns[:number], judged, *turns[number + 1 :])

    def add_files(self, session: str, sent: object) -> Iterator[tuple[str, int, int]]:
        """Take in the files that a browser sent, and yield the steps of it: (stage, done, total).

        Raises UploadRefused when one of them is not taken; then none is.
        """
        files = files_of(sent)
        yield from _steps(lambda progress: self.uploads.add(session, files, progress))

    def own_files(self, session: str, labels: Labels, status: str = "") -> str:
        """Return the part of the page for a session's own files."""
        return own_html([document.id for document in self.uploads.documents(session)], labels, status)


def keep(turns: Sequence[Turn], turn: Turn) -> tuple[Turn, ...]:
    """Return the turns with one more; the oldest give way."""
    return (*turns, turn)[-MOST_TURNS:]


def files_of(data: object) -> dict[str, bytes]:
    """Return the files that a browser sent, by name.

    Raises UploadRefused for too many or too large ones, of which it sends no content, and where it sent no files.
    """
    sent = data if isinstance(data, list) else []
    if len(sent) > MOST_FILES:
        raise UploadRefused("too_many")
    files: dict[str, bytes] = {}
    for each in sent:
        match each:
            case {"name": str(name), "size": int(size), "data": str(content)}:
                if name in files:
                    raise UploadRefused("taken", name)
                if max(size, len(content) * 3 // 4 - 2) > MOST_BYTES:
                    raise UploadRefused("too_big", name)
                try:
                    files[name] = b64decode(content, validate=True)
                except ValueError:
                    raise UploadRefused("unreadable", name) from None
            case _:
                raise UploadRefused("gone")
    return files


def _steps(work: Callable[[Progress], None]) -> Iterator[tuple[str, int, int]]:
    """Do work in another thread and yield its steps as it reports them; what it raises is raised here."""
    steps: queue.SimpleQueue[tuple[str, int, int] | None] = queue.SimpleQueue()

    def run() -> None:
        try:
            work(lambda stage, done, total: steps.put((stage, done, total)))
        finally:
            steps.put(None)

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(run)
        while (step := steps.get()) is not None:
            yield step
        done.result()


def _verdict(text: str) -> Verdict | None:
    return "right" if text == "right" else "wrong" if text == "wrong" else None
