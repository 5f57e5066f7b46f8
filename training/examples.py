"""Makes the reader's training examples: a question with the piece of text that answers it, or with a near miss."""

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rag.lexical import terms
from training.contraries import contrary
from training.data import Question, is_translated, read_questions, read_translated, split_questions
from training.dossiers import SOURCE as DOSSIERS
from training.dossiers import read_dossiers, rows_to_read, trained_on
from training.mined import Mined
from training.newswire import SOURCE as NEWSWIRE
from training.newswire import read_newswire
from training.pieces import BOUNDARY, PASSAGE_CHARACTERS, sentence_around
from training.rivals import Rivals, lacks
from training.wording import Words

SHARES = {"en": 0.34, "es": 0.22, "fr": 0.22, "it": 0.22}
# User reviews and forum posts are far from news; single sentences teach little about passages.
SOURCE_CAPS = {"squadshifts_reddit.en": 2_500, "qamr": 4_000}
QAMR_FILES = ("qamr_dev.en", "qamr_test.en")
# Chances of near misses: texts that lack the answer, beside the one that has it, or a changed question; about half of
# the borrowed and swapped find no name that fits, and three in four questions have no word with a contrary.
# What a text says of another name than the one that it is asked about was refused least.
NEAR_MISS_SHARE, RENAMED_SHARE, SWAPPED_SHARE, BORROWED_SHARE, CONTRARY_SHARE = 0.40, 0.05, 0.26, 0.12, 0.14
# Near misses of one question, and the chance that one is from elsewhere in its passage, or from another language.
MOST_NEAR_MISSES, ELSEWHERE_SHARE, FOREIGN_SHARE = 3, 0.4, 0.3
# How often a question that its passage does not answer is asked in a round: somebody wrote it to look as if.
UNANSWERABLE_REPEATED = 2
# The same of questions about news, and the chance of another language than its passage's for one that was written in
# four.
NEWSWIRE_REPEATED, ANY_LANGUAGE_SHARE = 2, 0.6
OTHER_LANGUAGE_SHARE = 0.25
# Questions about dossiers among all that are drawn, unless another share is asked for.
DOSSIER_SHARE = 0.15
HALF_TRANSLATED_SHARE = 0.15
UNPUNCTUATED_SHARE = 0.12
KEYWORDS_SHARE = 0.07
WHOLE_SENTENCES_SHARE = 0.8
MINIMUM_CHARACTERS = 150
SPACE = re.compile(r"\s+")
NAME = re.compile(r"(?<=[^.!?¿¡:«\"] )[A-ZÀ-ÖØ-Þ][\w'-]+(?: [A-ZÀ-ÖØ-Þ][\w'-]+)*|\b\d{3,4}\b")


@dataclass(frozen=True, slots=True)
class Example:
    """A question, the text to read, and the answer's code points in it; `start` is -1 when it is not there."""

    question: str
    text: str
    start: int
    end: int


def read_rows(data: Path, seed: int, translated: Path | None = None) -> list[Question]:
    """Return the questions to train on: in the order of the files, far sources thinned out; translated; written for it.

    Those are about news and about dossiers.
    """
    choose = random.Random(seed)
    qamr = [q for name in QAMR_FILES for q in read_questions(data / "qa" / "train" / f"{name}.jsonl.xz")]
    # News first: it is nearest to the use.
    choose.shuffle(qamr)
    qamr.sort(key=lambda q: ":wikinews:" not in q.id)
    sentences = sorted(qamr[: SOURCE_CAPS["qamr"]], key=lambda q: q.id)
    rows = split_questions(data).training
    more = read_translated(translated, rows)
    for source in SOURCE_CAPS:
        places = [i for i, q in enumerate(rows) if q.source == source]
        dropped = set(choose.sample(places, max(0, len(places) - SOURCE_CAPS[source])))
        rows = [q for i, q in enumerate(rows) if i not in dropped]
    return rows + sentences + more + read_newswire(data) + rows_to_read(trained_on(read_dossiers()))


def cut(
    text: str, start: int, end: int, choose: random.Random, characters: tuple[int, int] = PASSAGE_CHARACTERS
) -> tuple[int, int]:
    """Return bounds of a piece around `start` to `end`, as long as an indexed passage is, cut as those are.

    Most pieces are whole sentences, the others whole words; the kept part lies anywhere in the piece, which has between
    the least and the most `characters`.
    """
    room = max(0, choose.randint(*characters) - (end - start))
    before = choose.randint(0, room)
    boundary = BOUNDARY if choose.random() < WHOLE_SENTENCES_SHARE else SPACE
    edges = list(boundary.finditer(text))
    firsts = [0, *(m.end() for m in edges if m.end() <= start)]
    lasts = [*(m.start() for m in edges if m.start() >= end), len(text)]
    first = min(firsts, key=lambda at: abs(at - (start - before)))
    last = min(lasts, key=lambda at: abs(at - (end + room - before)))
    return first, last


def keywords(question: str, language: str) -> str:
    """Return the question without its function words, or as it is when fewer than two words would stay."""
    kept = set(terms(question, language))
    words = [word for word in question.strip(" ¿?").split() if kept & set(terms(word, language))]
    return " ".join(words) if len(words) > 1 else question


class Examples:
    """Endless examples, each language's questions in rounds, with near misses and other wordings.

    With `answered` no near misses: every text answers its question. With `written` no passage that rules translated is
    asked about, unless it does not answer: what people wrote is nearer to the use. The questions still come in all the
    languages that they have been translated to. A share, `mined_share`, was mined, with its windows; of the others a
    share, `dossiers`, is about these. Both have rounds of their own. Pieces have between the least and the most
    `characters`.
    """

    def __init__(
        self,
        questions: Sequence[Question],
        words: Words,
        seed: int,
        *,
        answered: bool = False,
        written: bool = False,
        dossiers: float = 0.0,
        mined: Sequence[Mined] = (),
        mined_share: float = 0.0,
        characters: tuple[int, int] = PASSAGE_CHARACTERS,
    ) -> None:
        if answered:
            questions = [q for q in questions if q.start >= 0]
        self.words, self.rivals, self.answered = words, Rivals(questions), answered
        self.dossiers, self.characters = dossiers, characters
        self.mined, self.mined_share = mined, mined_share
        drawn = [q for q in questions if not (written and q.start >= 0 and is_translated(q))]
        self.by_language = {
            x: [
                q for q in drawn if q.language == x and q.source != DOSSIERS for _ in range(repeats(q, written=written))
            ]
            for x in SHARES
        }
        self.of_dossiers = {x: [q for q in drawn if q.language == x and q.source == DOSSIERS] for x in SHARES}
        # Rows of one id in several languages translate each other: one may ask in another's language.
        self.wordings: dict[str, dict[str, Question]] = {}
        for question in questions:
            if question.start >= 0:
                self.wordings.setdefault(question.id, {})[question.language] = question
        self.restart(seed)

    def restart(self, seed: int, *, part: int = 0, parts: int = 1) -> None:
        """Begin the rounds anew in another order, of every `parts`th question alone."""
        self.seed, self.part, self.parts = seed, part, parts
        self.choose = random.Random(f"{seed} {part}")
        self.rounds: dict[str, int] = {}
        self.order: dict[str, list[int]] = {}

    def draw(self, language: str) -> Question:
        """Return the next question of a language, about a dossier or not, in a new order each round."""
        pool, name = self.by_language[language], language
        if self.of_dossiers[language] and self.choose.random() < self.dossiers:
            pool, name = self.of_dossiers[language], f"{language} {DOSSIERS}"
        return pool[self.next_of(name, len(pool))]

    def next_of(self, name: str, size: int) -> int:
        """Return the next place in a pool of that name and size."""
        if not self.order.get(name):
            done = self.rounds.get(name, 0)
            order = random.Random(f"{self.seed} {name} {done}").sample(range(size), size)
            self.order[name] = order[self.part :: self.parts] or order
            self.rounds[name] = done + 1
        return self.order[name].pop()

    def wording(self, question: Question) -> str:
        """Return the question, now and then in (half) another language, `typed`."""
        text, language = question.question, question.language
        wordings = {x: each.question for x, each in self.wordings.get(question.id, {}).items() if x != language}
        others = sorted((wordings | dict(question.also)).items())
        share = ANY_LANGUAGE_SHARE if question.also else OTHER_LANGUAGE_SHARE
        if others and self.choose.random() < share:
            language, text = self.choose.choice(others)
        elif self.choose.random() < HALF_TRANSLATED_SHARE:
            text = self.words.translate(text, language, self.choose)
        return self.typed(text, language)

    def typed(self, text: str, language: str) -> str:
        """Return a question as it may be typed: now and then unpunctuated, or reduced to its keywords."""
        if self.choose.random() < KEYWORDS_SHARE:
            text = keywords(text, language)
        return text.lower().strip(" ¿?") if self.choose.random() < UNPUNCTUATED_SHARE else text

    def elsewhere(self, question: Question) -> str | None:
        """Return a piece of the question's passage that lacks the answer, None when the passage is too short."""
        at = question.passage.find(sentence_around(question))
        sides = [question.passage[:at].strip(), question.passage[at + len(sentence_around(question)) :].strip()]
        lacking = [s for s in sides if len(s) >= MINIMUM_CHARACTERS and lacks(s, question.answer)]
        return self.piece(self.choose.choice(lacking)) if lacking else None

    def near_misses(self, question: Question) -> list[str]:
        """Return pieces that look like the answer's and lack it: of its passage, and of others.

        Those are of its folder, or else of the passages that are likeliest by their words.
        """
        count = self.choose.randint(1, MOST_NEAR_MISSES)
        elsewhere = self.elsewhere(question) if self.choose.random() < ELSEWHERE_SHARE else None
        found = [elsewhere] if elsewhere else []
        others = sorted(self.wordings.get(question.id, {}).keys() - {question.language})
        if beside := [text for text in question.beside if lacks(text, question.answer)]:
            texts = self.choose.sample(beside, min(len(beside), count - len(found)))
        else:
            if others and self.choose.random() < FOREIGN_SHARE:
                question = self.wordings[question.id][self.choose.choice(others)]
            texts = self.rivals.of(question, self.choose, count=count - len(found))
        return found + [self.tempting(question, text) for text in texts]

    def tempting(self, question: Question, text: str) -> str:
        """Return the piece of a text, of three, that has the most words of the question, as asked in any language."""
        asked = long_words(" ".join([question.question, *(wording for _, wording in question.also)]))
        return max((self.piece(text) for _ in range(3)), key=lambda piece: len(asked & long_words(piece)))

    def piece(self, text: str) -> str:
        """Return a piece from anywhere in the text, as long as an indexed passage is."""
        at = self.choose.randrange(len(text))
        first, last = cut(text, at, at, self.choose, self.characters)
        return text[first:last]

    def examples(self, question: Question) -> list[list[Example]]:
        """Return the question with a piece of its passage, alone or before near misses, or beside a changed question.

        What is asked apart stands in a list of its own.
        """
        kind, wording = self.choose.random(), self.wording(question)
        if question.start < 0:
            return [[Example(wording, self.tempting(question, question.passage), -1, -1)]]
        start, end = question.start, question.start + len(question.answer)
        first, last = cut(question.passage, start, end, self.choose, self.characters)
        piece = question.passage[first:last]
        answer = Example(wording, piece, start - first, end - first)
        if self.answered:
            return [[answer]]
        if changed := self.changed(question, piece, 1 - kind):
            return [[answer], [Example(changed, piece, -1, -1)]]
        lacking = self.near_misses(question) if kind < NEAR_MISS_SHARE else []
        return [[answer, *(Example(wording, x, -1, -1) for x in lacking)]]

    def changed(self, question: Question, piece: str, kind: float) -> str | None:
        """Return, now and then, a question that the piece does not answer: of it, or of its names, and yet another."""
        language = question.language
        if (kind := kind - RENAMED_SHARE) < 0:
            texts = self.rivals.texts[language]
            return renamed(question, self.choose.sample(texts, min(5, len(texts))), self.choose)
        if (kind := kind - SWAPPED_SHARE) < 0:
            return swapped(question, piece, self.choose)
        if (kind := kind - BORROWED_SHARE) < 0:
            pool = self.by_language[language]
            return borrowed(piece, self.choose.sample(pool, min(8, len(pool))), self.choose)
        return contrary(question.question, language, piece, self.choose) if kind < CONTRARY_SHARE else None

    def chunk(self, size: int) -> list[list[Example]]:
        """Return the examples of `size` questions and those that were made of them, languages by their shares."""
        drawn = self.choose.choices(list(SHARES), list(SHARES.values()), k=size)
        return [together for language in drawn for together in self.next(language)]

    def next(self, language: str) -> list[list[Example]]:
        """Return the examples of the next question: one that was mined, of any language, or one of this language."""
        if self.mined and self.choose.random() < self.mined_share:
            return self.of_mined(self.mined[self.next_of("mined", len(self.mined))])
        return self.examples(self.draw(language))

    def of_mined(self, mined: Mined) -> list[list[Example]]:
        """Return the windows of a question that was mined, with it."""
        wording = self.typed(mined.question, mined.language)
        return [
            [Example(wording, window.text, window.start, window.end) for window in together]
            for together in mined.together(self.choose, most=MOST_NEAR_MISSES)
        ]


def repeats(question: Question, *, written: bool) -> int:
    """Return how often a question is asked in a round, where written questions alone are or all."""
    if question.source == NEWSWIRE:
        return NEWSWIRE_REPEATED
    return UNANSWERABLE_REPEATED if question.start < 0 and not written else 1


def renamed(question: Question, texts: Sequence[str], choose: random.Random) -> str | None:
    """Return the question about another name or year than the passage's: the right passage, the wrong thing.

    The other name comes from the first of the `texts` that has one of the kind; None where none has.
    """
    named = [m for m in NAME.finditer(question.question) if m.group() in question.passage]
    if not named:
        return None
    match = choose.choice(named)
    digits = match.group().isdigit()
    for text in texts:
        others: list[str] = [n for n in NAME.findall(text) if n.isdigit() == digits and n not in question.passage]
        if others:
            return about(question, match, choose.choice(others))
    return None


def swapped(question: Question, text: str, choose: random.Random) -> str | None:
    """Return the question about another name or year of the text itself: it names both, and says it of one alone.

    None where the text has no other of as many words that shares none of them; now and then what it asks is true of
    both.
    """
    taken = f"{question.question} {question.answer}"
    others: list[str] = sorted({n for n in NAME.findall(text) if n not in taken and question.answer not in n})
    matches = list(NAME.finditer(question.question))
    for match in choose.sample(matches, len(matches)):
        name = match.group()
        alike = [n for n in others if n.count(" ") == name.count(" ") and n.isdigit() == name.isdigit()]
        alike = [n for n in alike if not long_words(n) & long_words(name)]
        if name in text and alike:
            return about(question, match, choose.choice(alike))
    return None


def borrowed(text: str, questions: Sequence[Question], choose: random.Random) -> str | None:
    """Return a question of another passage, asked about a name of this text: the right name, the wrong fact.

    None where no question's name has as many words as one of the text, or where the text holds the answer's letters.
    """
    names: list[str] = sorted({n for n in NAME.findall(text) if not n.isdigit()})
    for question in questions:
        if not question.answer or not lacks(text, question.answer):
            continue
        for match in NAME.finditer(question.question):
            length = match.group().count(" ")
            alike = [n for n in names if n.count(" ") == length and n not in question.passage]
            if alike and not match.group().isdigit():
                return about(question, match, choose.choice(alike))
    return None


def about(question: Question, match: re.Match[str], name: str) -> str:
    """Return the question with another name in the place of the one that matched."""
    return question.question[: match.start()] + name + question.question[match.end() :]


def long_words(text: str) -> set[str]:
    """Return the words of more than three letters."""
    return {word for word in re.findall(r"\w+", text.casefold()) if len(word) > 3}
