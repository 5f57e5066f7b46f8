"""Reads the training data: parallel sentences, dictionaries, questions with passages; and says what is held back."""

import csv
import hashlib
import json
import lzma
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

LANGUAGES = ("es", "fr", "it")

# Sources in general prose are taken whole; the others are capped, so that manuals do not decide what words mean.
WHOLE = frozenset(
    [
        "tatoeba-manythings",
        "opusmt-tatoeba",
        "tatoeba-pivot",
        "wmt-newstest",
        "tico19",
        "stsb-train",
        "cocoa-mt",
        "mt-geneval",
        "bilinguator-books",
        "nextstrain-sitreps",
        "opensource-guide",
        "openfoodfacts",
        "mozilla-www",
        "privacyguides",
        "debian-handbook",
        "gnome-user-docs",
        "gnucash-docs",
        "letsencrypt",
        "ms-security101",
    ]
)
CAPS = {
    "tatoeba-manythings": 90_000,
    "canada-laws": 25_000,
    "debian-website": 25_000,
    "ms-businesscentral": 20_000,
    "bible": 12_000,
    "python-docs": 8_000,
}
OTHER_CAP = 6_000
# riseup states no licence.
LEFT_OUT = frozenset(["riseup"])
# Files whose lines follow each other in one document: neighbours joined make longer texts.
RUNNING = frozenset(
    [
        "wmt-newstest",
        "debian-website",
        "debian-handbook",
        "privacyguides",
        "opensource-guide",
        "bilinguator-books",
        "tico19",
        "nextstrain-sitreps",
        "gnome-user-docs",
    ]
)
RUNNING_CAP = 8_000
# The GPL word lists (freedict) and the evaluation lists (test2k) stay out.
DICTIONARIES = ("wiktionary", "wiktionary-rev")


@dataclass(frozen=True, slots=True)
class Pair:
    """An English text and its translation into `language`."""

    english: str
    other: str
    language: str


@dataclass(frozen=True, slots=True)
class Question:
    """A question, the passage that answers it, and where: `start` in code points, -1 when it is unanswerable.

    `also` holds the question as it was written in other languages, each with its code; `beside` the texts of the same
    folder that do not answer it.
    """

    id: str
    language: str
    question: str
    passage: str
    answer: str
    start: int
    source: str
    also: tuple[tuple[str, str], ...] = ()
    beside: tuple[str, ...] = ()


def bucket(text: str, buckets: int) -> int:
    """Return a number below `buckets` that depends on the text alone, so that a split is the same on every machine."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") % buckets


def read_tsv(path: Path) -> Iterator[list[str]]:
    """Yield the rows of an xz-compressed, tab-separated file."""
    with lzma.open(path, "rt", encoding="utf-8", newline="") as lines:
        yield from csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)


def held_back(pair: Pair) -> bool:
    """Tell whether a pair belongs to the development pairs (one in 200)."""
    return bucket(pair.english, 200) == 0


def read_pairs(data: Path, translated: Path | None = None, *, seed: int = 0) -> list[Pair]:
    """Return the parallel sentences, capped by source and shuffled, the development pairs among them.

    With those of a folder of training.translated, which are in no development pair.
    """
    choose = random.Random(seed)
    pairs: list[Pair] = []
    for path in [*sorted((data / "parallel").glob("*.tsv.xz")), *more_files(translated, ".en-it.tsv.xz")]:
        source, language = path.name.removesuffix(".tsv.xz").split(".en-")
        if source in LEFT_OUT:
            continue
        rows = [Pair(row[0], row[1], language) for row in read_tsv(path) if len(row) == 2]
        joined = list(join_neighbours(rows)) if source in RUNNING else []
        rows = [pair for pair in rows if 2 <= len(pair.english.split()) <= 50]
        if path.parent == translated:
            rows, joined = ([pair for pair in each if not held_back(pair)] for each in (rows, joined))
        choose.shuffle(rows)
        choose.shuffle(joined)
        pairs += rows[: CAPS.get(source, len(rows) if source in WHOLE else OTHER_CAP)] + joined[:RUNNING_CAP]
    pairs += parallel_questions(data)
    choose.shuffle(pairs)
    return pairs


def more_files(folder: Path | None, ending: str) -> list[Path]:
    """Return the files of a folder of training.translated with an ending, none without a folder."""
    return sorted(folder.glob(f"*{ending}")) if folder else []


def join_neighbours(rows: list[Pair]) -> Iterator[Pair]:
    """Yield runs of three neighbouring sentences as one pair."""
    for i in range(0, len(rows) - 2, 3):
        run = rows[i : i + 3]
        yield Pair(" ".join(p.english for p in run), " ".join(p.other for p in run), run[0].language)


def parallel_questions(data: Path) -> list[Pair]:
    """Return the questions of Mintaka and QALD-9 that exist in English and another language."""
    pairs = []
    rows = read_tsv(data / "qc" / "mintaka_dev_parallel.tsv.xz")
    header = next(rows)
    for row in rows:
        texts = dict(zip(header, row, strict=False))
        pairs += [Pair(texts["en"], texts[x], x) for x in LANGUAGES if texts.get("en") and texts.get(x)]
    for name in ("qald9_train_multilingual", "qald9_test_multilingual"):
        by_id: dict[str, dict[str, str]] = {}
        for row in read_tsv(data / "qc" / f"{name}.tsv.xz"):
            if len(row) == 4:
                by_id.setdefault(row[0], {})[row[2]] = row[3]
        for texts in by_id.values():
            pairs += [Pair(texts["en"], texts[x], x) for x in LANGUAGES if "en" in texts and x in texts]
    return pairs


def read_dictionary(data: Path) -> list[Pair]:
    """Return the word translations, one to four words a side."""
    pairs: dict[Pair, None] = {}
    for name in DICTIONARIES:
        for language in LANGUAGES:
            for row in read_tsv(data / "dict" / f"{name}.en-{language}.tsv.xz"):
                if len(row) == 2 and all(1 <= len(side.split()) <= 4 for side in row):
                    pairs[Pair(row[0], row[1], language)] = None
    return list(pairs)


def read_questions(path: Path) -> list[Question]:
    """Return the rows of one file of questions, without those that share text with public evaluation sets."""
    questions = []
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            if row.get("overlaps_eval") or not row["question"].strip():
                continue
            text, start = ("", -1)
            if row["answers"]:
                text, start = row["answers"][0]["text"], row["answers"][0]["start"]
            questions.append(
                Question(
                    str(row["id"]),
                    row["lang"],
                    row["question"],
                    row["context"],
                    text,
                    start,
                    path.name.removesuffix(".jsonl.xz"),
                )
            )
    return questions


def is_translated(question: Question) -> bool:
    """Tell whether a row is of `read_translated`, whose files add the language that they were translated to."""
    return "-" in question.source.rsplit(".", 1)[-1]


def read_translated(folder: Path | None, originals: Sequence[Question]) -> list[Question]:
    """Return the rows that training.translated made of the originals, in their order within each file."""
    places = {(q.source, q.id): i for i, q in enumerate(originals)}
    rows = []
    for path in more_files(folder, ".jsonl.xz"):
        read = read_questions(path)
        rows += sorted(read, key=lambda q: places.get((q.source.rsplit("-", 1)[0], q.id), len(places)))
    return rows


TRAIN_FILES = (
    "squad_train_union.en",
    "squadshifts_new_wiki.en",
    "squadshifts_reddit.en",
    "tydiqa_goldp_train.en",
    "nq_open_dev_oracle.en",
    "qed_dev_nq.en",
    "afriqa_pivot.en",
    "squad_es_v11_dev_small.rest.es",
    "squad_es_v2_dev_small.rest.es",
    "squad_es_dist_human.es",
    "squad_it_test.rest.it",
    "piaf_v1.1.fr",
)
# One passage in eight of these is held back, with every passage in another language that shares a question with it.
DEVELOPMENT_FILES = frozenset(
    ["squad_train_union.en", "squad_es_v11_dev_small.rest.es", "squad_it_test.rest.it", "piaf_v1.1.fr"]
)


@dataclass(frozen=True, slots=True)
class Split:
    """Questions to train on, and answerable held-back ones by language; no passage is in both.

    `unanswerable` are held-back questions that people wrote to look as if their passage answered them.
    """

    training: list[Question]
    development: dict[str, list[Question]]
    unanswerable: list[Question]


def split_questions(data: Path) -> Split:
    """Return every question once, divided by passage; translations of a held-back passage are held back as well."""
    read = [q for name in TRAIN_FILES for q in read_questions(data / "qa" / "train" / f"{name}.jsonl.xz")]
    passages = {q.passage for q in read if q.source in DEVELOPMENT_FILES and bucket(q.passage, 8) == 0}
    translated = [q for q in read if q.source.startswith(("squad_es_v", "squad_it"))]
    ids = {q.id for q in translated if q.passage in passages}
    passages |= {q.passage for q in translated if q.id in ids}
    training: dict[tuple[str, str], Question] = {}
    development: dict[str, dict[tuple[str, str], Question]] = {}
    unanswerable: dict[tuple[str, str], Question] = {}
    for question in read:
        key = (question.question, question.passage)
        if question.passage not in passages:
            training.setdefault(key, question)
        elif question.start < 0:
            unanswerable.setdefault(key, question)
        elif question.source in DEVELOPMENT_FILES:
            development.setdefault(question.language, {}).setdefault(key, question)
    held_back = {language: list(rows.values()) for language, rows in development.items()}
    return Split(list(training.values()), held_back, list(unanswerable.values()))
