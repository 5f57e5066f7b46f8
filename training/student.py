"""The network under training: batches of texts to unit vectors, and checkpoints that survive a stop."""

import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from torch.nn import functional
from transformers import BertModel


class Student(torch.nn.Module):
    """A BERT body with mean pooling; dropout is off, as a distilled target is noise-free."""

    def __init__(self, folder: Path, *, device: str, max_tokens: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.device = device
        self.body = BertModel.from_pretrained(folder, add_pooling_layer=False, dtype=torch.float32)
        self.to(device)
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(max_tokens)
        for module in self.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = dropout

    def ids(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the token ids of the texts, special tokens included."""
        return [encoding.ids for encoding in self.tokenizer.encode_batch(list(texts))]

    def forward(self, ids: Sequence[Sequence[int]]) -> torch.Tensor:
        """Return unit vectors, (texts, dimensions), float32; see `mixed_precision` for the products."""
        numbers = np.zeros((len(ids), max(map(len, ids))), np.int32)
        for i, row in enumerate(ids):
            numbers[i, : len(row)] = row
        padded = torch.from_numpy(numbers).to(self.device).long()
        mask = padded != 0
        with mixed_precision(self.device):
            states = self.body(input_ids=padded, attention_mask=mask.long()).last_hidden_state
        weights = mask.unsqueeze(-1).float()
        return functional.normalize((states.float() * weights).sum(1) / weights.sum(1), dim=-1)

    @torch.inference_mode()
    def encode(self, texts: Sequence[str]) -> torch.Tensor:
        """Return unit vectors of any number of texts, (texts, dimensions), shorter texts batched together."""
        batch = 128 if self.device == "cpu" else 2048
        ids = self.ids(texts)
        order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
        vectors = torch.empty(len(ids), self.body.config.hidden_size, device=self.device)
        for i in range(0, len(order), batch):
            part = order[i : i + batch]
            vectors[part] = self([ids[k] for k in part])
        return vectors

    def optimiser(self, rate: float, *, embedding_factor: float) -> torch.optim.AdamW:
        """Return AdamW with a higher rate for the word vectors, most of which start as guesses."""
        words = self.body.embeddings.word_embeddings.weight
        rest = [p for p in self.body.parameters() if p is not words]
        groups = [
            {"params": [words], "lr": rate * embedding_factor, "peak": rate * embedding_factor},
            {"params": rest, "lr": rate, "peak": rate},
        ]
        return torch.optim.AdamW(groups, weight_decay=0.0, fused=True)


def mixed_precision(device: str) -> torch.autocast:
    """Return a context of bfloat16 where the device is faster in it."""
    return torch.autocast(device, dtype=torch.bfloat16, enabled=device != "cpu" or faster_in_bfloat16())


@cache
def faster_in_bfloat16() -> bool:
    """Tell whether the processor multiplies faster in bfloat16, by trying: some that know it are half as fast in it."""
    seconds = {}
    for kind in (torch.float32, torch.bfloat16):
        left, right = torch.ones(2048, 384, dtype=kind), torch.ones(384, 1536, dtype=kind)
        runs = []
        for _ in range(5):
            started = time.perf_counter()
            torch.mm(left, right)
            runs.append(time.perf_counter() - started)
        seconds[kind] = min(runs)
    return seconds[torch.bfloat16] < seconds[torch.float32]


def step(optimiser: torch.optim.Optimizer, loss: torch.Tensor, *, multiplier: float) -> None:
    """Take one clipped step at `multiplier` times the peak rates."""
    for group in optimiser.param_groups:
        group["lr"] = group["peak"] * multiplier
    optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    for group in optimiser.param_groups:
        torch.nn.utils.clip_grad_norm_(group["params"], 1.0)
    optimiser.step()


def length_batches(lengths: Sequence[int], size: int, choose: random.Random) -> list[list[int]]:
    """Return positions in batches of neighbouring lengths, in random order; a rest below `size` is left out."""
    order = sorted(range(len(lengths)), key=lambda i: lengths[i])
    batches = [order[i : i + size] for i in range(0, len(order) - size + 1, size)]
    choose.shuffle(batches)
    return batches


@dataclass
class Clock:
    """Training time in minutes, counted over stops."""

    minutes: float
    spent: float = 0.0

    def ticks(self) -> Iterator[float]:
        """Yield the share of the time that is spent, 0 to 1, until it is."""
        last = time.monotonic()
        while self.spent < self.minutes:
            yield self.spent / self.minutes
            now = time.monotonic()
            self.spent += (now - last) / 60
            last = now


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write a checkpoint beside its place and rename it there, so that a stop leaves the old or the new one."""
    beside = path.with_suffix(".part")
    torch.save(state, beside)
    beside.replace(path)
