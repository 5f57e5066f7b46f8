"""The turns of one conversation: what was asked, what was answered, and what its reader thought of it."""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rag.spans import Answer
from rag.wire import HISTORY_LIMIT

Verdict = Literal["right", "wrong"]

MOST_TURNS = 100
"""Turns that are kept; the oldest give way."""
MOST_SESSIONS = 10_000
"""Sessions whose stops are remembered; the oldest give way."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One exchange.

    `answer` is None where the question was not put to the documents, and `notice` says why. `searched` counts the
    documents that could answer. `own` tells that they were the reader's own files. `verdict` and `why` are what the
    reader thought of the answer, `next` the questions that could follow.
    """

    id: str
    question: str
    answer: Answer | None = None
    notice: str = ""
    searched: int = 0
    passages_only: bool = False
    own: bool = False
    verdict: Verdict | None = None
    why: str = ""
    next: tuple[str, ...] = ()


def history(turns: Sequence[Turn]) -> list[tuple[str, str]]:
    """Return the latest questions and answer texts, as `Assistant.ask` takes them."""
    said = [(turn.question, turn.answer.text) for turn in turns if turn.answer is not None]
    return said[-HISTORY_LIMIT:]


class Stops:
    """How often each session has stopped a question, whose answer is not to come after. Thread-safe."""

    def __init__(self, most: int = MOST_SESSIONS) -> None:
        self._counts: OrderedDict[str, int] = OrderedDict()
        self._most = most
        self._lock = threading.Lock()

    def stop(self, session: str) -> None:
        """Count one stop of a session."""
        with self._lock:
            self._counts[session] = self._counts.pop(session, 0) + 1
            while len(self._counts) > self._most:
                self._counts.popitem(last=False)

    def of(self, session: str) -> int:
        """Return the number of a session's stops."""
        with self._lock:
            return self._counts.get(session, 0)
