"""Teaches the student to give either side of a sentence pair the teacher's vector of the English side.

After Reimers and Gurevych 2020, with an in-batch contrastive term. The loop is our own: batches of one length,
bfloat16, and teacher vectors made on the fly run several times faster on two cores than a general trainer's.
"""

import argparse
import csv
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch
from rich.progress import Progress
from tokenizers import Tokenizer
from torch.nn import functional

from training.data import LANGUAGES, Pair, held_back, read_dictionary, read_pairs, split_questions
from training.student import Clock, Student, length_batches, save_checkpoint, step
from training.vocabulary import save_sentence_transformer

# Pairs a step, unless asked for others, and steps whose pairs are drawn at once.
BATCH = 128
CHUNK = 32
TEMPERATURE = 25.0


@dataclass(frozen=True, slots=True)
class Mixture:
    """What pairs are drawn: shares of word translations, and of questions in some languages as their own translation.

    `english` is the share of pairs whose English side is learnt instead of the other.
    """

    english: float = 0.12
    dictionary: float = 0.10
    questions: float = 0.05
    languages: tuple[str, ...] = ("en",)


class Encodes(Protocol):
    """What has a vector for any text."""

    def encode(self, texts: Sequence[str]) -> torch.Tensor:
        """Return unit vectors, (texts, dimensions)."""
        ...


class Stream:
    """Endless training pairs, languages balanced by the square root of their size."""

    def __init__(self, data: Path, seed: int, translated: Path | None = None, mixture: Mixture = Mixture()) -> None:
        self.choose = random.Random(seed)
        self.mixture = mixture
        pairs = [p for p in read_pairs(data, translated) if not held_back(p)]
        self.by_language = {x: [p for p in pairs if p.language == x] for x in LANGUAGES}
        self.words = read_dictionary(data)
        # The teacher's skill on questions is to be kept.
        asked = [q for q in split_questions(data).training if q.language in mixture.languages]
        self.questions = {
            x: [Pair(q.question, q.question, x) for q in asked if q.language == x] for x in mixture.languages
        }
        self.weights = [math.sqrt(len(self.by_language[x])) for x in LANGUAGES]
        self.at = dict.fromkeys(LANGUAGES, 0)

    def next(self, language: str) -> Pair:
        """Return the next pair of a language, reshuffled after each round."""
        rows = self.by_language[language]
        if self.at[language] % len(rows) == 0:
            self.choose.shuffle(rows)
        pair = rows[self.at[language] % len(rows)]
        self.at[language] += 1
        return pair

    def chunk(self, size: int) -> list[Pair]:
        """Return `size` training pairs of every kind."""
        drawn = self.choose.choices(LANGUAGES, self.weights, k=size)
        pairs = []
        for language in drawn:
            kind = self.choose.random()
            if kind < self.mixture.dictionary:
                pairs.append(self.choose.choice(self.words))
            elif kind < self.mixture.dictionary + self.mixture.questions:
                pairs.append(self.choose.choice(self.questions[self.choose.choice(self.mixture.languages)]))
            else:
                pairs.append(self.next(language))
        return pairs

    def side(self, pair: Pair) -> str:
        """Return the side of a pair that is to be learnt."""
        return pair.english if self.choose.random() < self.mixture.english else pair.other

    def batches(
        self,
        student: Student,
        teacher: Encodes,
        size: int,
        divide: Callable[[Sequence[int], torch.Tensor], list[list[int]]],
    ) -> list[tuple[list[list[int]], torch.Tensor]]:
        """Return `CHUNK` batches of pairs: the token ids of the sides to be learnt, and the teacher's vectors of them.

        `divide` says which go together, by their lengths and by these vectors.
        """
        pairs = self.chunk(CHUNK * size)
        ids = student.ids([self.side(p) for p in pairs])
        targets = teacher.encode([p.english for p in pairs]).clone()
        return [([ids[i] for i in batch], targets[batch]) for batch in divide([len(row) for row in ids], targets)]


def read_development(data: Path) -> tuple[list[Pair], dict[str, list[Pair]]]:
    """Return the held-back pairs of sentences, all and the first 500 of each language."""
    pairs = [p for p in read_pairs(data) if held_back(p) and len(p.english.split()) < 30]
    return pairs, {x: [p for p in pairs if p.language == x][:500] for x in LANGUAGES}


def pair_loss(vectors: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the loss of vectors that are to be these targets, and told from the others; and their mean cosine."""
    likeness = (vectors * targets).sum(1).mean()
    # Two equal targets in a batch are no contrast.
    same = (targets @ targets.T > 0.98) & ~torch.eye(len(targets), dtype=torch.bool, device=targets.device)
    logits = (vectors @ targets.T * TEMPERATURE).masked_fill(same, -1e4)
    labels = torch.arange(len(targets), device=targets.device)
    return 4 * (1 - likeness) + 0.5 * functional.cross_entropy(logits, labels), likeness


def bitext_accuracy(student: Student, pairs: Sequence[Pair]) -> float:
    """Return how often the nearest text of the other side is the translation, both ways, in percent."""
    english, other = (student.encode(texts) for texts in zip(*((p.english, p.other) for p in pairs), strict=True))
    similar = english @ other.T
    right = torch.arange(len(pairs), device=similar.device)
    hits = (similar.argmax(1) == right).float().mean() + (similar.argmax(0) == right).float().mean()
    return 50 * float(hits)


def main() -> None:
    """Train for a number of minutes, writing a checkpoint every few; the last one is a sentence-transformers folder."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--data", type=Path, required=True)
    options.add_argument("--teacher", type=Path, required=True)
    options.add_argument("--start", type=Path, required=True, help="folder made by training.vocabulary")
    options.add_argument("--out", type=Path, required=True)
    options.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    options.add_argument("--minutes", type=float, default=60.0)
    options.add_argument("--rate", type=float, default=8e-5)
    options.add_argument("--translated", type=Path, help="the --out of training.translated: more Italian pairs")
    options.add_argument("--batch", type=int, default=BATCH, help="pairs a step")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--resume", action="store_true", help="go on from the checkpoint in --out")
    arguments = options.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(arguments.seed)
    checkpoint = arguments.out / "checkpoint.pt"

    stream = Stream(arguments.data, arguments.seed, arguments.translated)
    _, by_language = read_development(arguments.data)
    student = Student(arguments.start, device=arguments.device, max_tokens=96)
    teacher = Student(arguments.teacher, device=arguments.device, max_tokens=96)
    optimiser = student.optimiser(arguments.rate, embedding_factor=10)
    clock, steps, seen = Clock(arguments.minutes), 0, 0
    if arguments.resume and checkpoint.exists():
        state = torch.load(checkpoint, map_location=arguments.device, weights_only=True)
        student.body.load_state_dict(state["body"])
        optimiser.load_state_dict(state["optimiser"])
        clock.spent, steps, seen = state["spent"], state["steps"], state["seen"]
        stream.choose.seed(steps)

    with (arguments.out / "log.csv").open("a", newline="") as file, Progress() as progress:
        log = csv.writer(file)
        bar = progress.add_task("distil", total=arguments.minutes)
        queue: list[tuple[list[list[int]], torch.Tensor]] = []
        losses: list[torch.Tensor] = []
        last = clock.spent
        for share in clock.ticks():
            if not queue:
                queue = stream.batches(
                    student,
                    teacher,
                    arguments.batch,
                    lambda lengths, _: length_batches(lengths, arguments.batch, stream.choose),
                )
            rows, target = queue.pop()
            loss, likeness = pair_loss(student(rows), target)
            warm = min(1.0, (steps + 1) / 100)
            step(optimiser, loss, multiplier=warm * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * share))))
            steps, seen = steps + 1, seen + len(rows)
            # Not read at once, as a GPU would have to finish first.
            losses.append(likeness.detach())
            if steps % 100 == 0:
                mean = float(torch.stack(losses).mean())
                log.writerow([steps, seen, round(clock.spent, 2), round(mean, 4), "", "", ""])
                file.flush()
                losses.clear()
                progress.update(bar, completed=clock.spent)
            if clock.spent - last > 5:
                last = clock.spent
                scores = [round(bitext_accuracy(student, by_language[x]), 1) for x in LANGUAGES]
                log.writerow([steps, seen, round(clock.spent, 2), "", *scores])
                file.flush()
                state = {"body": student.body.state_dict(), "optimiser": optimiser.state_dict()}
                save_checkpoint(checkpoint, {**state, "spent": clock.spent, "steps": steps, "seen": seen})

    plain = Tokenizer.from_file(str(arguments.start / "tokenizer.json"))
    save_sentence_transformer(student.body, plain, arguments.teacher, arguments.out)


if __name__ == "__main__":
    main()
