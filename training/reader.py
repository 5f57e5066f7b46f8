"""Trains the reader: from a question and a passage to the first and the last token of the answer.

After BERT's model for SQuAD 2 (Devlin et al. 2019): the first token stands for "not answered here". Passages are cut to
the size at which the program indexes them, and many rows are near misses, because the program reads several passages
for each question and most of them lack the answer.
"""

import argparse
import csv
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.progress import Progress
from tokenizers import Tokenizer
from torch.nn import functional
from transformers import BertModel

from training.examples import Example, Examples, read_rows
from training.network import QUESTION_TOKENS, WINDOW_TOKENS, SpanReader, save_reader
from training.restore import restore_reader
from training.rounding import set_rounding
from training.student import Clock, length_batches, mixed_precision, save_checkpoint, step
from training.wording import Words

# Questions a step.
BATCH = 20
CHUNK = 32 * BATCH
# A head that starts from nothing learns faster than one that has been trained.
NEW_HEAD_FACTOR = 7
WARM_STEPS = 100
# From this share of the time on the network computes with rounded numbers, as the shipped file does.
ROUNDING_FROM = 0.7
# What choosing between two windows counts beside what each says by itself.
TOGETHER = 0.5
DROPOUT = 0.1
# Steps between two exchanges with a peer.
EXCHANGE = 50


@dataclass(frozen=True, slots=True)
class Row:
    """One window as the network sees it: token ids, where the text begins, and the target tokens (0: no answer)."""

    ids: list[int]
    text_at: int
    start: int
    end: int


def answer_tokens(offsets: Sequence[tuple[int, int]], start: int, end: int) -> tuple[int, int] | None:
    """Return the first and last token that share a character with `start` to `end`, None when no token does."""
    inside = [i for i, (first, last) in enumerate(offsets) if last > start and first < end]
    return (inside[0], inside[-1]) if inside else None


def window(tokenizer: Tokenizer, question: Sequence[int], text: Sequence[int], target: tuple[int, int] | None) -> Row:
    """Return `[CLS] question [SEP] text [SEP]` with the target's tokens counted from the window's start."""
    # Encoding nothing yields the two special tokens.
    first, separator = tokenizer.encode("").ids
    ids = [first, *question, separator, *text, separator]
    at = len(question) + 2
    start, end = (at + target[0], at + target[1]) if target else (0, 0)
    return Row(ids, at, start, end)


def make_rows(tokenizer: Tokenizer, examples: Sequence[Example], choose: random.Random) -> list[Row]:
    """Return one window for each example; a text that is too long loses tokens before and after the answer.

    An example whose answer does not fit is left out.
    """
    questions = tokenizer.encode_batch([e.question for e in examples], add_special_tokens=False)
    texts = tokenizer.encode_batch([e.text for e in examples], add_special_tokens=False)
    rows = []
    for example, asked, text in zip(examples, questions, texts, strict=True):
        question = asked.ids[:QUESTION_TOKENS]
        room = WINDOW_TOKENS - 3 - len(question)
        target = answer_tokens(text.offsets, example.start, example.end) if example.start >= 0 else None
        if example.start >= 0 and (target is None or target[1] - target[0] >= room):
            continue
        low, high = 0, max(0, len(text.ids) - room)
        if target is not None:
            low, high = max(0, target[1] - room + 1), min(high, target[0])
        at = choose.randint(low, max(low, high))
        moved = (target[0] - at, target[1] - at) if target is not None else None
        rows.append(window(tokenizer, question, text.ids[at : at + room], moved))
    return rows


def collate(rows: Sequence[Row], device: str) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return ids, attention mask and token types, each (windows, longest window)."""
    ids = torch.zeros((len(rows), max(len(row.ids) for row in rows)), dtype=torch.long)
    mask, types = torch.zeros_like(ids), torch.zeros_like(ids)
    for i, row in enumerate(rows):
        ids[i, : len(row.ids)] = torch.tensor(row.ids)
        mask[i, : len(row.ids)] = 1
        types[i, row.text_at : len(row.ids)] = 1
    return ids.to(device), mask.to(device), types.to(device)


def span_loss(reader: SpanReader, questions: Sequence[Sequence[Row]], device: str) -> torch.Tensor:
    """Return the mean cross entropy of the first and of the last token.

    Of each window by itself, with "not answered here" among the choices; and, where a question has two windows, of
    both together, each token's score less its window's "not answered here": after the shared normalisation of Clark
    and Gardner (2018), as the program compares such margins between passages.
    """
    rows = [row for windows in questions for row in windows]
    ids, mask, types = collate(rows, device)
    with mixed_precision(device):
        states = reader.states(ids, mask, types)
    # Scores in bfloat16 would be too coarse to tell neighbouring tokens apart.
    scores = reader.scores(states.float(), mask, types)
    targets = [torch.tensor([getattr(row, side) for row in rows], device=device) for side in ("start", "end")]
    firsts = np.cumsum([0, *map(len, questions[:-1])])
    paired = [at for at, windows in zip(firsts, questions, strict=True) if len(windows) == 2]
    pairs = torch.tensor(paired, dtype=torch.long, device=device)
    loss = torch.zeros((), device=device)
    for score, target in zip(scores, targets, strict=True):
        loss = loss + 0.5 * functional.cross_entropy(score, target)
        if len(pairs):
            margins = (score - score[:, :1])[:, 1:]
            both = torch.cat([margins[pairs], margins[pairs + 1]], dim=1)
            loss = loss + 0.5 * TOGETHER * functional.cross_entropy(both, target[pairs] - 1)
    return loss


def make_optimiser(reader: SpanReader, rate: float, head_rate: float) -> torch.optim.AdamW:
    """Return AdamW over what is to be trained, with a rate of its own for the head."""
    groups = [
        {"params": [p for p in reader.body.parameters() if p.requires_grad], "lr": rate, "peak": rate},
        {"params": list(reader.head.parameters()), "lr": head_rate, "peak": head_rate},
    ]
    return torch.optim.AdamW(groups, weight_decay=0.01, fused=True)


class Exchange:
    """Two trainings that average their weights now and then: each writes its own and takes the mean with the other's.

    After gossip averaging (Blot et al. 2016). On two shared cores neither waits for the other, as synchronous
    data-parallel training would.
    """

    def __init__(self, own: Path, peer: Path | None) -> None:
        self.own, self.peer, self.taken = own / "weights.pt", peer / "weights.pt" if peer else None, 0.0

    @torch.no_grad()
    def exchange(self, reader: SpanReader) -> None:
        """Take the mean with the peer's weights, where it has written new ones, and write the own."""
        if self.peer is None:
            return
        trained = {name: p for name, p in reader.named_parameters() if p.requires_grad}
        if self.peer.exists() and (written := self.peer.stat().st_mtime) > self.taken:
            others = torch.load(self.peer, map_location="cpu", weights_only=True)
            for name, parameter in trained.items():
                parameter.lerp_(others[name].to(parameter.device), 0.5)
            self.taken = written
        save_checkpoint(self.own, {name: p.detach().cpu() for name, p in trained.items()})


@dataclass
class Progressed:
    """How far a training is: steps taken and rows seen."""

    steps: int = 0
    rows: int = 0


def save_state(
    path: Path, reader: SpanReader, optimiser: torch.optim.AdamW, examples: Examples, clock: Clock, done: Progressed
) -> None:
    """Write all that a resumed training needs."""
    state: dict[str, Any] = {"reader": reader.state_dict(), "optimiser": optimiser.state_dict()}
    counts = {"spent": clock.spent, "steps": done.steps, "rows": done.rows, "drawn": dict(examples.drawn)}
    save_checkpoint(path, {**state, **counts})


def load_state(
    path: Path, reader: SpanReader, optimiser: torch.optim.AdamW, examples: Examples, clock: Clock, device: str
) -> Progressed:
    """Go back to what `save_state` wrote; the rows that were drawn and not yet seen are passed over."""
    state = torch.load(path, map_location=device, weights_only=True)
    reader.load_state_dict(state["reader"])
    optimiser.load_state_dict(state["optimiser"])
    clock.spent, examples.drawn = state["spent"], state["drawn"]
    examples.choose.seed(state["steps"])
    return Progressed(state["steps"], state["rows"])


def main() -> None:
    """Train for a number of minutes; the result is a folder of weights, configuration and tokenizer."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--data", type=Path, required=True)
    options.add_argument("--translated", type=Path, help="the --out of training.translated: more rows to learn from")
    options.add_argument("--start", type=Path, required=True, help="folder of an encoder, or of a shipped reader")
    options.add_argument("--out", type=Path, required=True)
    options.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    options.add_argument("--minutes", type=float, default=35.0)
    options.add_argument("--rate", type=float, default=1.5e-4)
    options.add_argument("--seed", type=int, default=2)
    options.add_argument("--resume", action="store_true", help="go on from the checkpoint in --out")
    options.add_argument("--keep-words", action="store_true", help="leave the word vectors as they are")
    options.add_argument("--peer", type=Path, help="the --out of a second training, to average weights with")
    arguments = options.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(arguments.seed)
    checkpoint, device = arguments.out / "checkpoint.pt", arguments.device

    rows = read_rows(arguments.data, arguments.seed, arguments.translated)
    examples = Examples(rows, Words(arguments.data), arguments.seed)
    tokenizer = Tokenizer.from_file(str(arguments.start / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    goes_on = (arguments.start / "model_int8.onnx").exists() and not (arguments.start / "model.safetensors").exists()
    if goes_on:
        reader = restore_reader(arguments.start)
    else:
        reader = SpanReader(BertModel.from_pretrained(arguments.start, add_pooling_layer=False, dtype=torch.float32))
    reader.to(device).train()
    reader.drop(DROPOUT)
    reader.body.embeddings.word_embeddings.weight.requires_grad_(not arguments.keep_words)
    optimiser = make_optimiser(reader, arguments.rate, arguments.rate * (1 if goes_on else NEW_HEAD_FACTOR))
    exchange = Exchange(arguments.out, arguments.peer)
    clock, done = Clock(arguments.minutes), Progressed()
    if arguments.resume and checkpoint.exists():
        done = load_state(checkpoint, reader, optimiser, examples, clock, device)

    with (arguments.out / "log.csv").open("a", newline="") as file, Progress() as progress:
        log = csv.writer(file)
        bar = progress.add_task("read", total=arguments.minutes)
        queue: list[list[list[Row]]] = []
        losses: list[float] = []
        last = clock.spent
        for share in clock.ticks():
            if not queue:
                asked = [made for e in examples.chunk(CHUNK) if (made := make_rows(tokenizer, e, examples.choose))]
                longest = [max(len(row.ids) for row in windows) for windows in asked]
                queue = [[asked[i] for i in batch] for batch in length_batches(longest, BATCH, examples.choose)]
            batch = queue.pop()
            set_rounding(reader, share > ROUNDING_FROM)
            loss = span_loss(reader, batch, device)
            warm = min(1.0, (done.steps + 1) / WARM_STEPS)
            step(optimiser, loss, multiplier=warm * max(0.02, 1 - share))
            done.steps, done.rows = done.steps + 1, done.rows + sum(map(len, batch))
            losses.append(float(loss.detach()))
            if done.steps % 20 == 0:
                log.writerow([done.steps, done.rows, round(clock.spent, 2), round(sum(losses) / len(losses), 4)])
                file.flush()
                losses.clear()
                progress.update(bar, completed=clock.spent)
            if done.steps % EXCHANGE == 0:
                exchange.exchange(reader)
            if clock.spent - last > 4:
                last = clock.spent
                save_state(checkpoint, reader, optimiser, examples, clock, done)

    exchange.exchange(reader)
    save_state(checkpoint, reader, optimiser, examples, clock, done)
    save_reader(reader, arguments.start, arguments.out)


if __name__ == "__main__":
    main()
