"""The states of a network's words, and how a student comes to have the multilingual teacher's.

A passage says a hundred times as much by its words as by its one vector: on two cores the vectors alone leave a network
of half the layers behind in passages. The teacher's states all point one way; what they share is taken off.
"""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch.nn import functional

from training.alignment import Joined, words_of_tokens
from training.multilingual import PREFIX
from training.student import Student, mixed_precision

MAX_TOKENS = 160
# The student's layers that are to agree with these of the teacher, and what that counts for.
WITHIN = ((2, 4), (4, 8))
WITHIN_WEIGHT, PASSAGE_WEIGHT = 0.15, 1.0
# Squared differences beyond this, in variances, teach nothing: a few dimensions are far larger than the others.
MOST = 25.0


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


def apart(states: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """Return the mean squared difference of states, (words, dimensions), in the variances of the wanted dimensions."""
    return ((states - wanted) / wanted.std(0)).square().clamp_max(MOST).mean()


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
        loss = loss + WITHIN_WEIGHT * apart(left.mean(ours[our_layer]), right.mean(theirs[their_layer]).clone())
    targets = functional.normalize(their_vectors.clone() - teacher.middle, dim=-1)
    likeness = (vectors * targets).sum(1).mean()
    return loss + PASSAGE_WEIGHT * (1 - likeness), torch.stack([by_word, likeness]).detach()
