"""Trains the reader: from a question and a passage to the first and the last token of the answer.

After BERT's model for SQuAD 2 (Devlin et al. 2019): the first token stands for "not answered here". Passages are cut to
the size at which the program indexes them, and many rows are near misses, because the program reads several passages
for each question and most of them lack the answer.
"""

import argparse
import copy
import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from rich.progress import Progress
from tokenizers import Tokenizer
from transformers import BertModel

from training.examples import DOSSIER_SHARE, Examples, read_rows
from training.mined import read_mined
from training.network import SpanReader, load_reader, save_reader
from training.pieces import PASSAGE_CHARACTERS
from training.restore import restore_reader
from training.rounding import set_rounding
from training.student import Clock, length_batches, save_checkpoint, step
from training.taught import Teacher, begin_like, early_losses, span_loss, taught_losses
from training.windows import Batch, make_rows, other_rows
from training.wording import Words
from training.workers import produce

# Questions a step, unless asked for others, and batches that are made at once, each of questions of one length.
BATCH = 20
CHUNK = 32
# A head that starts from nothing learns faster than one that has been trained.
NEW_HEAD_FACTOR = 7
WARM_STEPS = 100
# From this share of the time on the network computes with rounded numbers, as the shipped file does.
ROUNDING_FROM = 0.7
DROPOUT = 0.1
MINED_SHARE = 0.4
# What the answers, the teachers' scores and, of a reader made of a teacher's layers, the states of its words count.
TAUGHT = (1.0, 0.5)
ALIKE = (0.5, 0.5, 1.0)
# What the answers count, the same of the early head, and what it is off from the head.
EARLY = (1.0, 0.4, 0.2)


def make_optimiser(reader: SpanReader, rate: float, head_rate: float) -> torch.optim.AdamW:
    """Return AdamW over what is to be trained, with a rate of its own for the heads."""
    heads = [p for head in (reader.head, reader.early_head) if head for p in head.parameters()]
    groups = [
        {"params": [p for p in reader.body.parameters() if p.requires_grad], "lr": rate, "peak": rate},
        {"params": heads, "lr": head_rate, "peak": head_rate},
    ]
    return torch.optim.AdamW(groups, weight_decay=0.01, fused=True)


@dataclass
class Progressed:
    """How far a training is: steps taken and rows seen."""

    steps: int = 0
    rows: int = 0


def save_state(path: Path, reader: SpanReader, optimiser: torch.optim.AdamW, clock: Clock, done: Progressed) -> None:
    """Write all that a resumed training needs."""
    state: dict[str, Any] = {"reader": reader.state_dict(), "optimiser": optimiser.state_dict()}
    save_checkpoint(path, {**state, "spent": clock.spent, "steps": done.steps, "rows": done.rows})


def load_state(path: Path, reader: SpanReader, optimiser: torch.optim.AdamW, clock: Clock, device: str) -> Progressed:
    """Go back to what `save_state` wrote."""
    state = torch.load(path, map_location=device, weights_only=True)
    reader.load_state_dict(state["reader"])
    optimiser.load_state_dict(state["optimiser"])
    clock.spent = state["spent"]
    return Progressed(state["steps"], state["rows"])


def open_reader(folder: Path) -> tuple[SpanReader, bool]:
    """Return the reader of a folder and whether it has been trained: a shipped or trained one, or an encoder's body."""
    if (folder / "reader.safetensors").exists():
        return load_reader(folder, attention="sdpa"), True
    if (folder / "model.safetensors").exists():
        return SpanReader(open_body(folder)), False
    return restore_reader(folder), True


def open_body(folder: Path) -> BertModel:
    """Return the body of an encoder's folder."""
    body: BertModel = BertModel.from_pretrained(folder, add_pooling_layer=False, dtype=torch.float32)
    return body


def open_tokenizer(folder: Path) -> Tokenizer:
    """Return the folder's tokenizer, which neither pads nor cuts."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def open_teachers(
    folders: Sequence[Path], ours: Tokenizer, device: str, *, alike: bool
) -> tuple[list[Teacher], Tokenizer | None]:
    """Return the readers of folders, and the tokenizer of those with other tokens than ours.

    Raises ValueError where those have tokens of several kinds, or where there is no first one for us to be alike to.
    """
    tokenizers = [open_tokenizer(folder) for folder in folders]
    others = [theirs.get_vocab() != ours.get_vocab() for theirs in tokenizers]
    aliens = [theirs for theirs, other in zip(tokenizers, others, strict=True) if other]
    if any(theirs.get_vocab() != aliens[0].get_vocab() for theirs in aliens[1:]):
        raise ValueError("--teacher names readers with tokens of several kinds other than the start's: name one kind")
    if alike and not any(others[:1]):
        raise ValueError("--alike needs a first --teacher with other tokens than the start: name that one first")
    readers = [open_reader(folder)[0].to(device) for folder in folders]
    return [Teacher(*pair) for pair in zip(readers, others, strict=True)], aliens[0] if aliens else None


def add_early_head(reader: SpanReader, layers: int) -> None:
    """Give the reader a second head, like its own; raises ValueError where it has no layer above so many."""
    most = reader.body.config.num_hidden_layers - 1
    if not 0 < layers <= most:
        raise ValueError(f"--early-layers is {layers}: name 1 to {most}, as the start has a layer more")
    reader.early_head = copy.deepcopy(reader.head)


def step_losses(
    reader: SpanReader, teachers: Sequence[Teacher], batch: Batch, device: str, *, alike: bool, early_layers: int
) -> torch.Tensor:
    """Return what the reader is off by in a batch: one number, or one for each of what it learns from."""
    if teachers:
        return taught_losses(reader, teachers, batch, device, alike=alike)
    if early_layers:
        return early_losses(reader, batch, device, layers=early_layers)
    return span_loss(reader, batch, device)[None]


def batches(examples: Examples, tokenizer: Tokenizer, size: int, other: Tokenizer | None = None) -> Iterator[Batch]:
    """Yield endless batches of `size` questions of about one length; a question that loses its answer is left out.

    With another tokenizer the windows are there in its tokens too.
    """
    while True:
        drawn = [
            (together, make_rows(tokenizer, together, examples.choose)) for together in examples.chunk(CHUNK * size)
        ]
        asked = [(together, rows) for together, rows in drawn if len(rows) == len(together)]
        longest = [max(len(row.ids) for row in windows) for _, windows in asked]
        for places in length_batches(longest, size, examples.choose):
            chosen = [asked[i] for i in places]
            others = [other_rows(other, *each) for each in chosen] if other else []
            yield Batch.of([rows for _, rows in chosen], others)


def main() -> None:
    """Train for a number of minutes; the result is a folder of weights, configuration and tokenizer."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--data", type=Path, required=True)
    options.add_argument("--translated", type=Path, help="the --out of training.translated: more rows to learn from")
    options.add_argument("--start", type=Path, required=True, help="folder of an encoder, or of a reader")
    taught = options.add_mutually_exclusive_group()
    taught.add_argument("--teacher", type=Path, nargs="*", default=[], help="folders of readers to learn from as well")
    taught.add_argument(
        "--early-layers", type=int, default=0, help="a second head learns after so many; it is not kept"
    )
    options.add_argument(
        "--alike", type=Path, help="what the first teacher was trained from, if the start has its layers"
    )
    options.add_argument("--out", type=Path, required=True)
    options.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    options.add_argument("--minutes", type=float, default=35.0)
    options.add_argument("--rate", type=float, default=1.5e-4)
    options.add_argument("--batch", type=int, default=BATCH, help="questions a step")
    options.add_argument("--workers", type=int, default=0, help="processes that make the batches, for a fast device")
    options.add_argument("--seed", type=int, default=2)
    options.add_argument("--resume", action="store_true", help="go on from the checkpoint in --out")
    options.add_argument("--keep-words", action="store_true", help="leave the word vectors as they are")
    options.add_argument(
        "--answered", action="store_true", help="only questions that their texts answer, to begin with"
    )
    options.add_argument(
        "--written", action="store_true", help="ask about no passages that rules translated, to end with"
    )
    options.add_argument("--dossiers", type=float, default=DOSSIER_SHARE, help="share of the questions about these")
    options.add_argument("--mined", type=Path, nargs="*", default=[], help="files of training.mine")
    options.add_argument("--mined-share", type=float, default=MINED_SHARE, help="of the questions, where there are any")
    options.add_argument(
        "--characters", type=int, nargs=2, default=PASSAGE_CHARACTERS, help="of a piece, the least and the most"
    )
    options.add_argument("--dropout", type=float, default=DROPOUT)
    options.add_argument("--rounding-from", type=float, default=ROUNDING_FROM, help="share of the time; 1: never")
    arguments = options.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(arguments.seed)
    checkpoint, device = arguments.out / "checkpoint.pt", arguments.device

    rows = read_rows(arguments.data, arguments.seed, arguments.translated)
    answered, written = arguments.answered, arguments.written
    least, most = arguments.characters
    examples = Examples(
        rows,
        Words(arguments.data),
        arguments.seed,
        answered=answered,
        written=written,
        dossiers=arguments.dossiers,
        mined=[each for path in arguments.mined for each in read_mined(path)],
        mined_share=arguments.mined_share,
        characters=(least, most),
    )
    tokenizer = open_tokenizer(arguments.start)
    reader, trained = open_reader(arguments.start)
    try:
        if arguments.early_layers:
            add_early_head(reader, arguments.early_layers)
        teachers, other = open_teachers(arguments.teacher, tokenizer, device, alike=bool(arguments.alike))
    except ValueError as error:
        options.error(str(error))
    reader.to(device).train()
    reader.drop(arguments.dropout)
    reader.body.embeddings.word_embeddings.weight.requires_grad_(not arguments.keep_words)
    weights = torch.tensor(ALIKE if arguments.alike else TAUGHT if teachers else EARLY, device=device)
    new_head = not trained and not arguments.alike
    optimiser = make_optimiser(reader, arguments.rate, arguments.rate * (NEW_HEAD_FACTOR if new_head else 1))
    clock, done = Clock(arguments.minutes), Progressed()
    if arguments.resume and checkpoint.exists():
        done = load_state(checkpoint, reader, optimiser, clock, device)

    def make(part: int, parts: int) -> Iterator[Batch]:
        examples.restart(arguments.seed + done.steps, part=part, parts=parts)
        return batches(examples, tokenizer, arguments.batch, other)

    made = produce(make, arguments.workers)
    if teachers and arguments.alike and not done.steps:
        begin_like(reader, teachers[0].reader, open_body(arguments.alike), next(made), device)
    with (arguments.out / "log.csv").open("a", newline="") as file, Progress() as progress:
        log = csv.writer(file)
        bar = progress.add_task("read", total=arguments.minutes)
        losses: list[torch.Tensor] = []
        last = clock.spent
        for share in clock.ticks():
            batch = next(made)
            set_rounding(reader, share > arguments.rounding_from)
            parts = step_losses(
                reader, teachers, batch, device, alike=bool(arguments.alike), early_layers=arguments.early_layers
            )
            loss = (parts * weights[: len(parts)]).sum()
            warm = min(1.0, (done.steps + 1) / WARM_STEPS)
            step(optimiser, loss, multiplier=warm * max(0.02, 1 - share))
            done.steps, done.rows = done.steps + 1, done.rows + len(batch.ids)
            # Not read at once, as a GPU would have to finish first.
            losses.append(parts.detach())
            if done.steps % 20 == 0:
                means = [round(mean, 4) for mean in torch.stack(losses).mean(0).tolist()]
                log.writerow([done.steps, done.rows, round(clock.spent, 2), *means])
                file.flush()
                losses.clear()
                progress.update(bar, completed=clock.spent)
            if clock.spent - last > 4:
                last = clock.spent
                save_state(checkpoint, reader, optimiser, clock, done)

    save_state(checkpoint, reader, optimiser, clock, done)
    save_reader(reader, arguments.start, arguments.out)


if __name__ == "__main__":
    main()
