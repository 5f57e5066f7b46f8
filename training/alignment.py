"""Joins the states of tokens to those of words, so that networks with different pieces can be compared word by word."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from tokenizers import Encoding


def words_of_tokens(text: str, encoding: Encoding) -> list[int]:
    """Return which word of the text, counted between spaces, each token ends in; -1 for a special token.

    `text` has single spaces, and `encoding` is its own.
    """
    starts, ends = np.array(encoding.offsets, np.int64).reshape(-1, 2).T
    spaces = np.flatnonzero(np.array([*text]) == " ")
    words: list[int] = np.where(ends > starts, np.searchsorted(spaces, ends), -1).tolist()
    return words


@dataclass(frozen=True, slots=True)
class Joined:
    """Which tokens of a padded batch make which words: places in the flattened batch, and the word of each."""

    places: torch.Tensor
    words: torch.Tensor
    count: int

    @classmethod
    def of(cls, rows: Sequence[Sequence[int]], length: int, limits: Sequence[int], device: str) -> "Joined":
        """Return the words of texts, their tokens' words in `rows`; of each text the first `limits` words count."""
        firsts = np.cumsum([0, *limits])
        words = np.full((len(rows), length), -1)
        for i, row in enumerate(rows):
            words[i, : len(row)] = row
        # Loops over tokens would keep a GPU waiting.
        within = (words >= 0) & (words < np.asarray(limits)[:, None])
        numbers = (words + firsts[:-1, None])[within]
        places = torch.from_numpy(np.flatnonzero(within)).to(device)
        return cls(places, torch.from_numpy(numbers).to(device), int(firsts[-1]))

    def mean(self, states: torch.Tensor) -> torch.Tensor:
        """Return the mean state of each word's tokens, (words, dimensions), of states (texts, tokens, dimensions)."""
        tokens = states.flatten(0, 1)[self.places].float()
        sums = torch.zeros(self.count, tokens.shape[1], device=tokens.device).index_add(0, self.words, tokens)
        counts = torch.zeros(self.count, device=tokens.device).index_add(0, self.words, torch.ones_like(tokens[:, 0]))
        return sums / counts.clamp_min(1).unsqueeze(1)
