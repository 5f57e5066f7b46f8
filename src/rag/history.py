"""Whether a question leans on the turns before it, and the question with their topic in its words."""

import re
from collections.abc import Sequence
from typing import Literal

from rag.expect import bare, calendar
from rag.lexical import terms

Turn = tuple[str, str]
Lean = Literal["plainly", "perhaps", "no"]

TURNS = 2
MOST_WORDS_OF_A_QUESTION = 30
MOST_WORDS_OF_A_NAME = 8
MOST_WORDS_OF_A_TOPIC = 12
# A question leans on the turns before it when it begins like one that goes on, points back with a pronoun, or names
# hardly anything itself; without accents, as people type them both ways.
_GOES_ON = {"en": "and but what_about how_about", "es": "y e pero que_hay", "fr": "et mais", "it": "e ed ma"}
_POINTS_BACK = {
    "en": "he she it they him her them his hers its their theirs this that these those there then",
    "es": "el_mismo ella ellos ellas su sus suyo suya eso esto ese esa aquel ahi alli entonces",
    "fr": "il elle ils elles lui leur leurs son sa ses celui celle ca cela ceci y",
    "it": "lui lei loro esso essa suo sua suoi sue questo questa quello quella ne ci",
}
_ASKS = {
    "en": "who whom whose what which when where why how",
    "es": "quien quienes que cual cuales cuando donde cuanto cuanta cuantos cuantas como",
    "fr": "qui que quoi quel quelle quels quelles quand ou combien comment pourquoi",
    "it": "chi che cosa quale quali quando dove quanto quanta quanti quante come perche",
}
# Their pronouns point to nothing: "Is there a sequel?", "Y a-t-il une suite ?", "Ci sono piani?"
_IMPERSONAL = {
    "en": r"there (?:is|are|was|were|will be|has been|have been)|(?<!who )(?:is|are|was|were) there(?= \w)",
    "fr": r"(?:il )?y (?:a|avait|aura|aurait|eut)(?: t)?(?: il)?|il (?:faut|faudra)|faut il",
    "it": r"ci (?:sono|sia|siano|sara|saranno|era|erano|sarebbe|sarebbero|fu|furono)",
}
# Words that may stand between what is asked for and a name where there is no verb: "When in Lyon?", "Which of Heliora?"
_BETWEEN = {
    "en": "in at on of for from to with by the a an",
    "es": "en de del a al con por para el la los las",
    "fr": "en de d du des dans a au aux pour par chez le la les l",
    "it": "in nel nella di del della a al alla da dal con per il lo la i gli le l",
}
_ARTICLES = "the el la los las le les l il lo i gli"
# Elided before a verb: "Cos'è", "Dov'è", "Qu'est-ce que".
_ELIDED = {"en": "", "es": "", "fr": "qu", "it": "cos dov com"}
_QUANTITIES = re.compile(r"\b(?:how (?:many|much)|combien|[cq]uant[oaei]s?)\b")
_MEASURES = frozenset(("many", "much", "de", "d"))
_OWN_TERMS = 1
# A figure right behind it belongs to a name: "Brasa 9".
_NAME = re.compile(r"(?<![.!?¿¡«“\"] )(?<!^)(?<![¿¡«“\"])\b[A-ZÀ-ÖØ-Þ][\w’'&-]*(?: \d+\b(?![.,]\d| ?%))?")
# A name, or a year, in the place of another: "to Italy", "to New York", "in 2031".
_IN_PLACE = r"(?:[A-ZÀ-ÖØ-Þ][\w’'&-]*(?: (?:[A-ZÀ-ÖØ-Þ]|\d)[\w’'&-]*)*|\d{4}\b)"
_MARKS = " \t¿¡?!.,;:…"


def leans(question: str, language: str) -> Lean:
    """Tell whether a question needs the turns before it to be understood.

    "perhaps" where nothing in it points back, but it names nothing either: languages that leave out the pronoun ask so.

    >>> leans("And who directed it?", "en"), leans("Who directed House of David?", "en")
    ('plainly', 'no')
    >>> leans("Quando è stato lanciato?", "it")
    'perhaps'
    >>> leans("Who is the CEO?", "en"), leans("Who is Bezos?", "en")
    ('plainly', 'no')
    """
    plain = _plain(question)
    pronouns = set(_POINTS_BACK.get(language, "").split())
    points_back = not pronouns.isdisjoint(_without_impersonal(plain, language))
    named = bool(_NAME.search(question.strip()))
    short = len(terms(question, language)) <= _OWN_TERMS and (points_back or not _asks_of_a_name(question, language))
    if _goes_on(plain, language) or short or (points_back and not named):
        return "plainly"
    return "perhaps" if points_back or not named else "no"


def in_context(asked: str, history: Sequence[Turn], language: str) -> str:
    """Return the question with the topic of the last turns in its words; empty where they have none.

    A fragment ("And in January?") also takes over what the turn before asked for ("How many jobs"), and where a name
    stands in its place there, puts its own for it.

    >>> in_context("And to Lyon?", [("How long is the ride to Brno?", "two hours")], "en")
    'How long is the ride to Lyon?'
    >>> in_context("Who directed it?", [("Which series used it most?", "House of David")], "en")
    'Who directed it House of David series used?'
    """
    turns = _turns_that_count(history, language)
    if turns:
        replaced = _in_its_place(asked, turns[-1][0], language)
        if replaced and _asks(replaced, language):
            return f"{replaced.strip(_MARKS)}?"
        # Of two fragments with a name each, the first is not asked about any more.
        turns = turns[:-1] if replaced and len(turns) > 1 else turns
    topic = list(dict.fromkeys(word for turn in reversed(turns) for word in _topic(turn, language)))
    if not topic:
        return ""
    words = asked.strip(_MARKS).split()
    skip = _goes_on(_plain(asked), language)
    fragment = words[skip:] if len(words) > skip else words
    asks = set(_ASKS.get(language, "").split())
    asking = [] if _asks(asked, language) else _asking(turns, asks, language)
    known = {bare(word) for word in (*asking, *fragment)}
    said = [*asking, *fragment, *(word for word in topic if bare(word) not in known)]
    return f"{' '.join(said)}?"


def _turns_that_count(history: Sequence[Turn], language: str) -> list[Turn]:
    """Return the last turn, and the one before it where the last one leans on it, latest last."""
    counted: list[Turn] = []
    for question, answer in reversed(history[-TURNS:]):
        short = " ".join(question.split()[:MOST_WORDS_OF_A_QUESTION])
        counted.insert(0, (short, answer))
        if short and leans(short, language) == "no":
            break
    if len(counted) == TURNS:
        (before, _), (question, answer) = counted
        replaced = _in_its_place(question, before, language)
        if replaced and _asks(replaced, language):
            return [(replaced, answer)]
    return counted


def _asks(question: str, language: str) -> bool:
    return not set(_ASKS.get(language, "").split()).isdisjoint(_plain(question))


def _in_its_place(fragment: str, question: str, language: str) -> str:
    """Return a question with a fragment's name for the one in its place; empty where there is none, or more than one.

    The place is behind the same preposition, and that of a name alone is a fragment that is nothing else. A month or a
    year takes that of another.
    """
    words = fragment.strip(_MARKS).split()
    words = words[_goes_on(_plain(fragment), language) :]
    prepositions = set(_BETWEEN.get(language, "").split()) - {*_ARTICLES.split(), "an", "a"}
    prepositions |= {"a"} if language != "en" else set()
    leads = len(words) > 1 and bare(words[0]) in prepositions
    name = " ".join(words[leads:])
    if not re.fullmatch(_IN_PLACE, name):
        return ""
    before = (
        rf"(?i:\b{re.escape(words[0])}) "
        if leads
        else rf"\A\W*(?:(?i:{'|'.join(_GOES_ON.get(language, '').split())}) )?"
    )
    behind = "" if leads else rf"(?=[{re.escape(_MARKS)}]*\Z)"
    found = list(re.finditer(rf"{before}(?P<name>{_IN_PLACE}){behind}", question))
    if len(found) != 1 or _is_of_time(name, language) != _is_of_time(found[0]["name"], language):
        return ""
    start, end = found[0].span("name")
    return f"{question[:start]}{name}{question[end:]}"


def _is_of_time(name: str, language: str) -> bool:
    return name.isdigit() or not calendar(language).keys().isdisjoint(bare(name).split())


def _topic(turn: Turn, language: str) -> list[str]:
    """Return what a turn was about: a name that was answered, and the question's names, or else its own words."""
    question, answer = turn
    answered = answer.split()
    # A name answered is what "she" is now; a whole sentence, a number or a date would only be found again.
    is_name = len(answered) <= MOST_WORDS_OF_A_NAME and any(word[:1].isupper() for word in answered)
    is_name = is_name and not any(mark.isdigit() for mark in answer)
    # The turn may have been in another language.
    asks = set(" ".join(_ASKS.values()).split())
    words = [word.strip(_MARKS) for word in question.split()]
    own = [word for word in words if word and bare(word) not in asks and not _is_stopword(word, language)]
    names = [word for name in _NAME.findall(question.strip()) for word in name.split()]
    return [*(answered if is_name else []), *(names or own)][:MOST_WORDS_OF_A_TOPIC]


def _asking(turns: Sequence[Turn], asks: set[str], language: str) -> list[str]:
    """Return what the latest of the turns asked for: its interrogative, and the words that go with it."""
    for question, _ in reversed(turns):
        words = [word.strip(_MARKS) for word in question.split()]
        for i, word in enumerate(words):
            if bare(word) in asks:
                more = i + 1
                while (
                    more < len(words)
                    and (bare(words[more]) in _MEASURES or not _is_stopword(words[more], language))
                    and more < i + 3
                ):
                    more += 1
                return words[i:more]
    return []


def _plain(question: str) -> list[str]:
    words = bare(question).strip(_MARKS).replace("-", " ").split()
    return [word.strip(_MARKS) for word in words]


def _goes_on(plain: Sequence[str], language: str) -> int:
    """Return how many words at the beginning say that the question goes on."""
    openings = set(_GOES_ON.get(language, "").split())
    return next((n for n in (2, 1) if "_".join(plain[:n]) in openings), 0)


def _without_impersonal(plain: Sequence[str], language: str) -> list[str]:
    pattern = _IMPERSONAL.get(language)
    return re.sub(rf"\b(?:{pattern})\b", " ", " ".join(plain)).split() if pattern else list(plain)


def _asks_of_a_name(question: str, language: str) -> bool:
    """Tell whether a question with few words of its own is whole: it asks, with a verb, of somebody or something named.

    "How many in Lyon?" and "Where in Lyon?" have no verb, and an abbreviation behind an article is no name: "the CEO".
    """
    asks = set(f"{_ASKS.get(language, '')} {_ELIDED.get(language, '')}".split())
    words = re.findall(r"\w+", bare(question))
    names = [name for name in _NAME.finditer(question.strip()) if not _is_abbreviated_noun(question.strip(), name)]
    if not names or asks.isdisjoint(words) or _QUANTITIES.search(" ".join(words)):
        return False
    named = {word for name in names for word in re.findall(r"\w+", bare(name.group()))}
    return not asks.union(named, _BETWEEN.get(language, "").split()).issuperset(words)


def _is_abbreviated_noun(question: str, name: re.Match[str]) -> bool:
    before = re.findall(r"\w+", bare(question[: name.start()]))
    return name.group().isupper() and bool(before) and before[-1] in _ARTICLES.split()


def _is_stopword(word: str, language: str) -> bool:
    # A figure beside it, because a text of nothing but stopwords keeps them.
    return terms(f"0x {word}", language) == ["0x"]
