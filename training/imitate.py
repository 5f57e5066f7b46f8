"""Teaches the student the multilingual teacher's states, word by word, and its vectors of sentence pairs.

Each step takes passages, whose words are to have the teacher's states after the last layer and after two within, and
sentence pairs, whose vectors are to be the teacher's of the English side. A passage says a hundred times as much by its
words as by its one vector: on two cores the vectors alone leave a network of half the layers behind in passages. The
teacher's states all point one way; what they share is taken off.
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
from torch.nn import functional

from training.alignment import Joined, words_of_tokens
from training.contrast import window_around
from training.data import LANGUAGES, Question, split_questions
from training.distil import Mixture, Stream, bitext_accuracy, pair_loss, read_development
from training.multilingual import PREFIX
from training.student import Clock, Student, length_batches, mixed_precision, save_checkpoint, step
from training.vocabulary import save_sentence_transformer

# Pairs and passages a step, unless asked for others; passages that are drawn at once are so many steps'.
PAIRS, PASSAGES, AHEAD = 96, 24, 16
MIXTURE = Mixture(english=0.25, dictionary=0.06, questions=0.08, languages=("en", *LANGUAGES))
SHARES = {"en": 0.28, "es": 0.24, "fr": 0.24, "it": 0.24}
MAX_TOKENS = 160
# The student's layers that are to agree with these of the teacher, and what that counts for.
WITHIN = ((2, 4), (4, 8))
WITHIN_WEIGHT, PASSAGE_WEIGHT, PAIRS_WEIGHT = 0.15, 1.0, 0.5
# Squared differences beyond this, in variances, teach nothing: a few dimensions are far larger than the others.
MOST = 25.0
# Texts whose mean is taken for what any two share: sentence pairs, and passages.
CENTRE, CENTRE_PASSAGES = 1000, 64


class States:
    """A network whose states of words can be read: the hidden states of texts, and the word of each token."""

    def __init__(self, folder: Path, *, device: str, prefix: str = "") -> None:
        self.network = Student(folder, device=device, max_tokens=MAX_TOKENS)
        self.prefix = prefix

    def read(self, texts: Sequence[str]) -> tuple[tuple[torch.Tensor, ...], list[list[int]], torch.Tensor]:
        """Return the states of every layer, (texts, tokens, dimensions) each, the tokens' words, and the unit vectors.

        The words of the prefix are none of the text's.
        """
        before = self.prefix.count(" ")
        encodings = self.network.tokenizer.encode_batch([self.prefix + text for text in texts])
        words = [
            [word - before if word >= before else -1 for word in words_of_tokens(self.prefix + text, encoding)]
            for text, encoding in zip(texts, encodings, strict=True)
        ]
        length = max(len(encoding.ids) for encoding in encodings)
        ids = torch.tensor([e.ids + [0] * (length - len(e.ids)) for e in encodings], device=self.network.device)
        mask = ids != 0
        with mixed_precision(self.network.device):
            output = self.network.body(input_ids=ids, attention_mask=mask.long(), output_hidden_states=True)
        layers: tuple[torch.Tensor, ...] = output.hidden_states
        weights = mask.unsqueeze(-1).float()
        vectors = (layers[-1].float() * weights).sum(1) / weights.sum(1)
        return layers, words, functional.normalize(vectors, dim=-1)


class Teacher(States):
    """The multilingual teacher, its states and vectors less what all share."""

    def __init__(self, folder: Path, *, device: str) -> None:
        super().__init__(folder, device=device, prefix=PREFIX)
        size = self.network.body.config.hidden_size
        self.middle, self.word, self.scale = torch.zeros(size, device=device), torch.zeros(size, device=device), 1.0

    def centre(self, sentences: Sequence[str], passages: Sequence[str]) -> None:
        """Take the mean vector of sentences and the mean state of the passages' words for what all share.

        The states' scale becomes 1.
        """
        with torch.inference_mode():
            self.middle = self.encode(sentences).mean(0)
        self.word, self.scale = middle_and_scale(self, passages)

    def encode(self, texts: Sequence[str]) -> torch.Tensor:
        """Return unit vectors, (texts, dimensions)."""
        vectors = self.network.encode([self.prefix + text for text in texts])
        return functional.normalize(vectors - self.middle, dim=-1)


def whole_words(*networks: Sequence[Sequence[int]]) -> list[int]:
    """Return how many words of each text every network has read to the end; the last may be cut off, and is left."""
    return [max(0, min(max(row) for row in rows)) for rows in zip(*networks, strict=True)]


def joined(words: Sequence[Sequence[int]], states: torch.Tensor, limits: Sequence[int]) -> Joined:
    """Return what joins such states by word."""
    return Joined.of(words, states.shape[1], limits, str(states.device))


@torch.inference_mode()
def middle_and_scale(network: States, passages: Sequence[str]) -> tuple[torch.Tensor, float]:
    """Return the mean of the passages' words' states, and what makes their mean square 1 once that is taken off."""
    layers, words, _ = network.read(passages)
    states = joined(words, layers[-1], whole_words(words)).mean(layers[-1])
    middle = states.mean(0)
    return middle.clone(), 1 / float((states - middle).pow(2).mean().sqrt())


def begin(student: States, passages: Sequence[str]) -> None:
    """Let the student's states begin with the middle and the scale that they are to have, by its last normalisation."""
    middle, scale = middle_and_scale(student, passages)
    state = student.network.body.state_dict()
    last = f"encoder.layer.{student.network.body.config.num_hidden_layers - 1}.output.LayerNorm"
    state[f"{last}.weight"] *= scale
    state[f"{last}.bias"].sub_(middle).mul_(scale)


def passage_loss(student: States, teacher: Teacher, texts: Sequence[str]) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the loss of the words' states and the passages' vectors; and the squared error by word, and the cosine."""
    with torch.inference_mode():
        theirs, their_words, their_vectors = teacher.read(texts)
    ours, our_words, vectors = student.read(texts)
    limits = whole_words(their_words, our_words)
    left, right = joined(our_words, ours[-1], limits), joined(their_words, theirs[-1], limits)
    # A tensor of inference mode takes part in no gradient until it is copied.
    wanted = (right.mean(theirs[-1]).clone() - teacher.word) * teacher.scale
    by_word = functional.mse_loss(left.mean(ours[-1]), wanted)
    loss = by_word
    for our_layer, their_layer in WITHIN:
        target = right.mean(theirs[their_layer]).clone()
        apart = (left.mean(ours[our_layer]) - target) / target.std(0)
        loss = loss + WITHIN_WEIGHT * apart.square().clamp_max(MOST).mean()
    targets = functional.normalize(their_vectors.clone() - teacher.middle, dim=-1)
    likeness = (vectors * targets).sum(1).mean()
    return loss + PASSAGE_WEIGHT * (1 - likeness), torch.stack([by_word, likeness]).detach()


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
