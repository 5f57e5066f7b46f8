"""Measures encoders on what they are for: finding translations, passages and sentences, beside BM25.

Nothing measured here is trained on: public bitext test sets, and the questions whose passages `split_questions` holds
back. Every figure is in percent; the floors are those that the bundled encoder has to reach.
"""

import argparse
import json
import os
import random
import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich import box
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from rag.encode import MAX_TOKENS, Encoder, SentenceTransformerEncoder
from rag.engine import fuse
from rag.errors import RagError
from rag.lexical import Lexical, full_weight
from rag.metrics import recall_at_k, reciprocal_rank
from rag.search import blend
from rag.sentences import sentences
from rag.spans import Document, Span
from training.data import LANGUAGES, Question, read_tsv, split_questions
from training.translated import asked_questions, in_words_of

THREADS = 2
DEPTH = 50
BLOCK = 256
BITEXT = {"LASER Tatoeba": "laser-tatoeba", "FLORES devtest": "flores101-devtest"}
BITEXT_FLOORS = {
    ("LASER Tatoeba", "es"): 94.0,
    ("LASER Tatoeba", "fr"): 92.0,
    ("LASER Tatoeba", "it"): 90.0,
    **{("FLORES devtest", language): 99.0 for language in LANGUAGES},
}
PASSAGE, OTHER_LANGUAGE, SENTENCE = "passage", "other language", "sentence"
# Questions that rules translated, whose slips make them harder.
BY_RULES = "by rules"
# Dense search in which a passage is as like as it and its nearest sentence are in the mean, as asking takes it.
NEAREST = "with sentences"
METHODS = ("dense", NEAREST, "RRF", "hybrid")
# How far dense search may lie behind BM25 within a language; it must be strictly nearer.
BEHIND_BM25 = 8.0
OTHER_LANGUAGE_FLOOR = 75.0
NOT_MEASURABLE = (
    "STS-b test, Spearman (at least 81 / 78 / 78 / 76 in en / es / fr / it): not measurable: the files hold no scores.",
    "A question in one language, its passage in another, between English and the others: not measurable: no held-back"
    " English or French question has a translated passage, and the translated questions of Mintaka are trained on;"
    " --translated asks questions that rules translated.",
)


@dataclass(frozen=True, slots=True)
class Bitext:
    """Texts in English and their translations, in the same order."""

    name: str
    language: str
    english: list[str]
    other: list[str]


@dataclass(frozen=True, slots=True)
class Retrieval:
    """Questions to be answered from a collection of texts.

    `right` holds the rows of the texts that answer each question, `among` those that are searched for it.
    """

    kind: str
    asked: str
    written: str
    questions: list[str]
    texts: list[str]
    right: list[frozenset[int]]
    among: list[NDArray[np.int64]]

    @property
    def languages(self) -> str:
        """Return the language, or that of the questions and that of the texts."""
        return self.asked if self.asked == self.written else f"{self.asked} → {self.written}"


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number in percent, of `model` ("BM25" for lexical search), and the floor it must reach, if any.

    `strict` tells that it must lie above the floor.
    """

    kind: str
    languages: str
    metric: str
    method: str
    model: str
    value: float
    floor: float | None = None
    strict: bool = False

    @property
    def met(self) -> bool | None:
        """Tell whether the floor is reached; None when there is none."""
        if self.floor is None:
            return None
        return self.value > self.floor if self.strict else self.value >= self.floor


def bitext_accuracy(english: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Return how often the nearest vector of the other side is the translation, mean of both directions, in percent.

    Row i of one side translates row i of the other; all rows are of unit length.

    >>> bitext_accuracy(np.eye(2, dtype=np.float32), np.array([[1, 0], [0.8, 0.6]], dtype=np.float32))
    75.0
    """
    similar = english @ other.T
    rows = np.arange(len(similar))
    return 50 * float((similar.argmax(1) == rows).mean() + (similar.argmax(0) == rows).mean())


def read_bitexts(data: Path) -> list[Bitext]:
    """Return the bitext test sets of every language."""
    sets = []
    for name, prefix in BITEXT.items():
        for language in LANGUAGES:
            rows = [row for row in read_tsv(data / "eval" / f"{prefix}.en-{language}.tsv.xz") if len(row) == 2]
            sets.append(Bitext(name, language, [row[0] for row in rows], [row[1] for row in rows]))
    return sets


def sample(questions: Sequence[Question], count: int) -> list[Question]:
    """Return `count` of the questions, or all if there are fewer, the same ones every time."""
    return random.Random(0).sample(list(questions), min(count, len(questions)))


def passage_retrieval(questions: Sequence[Question], *, count: int) -> Retrieval:
    """Return the task of finding a question's passage among all passages of its language."""
    language = questions[0].language
    texts = list(dict.fromkeys(q.passage for q in questions))
    row = {text: i for i, text in enumerate(texts)}
    asked = sample(questions, count)
    return Retrieval(
        PASSAGE,
        language,
        language,
        [q.question for q in asked],
        texts,
        [frozenset([row[q.passage]]) for q in asked],
        [np.arange(len(texts))] * len(asked),
    )


def translated_retrieval(
    asked: Sequence[Question], written: Sequence[Question], *, count: int, kind: str = OTHER_LANGUAGE
) -> Retrieval:
    """Return the task of finding, in the language of `written`, the passage of a translated question.

    Questions of one id are translations of each other. The collection is every passage of `written`.
    """
    texts = list(dict.fromkeys(q.passage for q in written))
    row = {text: i for i, text in enumerate(texts)}
    right: dict[str, set[int]] = {}
    for question in written:
        right.setdefault(question.id, set()).add(row[question.passage])
    drawn = sample([q for q in asked if q.id in right], count)
    return Retrieval(
        kind,
        asked[0].language,
        written[0].language,
        [q.question for q in drawn],
        texts,
        [frozenset(right[q.id]) for q in drawn],
        [np.arange(len(texts))] * len(drawn),
    )


def sentence_retrieval(questions: Sequence[Question], *, count: int) -> Retrieval:
    """Return the task of finding the sentence that holds the answer in the right passage.

    Passages of one sentence are left out; where an answer runs over two sentences either is right.
    """
    language = questions[0].language
    texts: list[str] = []
    rows: dict[str, tuple[int, tuple[Span, ...]]] = {}
    asked, right, among = [], [], []
    for question in sample(questions, count):
        if question.passage not in rows:
            document = Document(question.id, "", language, question.passage)
            parts = sentences(Span(document, 0, len(question.passage)))
            rows[question.passage] = len(texts), parts
            texts += [part.text for part in parts]
        first, parts = rows[question.passage]
        if len(parts) < 2:
            continue
        end = question.start + len(question.answer)
        asked.append(question.question)
        right.append(frozenset(first + i for i, s in enumerate(parts) if s.start < end and question.start < s.end))
        among.append(np.arange(first, first + len(parts)))
    return Retrieval(SENTENCE, language, language, asked, texts, right, among)


def first_passages(questions: Sequence[Question], most: int) -> list[Question]:
    """Return the questions about the first `most` passages."""
    kept = set(list(dict.fromkeys(q.passage for q in questions))[:most])
    return [q for q in questions if q.passage in kept]


def read_retrievals(
    data: Path, *, count: int, passages: int, asked: Mapping[str, Mapping[str, str]]
) -> list[Retrieval]:
    """Return the tasks over the held-back questions, at most `count` questions and `passages` passages each.

    `asked` has their translations by rules, by language and id.
    """
    held = {language: first_passages(rows, passages) for language, rows in split_questions(data).development.items()}
    languages = [language for language in ("en", *LANGUAGES) if language in held]
    pairs = [(a, b) for a in languages for b in languages if a != b]
    # Only translations of one file share ids.
    shared = [(a, b) for a, b in pairs if {q.id for q in held[a]} & {q.id for q in held[b]}]
    by_rules = {pair: in_words_of(held[pair[1]], pair[0], asked) for pair in pairs if pair not in shared}
    return [
        *(passage_retrieval(held[language], count=count) for language in languages),
        *(translated_retrieval(held[a], held[b], count=count) for a, b in shared),
        *(translated_retrieval(q, held[b], count=count, kind=BY_RULES) for (_, b), q in by_rules.items() if q),
        *(sentence_retrieval(held[language], count=count // 3) for language in languages),
    ]


def lexical_shares(task: Retrieval) -> list[NDArray[np.float32]]:
    """Return for each question the BM25 score of every text as a share of the question's full weight.

    Texts that are not searched for a question have 0, as those that share no word with it.
    """
    lexical = Lexical.of(task.texts, [task.written] * len(task.texts))
    languages = list(dict.fromkeys([task.asked, task.written]))
    shares = []
    for question, rows in zip(task.questions, task.among, strict=True):
        share = np.zeros(len(task.texts), np.float32)
        share[rows] = lexical.scores(question, languages)[rows] / full_weight(question, languages, lexical.weight)
        shares.append(share)
    return shares


def lexical_rankings(shares: Sequence[NDArray[np.float32]]) -> list[list[int]]:
    """Return the `DEPTH` best rows of each question by BM25; fewer where fewer share a term."""
    return [best_scores(share, DEPTH)[0].tolist() for share in shares]


def with_sentences(
    likenesses: NDArray[np.float32], questions: NDArray[np.float32], parts: Sequence[NDArray[np.float32]]
) -> NDArray[np.float32]:
    """Return the mean of each text's likeness to each question and that of its nearest sentence, as `search` takes it.

    `likenesses` is (questions, texts), `questions` (questions, d); `parts` are the vectors of each text's sentences.

    >>> east, both = np.array([[1, 0]], np.float32), np.array([[0, 1], [1, 0]], np.float32)
    >>> with_sentences(np.array([[0.5, 0.75]], np.float32), east, [both, both[:1]]).tolist()
    [[0.75, 0.375]]
    """
    firsts = np.cumsum([0, *map(len, parts[:-1])])
    nearest = np.maximum.reduceat(questions @ np.concatenate(parts).T, firsts, axis=1)
    return np.asarray((likenesses + nearest) / 2, np.float32)


def dense_rankings(task: Retrieval, likenesses: NDArray[np.float32]) -> list[list[int]]:
    """Return the `DEPTH` best rows of each question by likeness, (questions, texts)."""
    # Shifted above 0, below which nothing is ranked.
    return [
        best_scores(likeness + 2, DEPTH, allowed=rows)[0].tolist()
        for likeness, rows in zip(likenesses, task.among, strict=True)
    ]


def best_scores(
    scores: NDArray[np.float32], k: int, *, allowed: NDArray[np.int64] | None = None
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the ids and values of the `k` best scores above 0, best first, of equal ones the lower id first.

    >>> best_scores(np.array([0, 2, 3, 2], dtype=np.float32), 2)
    (array([2, 1]), array([3., 2.], dtype=float32))
    """
    if k < 0:
        raise ValueError(f"cannot return {k} passages")
    if allowed is None:
        ids = np.flatnonzero(scores > 0)
    else:
        ids = np.unique(np.asarray(allowed, dtype=np.int64))
        if len(ids) and (ids[0] < 0 or ids[-1] >= len(scores)):
            raise ValueError(f"ids {ids[0]} to {ids[-1]} are not all passages of {len(scores)}")
        ids = ids[scores[ids] > 0]
    if 0 < k < len(ids):
        # Everything as good as the k-th best, so that the order below decides ties.
        ids = ids[scores[ids] >= np.partition(scores[ids], -k)[-k]]
    best = ids[np.argsort(-scores[ids], kind="stable")][:k]
    return best.astype(np.int64), scores[best]


def joined_rankings(lexical: Sequence[Sequence[int]], dense: Sequence[Sequence[int]]) -> list[list[int]]:
    """Return both searches' rankings of each question as one, by reciprocal rank fusion."""
    return [[row for row, _ in fuse(pair)] for pair in zip(dense, lexical, strict=True)]


def blended_rankings(
    pools: Sequence[Collection[int]],
    shares: Sequence[NDArray[np.float32]],
    likenesses: NDArray[np.float32],
) -> list[list[int]]:
    """Return the rows that either search proposes for each question, by the scores of both, as `search` orders them."""
    rankings = []
    for proposed, share, likeness in zip(pools, shares, likenesses, strict=True):
        rows = np.array(sorted(proposed), np.int64)
        best = np.argsort(-blend(likeness[rows], share[rows], 1.0), kind="stable")
        rankings.append(rows[best].tolist())
    return rankings


def scores(task: Retrieval, rankings: Sequence[Sequence[int]]) -> dict[str, float]:
    """Return the metrics of a task by name, in percent."""
    relevant = [[row in right for row in rows] for rows, right in zip(rankings, task.right, strict=True)]

    def mean(metric: Callable[[Sequence[bool]], float]) -> float:
        return 100 * sum(map(metric, relevant)) / len(relevant)

    first = mean(lambda found: recall_at_k(found, 1))
    if task.kind == SENTENCE:
        return {"accuracy": first}
    if task.kind in (OTHER_LANGUAGE, BY_RULES):
        return {"R@1": first}
    return {"R@1": first, "R@5": mean(lambda found: recall_at_k(found, 5)), "MRR": mean(reciprocal_rank)}


class Vectors:
    """The vectors of one encoder, each text encoded once, however many sets hold it."""

    def __init__(self, encoder: Encoder, *, passages: Iterable[str], questions: Iterable[str], name: str) -> None:
        kinds = [(encoder.encode_passages, passages), (encoder.encode_questions, questions)]
        rows: list[dict[str, NDArray[np.float32]]] = [{}, {}]
        with Progress(console=Console(stderr=True)) as progress:
            for (encode, texts), known in zip(kinds, rows, strict=True):
                # Longest first, so that texts of one length share a batch and the time left is no surprise.
                ordered = sorted(set(texts), key=lambda text: (-len(text), text))
                bar = progress.add_task(f"{name}: {encode.__name__}", total=sum(map(len, ordered)))
                for i in range(0, len(ordered), BLOCK):
                    block = ordered[i : i + BLOCK]
                    known.update(zip(block, encode(block), strict=True))
                    progress.advance(bar, sum(map(len, block)))
        self._passages, self._questions = rows

    def passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the vectors of texts that were given as passages, (texts, dimensions)."""
        return np.stack([self._passages[text] for text in texts])

    def questions(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the vectors of texts that were given as questions, (texts, dimensions)."""
        return np.stack([self._questions[text] for text in texts])


def lexical_figures(tasks: Sequence[Retrieval], rankings: Sequence[Sequence[Sequence[int]]]) -> list[Figure]:
    """Return what BM25 reaches in each task."""
    return [
        Figure(task.kind, task.languages, metric, "BM25", "BM25", value)
        for task, ranked in zip(tasks, rankings, strict=True)
        for metric, value in scores(task, ranked).items()
    ]


def retrieval_figures(
    task: Retrieval,
    model: str,
    *,
    lexical: Sequence[Sequence[int]],
    dense: Sequence[Sequence[int]],
    nearest: Sequence[Sequence[int]],
    hybrid: Sequence[Sequence[int]],
) -> list[Figure]:
    """Return what dense search and both joins reach in a task, with the floors that BM25 and dense search set.

    `nearest` are the dense rankings in which the nearest sentence counts too; RRF joins them with the lexical ones.
    """
    by_words, figures = scores(task, lexical), []
    floors = dict(by_words)
    for method, rankings in (("dense", dense), (NEAREST, nearest)):
        for metric, value in scores(task, rankings).items():
            floor, strict = None, False
            if (task.kind, metric) == (PASSAGE, "R@1"):
                floor, strict = by_words[metric] - BEHIND_BM25, True
            elif task.kind in (OTHER_LANGUAGE, BY_RULES):
                floor = OTHER_LANGUAGE_FLOOR
            figures.append(Figure(task.kind, task.languages, metric, method, model, value, floor, strict))
            floors[metric] = max(floors[metric], value)
    for method, rankings in (("RRF", joined_rankings(lexical, nearest)), ("hybrid", hybrid)):
        for metric, value in scores(task, rankings).items():
            best = floors[metric] if (task.kind, metric) == (PASSAGE, "R@1") else None
            figures.append(Figure(task.kind, task.languages, metric, method, model, value, best, best is not None))
    return figures


def model_figures(
    model: str,
    encoder: Encoder,
    *,
    bitexts: Sequence[Bitext],
    tasks: Sequence[Retrieval],
    shares: Sequence[Sequence[NDArray[np.float32]]],
) -> list[Figure]:
    """Return every figure of one model; `shares` are each task's `lexical_shares`."""
    passages = [text for b in bitexts for text in (*b.english, *b.other)] + [text for t in tasks for text in t.texts]
    questions = [question for task in tasks for question in task.questions]
    parts = {text: sentences_of(text) for task in tasks if task.kind != SENTENCE for text in task.texts}
    passages += [part for own in parts.values() for part in own]
    vectors = Vectors(encoder, passages=passages, questions=questions, name=model)
    figures = []
    for bitext in bitexts:
        value = bitext_accuracy(vectors.passages(bitext.english), vectors.passages(bitext.other))
        floor = BITEXT_FLOORS[bitext.name, bitext.language]
        figures.append(Figure(bitext.name, bitext.language, "accuracy", "dense", model, value, floor))
    for task, share in zip(tasks, shares, strict=True):
        asked, texts = vectors.questions(task.questions), vectors.passages(task.texts)
        likenesses = asked @ texts.T
        by_words, by_vector = lexical_rankings(share), dense_rankings(task, likenesses)
        if task.kind != SENTENCE:
            likenesses = with_sentences(likenesses, asked, [vectors.passages(parts[text]) for text in task.texts])
        pools = [{*one, *other} for one, other in zip(by_words, by_vector, strict=True)]
        figures += retrieval_figures(
            task,
            model,
            lexical=by_words,
            dense=by_vector,
            nearest=dense_rankings(task, likenesses),
            hybrid=blended_rankings(pools, share, likenesses),
        )
    return figures


def sentences_of(text: str) -> list[str]:
    """Return the sentences of a text."""
    return [span.text for span in sentences(Span(Document("text", "", "und", text), 0, len(text)))]


def truncated(folder: Path, tasks: Sequence[Retrieval]) -> tuple[int, int]:
    """Return how many passages are longer than the model reads, and how many there are."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_truncation()
    passages = [text for task in tasks if task.kind == PASSAGE for text in task.texts]
    return sum(len(row.ids) > MAX_TOKENS for row in tokenizer.encode_batch(passages)), len(passages)


def sizes(task: Retrieval) -> str:
    """Say how many questions a task has and how many texts are searched."""
    return f"{task.kind}, {task.languages}: {len(task.questions)} questions, {len(task.texts)} texts."


def table_of(figures: Sequence[Figure], models: Sequence[str]) -> Table:
    """Return the figures as a table: a row for each task and metric, BM25 and then every model beside each other."""
    cells = {(f.kind, f.languages, f.metric, f.method, f.model): _cell(f) for f in figures}
    columns = [("BM25", "BM25"), *((method, model) for model in models for method in METHODS)]
    table = Table(box=box.SIMPLE, caption="percent; ✓ reaches the floor, ✗ does not; questions → passages")
    for title in ("figure", "", "metric", "at least"):
        table.add_column(title, no_wrap=True)
    for method, model in columns:
        table.add_column(model if method == model else f"{model}\n{method}", justify="right", no_wrap=True)
    kind = ""
    for row in dict.fromkeys((f.kind, f.languages, f.metric) for f in figures if f.model != "BM25"):
        if kind not in ("", row[0]):
            table.add_section()
        shown = [cells.get((*row, method, model), "") for method, model in columns]
        table.add_row("" if row[0] == kind else row[0], row[1], row[2], _floor(*row), *shown)
        kind = row[0]
    return table


def _cell(figure: Figure) -> str:
    mark = {True: " ✓", False: " ✗", None: "  "}[figure.met]
    return f"{figure.value:.1f}{mark}"


def _floor(kind: str, languages: str, metric: str) -> str:
    if (kind, metric) == (PASSAGE, "R@1"):
        return f"dense > BM25 - {BEHIND_BM25:.0f}; hybrid > both"
    if kind in (OTHER_LANGUAGE, BY_RULES):
        return f"dense {OTHER_LANGUAGE_FLOOR:.0f}"
    floor = BITEXT_FLOORS.get((kind, languages))
    return "" if floor is None else f"{floor:.0f}"


def write_json(path: Path, figures: Sequence[Figure], *, folders: Mapping[str, Path], notes: Sequence[str]) -> None:
    """Write the figures, one object each with `met` added, the models' folders and the notes."""
    rows = [{**asdict(figure), "met": figure.met} for figure in figures]
    for row in rows:
        row.update({key: round(value, 2) for key, value in row.items() if isinstance(value, float)})
    content = {"models": {name: str(folder) for name, folder in folders.items()}, "notes": notes, "figures": rows}
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def named_folder(text: str) -> tuple[str, Path]:
    """Return the name and the folder of NAME=FOLDER."""
    name, _, folder = text.partition("=")
    if not name or name == "BM25" or not (Path(folder) / "modules.json").is_file():
        raise argparse.ArgumentTypeError(
            f"{text!r} is not NAME=FOLDER with the folder of a sentence-transformers model"
        )
    return name, Path(folder)


def main() -> None:
    """Print the table of all figures, and write them as JSON where asked."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--data", type=Path, required=True)
    options.add_argument("--models", type=named_folder, nargs="+", required=True, metavar="NAME=FOLDER")
    options.add_argument(
        "--translated", type=asked_questions, default={}, help="the --out of training.translated: ask its questions too"
    )
    options.add_argument("--json", type=Path, help="file to write")
    options.add_argument("--questions", type=int, default=300, help="most questions a task has")
    options.add_argument("--passages", type=int, default=260, help="most passages a language has")
    arguments = options.parse_args()
    if arguments.questions < 1 or arguments.passages < 2:
        options.error("--questions must be at least 1, and --passages at least 2")
    folders = dict(arguments.models)
    if len(folders) < len(arguments.models):
        options.error("two models have one name")
    # Threads that wait by spinning take the cores from the threads they wait for; read once, as torch is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    import torch

    torch.set_num_threads(THREADS)
    bitexts, tasks = (
        read_bitexts(arguments.data),
        read_retrievals(
            arguments.data,
            count=arguments.questions,
            passages=arguments.passages,
            asked=arguments.translated,
        ),
    )
    shares = [lexical_shares(task) for task in tasks]
    figures = lexical_figures(tasks, [lexical_rankings(share) for share in shares])
    notes = [*(sizes(task) for task in tasks), *NOT_MEASURABLE]
    for name, folder in folders.items():
        try:
            encoder = SentenceTransformerEncoder(str(folder))
        except RagError as error:
            options.error(str(error))
        figures += model_figures(name, encoder, bitexts=bitexts, tasks=tasks, shares=shares)
        longer, passages = truncated(folder, tasks)
        notes.append(f"{name} reads the first {MAX_TOKENS} tokens of a passage: {longer} of {passages} are longer.")
    # A pipe or a file has no width to keep to.
    console = Console(width=None if sys.stdout.isatty() else 88 + 46 * len(folders))
    console.print(table_of(figures, list(folders)))
    for note in notes:
        console.print(note, highlight=False)
    if arguments.json:
        write_json(arguments.json, figures, folders=folders, notes=notes)


if __name__ == "__main__":
    main()
