"""A span -> its sentences, as spans, in Italian, Spanish, English and French prose."""

import re
import unicodedata
from collections.abc import Iterator

from rag.spans import Span

# A sentence that is longer is cut at a clause mark or white space, so that nothing downstream meets an endless one.
_LONGEST = 1_000
# A line at least this long that ends in the middle of a sentence was wrapped by hand or by a program; no program wraps
# at more than so many characters unless it leaves lines as they are.
_WRAPPED, _WIDEST = 60, 132
# No abbreviation, and no word around a full stop that matters, is longer.
_LONGEST_WORD = 30

_NEWLINE = re.compile(r"\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_BULLET = re.compile(r"\s*(?:[-*+•·▪◦‣–—]\s|#{1,6}\s|(?:\d{1,3}|[a-z])[.)]\s)")
_LINE_ENDS = re.compile(r"[.!?…:;。！？][»”’\"')\]}›\s]*\Z")
# The date that some collections put before the first word is a sentence by itself, not part of the first one.
_STAMP = re.compile(r"\s*(?:(?:date|data|fecha)\s*:?\s*)?\d{4}-\d{2}-\d{2}(?=\s+\S)", re.IGNORECASE)

# Quotation marks and brackets close the sentence whose mark they follow; French writes a space before the guillemet.
_CLOSERS = r"(?P<closers>(?:[”’\"')\]}›»]|[ \u00a0\u202f\u2009][»›]|\[\d{1,3}\]|[¹²³⁰-⁹])*)"
_MARK = re.compile(rf"(?P<mark>[.!?…؟‼⁇⁈⁉]+(?:[ \u00a0\u202f\u2009][.!?…]+)*|(?P<wide>[。！？]+)){_CLOSERS}")
_OPENERS = re.compile(r"[«‹“„‘\"'(\[{¿¡*_—–\-•\s]*")
_AFTER_OPENERS_GOES_ON = ",;:.!?…)]}»›”%"
_TOKEN = re.compile(r"[^\s«»‹›“”„‘’'\"()\[\]{}¿¡,;:!?…/]+\Z")
_WORD = re.compile(r"[^\W_]")
_FIRST_WORDS = re.compile(r"([^\W\d_]+)[’']?\s*([^\W_])?")
_BRAND = re.compile(r"[^\W\d_]{1,2}[A-Z]")
_NUMBER = re.compile(r"\d|[IVXLC]+\b")
_INITIALS = re.compile(r"(?:[^\W\d_]{1,2}\.-?)+[^\W\d_]{1,2}")
# "Cllr.", "Brn.": no word is written so, and what is meant is a title.
_WITHOUT_VOWEL = re.compile(r"[B-DF-HJ-NP-TV-XZ][b-df-hj-np-tv-xz]{1,4}")
# "à 20 h. Entrée libre": a unit, and no initial.
_UNIT = re.compile(r"\d[ \u00a0\u202f]?\Z")
_ORDINAL = re.compile(r"[\d.]+|[IVXLC]+|[a-zA-Z]")
_LIST_MARKS = re.compile(r"[ #*\-•]*")
_FOR_EXAMPLE = re.compile(r"\b(?:[pP]|per|[vV])\.?\s?\Z")
_GLUED_WORD = re.compile(r"[^\W\d_](?:[’'][^\W\d_]|[^\W\d_])+(?=[\s,;:»”)]|[’'][^\W\d_]|\.(?:\s|\Z)|\Z)")
_GLUED_BULLET = re.compile(r"[-–—•*]\s+(?=[^\W_])")
_BEFORE = re.compile(r"\S+\Z")
_WEB = re.compile(r"[/@\\:_=.\d]")
_CLAUSE = (re.compile(r"[;:—–](?=\s)"), re.compile(r",(?=\s)"), re.compile(r"\s"))


def _words(words: str) -> frozenset[str]:
    return frozenset(words.split())


# What follows belongs to it, whatever it is.
_TITLES = _words(
    "M MM Me On Col Sta Sto Mt Ft Fr mr mrs ms dr dra drs dott dott.ssa prof prof.ssa sig sig.ra sig.na sigg avv ing "
    "geom mons on.le sr sra srta sres ud uds dña excmo ilmo lic lcdo mlle mme mgr ste gen gral capt lt maj sgt cdt gov "
    "sen rep rev hon pres messrs ee vs cf cfr e.g i.e p.ej p.es v.gr ej approx av avda pza dpto viz"
)
# Also plain words, so they are abbreviations only before a number: "No. 5", "art. 3", "pag. IV", "Oct. 5".
_NUMBERED = _words(
    "no nos nº num núm nr art arts artt pag pág pags págs pp vol vols fig figs tab cap sec sect ch chap tel ca op jan "
    "feb mar apr jun jul aug sep sept oct nov dec febbr giu lug ott dic ene abr janv févr avr juil déc"
)
# A sentence may well end after one of these, or after initials, so the next word decides.
_ENDING = _words("al inc corp ltd llc co cos bros plc jr st ave blvd ltda cía cia sarl uu")
_AND_SO_ON = frozenset(("etc", "ecc"))
# After those only a word that begins sentences proves that one begins here.
_STARTERS = _words(
    "the an it its he she they we this that these those there in at but and for from when while after before as "
    "however his her their our what why how who "
    "gli i una uno nel nella nei sul sulla per con ma e non si questo questa questi queste anche dopo secondo quando "
    "mentre poi così però "
    "en esta este estos estas pero por para según también cuando mientras desde su sus no se "
    "les une dans ce cet cette ces elle ils elles nous vous mais pour selon avec depuis ses leur après quand"
)
# Articles are particles of surnames as well ("J. Le Carré"): they begin a sentence when a small letter follows.
_ARTICLES = _words("a la le lo el los las des de il l un on d dei i")
# Endings of addresses and file names begin no sentence, even when they are written with a capital.
_ADDRESS_ENDINGS = _words("com org net io it es fr eu uk js ts py ai co gov edu info biz tv html pdf txt")


def sentences(span: Span) -> tuple[Span, ...]:
    """Return the sentences of `span`, in order, as spans of the same document.

    They do not overlap, every non-blank character lies in exactly one of them, none starts or ends with white space,
    and none is longer than 1,000 characters. A heading or a list item is a sentence by itself. The time is linear in
    the length of the span.

    >>> from rag.spans import Document
    >>> text = "M. Cheng dirige l’AI Studio. « Vraiment ? » Oui."
    >>> [s.text for s in sentences(Span(Document("a.txt", "A", "fr", text), 0, len(text)))]
    ['M. Cheng dirige l’AI Studio.', '« Vraiment ? »', 'Oui.']
    """
    document, text = span.document, span.document.text
    return tuple(
        Span(document, start, end)
        for block in _blocks(text, span.start, span.end)
        for sentence in _block_sentences(text, *block)
        for start, end in _bounded(text, *sentence)
    )


def is_stamp(sentence: Span) -> bool:
    """Tell whether a sentence is the date that stands before a document's first word."""
    stamp = _STAMP.match(sentence.document.text)
    return stamp is not None and sentence.end <= stamp.end()


def _blocks(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the headings, list items and paragraphs of a text: lines, with the parts of a wrapped one joined."""
    stamp = _STAMP.match(text, start, end) if start == 0 else None
    if stamp:
        yield _trimmed(text, start, stamp.end())
        start = stamp.end()
    for paragraph in _paragraphs(text, start, end):
        width = _width(text, paragraph)
        block = previous = paragraph[0]
        for line in paragraph[1:]:
            if _is_wrapped(text[slice(*previous)], text[slice(*line)], width):
                block = block[0], line[1]
            else:
                yield block
                block = line
            previous = line
        yield block


def _paragraphs(text: str, start: int, end: int) -> Iterator[list[tuple[int, int]]]:
    """Yield the lines between blank ones together."""
    paragraph: list[tuple[int, int]] = []
    for line in _lines(text, start, end):
        if line[0] < line[1]:
            paragraph.append(line)
        elif paragraph:
            yield paragraph
            paragraph = []
    if paragraph:
        yield paragraph


def _width(text: str, paragraph: list[tuple[int, int]]) -> int:
    """Return at how many characters a paragraph is wrapped; 0 where none of its lines goes on with a small letter."""
    width = max(end - start for start, end in paragraph)
    flows = any(text[start].islower() for start, _ in paragraph[1:])
    return width if flows and width <= _WIDEST else 0


def _lines(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the lines without their newlines and outer white space; a blank line is (0, 0)."""
    for newline in _NEWLINE.finditer(text, start, end):
        yield _trimmed(text, start, newline.start())
        start = newline.end()
    yield _trimmed(text, start, end)


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[end - 1].isspace():
        end -= 1
    while start < end and text[start].isspace():
        start += 1
    return (start, end) if start < end else (0, 0)


def _is_wrapped(previous: str, line: str, width: int) -> bool:
    """Tell whether `line` goes on with the sentence of the line before.

    It begins with a small letter, or its first word, a name or a number, had no room in a line of that width.
    """
    if len(previous) < _WRAPPED:
        return False
    no_room = len(previous) + 1 + len(line.split(maxsplit=1)[0]) > width > 0
    return (line[:1].islower() or no_room) and not _BULLET.match(line) and not _LINE_ENDS.search(previous[-20:])


def _block_sentences(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    cased = any(map(str.isupper, text[start:end]))
    block_start, word = start, _first_word(text, start, end)
    for mark in _MARK.finditer(text, start, end):
        # Marks before the first word belong to it: "... e poi".
        if mark.end() >= end or mark.start() < word:
            continue
        resume = _resumes(text, (block_start, end), mark, cased=cased)
        if resume is not None:
            yield start, mark.end()
            start, word = resume, _first_word(text, resume, end)
    yield start, end


def _first_word(text: str, start: int, end: int) -> int:
    word = _WORD.search(text, start, end)
    return word.start() if word else end


def _resumes(text: str, block: tuple[int, int], mark: re.Match[str], *, cased: bool) -> int | None:
    """Return where the next sentence begins when this one ends at `mark`, else None."""
    after, end = mark.end(), block[1]
    begin = after
    while text[begin].isspace():
        begin += 1
    if mark["wide"]:
        return begin
    if begin == after:
        return begin if mark["mark"] == "." and _is_glued(text, block, mark) else None
    if text[mark.start() - 1] in "([" and mark["closers"][:1] in (")", "]"):
        return None  # "[...]", "(!)"
    token = _token(text, block[0], mark.start())
    if not _begins(text, begin, end, mark["mark"], cased=cased or token.casefold() in _AND_SO_ON or len(token) < 3):
        return None
    if mark["mark"] == "." and _is_abbreviation(text, block, mark, begin):
        return None
    return begin


def _begins(text: str, begin: int, end: int, mark: str, *, cased: bool) -> bool:
    """Tell whether what stands at `begin` can be the start of a sentence after `mark`."""
    opened = _OPENERS.match(text, begin, end)
    at = opened.end() if opened else begin
    if at == end or text[at] in _AFTER_OPENERS_GOES_ON:
        return False
    first = text[at]
    if first.islower():
        return not cased or bool(_BRAND.match(text, at, end))
    if mark.startswith(("..", "…")):
        return first.isalpha()
    return True


def _token(text: str, start: int, mark: int) -> str:
    """Return the word, with the full stops inside it, that ends at `mark`."""
    found = _TOKEN.search(text, max(start, mark - _LONGEST_WORD), mark)
    return found.group() if found else ""


def _is_abbreviation(text: str, block: tuple[int, int], mark: re.Match[str], begin: int) -> bool:
    """Tell whether the full stop at `mark` belongs to the word before it, and no sentence ends there."""
    start, at = block[0], mark.start()
    token = _token(text, start, at)
    bare = token.casefold()
    if token in _TITLES or (bare in _TITLES and len(token) > 1) or _WITHOUT_VOWEL.fullmatch(token):
        return True
    if bare in ("ej", "es", "gr") and _FOR_EXAMPLE.search(text, max(start, at - 8), at - len(token)):
        return True
    if bare in _NUMBERED and _NUMBER.match(text, begin, block[1]):
        return True
    if _ORDINAL.fullmatch(token) and _LIST_MARKS.fullmatch(text, start, at - len(token)):
        return True
    is_unit = token.islower() and _UNIT.search(text, max(start, at - 4), at - len(token))
    is_initial = len(token) == 1 and token.isascii() and token.isalpha() and not is_unit
    may_end = is_initial or bare in _ENDING or bool(_INITIALS.fullmatch(token))
    if mark["closers"].startswith(")"):
        return may_end or bare in _AND_SO_ON
    return may_end and not _is_starter(text, begin, block[1])


def _is_starter(text: str, begin: int, end: int) -> bool:
    """Tell whether the word at `begin`, behind quotation marks, is one that begins sentences and no names."""
    opened = _OPENERS.match(text, begin, end)
    words = _FIRST_WORDS.match(text, opened.end() if opened else begin, end)
    if not words:
        return False
    word = words[1].casefold()
    return word in _STARTERS or (word in _ARTICLES and (words[2] or "").islower())


def _is_glued(text: str, block: tuple[int, int], mark: re.Match[str]) -> bool:
    """Tell whether a sentence ends at `mark` although no white space follows: "fin.Nuevo", but not "Node.js"."""
    start, end = block
    left = _BEFORE.search(text, max(start, mark.start() - _LONGEST_WORD), mark.start())
    if not left or not (left.group()[-1].islower() or left.group()[-1] in ")”»"):
        return False
    if _WEB.search(left.group()):
        return False
    bullet = _GLUED_BULLET.match(text, mark.end(), end)
    if bullet:
        return not text[bullet.end()].islower()
    right = _GLUED_WORD.match(text, mark.end(), end)
    if not right or not right.group()[0].isupper() or right.group().casefold() in _ADDRESS_ENDINGS:
        return False
    if left.group()[0].isupper() and not _is_starter(text, mark.end(), end):
        return False  # "System.Text", "Amazon.Studio"
    return right.group()[1:].islower() or right.group()[1] in "’'"


def _bounded(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    while end - start > _LONGEST:
        cut = _cut(text, start)
        yield _trimmed(text, start, cut)
        start, _ = _trimmed(text, cut, end)
    yield start, end


def _cut(text: str, start: int) -> int:
    """Return the best place to cut an endless sentence: after the last clause mark, else a space, else a character."""
    latest = start + _LONGEST
    for pattern in _CLAUSE:
        places = [found.end() for found in pattern.finditer(text, start + _LONGEST // 3, latest)]
        if places:
            return places[-1]
    # Marks stay with their letter, but for endless ones.
    for place in range(latest, latest - _LONGEST_WORD, -1):
        if not unicodedata.combining(text[place]):
            return place
    return latest
