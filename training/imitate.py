"""Teaches the student the multilingual teacher's states, word by word, and its vectors of sentence pairs.

Each step takes passages, whose words are to have the teacher's states after the last layer and after two within, and
sentence pairs, whose vectors are to be the teacher's of the English side.
"""

import argparse
import csv
import math
import random
from collections.abc import Sequence
from pathlib import Path

import torch
from rich.progress import Progress
from tokenizers import Tokenizer

from training.data import LANGUAGES, Question, split_questions
from training.distil import Mixture, Stream, bitext_accuracy, pair_loss, read_development
from training.pieces import window_around
from training.states import States, Teacher, begin, passage_loss
from training.student import Clock, length_batches, save_checkpoint, step
from training.vocabulary import save_sentence_transformer

# Pairs and passages a step, unless asked for others; passages that are drawn at once are so many steps'.
PAIRS, PASSAGES, AHEAD = 96, 24, 16
MIXTURE = Mixture(english=0.25, dictionary=0.06, questions=0.08, languages=("en", *LANGUAGES))
SHARES = {"en": 0.28, "es": 0.24, "fr": 0.24, "it": 0.24}
PAIRS_WEIGHT = 0.5
# Texts whose mean is taken for what any two share: sentence pairs, and passages.
CENTRE, CENTRE_PASSAGES = 1000, 64


class Pieces:
    """Endless batches of pieces of passages, as long as an indexed passage is, of one length each."""

    def __init__(self, data: Path, seed: int, size: int) -> None:
        self.choose, self.size = random.Random(seed), size
        training = split_questions(data).training
        self.by_language = {x: list(dict.fromkeys(q.passage for q in training if q.language == x)) for x in SHARES}
        self.queue: list[list[str]] = []

    def draw(self, count: int) -> list[str]:
        """Return pieces of passages, languages by their shares."""
        found = []
        for language in self.choose.choices(list(SHARES), list(SHARES.values()), k=count):
            passage = self.choose.choice(self.by_language[language])
            at = self.choose.randrange(len(passage))
            piece = window_around(Question("", language, "", passage, "", at, ""), self.choose)
            found.append(" ".join(piece.split()))
        return found

    def batch(self) -> list[str]:
        """Return the next batch."""
        if not self.queue:
            drawn = self.draw(AHEAD * self.size)
            batches = length_batches([len(text) for text in drawn], self.size, self.choose)
            self.queue = [[drawn[i] for i in places] for places in batches]
        return self.queue.pop()


def similar_batches(lengths: Sequence[int], targets: torch.Tensor, size: int, choose: random.Random) -> list[list[int]]:
    """Return positions in batches of neighbouring lengths and of like targets, as these are harder to tell apart.

    Four batches of neighbouring lengths are halved twice, each time by the direction in which their targets differ
    most.
    """
    batches: list[list[int]] = []
    for group in length_batches(lengths, 4 * size, choose):
        parts = [group]
        while len(parts[0]) > size:
            parts = [half for part in parts for half in halves(part, targets[part])]
        batches += parts
    choose.shuffle(batches)
    return batches


def halves(positions: Sequence[int], targets: torch.Tensor) -> tuple[list[int], list[int]]:
    """Return the positions in two halves of like targets, by the first principal component."""
    centred = targets - targets.mean(0)
    direction = torch.linalg.eigh(centred.T @ centred).eigenvectors[:, -1]
    order = (centred @ direction).argsort().tolist()
    half = len(order) // 2
    return [positions[i] for i in order[:half]], [positions[i] for i in order[half:]]


def main() -> None:
    """Train for a number of minutes, writing a checkpoint every few; the last one is a sentence-transformers folder."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--data", type=Path, required=True)
    options.add_argument("--teacher", type=Path, required=True, help="folder made by training.multilingual")
    options.add_argument("--start", type=Path, required=True, help="folder made by training.adopt, or of this script")
    options.add_argument("--out", type=Path, required=True)
    options.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    options.add_argument("--minutes", type=float, default=120.0)
    options.add_argument("--rate", type=float, default=2.5e-4)
    options.add_argument("--pairs", type=int, default=PAIRS, help="sentence pairs a step")
    options.add_argument("--passages", type=int, default=PASSAGES, help="passages a step")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--resume", action="store_true", help="go on from the checkpoint in --out")
    arguments = options.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(arguments.seed)
    checkpoint = arguments.out / "checkpoint.pt"

    stream = Stream(arguments.data, arguments.seed, mixture=MIXTURE)
    pieces = Pieces(arguments.data, arguments.seed, arguments.passages)
    development, by_language = read_development(arguments.data)
    student = States(arguments.start, device=arguments.device)
    teacher = Teacher(arguments.teacher, device=arguments.device)
    sample = pieces.draw(CENTRE_PASSAGES)
    teacher.centre([t for p in development[:CENTRE] for t in (p.english, p.other)], sample)
    begin(student, sample)
    optimiser = student.network.optimiser(arguments.rate, embedding_factor=5)
    clock, steps, seen = Clock(arguments.minutes), 0, 0
    if arguments.resume and checkpoint.exists():
        state = torch.load(checkpoint, map_location=arguments.device, weights_only=True)
        student.network.body.load_state_dict(state["body"])
        optimiser.load_state_dict(state["optimiser"])
        clock.spent, steps, seen = state["spent"], state["steps"], state["seen"]
        stream.choose.seed(steps)
        pieces.choose.seed(steps)

    with (arguments.out / "log.csv").open("a", newline="") as file, Progress() as progress:
        log = csv.writer(file)
        bar = progress.add_task("imitate", total=arguments.minutes)
        queue: list[tuple[list[list[int]], torch.Tensor]] = []
        losses: list[torch.Tensor] = []
        last = clock.spent
        for share in clock.ticks():
            if not queue:
                queue = stream.batches(
                    student.network,
                    teacher,
                    arguments.pairs,
                    lambda lengths, targets: similar_batches(lengths, targets, arguments.pairs, stream.choose),
                )
            rows, target = queue.pop()
            by_word, measured = passage_loss(student, teacher, pieces.batch())
            by_pair, likeness = pair_loss(student.network(rows), target)
            warm = min(1.0, (steps + 1) / 60)
            multiplier = warm * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * share)))
            step(optimiser, by_word + PAIRS_WEIGHT * by_pair, multiplier=multiplier)
            steps, seen = steps + 1, seen + arguments.passages
            # Not read at once, as a GPU would have to finish first.
            losses.append(torch.cat([measured, likeness.detach()[None]]))
            if steps % 25 == 0:
                means = [round(mean, 4) for mean in torch.stack(losses).mean(0).tolist()]
                log.writerow([steps, seen, round(clock.spent, 2), *means, "", "", ""])
                file.flush()
                losses.clear()
                progress.update(bar, completed=clock.spent)
            if clock.spent - last > 5:
                last = clock.spent
                scores = [round(bitext_accuracy(student.network, by_language[x]), 1) for x in LANGUAGES]
                log.writerow([steps, seen, round(clock.spent, 2), "", "", "", *scores])
                file.flush()
                state = {"body": student.network.body.state_dict(), "optimiser": optimiser.state_dict()}
                save_checkpoint(checkpoint, {**state, "spent": clock.spent, "steps": steps, "seen": seen})

    plain = Tokenizer.from_file(str(arguments.start / "tokenizer.json"))
    save_sentence_transformer(student.network.body, plain, arguments.start, arguments.out)


if __name__ == "__main__":
    main()
