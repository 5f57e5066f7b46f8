"""Translates reading questions and their passages, so that each language has as many to learn from as English.

The translator is Apertium (Forcada et al. 2011), free and offline, whose rules keep markup at the words that it belongs
to: the answer travels through it as bold. What it gives is rough, most of all from English, and is only trained on,
never measured. Italian is reached by way of Spanish, as French is from English.
"""

import argparse
import html
import json
import lzma
import random
import re
import subprocess
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.progress import track

from training.data import Question, split_questions

# Apertium's pairs, one after the other, by the languages that they join.
STEPS = {
    ("en", "es"): ["eng-spa"],
    ("en", "fr"): ["eng-spa", "es-fr"],
    ("en", "it"): ["eng-spa", "spa-ita"],
    ("es", "fr"): ["es-fr"],
    ("es", "it"): ["spa-ita"],
    ("fr", "es"): ["fr-es"],
    ("fr", "it"): ["fr-es", "spa-ita"],
}
# What is translated into what, and how many rows of it: the Spanish and Italian SQuAD ask the same questions.
TASKS = [
    ("piaf_v1.1.fr", ("es", "it"), 10_000),
    ("squad_es_dist_human.es", ("fr", "it"), 10_000),
    ("squad_es_v11_dev_small.rest.es", ("fr",), 10_000),
    ("squad_es_v2_dev_small.rest.es", ("fr",), 10_000),
    ("tydiqa_goldp_train.en", ("es", "fr", "it"), 2_000),
    ("squadshifts_new_wiki.en", ("es", "fr", "it"), 3_000),
    ("squad_train_union.en", ("es", "fr", "it"), 7_000),
]
BATCH = 250
PARAGRAPH = re.compile(r"<p>(.*?)</p>", re.DOTALL)
BOLD = re.compile(r"</?b>")
# The translator repeats the markup for every word that it moves, and marks words that it does not know.
REJOINED = re.compile(r"</b>((?:&\w+;|[^\w<>])*)<b>")
MARKS = re.compile(r"[*@#]+(?=(?:<b>)?[*@#]*\w)")
# An answer that grew or shrank by more than this has taken in words of the sentence, or lost its own.
LENGTHS = (0.4, 2.5)


def marked(question: Question) -> str:
    """Return the passage on one line of HTML, its answer in bold."""
    parts = [question.passage]
    if question.start >= 0:
        end = question.start + len(question.answer)
        parts = [question.passage[: question.start], question.passage[question.start : end], question.passage[end:]]
    escaped = [html.escape(" ".join(part.split("\n")), quote=False) for part in parts]
    return "<b>".join(escaped[:2]) + "</b>" + escaped[2] if len(escaped) == 3 else escaped[0]


def unmarked(text: str) -> tuple[str, int, int] | None:
    """Return the text of one line of HTML and the bounds of its bold part, (-1, -1) without one.

    None when there are several bold parts with other words between them.
    """
    line = MARKS.sub("", REJOINED.sub(r"\1", " ".join(text.split())))
    parts = [html.unescape(part) for part in BOLD.split(line)]
    if len(parts) == 1:
        return parts[0], -1, -1
    if len(parts) != 3:
        return None
    before, answer, after = parts
    start = len(before) + len(answer) - len(answer.lstrip())
    return before + answer + after, start, start + len(answer.strip())


def translate(paragraphs: Sequence[str], steps: Sequence[str]) -> list[str] | None:
    """Return the paragraphs translated by one pair of languages after the other, None when one was lost on the way."""
    text = "".join(f"<p>{paragraph}</p>\n" for paragraph in paragraphs)
    for step in steps:
        command = ["apertium", "-u", "-f", "html", step]
        text = subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout
    found = PARAGRAPH.findall(text)
    return found if len(found) == len(paragraphs) else None


def translated(questions: Sequence[Question], language: str) -> Iterator[dict[str, Any]]:
    """Yield rows of `language` as the files of questions hold them; those whose answer was torn apart are left out."""
    steps = STEPS[questions[0].language, language]
    paragraphs = [part for q in questions for part in (html.escape(q.question, quote=False), marked(q))]
    found = translate(paragraphs, steps)
    if found is None:
        return
    for i, question in enumerate(questions):
        asked, text = unmarked(found[2 * i]), unmarked(found[2 * i + 1])
        if asked is None or text is None or (text[1] >= 0) != (question.start >= 0):
            continue
        passage, start, end = text
        answers = [{"text": passage[start:end], "start": start}] if start >= 0 else []
        low, high = LENGTHS
        if answers and not low * len(question.answer) <= end - start <= high * len(question.answer):
            continue
        row = {"id": question.id, "lang": language, "question": asked[0], "context": passage, "answers": answers}
        yield {**row, "source": question.source}


def main() -> None:
    """Write one file for each source and language."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--data", type=Path, required=True)
    options.add_argument("--out", type=Path, required=True)
    options.add_argument("--seed", type=int, default=5)
    options.add_argument("--into", choices=("es", "fr", "it"), help="this language alone; all three otherwise")
    arguments = options.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    by_source: dict[str, list[Question]] = defaultdict(list)
    for question in split_questions(arguments.data).training:
        by_source[question.source].append(question)
    for source, languages, rows in TASKS:
        questions = random.Random(arguments.seed).sample(by_source[source], min(rows, len(by_source[source])))
        batches = [questions[i : i + BATCH] for i in range(0, len(questions), BATCH)]
        for language in languages:
            if arguments.into in (None, language):
                path = arguments.out / f"{source}-{language}.jsonl.xz"
                with lzma.open(path, "wt", encoding="utf-8") as file:
                    for batch in track(batches, f"{source} to {language}"):
                        for row in translated(batch, language):
                            file.write(json.dumps(row, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
