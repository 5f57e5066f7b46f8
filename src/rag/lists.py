"""The whole enumeration that an answer is an item of."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from rag.expect import bare
from rag.lexical import terms
from rag.spans import Span

MOST_WORDS = 25
MOST_WORDS_OF_AN_ITEM = 7
# What stands apart is read at a glance: a list may be longer than an enumeration, by the number of its items.
MOST_WORDS_OF_A_BULLET = 15
MOST_WORDS_OF_BULLETS = 90
_AND = r"(?:and|or|y|e|o|u|et|ou|ed|oltre a|así como|ainsi que|as well as)"
# In English the comma stands before the mark that closes a title: “Dune,” “Arrival,” and “Sicario.”
_SEPARATOR = re.compile(rf"(?P<and>,?\s+{_AND}\s+)|[,;]\s+|(?<=,[”’\"'])\s+")
# What ends an enumeration on either side; a full stop only where a space follows.
# A full stop behind a short word written large is an abbreviation's: "Dña. Ana", "D. Ignacio".
_SHORT = re.compile(r"(?<!\w)[^\W\d_a-zß-öø-ÿ]\w{0,3}\Z")
_EDGE = re.compile(r"[:!?()\[\]—–]|[.](?=\s|\Z)|\s-\s")
# A bracket right behind an item is a part of it: "Riva (£118,000), Halden (£132,500) and Tirso [3]".
_ASIDE = re.compile(r"(?<=[\w.»›”’\"'&%])[ \u00a0\u202f]?(?:\([^()\[\]\r\n]{1,80}\)|\[[^()\[\]\r\n]{1,80}\])(?!\w)")
_FILLER = "\ue000"
# A title in quotation marks is one word, whatever stands in it; the apostrophe of "l’art" closes nothing.
_QUOTED = r"«[^«»]*»|‹[^‹›]*›|“[^“”]*”|„[^„“”]*[“”]|\"[^\"]*\"|‘[^‘]*?’(?!\w)|(?<!\w)'[^']+'(?!\w)"
_TITLE = re.compile(_QUOTED)
_MARKS = "«»‹›“”„‘’\"' \N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}"
_TOKEN = re.compile(rf"(?:{_QUOTED})[^\s,;]*|[^\s,;]+")
# Two line breaks leave one empty line between two items of a list; farther away nothing is looked for.
_LINE = re.compile(r"[^\r\n]+")
_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_MOST_LINE_BREAKS = 2
_REACH = 2_000
_BULLET = re.compile(r"(?P<indent>[ \t]*)(?:[-*+•·▪◦‣–]|(?:\d{1,3}|[a-z])[.)])[ \t]+\S")
_WORD = re.compile(r"\w+")
_ARTICLES = (
    "the a an el la los las un una unos unas le les une des il lo i gli uno l' l’ his her its their su sus son sa ses "
    "suo sua"
)
_JOINS_NOUNS = "of de del di du des della dei delle degli d' da &"


@dataclass(frozen=True, slots=True)
class _Part:
    """A piece of a sentence between two separators, and whether an "and" stands before it."""

    start: int
    end: int
    after_and: bool


@dataclass(frozen=True, slots=True)
class _Item:
    """An item of an enumeration, which others are to be like; `besides` is the question."""

    words: str
    language: str
    besides: str

    def is_like(self, words: str) -> bool:
        """Tell whether words may be another: as long as one, with names if it has names, not what the question has."""
        names = [token.start() for token in _TOKEN.finditer(words) if _is_name(token.group())]
        if len(words.split()) > MOST_WORDS_OF_AN_ITEM or bool(names) != _has_names(self.words):
            return False
        asked = set(terms(self.besides, self.language))
        return (not names or _leads(words[: names[0]], self.language)) and not set(terms(words, self.language)) <= asked

    def begins_with(self, before: str) -> bool:
        """Tell whether words right before it are its own: an article, or before a name also "the actor"."""
        return _leads(before, self.language) and (_has_names(self.words) or all(map(_is_article, before.split())))

    def opens_like(self, words: str) -> bool:
        """Tell whether both open with an article, or neither."""
        ours, theirs = ([_is_article(word) for word in each.split()[:1]] for each in (self.words, words))
        return ours == theirs


def whole_list(answer: Span, sentence: Span, *, besides: str = "") -> tuple[Span, Span]:
    """Return the enumeration that the answer is an item of, and the sentence or the list around it.

    They are what was given where there is none, or where it has more than `MOST_WORDS` words.

    >>> from rag.spans import Document
    >>> text = "Three firms build it: Riva, Halden and Tirso Cables."
    >>> document = Document("a.txt", "A", "en", text)
    >>> whole_list(Span(document, 28, 34), Span(document, 0, len(text)))[0].text
    'Riva, Halden and Tirso Cables'
    """
    block = _bullets(sentence)
    if block is not None:
        return block, block
    widened = _enumeration(answer, sentence, besides)
    return (widened if len(widened.text.split()) <= MOST_WORDS else answer), sentence


def _bullets(sentence: Span) -> Span | None:
    """Return the list whose item the sentence is, from its first item's mark to the end of its last."""
    text = sentence.document.text
    low, high = max(0, sentence.start - _REACH), min(len(text), sentence.end + _REACH)
    lines = [match.span() for match in _LINE.finditer(text, low, high) if not match.group().isspace()]
    indents = [_indent(text, line) for line in lines]
    own = next((i for i, (start, end) in enumerate(lines) if start <= sentence.start < end), None)
    if own is None or indents[own] is None or sentence.end > lines[own][1]:
        return None
    first, last = _run(text, lines, indents, own)
    siblings = indents[first : last + 1].count(indents[own])
    start, end = lines[first][0], lines[last][1]
    cut = (start == low and low > 0) or (end == high and high < len(text))
    block = text[start:end]
    most = min(max(MOST_WORDS, MOST_WORDS_OF_A_BULLET * (last - first + 1)), MOST_WORDS_OF_BULLETS)
    if siblings < 2 or cut or len(_WORD.findall(block)) > most:
        return None
    start += len(block) - len(block.lstrip())
    return Span(sentence.document, start, start + len(block.strip()))


def _indent(text: str, line: tuple[int, int]) -> int | None:
    """Return how far the item of a list that a line is stands from the margin; None where it is none."""
    bullet = _BULLET.match(text, *line)
    return None if bullet is None else len(bullet["indent"].expandtabs())


def _run(text: str, lines: list[tuple[int, int]], indents: list[int | None], own: int) -> tuple[int, int]:
    """Return the first and the last of the items beside one, those of the lists below them among them."""
    margin = indents[own] or 0
    first = last = at = own
    while at > 0 and (indents[at - 1] or 0) >= margin and indents[at - 1] is not None:
        if not _are_near(text, lines[at - 1], lines[at]):
            break
        at -= 1
        first = at if indents[at] == margin else first
    while last + 1 < len(lines) and (indents[last + 1] or 0) >= margin and indents[last + 1] is not None:
        if not _are_near(text, lines[last], lines[last + 1]):
            break
        last += 1
    return first, last


def _are_near(text: str, line: tuple[int, int], then: tuple[int, int]) -> bool:
    return len(_LINE_BREAK.findall(text, line[1], then[0])) <= _MOST_LINE_BREAKS


def _enumeration(answer: Span, sentence: Span, besides: str) -> Span:
    language, titles, item = answer.document.language, _titles(answer, sentence), answer
    text = _without_asides(sentence, answer)
    answer = _with_its_marks(answer, titles, text, sentence.end)
    parts = _parts(text, answer, sentence, titles)
    records = _records(text, answer, parts, language)
    if records is not None:
        widened = _balanced(Span(answer.document, *records), sentence)
        return item if widened is None else widened
    text = _opened_small(text, parts, language)
    touched = [i for i, part in enumerate(parts) if part.start < answer.end and answer.start < part.end]
    if not touched or len(parts) < 2:
        return item
    first, last = touched[0], touched[-1]
    start, end = answer.start, answer.end
    own = text[parts[first].start : start]
    like = _Item(text[start:end], language, besides)
    # Before the first item stand the words that lead to the enumeration; before another, at most "the actor".
    whole = like.begins_with(own)
    if whole:
        like = _Item(own + text[start:end], language, besides)
    inside = any(parts[i].after_and for i in touched[1:])
    # What follows the words before the next comma or "and" belongs to them: they are no item of what comes behind it.
    if not inside and not text[end : parts[last].end].strip():
        end, last = _to_the_right(text, parts, last, end, like)
    joined = parts[first].after_and or inside or last > touched[-1]
    if joined and whole and not (inside and parts[first].after_and):
        start = _to_the_left(text, parts, first, start, like)
    widened = _balanced(Span(answer.document, start, end), sentence)
    return item if widened in (None, answer) else widened


def _without_asides(sentence: Span, answer: Span) -> str:
    """Return the document's text with brackets right behind a word made a part of it, but for one the answer is in."""
    text = sentence.document.text

    def filled(aside: re.Match[str]) -> str:
        start, end = aside.start() + sentence.start, aside.end() + sentence.start
        apart = end <= answer.start or answer.end <= start or (answer.start <= start and end <= answer.end)
        return _FILLER * len(aside.group()) if apart else aside.group()

    return f"{text[: sentence.start]}{_ASIDE.sub(filled, sentence.text)}{text[sentence.end :]}"


def _opened_small(text: str, parts: list[_Part], language: str) -> str:
    """Return the text with its first item in small letters where only its place says that it is written large.

    So it does where the parts are an enumeration and nothing else, whose other items are small: "Black, red and blue."
    """
    items = [text[part.start : part.end].split() for part in parts]
    if len(items) < 3 or not parts[-1].after_and or parts[-2].after_and:
        return text
    opening = next((at for at in range(parts[0].start, parts[0].end) if text[at].isalnum()), parts[0].end)
    small = not any(_is_name(word) for words in (items[0][1:], *items[1:]) for word in words)
    plain = all(_joins_nouns(word) or not _is_stopword(word, language) for words in items[1:] for word in words)
    if not small or not plain or len(text[opening].lower()) != 1:
        return text
    return f"{text[:opening]}{text[opening].lower()}{text[opening + 1 :]}"


def _records(text: str, answer: Span, parts: list[_Part], language: str) -> tuple[int, int] | None:
    """Return where items lie that commas divide and semicolons separate, where the answer begins one.

    All have as many parts, each like that of the others: "«Dune», 2021; «Arrival», 2016".
    """
    records: list[list[_Part]] = []
    for i, part in enumerate(parts):
        if i == 0 or ";" in text[parts[i - 1].end : part.start]:
            records.append([])
        records[-1].append(part)
    if len(records) < 2 or len(records[0]) < 2:
        return None
    shapes = {tuple(_shape(text[part.start : part.end]) for part in record) for record in records}
    starts = [text[record[0].start : record[0].end].lstrip(_MARKS) for record in records]
    begun = any(record[0].start <= answer.start < record[0].end for record in records)
    led = any(_is_stopword(word, language) for words in starts for word in words.split()[:1] if not _is_article(word))
    longest = max(len(text[record[-1].start : record[-1].end].split()) for record in records[:-1])
    goes_on = len(text[parts[-1].start : parts[-1].end].split()) > longest + 1
    if len(shapes) != 1 or not begun or led or goes_on:
        return None
    whole = text[parts[0].start : parts[-1].end]
    return parts[0].start + len(whole) - len(whole.lstrip()), parts[0].start + len(whole.rstrip())


def _shape(words: str) -> tuple[bool, bool, bool]:
    """Return whether words hold a name, a figure, and are longer than an item."""
    return _has_names(words), any(map(str.isdigit, words)), len(words.split()) > MOST_WORDS_OF_AN_ITEM


def _with_its_marks(answer: Span, titles: list[tuple[int, int]], text: str, last: int) -> Span:
    """Return the answer with the quotation marks around it and the bracket behind it, which ends before `last`."""
    touched = [(start, end) for start, end in titles if start < answer.end and answer.start < end]
    start, end = min(touched, default=(answer.start, 0))[0], max((end for _, end in touched), default=answer.end)
    start, end = min(start, answer.start), max(end, answer.end)
    while end < last and text[end] == _FILLER:
        end += 1
    return Span(answer.document, start, end)


def _titles(answer: Span, sentence: Span) -> list[tuple[int, int]]:
    """Return where titles stand, with their quotation marks; the answer is whole ones, if any, or most of one.

    What else it is a part of is speech, whose words can be an enumeration: he said “Riva and Halden build it”.
    """
    titles = []
    for title in _TITLE.finditer(sentence.document.text, sentence.start, sentence.end):
        words = len(title.group().strip(_MARKS))
        common = min(title.end(), answer.end) - max(title.start(), answer.start)
        if common <= 0 or common >= words or (2 * common >= words and not _SEPARATOR.search(title.group())):
            titles.append(title.span())
    return titles


def _balanced(words: Span, sentence: Span) -> Span | None:
    """Return the words without a mark that closes, or opens, only what is around them; None where they cut a title."""
    start, end = words.start, words.end
    for title in _TITLE.finditer(sentence.document.text, sentence.start, sentence.end):
        if title.start() <= start and end <= title.end() and (start, end) != title.span():
            start, end = max(start, title.start() + 1), min(end, title.end() - 1)
        elif title.start() < start < title.end() or title.start() < end < title.end():
            return None
    return Span(words.document, start, end)


def _parts(text: str, answer: Span, sentence: Span, titles: list[tuple[int, int]]) -> list[_Part]:
    """Return the pieces of the clause around the answer that commas and conjunctions separate, but for those of titles.

    `titles` are where these stand.
    """
    marks = _outside(titles, _EDGE.finditer(text, sentence.start, sentence.end))
    edges = [mark.span() for mark in marks if not _abbreviates(text, mark, sentence)]
    low = max((end for _, end in edges if end <= answer.start), default=sentence.start)
    high = min((start for start, _ in edges if start >= answer.end), default=sentence.end)
    parts, at, after_and = [], low, False
    for mark in _outside(titles, _SEPARATOR.finditer(text, low, high)):
        parts.append(_Part(at, mark.start(), after_and))
        at, after_and = mark.end(), bool(mark["and"])
    parts.append(_Part(at, high, after_and))
    return [part for part in parts if text[part.start : part.end].strip()]


def _abbreviates(text: str, mark: re.Match[str], sentence: Span) -> bool:
    before = text[max(sentence.start, mark.start() - 6) : mark.start()]
    return mark.group() == "." and bool(text[mark.end() : sentence.end].strip()) and _SHORT.search(before) is not None


def _outside(titles: list[tuple[int, int]], marks: Iterable[re.Match[str]]) -> list[re.Match[str]]:
    return [mark for mark in marks if not any(start <= mark.start() and mark.end() <= end for start, end in titles)]


def _to_the_right(text: str, parts: list[_Part], last: int, end: int, like: _Item) -> tuple[int, int]:
    """Return where the enumeration ends and its last part; `end` and `last` where what follows is no item."""
    reached, at = end, last
    while at + 1 < len(parts):
        part = parts[at + 1]
        if parts[at].after_and and not part.after_and:
            break
        closing = part.after_and or at + 2 == len(parts)
        item_end = _item_end(text, part, like.language) if closing else part.end
        if not like.is_like(text[part.start : item_end]):
            break
        reached, at = item_end, at + 1
        if item_end < part.end:
            break  # What follows the item is the rest of the clause.
    if at > last + 1 or parts[last].after_and:
        return reached, at
    # Of two alone, "and" tells as often that something else begins.
    pair = at > last and parts[at].after_and and "," not in text[end : parts[at].start]
    return (reached, at) if pair and like.opens_like(text[parts[at].start : reached]) else (end, last)


def _to_the_left(text: str, parts: list[_Part], first: int, start: int, like: _Item) -> int:
    while first > 0:
        part = parts[first - 1]
        item = _item_start(text, part, like.language, like=parts[first])
        if item is None or not like.is_like(text[item : part.end]):
            break
        start, first = item, first - 1
        if text[part.start : item].strip():
            break  # Before the item stands what leads to the enumeration.
    return start


def _has_names(words: str) -> bool:
    return any(map(_is_name, _TOKEN.findall(words)))


def _is_name(word: str) -> bool:
    """Tell whether a word is written large, in quotation marks or not, or a title that begins with a figure."""
    first = word.lstrip(_MARKS)[:1]
    return first.isupper() or (first.isdigit() and first != word[0])


def _leads(before: str, language: str) -> bool:
    """Tell whether words may lead to a name: articles and at most two others, no function words."""
    others = [word for word in before.split() if not _is_article(word)]
    return len(others) <= 2 and not any(_is_stopword(word, language) and not word.endswith(".") for word in others)


def _item_start(text: str, part: _Part, language: str, *, like: _Part) -> int | None:
    """Return where the item at the end of a part begins, in the manner of the item after it; None where none does.

    What ends in no name is none beside a name: "its cloud division, Amazon Web Services" is one thing.
    """
    tokens = list(_TOKEN.finditer(text, part.start, part.end))
    if not tokens:
        return part.start
    model = _TOKEN.search(text, like.start, like.end)
    if model is None or len(tokens) <= 1:
        return tokens[0].start()
    if _is_article(model.group()):
        articles = [token for token in tokens if _is_article(token.group())]
        return articles[-1].start() if articles else tokens[0].start()
    if _is_name(model.group()):
        return _capitals_at_the_end(tokens)
    content = len(tokens)
    while content > 0 and (
        not _is_stopword(tokens[content - 1].group(), language) or _joins_nouns(tokens[content - 1].group())
    ):
        content -= 1
    return tokens[min(content, len(tokens) - 1)].start()


def _capitals_at_the_end(tokens: list[re.Match[str]]) -> int | None:
    at = len(tokens)
    while at > 0 and (_is_name(tokens[at - 1].group()) or _joins_nouns(tokens[at - 1].group())):
        at -= 1
    names = (token.start() for token in tokens[at:] if _is_name(token.group()))
    return next(names, None)


def _item_end(text: str, part: _Part, language: str) -> int:
    """Return where the item at the beginning of a part ends: after its names, or before the next function word."""
    tokens = list(_TOKEN.finditer(text, part.start, part.end))
    end, named = part.start, False
    for i, token in enumerate(tokens):
        word = token.group()
        if _is_name(word):
            named = True
        elif named:
            if not (_joins_nouns(word) and i + 1 < len(tokens) and _is_name(tokens[i + 1].group())):
                break
        elif i and _is_stopword(word, language) and not _joins_nouns(word) and not _is_article(word):
            break
        end = token.end()
    return end


def _is_article(word: str) -> bool:
    return bare(word) in _ARTICLES.split()


def _joins_nouns(word: str) -> bool:
    return bare(word) in _JOINS_NOUNS.split()


def _is_stopword(word: str, language: str) -> bool:
    return terms(f"0x {word}", language) == ["0x"]
