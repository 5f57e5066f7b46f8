"""A document and its sentences -> overlapping passages that begin and end where sentences do."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate, pairwise

from rag.spans import Document, Span

# One letter for each kind of place where a passage may begin, the best kind first. The splitter cuts a stand-in of the
# text, of the same length, in which only these letters, spaces and "x" occur: nothing in a document can be mistaken for
# them, and the lengths of the parts are the offsets.
_PARAGRAPH, _LINE, _SENTENCE, _FOLLOWER, _CLAUSE = "PLSFC"
_SEPARATORS = [_PARAGRAPH, _LINE, _SENTENCE, _FOLLOWER, _CLAUSE, " ", ""]

_LONGEST_HEADING, _LONGEST_INTRODUCTION = 120, 240
_NEWLINE = re.compile(r"\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_CLAUSE_END = re.compile(r"[,;:—–]\s+(?=\S)")
_CLOSERS = "»”’\"')]}* _"
_ITEM = re.compile(r"(?:[-*+•·▪◦‣–—]|\d{1,3}[.)])\s")
_WORD = re.compile(r"[^\W_]")


def split(document: Document, sentences: Sequence[Span], *, size: int = 480, overlap: int = 160) -> tuple[Span, ...]:
    """Return the passages of `document`, in order, as spans that begin and end where sentences do.

    `sentences` are the document's, in order, without overlaps. The core of a passage is up to `size` characters of
    whole sentences; it is widened to the left by whole sentences of up to `overlap` characters in all, and a passage
    that its successor then covers is dropped. Only a sentence longer than `size` is cut, after a clause or else at a
    space. A heading goes with what follows it, where both fit. Every non-blank character lies in a passage, and none is
    longer than `size + overlap`. Raises ValueError for a `size` under 50 and an `overlap` not in 0..size-1.
    """
    if size < 50:
        raise ValueError(f"size {size} is under 50 characters")
    if not 0 <= overlap < size:
        raise ValueError(f"overlap {overlap} is not in 0..{size - 1}")
    kinds = _sentence_starts(document.text, sentences)
    cuts = dict.fromkeys(_clause_starts(document.text, sentences, size), _CLAUSE) | kinds
    wholes, parts = sorted(kinds), sorted(cuts)
    passages = [(_widened(start, wholes, parts, overlap), end) for start, end in _cores(document.text, cuts, size)]
    followed = pairwise([*passages, (len(document.text), len(document.text))])
    return tuple(Span(document, start, end) for (start, end), (next_start, _) in followed if start < next_start)


def _sentence_starts(text: str, sentences: Sequence[Span]) -> dict[int, str]:
    """Return where the sentences begin, with the kind of each place."""
    starts = {sentences[0].start: _PARAGRAPH} if sentences else {}
    opens_line = True
    for sentence, following in pairwise(sentences):
        newlines = len(_NEWLINE.findall(text, sentence.end, following.start))
        leads_on = _leads_on(sentence.text, alone=opens_line and newlines > 0)
        starts[following.start] = _FOLLOWER if leads_on else (_SENTENCE, _LINE, _PARAGRAPH)[min(newlines, 2)]
        opens_line = newlines > 0
    return starts


def _leads_on(sentence: str, *, alone: bool) -> bool:
    """Tell whether a sentence is a heading, alone on its line, or introduces what follows with a colon."""
    ending = sentence.rstrip(_CLOSERS)[-1:]
    if ending == ":":
        return len(sentence) <= _LONGEST_INTRODUCTION
    word = _WORD.search(sentence)
    return (
        alone
        and len(sentence) <= _LONGEST_HEADING
        and ending not in ".!…;,。！"
        and not _ITEM.match(sentence)
        and word is not None
        and not word.group().islower()
    )


def _clause_starts(text: str, sentences: Sequence[Span], size: int) -> Iterator[int]:
    for sentence in sentences:
        if sentence.end - sentence.start > size:
            yield from (clause.end() for clause in _CLAUSE_END.finditer(text, sentence.start, sentence.end))


def _cores(text: str, cuts: Mapping[int, str], size: int) -> Iterator[tuple[int, int]]:
    """Yield the bounds, without outer white space, of consecutive parts of up to `size` characters."""
    from langchain_text_splitters import RecursiveCharacterTextSplitter

    stand_in = [" " if character.isspace() else "x" for character in text]
    for place, kind in cuts.items():
        stand_in[place] = kind
    splitter = RecursiveCharacterTextSplitter(
        separators=_SEPARATORS, chunk_size=size, chunk_overlap=0, keep_separator="start", strip_whitespace=False
    )
    ends = list(accumulate(map(len, splitter.split_text("".join(stand_in))), initial=0))
    assert ends[-1] == len(text), "the parts do not re-join to the text"
    core: tuple[int, int] | None = None
    for start, end in pairwise(ends):
        part = text[start:end]
        if not part.strip():
            continue
        begin, end = start + len(part) - len(part.lstrip()), start + len(part.rstrip())
        # The splitter never joins the last part of one paragraph to the next paragraph, however short they are.
        if core and end - core[0] <= size:
            begin = core[0]
        elif core:
            yield core
        core = begin, end
    if core:
        yield core


def _widened(start: int, wholes: Sequence[int], parts: Sequence[int], overlap: int) -> int:
    """Return the first place, up to `overlap` characters before `start`, where a sentence begins.

    In the middle of a sentence that had to be cut it is where a clause of this sentence begins.
    """
    sentence = wholes[max(0, bisect_right(wholes, start) - 1)] if wholes else start
    places, earliest = (wholes, start - overlap) if sentence == start else (parts, max(sentence, start - overlap))
    at = bisect_left(places, earliest)
    return min(start, places[at]) if at < len(places) else start
