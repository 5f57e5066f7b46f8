"""Dates and times of day in one form, however they are written: months by their names, hours from midnight on."""

import re
from collections.abc import Mapping
from functools import cache

from rag.dates import MONTHS
from rag.expect import bare

# Dates in figures, the month's name in place of its figure from then on; in English where the day shows which it is.
_YEAR_FIRST = re.compile(r"(?<![\w./-])((?:1\d|20)\d\d)([-/.])(0?[1-9]|1[0-2])\2(0?[1-9]|[12]\d|3[01])(?!\w|[./-]\d)")
_YEAR_LAST = re.compile(r"(?<![\w./-])(\d{1,2})([-/.])(\d{1,2})\2((?:1\d|20)\d\d)(?!\w|[./-]\d)")
# Abbreviated months, beside a day or a year; "10 set" are ten in Italian tennis.
_SHORT_MONTHS = {
    "en": "Jan Feb Mar Apr Jun Jul Aug Sept? Oct Nov Dec",
    "es": "ene feb mar abr jun jul ago sept? oct nov dic",
    "fr": "janv f(?:é|e\u0301?)vr? mar avr juil ao(?:û|u\u0302) sept oct nov d(?:é|e\u0301?)c",
    "it": "genn? febb?r? mar apr mag giu lug ago sett ott nov dic",
}
# Times of day, in hours from then on: "5:30 p.m." is 17.5.
_B = r"[ \u00a0\u202f]"
# Of an hour that is not in the text, the 17 of "5 p.m.", which a 17 of nothing known is not.
RECKONED = "reckoned"
_CLOCK = re.compile(
    rf"(?<![\w.,:/])(?P<led>(?i:ore|alle|dalle|las){_B})?(?P<hour>[01]?\d|2[0-4])"
    rf"(?:(?P<mark>:|\.|{_B}?[hH]{_B}?)(?P<minutes>[0-5]\d))?(?!:?\d|[.,]\d)(?:{_B}?(?:h|heures?|ore|horas?)\b)?"
    rf"(?:{_B}?(?:(?P<pm>(?i:pm\b|p\.{_B}?m\b\.?))|(?P<am>(?i:am\b|a\.{_B}?m\b\.?)))|{_B}(?:"
    rf"(?P<late>(?:de la (?:tarde|noche)|del pomeriggio|di sera|du soir|de l['’]apr(?:è|e\u0300?)s-midi|"
    rf"in the (?:afternoon|evening))\b)|"
    rf"(?P<early>(?:de la ma(?:ñ|n\u0303?)ana|del mattino|di mattina|du matin|in the morning)\b)))?"
)


def with_months(text: str, language: str) -> str:
    """Return a text with the names of months in place of their abbreviations and of their figures in dates.

    >>> with_months("17/02/2025", "fr"), with_months("Feb. 17", "en")
    ('17 février 2025', 'February 17')
    """
    if language in _SHORT_MONTHS:
        pattern, names = _short_months(language)
        text = pattern.sub(lambda match: _spelt_out(match, names), text)
    text = _YEAR_FIRST.sub(lambda match: f"{match[4]} {_month(match[3], language)} {match[1]}", text)
    return _YEAR_LAST.sub(lambda match: _in_words(match, language), text)


def without_hours(text: str) -> tuple[str, set[tuple[float, str, str]]]:
    """Return a text without its times of day, and those in hours from midnight on, each with what it is of and no stem.

    >>> without_hours("alle 18.30")
    (', ', {(18.5, 'hour', '')})
    """
    hours: set[tuple[float, str, str]] = set()

    def taken(match: re.Match[str]) -> str:
        late, early = match["pm"] or match["late"], match["am"] or match["early"]
        mark, led = (match["mark"] or ".").strip(), (match["led"] or "").strip().lower()
        if not (late or early or mark != "." or led == "ore" or (led and match["minutes"])):
            return match.group()
        hour = int(match["hour"])
        hour += 12 if late and hour < 12 else -12 if early and hour == 12 else 0
        time = hour + int(match["minutes"] or 0) / 60
        hours.add((time, "hour", ""))
        if hour != int(match["hour"]):
            hours.add((time, RECKONED, ""))
        return ", "

    return _CLOCK.sub(taken, text), hours


def _in_words(date: re.Match[str], language: str) -> str:
    """Return "17 febbraio 2025" for "17/02/2025"; the date as it is where it cannot be told which is the month."""
    day, month = date[1], date[3]
    if int(month) > 12 and language == "en":
        day, month = month, day
    unclear = language not in ("es", "fr", "it") and int(day) <= 12 and day != month
    if unclear or not (1 <= int(month) <= 12 and 1 <= int(day) <= 31):
        return date.group()
    return f"{day} {_month(month, language)} {date[4]}"


def _month(place: str, language: str) -> str:
    """Return the name of the month of that place, "02", in a language; in English where it is none of the four."""
    name = MONTHS.get(language, MONTHS["en"]).split()[int(place) - 1]
    return name.capitalize() if language not in ("es", "fr", "it") else name


@cache
def _short_months(language: str) -> tuple[re.Pattern[str], dict[str, str]]:
    """Return what finds abbreviated months, with the day or the year beside them, and names by their first letters."""
    cases = "" if language == "en" else "i"
    pattern = (
        rf"(?<![\w.,])(?P<day>\d{{1,2}}(?:st|nd|rd|th|[º°]|er)?(?:{_B}(?:de )?|[/-]))?"
        rf"(?P<name>(?{cases}:{'|'.join(_SHORT_MONTHS[language].split())}))\b\.?"
        rf"(?P<more>(?=,?(?:{_B}|[/-])(?:\d{{1,2}}(?:st|nd|rd|th)?\b(?![.,:]?\d|{_B}?%)|(?:del?{_B})?(?:1\d|20)\d\d\b)))?"
    )
    return re.compile(pattern), {bare(name)[:3]: name for name in MONTHS[language].split()}


def _spelt_out(date: re.Match[str], names: Mapping[str, str]) -> str:
    """Return a date with its month's whole name; a word that has neither day nor year beside it as it is."""
    if date["day"] is None and date["more"] is None:
        return date.group()
    name = names[bare(date["name"])[:3]]
    return f"{date['day'] or ''}{name.capitalize() if date['name'][0].isupper() else name}"
