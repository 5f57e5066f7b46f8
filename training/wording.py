"""Asks a question in a mixture of two languages, word for word by the dictionaries."""

import random
import re
from pathlib import Path

from training.data import read_dictionary

TRANSLATED_WORDS = 0.7


class Words:
    """Word for word translations, to ask in a mixture of two languages: it ties their words to one another."""

    def __init__(self, data: Path) -> None:
        self.by_language: dict[tuple[str, str], dict[str, list[str]]] = {}
        for pair in read_dictionary(data):
            english, other = pair.english.casefold(), pair.other.casefold()
            self.by_language.setdefault(("en", pair.language), {}).setdefault(english, []).append(other)
            self.by_language.setdefault((pair.language, "en"), {}).setdefault(other, []).append(english)

    def translate(self, question: str, language: str, choose: random.Random) -> str:
        """Return the question with most of the words replaced that have a translation; names stay as they are."""
        into = choose.choice(["es", "fr", "it"]) if language == "en" else "en"
        known = self.by_language.get((language, into), {})
        words: list[str] = []
        for word in re.findall(r"\w+|\W+", question):
            # The first few are the commonest senses.
            named = word[0].isupper() and bool(words)
            candidates = [] if named or len(word) < 3 else known.get(word.casefold(), [])[:2]
            translated = candidates and choose.random() < TRANSLATED_WORDS
            words.append(choose.choice(candidates) if translated else word)
        return "".join(words)
