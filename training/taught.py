"""What a reader is to learn: the answers, and what other readers make of the same windows.

A new reader's network has yet to find out that the question's words are to be looked for in the text. From the answers
alone that takes it many thousands of rows; a reader with the same kind of states tells it for each word. Two readers
that err in different places know more together than either (Hinton et al. 2015).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional
from transformers import BertModel

from training.network import NEVER, SpanReader
from training.states import WITHIN, WITHIN_WEIGHT, apart, joined, whole_words
from training.student import mixed_precision
from training.windows import Batch

# What choosing between two windows counts beside what each says by itself.
TOGETHER = 0.5
# The temperature of the teacher's scores (Hinton et al. 2015): above 1, what is unlikely counts for more.
SOFTENED = 2.0
# The probability of a token that none of the teacher's lies in.
LEAST = 1e-9

Scores = tuple[torch.Tensor, torch.Tensor]


def span_loss(reader: SpanReader, batch: Batch, device: str) -> torch.Tensor:
    """Return the mean cross entropy of the first and of the last token, see `score_loss`."""
    ids, mask, types = batch.inputs(device)
    with mixed_precision(device):
        states = reader.states(ids, mask, types)
    # Scores in bfloat16 would be too coarse to tell neighbouring tokens apart.
    return score_loss(reader.scores(states.float(), mask, types), batch)


def score_loss(scores: Scores, batch: Batch) -> torch.Tensor:
    """Return the mean cross entropy of start and end scores, (windows, tokens) each.

    Of each window by itself, with "not answered here" among the choices; and, where a question has several windows, of
    all of them together, each token's score less its window's "not answered here": after the shared normalisation of
    Clark and Gardner (2018), as the program compares such margins between passages.
    """
    device = scores[0].device
    together = torch.tensor(batch.together, device=device)
    loss = torch.zeros((), device=device)
    for score, targets in zip(scores, (batch.starts, batch.ends), strict=True):
        target = torch.tensor(targets, device=device)
        loss = loss + 0.5 * functional.cross_entropy(score, target)
        if len(together):
            margins = (score - score[:, :1])[together.clamp_min(0), 1:]
            margins = margins.masked_fill((together < 0).unsqueeze(-1), NEVER).flatten(1)
            loss = loss + 0.5 * TOGETHER * functional.cross_entropy(margins, target[together[:, 0]] - 1)
    return loss


@dataclass(frozen=True, slots=True)
class Teacher:
    """A trained reader, and whether it reads the windows in other tokens than ours, those of `Batch.other`."""

    reader: SpanReader
    other: bool


def taught_losses(
    reader: SpanReader, teachers: Sequence[Teacher], batch: Batch, device: str, *, alike: bool = False
) -> torch.Tensor:
    """Return two losses: `score_loss`, and how far the scores are from what the teachers find likely in the mean.

    Where the reader is `alike`, made of layers of the first teacher, which has other tokens, a third: how far the
    states of its words are from that teacher's.
    """
    with torch.no_grad():
        read = [_layers(t.reader, batch.other if t.other and batch.other else batch, device) for t in teachers]
        likely = wanted([scores for _, scores in read], [t.other for t in teachers], batch)
    layers, scores = _layers(reader, batch, device)
    losses = [score_loss(scores, batch), score_divergence(likely, scores)]
    return torch.stack([*losses, states_loss(layers, read[0][0], batch)] if alike else losses)


def early_losses(reader: SpanReader, batch: Batch, device: str, *, layers: int) -> torch.Tensor:
    """Return three losses: `score_loss`, that of the early head after so many layers, and how far this one is off.

    What the lower layers are told at once, they need not find out through all those above (Lee et al. 2015).
    """
    assert reader.early_head is not None
    states, scores = _layers(reader, batch, device)
    _, mask, types = batch.inputs(device)
    early = reader.scores(states[layers].float(), mask, types, head=reader.early_head)
    likely = [(score.detach() / SOFTENED).log_softmax(-1) for score in scores]
    return torch.stack([score_loss(scores, batch), score_loss(early, batch), score_divergence(likely, early)])


def wanted(scores: Sequence[Scores], others: Sequence[bool], batch: Batch) -> list[torch.Tensor]:
    """Return the mean of what teachers find likely, softened: logarithms of (windows, tokens), of start and of end."""
    found = []
    for which in range(2):
        shares = [(pair[which] / SOFTENED).softmax(-1) for pair in scores]
        if batch.places is not None:
            place, tokens = batch.places[which], batch.ids.shape[1]
            shares = [moved(s, place, tokens) if other else s for s, other in zip(shares, others, strict=True)]
        found.append(torch.stack(shares).mean(0).clamp_min(LEAST).log())
    return found


def score_divergence(wanted: Sequence[torch.Tensor], scores: Scores) -> torch.Tensor:
    """Return how far start and end scores are from softened logarithms of probabilities, (windows, tokens) each."""
    found = [divergence(w, (s / SOFTENED).log_softmax(-1)).mean() for w, s in zip(wanted, scores, strict=True)]
    return SOFTENED**2 * torch.stack(found).mean()


def states_loss(ours: Sequence[torch.Tensor], theirs: Sequence[torch.Tensor], batch: Batch) -> torch.Tensor:
    """Return how far the states of the windows' words are from the teacher's, in variances, most in the last layer.

    Both are the states of all layers, the embeddings first, (windows, tokens, dimensions) each.
    """
    assert batch.other is not None
    limits = whole_words(batch.words, batch.other.words)
    left, right = joined(batch.words, ours[-1], limits), joined(batch.other.words, theirs[-1], limits)
    loss = ours[-1].new_zeros((), dtype=torch.float32)
    for ours_at, theirs_at, weight in (*((a, b, WITHIN_WEIGHT) for a, b in WITHIN), (-1, -1, 1.0)):
        loss = loss + weight * apart(left.mean(ours[ours_at]), right.mean(theirs[theirs_at]))
    return loss


@torch.no_grad()
def begin_like(reader: SpanReader, teacher: SpanReader, before: BertModel, batch: Batch, device: str) -> None:
    """Let a reader made of every other of the layers of `before` begin with what the teacher, trained from it, learnt.

    Each layer's difference is added to the reader's (Ilharco et al. 2023); the head is the teacher's, and so are mean
    and deviation of every dimension of the last states.
    """
    assert batch.other is not None
    every = teacher.body.config.num_hidden_layers // reader.body.config.num_hidden_layers
    learnt, known = teacher.body.encoder.layer[::every], before.encoder.layer[::every]
    for ours, new, old in zip(reader.body.encoder.layer, learnt, known, strict=True):
        for weights, after, start in zip(ours.parameters(), new.parameters(), old.parameters(), strict=True):
            weights.add_(after - start.to(device))
    layers, _ = _layers(reader, batch, device)
    wanted, _ = _layers(teacher, batch.other, device)
    limits = whole_words(batch.words, batch.other.words)
    found = joined(batch.words, layers[-1], limits).mean(layers[-1])
    theirs = joined(batch.other.words, wanted[-1], limits).mean(wanted[-1])
    scale = theirs.std(0) / found.std(0)
    last = f"encoder.layer.{reader.body.config.num_hidden_layers - 1}.output.LayerNorm"
    state = reader.body.state_dict()
    state[f"{last}.weight"].mul_(scale)
    state[f"{last}.bias"].mul_(scale).add_(theirs.mean(0) - scale * found.mean(0))
    reader.head.load_state_dict(teacher.head.state_dict())


def moved(shares: torch.Tensor, places: NDArray[np.int64], tokens: int) -> torch.Tensor:
    """Return probabilities, (windows, tokens), summed over what lies in the same token of ours."""
    place = torch.from_numpy(places).to(shares.device)
    return shares.new_zeros(len(shares), tokens).scatter_add(1, place, shares)


def divergence(wanted: torch.Tensor, found: torch.Tensor) -> torch.Tensor:
    """Return the Kullback-Leibler divergence of logarithms of probabilities over the last dimension."""
    return (wanted.exp() * (wanted - found)).sum(-1)


def _layers(reader: SpanReader, batch: Batch, device: str) -> tuple[tuple[torch.Tensor, ...], Scores]:
    """Return the states of all layers, the embeddings first, and the scores."""
    ids, mask, types = batch.inputs(device)
    with mixed_precision(device):
        layers = reader.body(
            input_ids=ids, attention_mask=mask, token_type_ids=types, output_hidden_states=True
        ).hidden_states
    return layers, reader.scores(layers[-1].float(), mask, types)
