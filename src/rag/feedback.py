"""What readers thought of answers: appended to a file, and read back as questions that the gold set could take in."""

import json
import os
import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from rag.conversation import Turn, history
from rag.errors import GoldError, RagError

MOST_BYTES = 50_000_000
"""A file of feedback that is larger takes no more."""
_LOCK = threading.Lock()


@dataclass(frozen=True, slots=True)
class Candidates:
    """What feedback proposes: `questions` as gold lines, and those for which a person must write the answer."""

    questions: tuple[dict[str, Any], ...]
    unanswered: tuple[str, ...]
    follow_ups: int
    known: int


def record(path: Path, turn: Turn, before: Sequence[Turn], *, at: datetime) -> None:
    """Append what a reader thought of a turn to a file, as one line of JSON; `before` are the turns that led to it.

    A later line with the same `id` replaces an earlier one. Raises RagError when the file cannot be written.
    """
    assert turn.answer is not None
    assert turn.verdict is not None
    line = {
        "id": turn.id,
        "at": at.isoformat(timespec="seconds"),
        "verdict": turn.verdict,
        "why": turn.why,
        "history": history(before),
        "answer": turn.answer.to_dict(),
    }
    data = json.dumps(line, ensure_ascii=False).encode() + b"\n"
    try:
        with _LOCK:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Others who serve the same file append to it as well, and only whole lines.
            handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                if os.fstat(handle).st_size + len(data) > MOST_BYTES:
                    raise RagError(f"the feedback in {path} has reached {MOST_BYTES} bytes: move it away")
                os.write(handle, data)
            finally:
                os.close(handle)
    except OSError as error:
        raise RagError(f"the feedback cannot be written to {path} ({error.strerror}): mend its permissions") from error


def candidates(path: Path, known: Collection[str]) -> Candidates:
    """Return what a file of feedback proposes for the gold questions; those `known` already are passed over.

    An answer that readers found right proposes its words and the documents that say so, a refusal that they found
    right proposes that there is no answer, and so does an answer of which they say that the documents do not hold it.
    Where they found it wrong otherwise, or do not agree, the answer is left to a person. Raises GoldError when the
    file is not one of feedback.
    """
    latest = {line["id"]: line for line in _read(path)}
    by_question: dict[str, list[Mapping[str, Any]]] = {}
    follow_ups = 0
    for line in latest.values():
        if line["history"]:
            follow_ups += 1  # such a question means nothing without the turns before it
        else:
            by_question.setdefault(" ".join(line["answer"]["question"].split()), []).append(line)
    heard = {_bare(question) for question in known}
    fresh = {question: lines for question, lines in by_question.items() if _bare(question) not in heard}
    proposed: list[dict[str, Any]] = []
    unanswered: list[str] = []
    for question, lines in fresh.items():
        agreed = {_proposal(line) for line in lines}
        answer = agreed.pop() if len(agreed) == 1 else None
        if answer is None:
            unanswered.append(question)
            continue
        words, sources = answer
        proposed.append(
            {
                "id": f"feedback-{len(proposed) + 1:03}",
                "lang": lines[0]["answer"]["language"],
                "question": question,
                "answers": list(words),
                "sources": list(sources),
                "kind": "feedback" if words else "unanswerable",
            }
        )
    return Candidates(tuple(proposed), tuple(unanswered), follow_ups, len(by_question) - len(fresh))


def _proposal(line: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """Return the wordings and documents that a line proposes, none of either for "no answer"; None for no proposal."""
    answer, right = line["answer"], line["verdict"] == "right"
    if right and answer["found"]:
        cited = answer["citations"]
        words = tuple(dict.fromkeys(citation["text"] for citation in cited))
        return words, tuple(dict.fromkeys(citation["document"] for citation in cited))
    if right or (answer["found"] and line["why"] == "not_said"):
        return (), ()
    return None


def _read(path: Path) -> list[Mapping[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise GoldError(f"the feedback in {path} cannot be read ({error}): name a file that the page wrote") from error
    lines = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            values = json.loads(line)
            lines.append(_checked(values))
        except (ValueError, KeyError, TypeError):
            raise GoldError(f"line {number} of {path} is not one of feedback: mend it or remove it") from None
    return lines


def _checked(values: Mapping[str, Any]) -> Mapping[str, Any]:
    answer = values["answer"]
    texts = [values["id"], values["verdict"], values["why"], answer["question"], answer["language"]]
    texts += [citation[name] for citation in answer["citations"] for name in ("text", "document")]
    whole = isinstance(values["history"], list) and isinstance(answer["found"], bool)
    if not whole or not all(isinstance(text, str) for text in texts):
        raise ValueError
    return values


def _bare(question: str) -> str:
    return "".join(filter(str.isalnum, question.casefold()))
