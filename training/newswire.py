"""Questions about news to train on, each in four languages, about news that is there in up to four.

Public questions about passages were mostly written from an encyclopaedia, one paragraph at a time, and in one language.
These are about WMT's news test sets (`training.newstest`): what somebody would ask about a folder of articles, often
with another name for a thing than its sentence has, and one in three looks answerable and is not. None is about a line
of the folders of `training.news`, by which the program is measured, and no passage has one.
"""

import json
from pathlib import Path

from training.data import Question
from training.newstest import FOLDERS, PARAGRAPH, in_paragraphs, read_lines

KEPT = Path(__file__).parent / "newswire.jsonl"
SOURCE = "newswire"
# Lines before and after the one asked about that are in its passage, and as many where it does not answer.
AROUND, AROUND_TEMPTING = 7, 3


def read_newswire(data: Path, kept: Path = KEPT, *, apart: bool = False) -> list[Question]:
    """Return the questions, one for each language of the line that each is about.

    A passage has some lines before and after that line; with `apart`, passages share no line. Raises ValueError when an
    answer is not in its line: `data` then holds other texts than those asked about.
    """
    lines = read_lines(data)
    closed = _measured_on()
    questions = []
    for number, row in enumerate(kept.read_text(encoding="utf-8").splitlines()):
        told = json.loads(row)
        at, asked, answers = told["line"], told["questions"], told["answers"]
        around = AROUND if answers else AROUND_TEMPTING
        for language in sorted(lines[at]):
            near = _apart(at) if apart else range(at - around, at + around + 1)
            places = [i for i in near if 0 <= i < len(lines) and i not in closed and language in lines[i]]
            passage, starts = in_paragraphs([lines[i][language] for i in places])
            answer, start = answers.get(language, ""), -1
            if answers:
                within = lines[at][language].find(answer)
                if not answer or within < 0:
                    raise ValueError(f"row {number + 1} of {kept} is not about line {at} of {data}")
                start = starts[places.index(at)] + within
            also = tuple(sorted((x, text) for x, text in asked.items() if x != language))
            questions.append(
                Question(f"{SOURCE}-{number}", language, asked[language], passage, answer, start, SOURCE, also)
            )
    return questions


def _measured_on() -> set[int]:
    """Return the lines of the folders by which the program is measured."""
    rows = [json.loads(row) for row in (FOLDERS / "documents.jsonl").read_text(encoding="utf-8").splitlines()]
    return {line for row in rows for line in range(row["first"], row["last"] + 1)}


def _apart(line: int) -> range:
    """Return the lines of the two paragraphs that hold a line, which are the same for all of them."""
    first = line - line % (2 * PARAGRAPH)
    return range(first, first + 2 * PARAGRAPH)
