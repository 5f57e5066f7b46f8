"""Measures a reader on the held-back questions: exact match, F1, and how well it tells right passages from wrong.

Reads a folder of training.reader or of training.export_reader. `--against` compares two folders: speed, and how often
they choose the same words.
"""

import argparse
import random
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from tokenizers import Tokenizer

from rag.choose import choose_span, span_scores
from rag.metrics import exact_match, f1
from rag.read import ANSWER_TOKENS
from training.data import Question, split_questions
from training.network import NEVER, QUESTION_TOKENS, WINDOW_TOKENS, load_reader
from training.restore import restore_reader
from training.rivals import lacks
from training.windows import Batch, Row, window

LANGUAGES = ("en", "es", "fr", "it")
NEIGHBOURS = 8
OVERLAP = 64
BATCH = 16
WORD = r"\w+"
MOST_WORDS = 25

Scores = NDArray[np.float32]
Network = Callable[[Sequence[Row]], tuple[Scores, Scores]]


def open_network(folder: Path, *, float32: bool = False) -> Network:
    """Return the function from windows to start and end scores, each (windows, tokens), of either kind of folder.

    With `float32`, of an exported folder the network with the file's weights that rounds nothing as it runs.
    """
    path = folder / "model_int8.onnx"
    if float32 or not path.exists():
        reader = restore_reader(folder) if path.exists() else load_reader(folder)

        def run_torch(rows: Sequence[Row]) -> tuple[Scores, Scores]:
            with torch.inference_mode():
                start, end = reader(*Batch.of([rows]).inputs("cpu"))
            return start.numpy(), end.numpy()

        return run_torch

    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])

    def run_onnx(rows: Sequence[Row]) -> tuple[Scores, Scores]:
        # One by one, as the program does: numbers are rounded by the range of all that is read at once.
        longest = max(len(row.ids) for row in rows)
        scores = np.full((2, len(rows), longest), NEVER, np.float32)
        for i, row in enumerate(rows):
            ids, mask, types = (tensor.numpy() for tensor in Batch.of([[row]]).inputs("cpu"))
            inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": types}
            for each, found in zip(scores, session.run(["start", "end"], inputs), strict=True):
                each[i, : len(row.ids)] = found[0]
        return scores[0], scores[1]

    return run_onnx


@dataclass(frozen=True, slots=True)
class Found:
    """The likeliest span of a passage in code points, by how much it beats "not answered here", and the one chosen."""

    start: int
    end: int
    margin: float
    chosen: tuple[int, int]


class Measured:
    """A reader folder that reads whole passages, in overlapping windows where they are long."""

    def __init__(self, folder: Path, *, float32: bool = False) -> None:
        self.network = open_network(folder, float32=float32)
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.no_truncation()

    def windows(self, question: str, passage: str) -> list[tuple[Row, list[tuple[int, int]]]]:
        """Return the windows of a passage, each with its tokens' code points."""
        asked = self.tokenizer.encode(question, add_special_tokens=False).ids[:QUESTION_TOKENS]
        text = self.tokenizer.encode(passage, add_special_tokens=False)
        room = WINDOW_TOKENS - 3 - len(asked)
        starts = range(0, max(1, len(text.ids) - OVERLAP), room - OVERLAP)
        return [
            (window(self.tokenizer, asked, text.ids[at : at + room], None), text.offsets[at : at + room])
            for at in starts
        ]

    def read(self, asked: Sequence[tuple[str, str]]) -> list[Found]:
        """Return the best span of each question and passage; windows of one length run together."""
        pieces = [(i, *piece) for i, pair in enumerate(asked) for piece in self.windows(*pair)]
        pieces.sort(key=lambda piece: len(piece[1].ids))
        found = [Found(0, 0, -np.inf, (0, 0))] * len(asked)
        for at in range(0, len(pieces), BATCH):
            part = pieces[at : at + BATCH]
            starts, ends = self.network([row for _, row, _ in part])
            for (i, row, offsets), start, end in zip(part, starts, ends, strict=True):
                best = best_span(row, offsets, start, end)
                found[i] = max(found[i], best, key=lambda f: f.margin)
        return found


def best_span(row: Row, offsets: Sequence[tuple[int, int]], start: Scores, end: Scores) -> Found:
    """Return the span with the highest start + end, less the first token's, and the one that the program chooses."""
    inside = slice(row.text_at, row.text_at + len(offsets))
    scores = span_scores(start[inside], end[inside], ANSWER_TOKENS)
    first, last = divmod(int(scores.argmax()), len(offsets))
    chosen = choose_span(start[inside], end[inside], np.array(offsets), most_tokens=ANSWER_TOKENS)
    margin = float(scores[first, last] - start[0] - end[0])
    return Found(offsets[first][0], offsets[last][1], margin, (offsets[chosen[0]][0], offsets[chosen[1]][1]))


def holds(text: str, answer: str) -> bool:
    """Tell whether the words of the answer stand in the text, which has at most MOST_WORDS."""
    words, wanted = (f" {' '.join(re.findall(WORD, part.casefold()))} " for part in (text, answer))
    return wanted in words and len(words.split()) <= MOST_WORDS


def area_under_curve(right: Sequence[float], wrong: Sequence[float]) -> float:
    """Return the chance that a right passage's margin is above a wrong one's (ROC AUC), 0 to 1, ties half."""
    difference = np.asarray(right)[:, None] - np.asarray(wrong)[None, :]
    return float(np.mean((difference > 0) + 0.5 * (difference == 0)))


def wrong_passage(question: Question, pool: Sequence[str], choose: random.Random) -> str:
    """Return a neighbouring passage, `pool` being in file order, that lacks the answer's letters."""
    at = pool.index(question.passage)
    near = [p for p in pool[max(0, at - NEIGHBOURS) : at + NEIGHBOURS + 1] if p != question.passage]
    return choose.choice([p for p in near if lacks(p, question.answer)] or near)


@dataclass(frozen=True, slots=True)
class Sample:
    """Held-back questions of one kind, each with the right passage and a wrong one."""

    name: str
    questions: list[Question]
    wrong: list[str]


def samples(data: Path, size: int, seed: int) -> list[Sample]:
    """Return up to `size` questions for each language and for Spanish and Italian across."""
    development = split_questions(data).development
    groups = {language: development[language] for language in LANGUAGES}
    for asked, read in (("es", "it"), ("it", "es")):
        wordings = {q.id: q.question for q in development[asked]}
        groups[f"{asked} asks {read}"] = [
            Question(q.id, read, wordings[q.id], q.passage, q.answer, q.start, q.source)
            for q in development[read]
            if q.id in wordings
        ]
    chosen = []
    for name, group in groups.items():
        choose = random.Random(f"{seed} {name}")
        pool = list(dict.fromkeys(q.passage for q in group))
        questions = choose.sample(group, min(size, len(group)))
        chosen.append(Sample(name, questions, [wrong_passage(q, pool, choose) for q in questions]))
    return chosen


def worth(pairs: Sequence[tuple[str, str]]) -> list[float]:
    """Return exact match, F1 and how often the words hold the answer, of (words, answer), in percent."""
    each = [(exact_match(words, [answer]), f1(words, [answer]), holds(words, answer)) for words, answer in pairs]
    return [100 * float(np.mean(column)) for column in zip(*each, strict=True)]


def show(console: Console, reader: Measured, groups: Sequence[Sample]) -> None:
    """Print one line for each sample: exact match and F1 of the likeliest words and of those chosen, AUC of the margin.

    "holds" is how often the answer stands in the words, of which there are at most MOST_WORDS; "above 0" how often the
    best words of the right passage, and of a wrong one, score above "not answered here".
    """
    names = ("EM", "F1", "holds")
    heads = [*names, *(f"{name} chosen" for name in names), "AUC", "above 0", "wrong above 0"]
    table = Table("questions", "rows", *heads)
    for sample in groups:
        right = reader.read([(q.question, q.passage) for q in sample.questions])
        wrong = reader.read([(q.question, p) for q, p in zip(sample.questions, sample.wrong, strict=True)])
        likeliest = [(q.passage[f.start : f.end], q.answer) for q, f in zip(sample.questions, right, strict=True)]
        chosen = [(q.passage[slice(*f.chosen)], q.answer) for q, f in zip(sample.questions, right, strict=True)]
        numbers = [
            *worth(likeliest),
            *worth(chosen),
            100 * area_under_curve([f.margin for f in right], [f.margin for f in wrong]),
            100 * float(np.mean([f.margin > 0 for f in right])),
            100 * float(np.mean([f.margin > 0 for f in wrong])),
        ]
        table.add_row(sample.name, str(len(chosen)), *(f"{number:.1f}" for number in numbers))
    console.print(table)


def milliseconds(reader: Measured, *, windows: int = 8, tokens: int = 160, rounds: int = 10) -> float:
    """Return the median time of one batch."""
    rows = [Row([2, *range(300 + i, 298 + i + tokens), 3], 20, 0, 0) for i in range(windows)]
    reader.network(rows)
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        reader.network(rows)
        times.append(time.perf_counter() - started)
    return 1000 * float(np.median(times))


def compare(console: Console, reader: Measured, other: Measured, groups: Sequence[Sample]) -> None:
    """Print how often two readers choose the same span, how far their margins lie apart, and their times."""
    asked = [(q.question, q.passage) for sample in groups for q in sample.questions]
    ours, theirs = reader.read(asked), other.read(asked)
    same = np.mean([(a.start, a.end) == (b.start, b.end) for a, b in zip(ours, theirs, strict=True)])
    apart = np.mean([abs(a.margin - b.margin) for a, b in zip(ours, theirs, strict=True)])
    console.print(f"the same span for {100 * same:.1f}% of {len(asked)}; margins differ by {apart:.3f} on average")
    console.print(f"8 windows of 160 tokens: {milliseconds(reader):.0f} ms and {milliseconds(other):.0f} ms")


def main() -> None:
    """Print the development figures of a folder, or compare it with another."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--data", type=Path, required=True)
    options.add_argument("--reader", type=Path, required=True, help="folder of training.reader or export_reader")
    options.add_argument("--against", type=Path, help="a second folder: compare instead of scoring")
    options.add_argument("--float32", action="store_true", help="score its weights with no rounding as it runs")
    options.add_argument("--rows", type=int, default=300, help="questions for each language")
    options.add_argument("--seed", type=int, default=0)
    arguments = options.parse_args()
    console, groups = Console(width=140), samples(arguments.data, arguments.rows, arguments.seed)
    if arguments.against:
        compare(console, Measured(arguments.reader), Measured(arguments.against), groups)
    else:
        show(console, Measured(arguments.reader, float32=arguments.float32), groups)


if __name__ == "__main__":
    main()
