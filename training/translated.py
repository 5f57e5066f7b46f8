"""Translates reading questions and their passages, so that each language has as many to learn from as English.

And Spanish sentences that have an English side into Italian, which has few everyday ones. The translator is Apertium
(Forcada et al. 2011), free and offline, whose rules keep markup at the words that it belongs to: the answer travels
through it as bold. What it gives is rough, most of all from English: it is trained on, and held-back questions in it
fit the decision and are one kind of row, "by rules", among the encoder's figures. Italian is reached by way of Spanish,
as French is from English.
"""

import argparse
import html
import json
import lzma
import random
import re
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.progress import track

from training.data import Question, read_tsv, split_questions

# Apertium's pairs, one after the other, by the languages that they join.
STEPS = {
    ("en", "es"): ["eng-spa"],
    ("en", "fr"): ["eng-spa", "es-fr"],
    ("en", "it"): ["eng-spa", "spa-ita"],
    ("es", "en"): ["spa-eng"],
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
    ("tydiqa_goldp_train.en", ("es", "fr", "it"), 10_000),
    ("squadshifts_new_wiki.en", ("es", "fr", "it"), 10_000),
    ("squad_train_union.en", ("es", "fr", "it"), 20_000),
]
# Questions that the passage does not answer, made to look as if it did: there are few, and no other file has them.
UNANSWERABLE = [("squad_es_v2_dev_small.rest.es", ("en", "it"), 10_000)]
# Held-back questions that are asked in another language too when the decision is fitted, by one step alone.
ASKED = {"en": ("es",), "es": ("en", "fr"), "fr": ("es",)}
ASKED_FILE = "asked.tsv.xz"
# Spanish sentences of pairs with English that become Italian ones.
SENTENCES = ("tatoeba-manythings", "wmt-newstest", "tico19")
BATCH = 250
SENTENCE_BATCH = 2_000
PARAGRAPH = re.compile(r"<p>(.*?)</p>", re.DOTALL)
BOLD = re.compile(r"</?b>")
# The translator repeats the markup for every word that it moves, and marks words that it does not know.
REJOINED = re.compile(r"</b>((?:&\w+;|[^\w<>])*)<b>")
MARKS = re.compile(r"[*@#]+(?=(?:<b>)?[*@#]*\w)")
# Such a word, unless it is a name.
UNKNOWN = re.compile(r"[*@#]+[^\W\dA-ZÀ-ÖØ-Þ_]")
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


def translate(paragraphs: Sequence[str], steps: Sequence[str], *, mark_unknown: bool = False) -> list[str] | None:
    """Return the paragraphs translated by one pair of languages after the other, None when one was lost on the way."""
    text = "".join(f"<p>{paragraph}</p>\n" for paragraph in paragraphs)
    for step in steps:
        command = ["apertium", *([] if mark_unknown else ["-u"]), "-f", "html", step]
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


def translated_pairs(pairs: Sequence[Sequence[str]]) -> Iterator[tuple[str, str]]:
    """Yield English and Italian of pairs of English and Spanish; those with a word that no rule knows are left out."""
    found = translate([html.escape(spanish, quote=False) for _, spanish in pairs], STEPS["es", "it"], mark_unknown=True)
    for (english, _), italian in zip(pairs, found or [], strict=False):
        if not UNKNOWN.search(italian):
            yield english, " ".join(html.unescape(MARKS.sub("", italian)).split())


def write_questions(data: Path, out: Path, seed: int, into: str | None) -> None:
    """Write one file of questions for each source and language, or for the sources of one language."""
    by_source: dict[str, list[Question]] = defaultdict(list)
    for question in split_questions(data).training:
        by_source[question.source].append(question)
    tasks = [(*task, False) for task in TASKS] + [(*task, True) for task in UNANSWERABLE]
    for source, languages, rows, unanswerable in tasks:
        pool = [q for q in by_source[source] if not unanswerable or q.start < 0]
        questions = random.Random(seed).sample(pool, min(rows, len(pool)))
        batches = [questions[i : i + BATCH] for i in range(0, len(questions), BATCH)]
        for language in languages:
            if into in (None, language):
                with lzma.open(out / f"{source}-{language}.jsonl.xz", "wt", encoding="utf-8") as file:
                    for batch in track(batches, f"{source} to {language}"):
                        for row in translated(batch, language):
                            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def write_asked(data: Path, out: Path) -> None:
    """Write the held-back questions in other languages: language, id, question."""
    with lzma.open(out / ASKED_FILE, "wt", encoding="utf-8") as file:
        held = split_questions(data)
        for language, answerable in held.development.items():
            rows = answerable + [q for q in held.unanswerable if q.language == language]
            for other in ASKED.get(language, ()):
                for i in track(range(0, len(rows), BATCH), f"held-back {language} to {other}"):
                    batch = rows[i : i + BATCH]
                    paragraphs = [html.escape(q.question, quote=False) for q in batch]
                    for question, text in zip(batch, translate(paragraphs, STEPS[language, other]) or [], strict=False):
                        plain = unmarked(text)
                        if plain is not None:
                            file.write(f"{other}\t{question.id}\t{plain[0]}\n")


def read_asked(folder: Path) -> dict[str, dict[str, str]]:
    """Return the held-back questions that `write_asked` wrote, by language and id."""
    asked: dict[str, dict[str, str]] = defaultdict(dict)
    for language, id, text in read_tsv(folder / ASKED_FILE):
        asked[language][id] = text
    return asked


def asked_questions(folder: str) -> dict[str, dict[str, str]]:
    """Return `read_asked` of the folder that an option names; raise ArgumentTypeError where it has no such file."""
    if not (Path(folder) / ASKED_FILE).is_file():
        raise argparse.ArgumentTypeError(f"{folder} has no {ASKED_FILE}: make it anew with training.translated")
    return read_asked(Path(folder))


def in_words_of(questions: Iterable[Question], language: str, asked: Mapping[str, Mapping[str, str]]) -> list[Question]:
    """Return those of the questions that are translated to a language, so translated, about their own passages."""
    wordings = asked.get(language, {})
    return [replace(q, question=wordings[q.id], language=language) for q in questions if q.id in wordings]


def write_sentences(data: Path, out: Path) -> None:
    """Write one file of English and Italian sentences for each source."""
    for source in SENTENCES:
        rows = [row for row in read_tsv(data / "parallel" / f"{source}.en-es.tsv.xz") if len(row) == 2]
        batches = [rows[i : i + SENTENCE_BATCH] for i in range(0, len(rows), SENTENCE_BATCH)]
        with lzma.open(out / f"{source}.en-it.tsv.xz", "wt", encoding="utf-8") as file:
            for batch in track(batches, f"{source} to it"):
                file.writelines(f"{english}\t{italian}\n" for english, italian in translated_pairs(batch))


def main() -> None:
    """Write one file for each source and language."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--data", type=Path, required=True)
    options.add_argument("--out", type=Path, required=True)
    options.add_argument("--seed", type=int, default=5)
    options.add_argument("--into", choices=("en", "es", "fr", "it"), help="this language alone; all otherwise")
    arguments = options.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    write_questions(arguments.data, arguments.out, arguments.seed, arguments.into)
    if arguments.into is None:
        write_asked(arguments.data, arguments.out)
    if arguments.into in (None, "it"):
        write_sentences(arguments.data, arguments.out)


if __name__ == "__main__":
    main()
