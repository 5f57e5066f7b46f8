"""Trains the reader: from a question and a passage to the first and the last token of the answer.

After BERT's model for SQuAD 2 (Devlin et al. 2019): the first token stands for "not answered here". Passages are cut to
the size at which the program indexes them, and three rows in ten are near misses, because the program reads several
passages for each question and most of them lack the answer.
"""

import argparse
import csv
import json
import random
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from rich.progress import Progress
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch.nn import functional
from transformers import BertConfig, BertModel

from rag.lexical import terms
from training.contrast import BOUNDARY, PASSAGE_CHARACTERS, sentence_around
from training.data import Question, read_questions, split_questions
from training.student import Clock, length_batches, save_checkpoint, step

WINDOW_TOKENS, QUESTION_TOKENS, ANSWER_TOKENS = 192, 40, 25
BATCH = 24
CHUNK = 32 * BATCH
HEAD_RATE = 1e-3
WARM_STEPS = 100
SHARES = {"en": 0.49, "es": 0.18, "fr": 0.18, "it": 0.15}
# User reviews and forum posts are far from news; single sentences teach little about passages.
SOURCE_CAPS = {"squadshifts_reddit.en": 2_500, "qamr": 5_000}
QAMR_FILES = ("qamr_dev.en", "qamr_test.en")
# Chances of turning an answerable row into a near miss; 28% of the Spanish rows are unanswerable from the start.
ELSEWHERE_SHARE = {"en": 0.1, "es": 0.03, "fr": 0.1, "it": 0.1}
NEIGHBOUR_SHARE = {"en": 0.19, "es": 0.09, "fr": 0.19, "it": 0.19}
NEIGHBOURS = 8
OTHER_LANGUAGE_SHARE = 0.4
UNPUNCTUATED_SHARE = 0.15
KEYWORDS_SHARE = 0.1
WHOLE_SENTENCES_SHARE = 0.8
MINIMUM_CHARACTERS = 150
SPACE = re.compile(r"\s+")


class SpanReader(torch.nn.Module):
    """A BERT body with two scores a token: that the answer starts there, and that it ends there."""

    def __init__(self, body: BertModel, *, dropout: float = 0.0) -> None:
        super().__init__()
        self.body = body
        self.head = torch.nn.Linear(body.config.hidden_size, 2)
        for module in self.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = dropout

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
        self, states: torch.Tensor, mask: torch.Tensor, types: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return start and end scores of the body's output; only the text and the first token can be chosen."""
        scores = self.head(states)
        choosable = torch.cat([torch.ones_like(types[:, :1]), types[:, 1:]], dim=1) * mask
        start, end = (scores[..., i].masked_fill(choosable == 0, -1e4) for i in (0, 1))
        return start, end


def load_reader(folder: Path) -> SpanReader:
    """Return the reader of a folder that `save_reader` wrote."""
    body = BertModel(BertConfig.from_pretrained(folder, attn_implementation="eager"), add_pooling_layer=False)
    reader = SpanReader(body)
    reader.load_state_dict(load_file(folder / "reader.safetensors"))
    return reader.eval()


def save_reader(reader: SpanReader, start: Path, out: Path) -> None:
    """Write float32 weights, the configuration and the tokenizer of the `start` folder."""
    out.mkdir(parents=True, exist_ok=True)
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in reader.state_dict().items()}
    save_file(weights, out / "reader.safetensors", metadata={"format": "pt"})
    sizes = {"window_tokens": WINDOW_TOKENS, "question_tokens": QUESTION_TOKENS, "answer_tokens": ANSWER_TOKENS}
    config = {**reader.body.config.to_dict(), "reader": {"version": 1, **sizes}}
    (out / "config.json").write_text(json.dumps(config, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    shutil.copy(start / "tokenizer.json", out / "tokenizer.json")


@dataclass(frozen=True, slots=True)
class Example:
    """A question, the text to read, and the answer's code points in it; `start` is -1 when it is not there."""

    question: str
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Row:
    """One window as the network sees it: token ids, where the text begins, and the target tokens (0: no answer)."""

    ids: list[int]
    text_at: int
    start: int
    end: int


def read_rows(data: Path, seed: int) -> list[Question]:
    """Return the questions to train on, in the order of the files, far sources thinned out."""
    choose = random.Random(seed)
    qamr = [q for name in QAMR_FILES for q in read_questions(data / "qa" / "train" / f"{name}.jsonl.xz")]
    # News first: it is nearest to the use.
    choose.shuffle(qamr)
    qamr.sort(key=lambda q: ":wikinews:" not in q.id)
    sentences = sorted(qamr[: SOURCE_CAPS["qamr"]], key=lambda q: q.id)
    rows = split_questions(data).training
    for source in SOURCE_CAPS:
        places = [i for i, q in enumerate(rows) if q.source == source]
        dropped = set(choose.sample(places, max(0, len(places) - SOURCE_CAPS[source])))
        rows = [q for i, q in enumerate(rows) if i not in dropped]
    return rows + sentences


def cut(text: str, start: int, end: int, choose: random.Random) -> tuple[int, int]:
    """Return bounds of a piece around `start` to `end`, as long as an indexed passage is, cut as those are.

    Most pieces are whole sentences, the others whole words; the kept part lies anywhere in the piece.
    """
    room = max(0, choose.randint(*PASSAGE_CHARACTERS) - (end - start))
    before = choose.randint(0, room)
    boundary = BOUNDARY if choose.random() < WHOLE_SENTENCES_SHARE else SPACE
    edges = list(boundary.finditer(text))
    firsts = [0, *(m.end() for m in edges if m.end() <= start)]
    lasts = [*(m.start() for m in edges if m.start() >= end), len(text)]
    first = min(firsts, key=lambda at: abs(at - (start - before)))
    last = min(lasts, key=lambda at: abs(at - (end + room - before)))
    return first, last


def keywords(question: str, language: str) -> str:
    """Return the question without its function words, or as it is when fewer than two words would stay."""
    kept = set(terms(question, language))
    words = [word for word in question.strip(" ¿?").split() if kept & set(terms(word, language))]
    return " ".join(words) if len(words) > 1 else question


class Examples:
    """Endless examples, each language's questions once a round, with near misses and other wordings."""

    def __init__(self, questions: Sequence[Question], seed: int) -> None:
        self.seed = seed
        self.choose = random.Random(seed)
        self.by_language = {x: [q for q in questions if q.language == x] for x in SHARES}
        self.drawn = dict.fromkeys(SHARES, 0)
        self.order: dict[str, list[int]] = {}
        # The Spanish and Italian files translate the same questions: one may ask in the other's language.
        self.wordings: dict[tuple[str, str], str] = {}
        passages: dict[str, dict[str, None]] = {}
        for question in questions:
            passages.setdefault(question.source, {})[question.passage] = None
            if question.language in ("es", "it") and question.start >= 0:
                self.wordings[question.id, question.language] = question.question
        self.passages = {source: list(texts) for source, texts in passages.items()}
        self.place = {text: i for texts in self.passages.values() for i, text in enumerate(texts)}

    def draw(self, language: str) -> Question:
        """Return the next question of a language, in a new order each round."""
        pool = self.by_language[language]
        turn, at = divmod(self.drawn[language], len(pool))
        if at == 0 or language not in self.order:
            self.order[language] = random.Random(f"{self.seed} {language} {turn}").sample(range(len(pool)), len(pool))
        self.drawn[language] += 1
        return pool[self.order[language][at]]

    def wording(self, question: Question) -> str:
        """Return the question, now and then in the other language, unpunctuated or reduced to its keywords."""
        text, language = question.question, question.language
        other = {"es": "it", "it": "es"}.get(language, "")
        if (question.id, other) in self.wordings and self.choose.random() < OTHER_LANGUAGE_SHARE:
            text, language = self.wordings[question.id, other], other
        if self.choose.random() < KEYWORDS_SHARE:
            text = keywords(text, language)
        return text.lower().strip(" ¿?") if self.choose.random() < UNPUNCTUATED_SHARE else text

    def elsewhere(self, question: Question) -> str | None:
        """Return a piece of the question's passage that lacks the answer, None when the passage is too short."""
        at = question.passage.find(sentence_around(question))
        sides = [question.passage[:at].strip(), question.passage[at + len(sentence_around(question)) :].strip()]
        lacking = [s for s in sides if len(s) >= MINIMUM_CHARACTERS and lacks(s, question.answer)]
        return self.piece(self.choose.choice(lacking)) if lacking else None

    def neighbour(self, question: Question) -> str | None:
        """Return a piece of a passage of the same article that lacks the answer: the likest of a few at random."""
        passages, at = self.passages[question.source], self.place[question.passage]
        near = [p for p in passages[max(0, at - NEIGHBOURS) : at + NEIGHBOURS + 1] if p != question.passage]
        near = [p for p in near if lacks(p, question.answer)]
        if not near:
            return None
        asked = long_words(question.question)
        some = self.choose.sample(near, min(4, len(near)))
        return self.piece(max(some, key=lambda p: len(asked & long_words(p))))

    def piece(self, text: str) -> str:
        """Return a piece from anywhere in the text, as long as an indexed passage is."""
        at = self.choose.randrange(len(text))
        first, last = cut(text, at, at, self.choose)
        return text[first:last]

    def example(self, question: Question) -> Example:
        """Return the question with a piece of its passage, or with a near miss."""
        wording, near_miss = self.wording(question), None
        if question.start < 0:
            near_miss = self.piece(question.passage)
        elif (kind := self.choose.random()) < ELSEWHERE_SHARE[question.language]:
            near_miss = self.elsewhere(question) or self.neighbour(question)
        elif kind < ELSEWHERE_SHARE[question.language] + NEIGHBOUR_SHARE[question.language]:
            near_miss = self.neighbour(question)
        if near_miss is not None:
            return Example(wording, near_miss, -1, -1)
        start, end = question.start, question.start + len(question.answer)
        first, last = cut(question.passage, start, end, self.choose)
        return Example(wording, question.passage[first:last], start - first, end - first)

    def chunk(self, size: int) -> list[Example]:
        """Return `size` examples, languages by their shares."""
        drawn = self.choose.choices(list(SHARES), list(SHARES.values()), k=size)
        return [self.example(self.draw(language)) for language in drawn]


def lacks(text: str, answer: str) -> bool:
    """Tell whether the answer's letters occur nowhere in the text."""
    return answer.casefold() not in text.casefold()


def long_words(text: str) -> set[str]:
    """Return the words of more than three letters."""
    return {word for word in re.findall(r"\w+", text.casefold()) if len(word) > 3}


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
    """Return one window for each example; a text that is too long loses tokens before and after the answer."""
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


def span_loss(reader: SpanReader, rows: Sequence[Row], device: str) -> torch.Tensor:
    """Return the mean cross entropy of the first and of the last token."""
    ids, mask, types = collate(rows, device)
    with torch.autocast(device, dtype=torch.bfloat16):
        states = reader.states(ids, mask, types)
    # Scores in bfloat16 would be too coarse to tell neighbouring tokens apart.
    start, end = reader.scores(states.float(), mask, types)
    starts = torch.tensor([row.start for row in rows], device=device)
    ends = torch.tensor([row.end for row in rows], device=device)
    return 0.5 * (functional.cross_entropy(start, starts) + functional.cross_entropy(end, ends))


def make_optimiser(reader: SpanReader, rate: float) -> torch.optim.AdamW:
    """Return AdamW with a higher rate for the head, which starts from nothing."""
    groups = [
        {"params": list(reader.body.parameters()), "lr": rate, "peak": rate},
        {"params": list(reader.head.parameters()), "lr": HEAD_RATE, "peak": HEAD_RATE},
    ]
    return torch.optim.AdamW(groups, weight_decay=0.01, fused=True)


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
    options.add_argument("--start", type=Path, required=True, help="encoder folder: the body's first weights")
    options.add_argument("--out", type=Path, required=True)
    options.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    options.add_argument("--minutes", type=float, default=35.0)
    options.add_argument("--rate", type=float, default=1.5e-4)
    options.add_argument("--seed", type=int, default=2)
    options.add_argument("--resume", action="store_true", help="go on from the checkpoint in --out")
    arguments = options.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(arguments.seed)
    checkpoint, device = arguments.out / "checkpoint.pt", arguments.device

    examples = Examples(read_rows(arguments.data, arguments.seed), arguments.seed)
    tokenizer = Tokenizer.from_file(str(arguments.start / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    body = BertModel.from_pretrained(arguments.start, add_pooling_layer=False, dtype=torch.float32)
    reader = SpanReader(body, dropout=0.05).to(device).train()
    optimiser = make_optimiser(reader, arguments.rate)
    clock, done = Clock(arguments.minutes), Progressed()
    if arguments.resume and checkpoint.exists():
        done = load_state(checkpoint, reader, optimiser, examples, clock, device)

    with (arguments.out / "log.csv").open("a", newline="") as file, Progress() as progress:
        log = csv.writer(file)
        bar = progress.add_task("read", total=arguments.minutes)
        queue: list[list[Row]] = []
        losses: list[float] = []
        last = clock.spent
        for share in clock.ticks():
            if not queue:
                rows = make_rows(tokenizer, examples.chunk(CHUNK), examples.choose)
                batches = length_batches([len(row.ids) for row in rows], BATCH, examples.choose)
                queue = [[rows[i] for i in batch] for batch in batches]
            batch = queue.pop()
            loss = span_loss(reader, batch, device)
            warm = min(1.0, (done.steps + 1) / WARM_STEPS)
            step(optimiser, loss, multiplier=warm * max(0.02, 1 - share))
            done.steps, done.rows = done.steps + 1, done.rows + len(batch)
            losses.append(float(loss.detach()))
            if done.steps % 20 == 0:
                log.writerow([done.steps, done.rows, round(clock.spent, 2), round(sum(losses) / len(losses), 4)])
                file.flush()
                losses.clear()
                progress.update(bar, completed=clock.spent)
            if clock.spent - last > 4:
                last = clock.spent
                save_state(checkpoint, reader, optimiser, examples, clock, done)

    save_state(checkpoint, reader, optimiser, examples, clock, done)
    save_reader(reader, arguments.start, arguments.out)


if __name__ == "__main__":
    main()
