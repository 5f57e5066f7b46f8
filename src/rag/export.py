"""A conversation to keep: as Markdown to read, as JSON for programs."""

import json
import re
from collections.abc import Sequence

from rag.conversation import Turn
from rag.labels import Labels
from rag.spans import Answer, Citation

# What Markdown, its extensions for tables and formulas, or HTML inside it would read as more than text.
_SPECIAL = re.compile(r"([\\`*_\[\]<>#|~$&!])")
_AT_THE_START = re.compile(r"^(\s*)([-+=]|\d+[.)])")


def to_markdown(turns: Sequence[Turn], labels: Labels) -> str:
    """Return a conversation as Markdown: each question, the sentence that answers it, and where it stands.

    What the documents and the reader wrote is escaped, so it reads as it was written.
    """
    blocks = ["# Verbatim"]
    for turn in turns:
        blocks.append(f"## {_plain(turn.question)}")
        if turn.answer is None:
            blocks.append(_plain(turn.notice))
        elif turn.passages_only:
            blocks += _passages(turn.answer)
        elif turn.answer.found:
            blocks += _quotations(turn.answer, labels)
        else:
            assert turn.answer.reason is not None
            blocks.append(f"{_plain(labels.refusal)}: {_plain(labels.reasons[turn.answer.reason])}")
            blocks += _lacking(turn.answer, labels)
    return "\n\n".join(blocks) + "\n"


def to_json(turns: Sequence[Turn]) -> str:
    """Return a conversation as JSON: `{"turns": [{"question", "answer", "passages_only"}, ...]}`.

    Each `answer` is that of `Answer.to_dict`, or null where the question was not put to the documents.
    """
    said = [
        {
            "question": turn.question,
            "answer": turn.answer.to_dict() if turn.answer else None,
            "passages_only": turn.passages_only,
        }
        for turn in turns
    ]
    return json.dumps({"turns": said}, ensure_ascii=False, indent=2) + "\n"


def _quotations(answer: Answer, labels: Labels) -> list[str]:
    assert answer.level is not None
    name, meaning = labels.levels[answer.level]
    percent = labels.percent.format(percent=round(100 * answer.confidence))
    blocks = []
    for number, citation in enumerate(answer.citations, start=1):
        if number == 2:
            blocks.append(f"{_plain(labels.also)}:")
        blocks += [f"> {_marked(citation)}", _place(citation, number)]
        if number == 1:
            blocks.append(f"{_plain(name)}, {percent}: {_plain(meaning)}.")
            blocks += _lacking(answer, labels)
    number = len(answer.citations)
    for place, other in enumerate(answer.others):
        if place == 0:
            blocks.append(f"{_plain(labels.others)}:")
        for number, citation in enumerate(other.citations, start=number + 1):  # noqa: B020  # counts on
            blocks += [f"> {_marked(citation)}", _place(citation, number)]
    return blocks


def _lacking(answer: Answer, labels: Labels) -> list[str]:
    return [f"{_plain(said)}."] if (said := labels.lacking(answer.unmentioned)) else []


def _passages(answer: Answer) -> list[str]:
    blocks = []
    for number, hit in enumerate(answer.passages, start=1):
        document = hit.span.document
        blocks += [
            f"> {_plain(hit.span.text)}",
            f"\\[{number}\\] {_plain(document.title)} ({document.language}), {_code(document.id)}, "
            f"{hit.span.start}–{hit.span.end}",
        ]
    return blocks


def _marked(citation: Citation) -> str:
    sentence, words = citation.sentence, citation.answer
    text = sentence.document.text
    before, after = text[sentence.start : words.start], text[words.end : sentence.end]
    quoted = f"{_plain(before, trim=False)}**{_plain(words.text)}**{_plain(after, trim=False)}".strip()
    return _AT_THE_START.sub(r"\1\\\2", quoted)


def _place(citation: Citation, number: int) -> str:
    document = citation.answer.document
    date = f", {document.date}" if document.date else ""
    return (
        f"\\[{number}\\] {_plain(document.title)} ({document.language}{date}), {_code(document.id)}, "
        f"{citation.answer.start}–{citation.answer.end}"
    )


def _plain(text: str, *, trim: bool = True) -> str:
    """Return text on one line that Markdown shows as it is."""
    line = re.sub(r"\s+", " ", text)
    line = _SPECIAL.sub(r"\\\1", line.strip() if trim else line)
    return _AT_THE_START.sub(r"\1\\\2", line) if trim else line


def _code(text: str) -> str:
    return f"`{text.replace('`', 'ˋ')}`"
