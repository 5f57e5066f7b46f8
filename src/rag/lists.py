"""Questions for several things: which they are, and the whole enumeration that an answer is an item of."""

import re
from dataclasses import dataclass

from rag.expect import bare
from rag.lexical import terms
from rag.spans import Span

MOST_WORDS = 25
MOST_WORDS_OF_AN_ITEM = 7
# A plural after the interrogative asks for several; what only looks like one is left out.
_SINGULAR = (
    "is was has does this its series news business process boss class less always "
    "es mes pais interes virus crisis has estas dos tres pues antes despues"
)
_PLURAL_NOUN = rf"(?!(?:{'|'.join(dict.fromkeys(_SINGULAR.split()))})\b)\w+[^\Ws]s\b"
_NO_VERB = r"(?!(?:is|was|has|does|did|do|will|would|can|could|es|ha|fue|era|se|dijo|hizo)\b)"
_SEVERAL = {
    # Right after the interrogative: in "which director works" the word with the s is the verb.
    "en": rf"\b(?:which|what) (?:(?:other|new|main|two|three|four) (?:{_NO_VERB}\w+ )?|ai )?{_PLURAL_NOUN}|"
    r"\b(?:who|which|what) (?:are|were)\b|"
    r"^(?:list|name) ",
    "es": rf"\bquienes\b|\bcuales\b|\bque (?:{_NO_VERB}\w+ )?{_PLURAL_NOUN}",
    "fr": r"\b(?:les)?quel(?:le)?s\b(?! que)|\bqui (?:sont|etaient)\b",
    "it": r"\bquali\b|\bchi (?:sono|erano)\b|\bche \w{3,}i\b",
}
_AND = r"(?:and|or|y|e|o|u|et|ou|ed|oltre a|así como|ainsi que|as well as)"
_SEPARATOR = re.compile(rf"(?P<and>,?\s+{_AND}\s+)|[,;]\s+")
# What ends an enumeration on either side; a full stop only where a space follows.
_EDGE = re.compile(r"[:!?()\[\]—–]|[.](?=\s|\Z)|\s-\s")
_TOKEN = re.compile(r"[^\s,;]+")
_BULLET = re.compile(r"[ \t]*(?:[-*+•·▪◦‣]|\d{1,2}[.)])[ \t]+\S")
_ARTICLES = (
    "the a an el la los las un una unos unas le les une des il lo i gli uno l' l’ his her its their su sus son sa ses "
    "suo sua"
)
_JOINS_NOUNS = "of de del di du des della dei delle degli d' da"


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
        names = [token.start() for token in _TOKEN.finditer(words) if token.group()[0].isupper()]
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


def asks_for_several(question: str, language: str) -> bool:
    """Tell whether a question in one of the four languages asks for several things.

    >>> asks_for_several("Which companies build it?", "en"), asks_for_several("Which company builds it?", "en")
    (True, False)
    """
    pattern = _SEVERAL.get(language)
    plain = " ".join(re.findall(r"[\w']+", bare(question)))
    return bool(pattern and re.search(pattern, plain))


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
    lines = [(match.start(), match.end()) for match in re.finditer(r"[^\n]+", text)]
    own = next((i for i, (start, end) in enumerate(lines) if start <= sentence.start < end), None)
    if own is None or not _BULLET.match(text, *lines[own]) or sentence.end > lines[own][1]:
        return None
    first = last = own
    while first > 0 and _BULLET.match(text, *lines[first - 1]) and lines[first - 1][1] + 2 >= lines[first][0]:
        first -= 1
    while last + 1 < len(lines) and _BULLET.match(text, *lines[last + 1]) and lines[last][1] + 2 >= lines[last + 1][0]:
        last += 1
    block = text[lines[first][0] : lines[last][1]]
    start = lines[first][0] + len(block) - len(block.lstrip())
    if first == last or len(block.split()) > MOST_WORDS + (last - first + 1):
        return None
    return Span(sentence.document, start, start + len(block.strip()))


def _enumeration(answer: Span, sentence: Span, besides: str) -> Span:
    text, language = answer.document.text, answer.document.language
    parts = _parts(answer, sentence)
    touched = [i for i, part in enumerate(parts) if part.start < answer.end and answer.start < part.end]
    if not touched or len(parts) < 2:
        return answer
    first, last = touched[0], touched[-1]
    start, end = answer.start, answer.end
    own = text[parts[first].start : start]
    like = _Item(answer.text, language, besides)
    # Before the first item stand the words that lead to the enumeration; before another, at most "the actor".
    whole = like.begins_with(own)
    if whole:
        like = _Item(own + answer.text, language, besides)
    inside = any(parts[i].after_and for i in touched[1:])
    # What follows the words before the next comma or "and" belongs to them: they are no item of what comes behind it.
    if not inside and not text[end : parts[last].end].strip():
        end, last = _to_the_right(text, parts, last, end, like)
    joined = parts[first].after_and or inside or last > touched[-1]
    if joined and whole and not (inside and parts[first].after_and):
        start = _to_the_left(text, parts, first, start, like)
    return Span(answer.document, start, end)


def _parts(answer: Span, sentence: Span) -> list[_Part]:
    """Return the pieces of the clause around the answer that commas and conjunctions separate."""
    text = sentence.document.text
    edges = [(mark.start(), mark.end()) for mark in _EDGE.finditer(text, sentence.start, sentence.end)]
    low = max((end for _, end in edges if end <= answer.start), default=sentence.start)
    high = min((start for start, _ in edges if start >= answer.end), default=sentence.end)
    parts, at, after_and = [], low, False
    for mark in _SEPARATOR.finditer(text, low, high):
        parts.append(_Part(at, mark.start(), after_and))
        at, after_and = mark.end(), bool(mark["and"])
    parts.append(_Part(at, high, after_and))
    return [part for part in parts if text[part.start : part.end].strip()]


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
    return any(word[0].isupper() for word in _TOKEN.findall(words))


def _leads(before: str, language: str) -> bool:
    """Tell whether words may lead to a name: articles and at most two others, no function words."""
    others = [word for word in before.split() if not _is_article(word)]
    return len(others) <= 2 and not any(_is_stopword(word, language) for word in others)


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
    if model.group()[0].isupper():
        return _capitals_at_the_end(tokens)
    content = len(tokens)
    while content > 0 and (
        not _is_stopword(tokens[content - 1].group(), language) or _joins_nouns(tokens[content - 1].group())
    ):
        content -= 1
    return tokens[min(content, len(tokens) - 1)].start()


def _capitals_at_the_end(tokens: list[re.Match[str]]) -> int | None:
    at = len(tokens)
    while at > 0 and (tokens[at - 1].group()[0].isupper() or _joins_nouns(tokens[at - 1].group())):
        at -= 1
    names = (token.start() for token in tokens[at:] if token.group()[0].isupper())
    return next(names, None)


def _item_end(text: str, part: _Part, language: str) -> int:
    """Return where the item at the beginning of a part ends: after its names, or before the next function word."""
    tokens = list(_TOKEN.finditer(text, part.start, part.end))
    end, named = part.start, False
    for i, token in enumerate(tokens):
        word = token.group()
        if word[0].isupper():
            named = True
        elif named:
            if not (_joins_nouns(word) and i + 1 < len(tokens) and tokens[i + 1].group()[0].isupper()):
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
