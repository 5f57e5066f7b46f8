"""The reader's network: a BERT body with a start and an end score for each token; and its folder of weights."""

import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from transformers import BertConfig, BertModel

WINDOW_TOKENS, QUESTION_TOKENS, ANSWER_TOKENS = 192, 40, 25


# What is no choice at all scores this.
NEVER = -1e4


class WindowDropout(torch.nn.Module):
    """Dropout of the same dimensions at all tokens of a window (Gal and Ghahramani 2016).

    Drawing for every token takes a third of a training step on two cores.
    """

    def __init__(self, chance: float) -> None:
        super().__init__()
        self.chance = chance

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        """Return the states, (windows, tokens, dimensions), scaled so that their mean stays."""
        if not self.training:
            return states
        kept = torch.rand(len(states), 1, states.shape[-1], device=states.device) >= self.chance
        return states * (kept / (1 - self.chance))


class SpanReader(torch.nn.Module):
    """A BERT body with two scores a token: that the answer starts there, and that it ends there.

    `early_head` is there in training alone, if at all, and scores the states of a layer within.
    """

    def __init__(self, body: BertModel) -> None:
        super().__init__()
        self.body = body
        self.head = torch.nn.Linear(body.config.hidden_size, 2)
        self.early_head: torch.nn.Linear | None = None
        for module in self.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0

    def drop(self, chance: float) -> None:
        """Drop numbers by chance while training; attention weights are all kept."""
        for name, module in list(self.body.named_modules()):
            if isinstance(module, torch.nn.Dropout | WindowDropout) and not name.endswith("attention.self.dropout"):
                self.body.set_submodule(name, WindowDropout(chance))

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, token_type_ids: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return start and end scores, each (windows, tokens), float32; -1e4 in the question and in the padding."""
        return self.scores(self.states(input_ids, attention_mask, token_type_ids), attention_mask, token_type_ids)

    def states(self, ids: torch.Tensor, mask: torch.Tensor, types: torch.Tensor) -> torch.Tensor:
        """Return the body's output, (windows, tokens, dimensions)."""
        output: torch.Tensor = self.body(input_ids=ids, attention_mask=mask, token_type_ids=types).last_hidden_state
        return output

    def scores(
        self, states: torch.Tensor, mask: torch.Tensor, types: torch.Tensor, *, head: torch.nn.Linear | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return start and end scores of the body's output; only the text and the first token can be chosen.

        Of the states of another layer with a `head` of its own.
        """
        scores = (head or self.head)(states)
        choosable = torch.cat([torch.ones_like(types[:, :1]), types[:, 1:]], dim=1) * mask
        start, end = (scores[..., i].masked_fill(choosable == 0, NEVER) for i in (0, 1))
        return start, end


def load_reader(folder: Path, *, attention: str = "eager") -> SpanReader:
    """Return the reader of a folder that `save_reader` wrote; `attention` is how transformers computes it."""
    body = BertModel(BertConfig.from_pretrained(folder, attn_implementation=attention), add_pooling_layer=False)
    reader = SpanReader(body)
    reader.load_state_dict(load_file(folder / "reader.safetensors"))
    return reader.eval()


def save_reader(reader: SpanReader, start: Path, out: Path) -> None:
    """Write float32 weights but an early head's, the configuration and the tokenizer of the `start` folder."""
    out.mkdir(parents=True, exist_ok=True)
    weights = {
        name: tensor.detach().cpu().contiguous()
        for name, tensor in reader.state_dict().items()
        if not name.startswith("early_head.")
    }
    save_file(weights, out / "reader.safetensors", metadata={"format": "pt"})
    sizes = {"window_tokens": WINDOW_TOKENS, "question_tokens": QUESTION_TOKENS, "answer_tokens": ANSWER_TOKENS}
    config = {**reader.body.config.to_dict(), "reader": {"version": 1, **sizes}}
    config.pop("_name_or_path", None)
    (out / "config.json").write_text(json.dumps(config, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    shutil.copy(start / "tokenizer.json", out / "tokenizer.json")
