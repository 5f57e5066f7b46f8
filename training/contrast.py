"""Teaches the distilled student that a question's vector is near the passage, and the sentence, that answers it.

A batch holds runs of neighbouring questions, so that most of a question's rivals are passages of the same article, and
for some questions a passage that BM25 takes for the answer's; or runs about one dossier, whose rivals are its other
passages, in four languages. Each step also distils a batch of sentence pairs, lest the languages drift apart.
"""

import argparse
import csv
import math
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from rich.progress import Progress
from tokenizers import Tokenizer
from torch.nn import functional

from training.data import Question, read_translated, split_questions
from training.distil import Stream
from training.dossiers import SOURCE as DOSSIERS
from training.dossiers import read_dossiers, rows_to_find, trained_on
from training.newswire import read_newswire
from training.pieces import sentence_around, window_around
from training.rivals import Rivals
from training.student import Clock, Student, length_batches, save_checkpoint, step
from training.vocabulary import save_sentence_transformer
from training.wording import Words
from training.workers import produce

# Questions of one article, and a step's questions, unless asked for others.
RUN, BATCH = 12, 48
SHARES = {"en": 0.34, "es": 0.22, "fr": 0.22, "it": 0.22}
# Sentence pairs for each question of a step, and steps whose pairs are drawn at once.
PAIRS, CHUNK = 1.33, 32
# Shares of the questions that get a mined rival, are asked in another language that has them, or in a mixture.
MINED_SHARE, OTHER_LANGUAGE_SHARE, HALF_TRANSLATED_SHARE = 0.25, 0.4, 0.15
# How often a question about news is there.
NEWSWIRE_REPEATED = 2
# Runs that are about one dossier, unless another share is asked for, the rivals of each, and the share of its questions
# that are asked in another language than their passage's.
DOSSIER_SHARE, DOSSIER_RIVALS, DOSSIER_OTHER_LANGUAGE_SHARE = 0.25, 10, 0.75
TEMPERATURE = 25.0
# Tokens of questions and of texts, and the texts' passages.
Drawn = tuple[list[list[int]], list[list[int]], list[str]]


class Questions:
    """Endless batches of neighbouring questions with the text that answers each."""

    def __init__(
        self,
        questions: Sequence[Question],
        words: Words,
        seed: int,
        *,
        size: int = BATCH,
        dossiers: Sequence[Sequence[Question]] = (),
        share: float = DOSSIER_SHARE,
    ) -> None:
        self.choose, self.runs = random.Random(seed), size // RUN
        self.dossiers, self.share = dossiers, share if dossiers else 0.0
        self.words, self.rivals = words, Rivals(questions)
        answerable = [q for q in questions if q.start >= 0]
        self.by_language = {x: [q for q in answerable if q.language == x] for x in SHARES}
        # Rows of one id in several languages translate each other: one may ask in another's language.
        self.wordings: dict[str, dict[str, str]] = {}
        # And their passages are one passage: none is a rival of another's question.
        self.original: dict[str, str] = {}
        first: dict[str, str] = {}
        for question in answerable:
            self.wordings.setdefault(question.id, dict(question.also))[question.language] = question.question
            original = first.setdefault(question.id, question.passage)
            self.original.setdefault(question.passage, original)

    def wording(self, question: Question) -> str:
        """Return the question, now and then in (half) another language."""
        of_dossier = question.source == DOSSIERS
        wordings = dict(question.also) if of_dossier else self.wordings[question.id]
        others = sorted(wordings.keys() - {question.language})
        share = DOSSIER_OTHER_LANGUAGE_SHARE if of_dossier else OTHER_LANGUAGE_SHARE
        if others and self.choose.random() < share:
            return wordings[self.choose.choice(others)]
        if self.choose.random() < HALF_TRANSLATED_SHARE:
            return self.words.translate(question.question, question.language, self.choose)
        return question.question

    def batch(self) -> tuple[list[str], list[str], list[str]]:
        """Return wordings, texts and the passages these come from: first the answering texts, then mined rivals."""
        sentences = self.choose.random() < 0.5
        rows: list[Question] = []
        beside: list[str] = []
        for language in self.choose.choices(list(SHARES), list(SHARES.values()), k=self.runs):
            if self.choose.random() < self.share:
                asked, rivals = self.run_of_dossier()
                rows += asked
                beside += rivals
                continue
            pool = self.by_language[language]
            at = self.choose.randrange(len(pool) - 4 * RUN)
            rows += self.choose.sample(pool[at : at + 4 * RUN], RUN)
        texts = [sentence_around(q) if sentences else window_around(q, self.choose) for q in rows]
        passages = [self.original.get(q.passage, q.passage) for q in rows]
        texts += [self.piece(text, sentences) for text in beside]
        passages += beside
        others = [q for q in rows if q.source != DOSSIERS]
        for question in self.choose.sample(others, int(MINED_SHARE * len(others))):
            for rival in self.rivals.of(question, self.choose):
                texts.append(self.piece(rival, sentences))
                passages.append(self.original.get(rival, rival))
        return [self.wording(q) for q in rows], texts, passages

    def run_of_dossier(self) -> tuple[list[Question], list[str]]:
        """Return questions about one dossier, and passages of it that answer none of them.

        No passage of one answers another, unless it is that one's passage too.
        """
        dossier = self.choose.choice(self.dossiers)
        rows: list[Question] = []
        for question in self.choose.sample(dossier, len(dossier)):
            if all(_apart(question, row) for row in rows):
                rows.append(question)
            if len(rows) == RUN:
                break
        others = sorted(set.intersection(*(set(question.beside) for question in rows)))
        return rows, self.choose.sample(others, min(DOSSIER_RIVALS, len(others)))

    def piece(self, text: str, sentence: bool) -> str:
        """Return a sentence of the text, or a piece as long as an indexed passage is."""
        at = self.choose.randrange(len(text))
        within = Question("", "", "", text, "", at, "")
        return sentence_around(within) if sentence else window_around(within, self.choose)


def _apart(one: Question, other: Question) -> bool:
    """Tell whether neither question is answered by the other's passage, or both by one."""
    neither = one.passage in other.beside and other.passage in one.beside
    return one.id != other.id and (neither or one.passage == other.passage)


def contrast(questions: torch.Tensor, texts: torch.Tensor, passages: Sequence[str]) -> torch.Tensor:
    """Return the mean cross entropy of finding each text from its question and back.

    `texts` are those of the questions in their order, then rivals of any number; two texts of one passage are none.
    """
    asked = len(questions)
    numbers = {passage: i for i, passage in enumerate(dict.fromkeys(passages))}
    group = torch.tensor([numbers[passage] for passage in passages], device=texts.device)
    labels = torch.arange(asked, device=texts.device)
    twin = group[:asked, None] == group[None, :]
    twin[labels, labels] = False
    logits = (questions @ texts.T * TEMPERATURE).masked_fill(twin, -1e4)
    return 0.5 * (functional.cross_entropy(logits, labels) + functional.cross_entropy(logits[:, :asked].T, labels))


def main() -> None:
    """Train for a number of minutes; the result is a sentence-transformers folder."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--data", type=Path, required=True)
    options.add_argument("--teacher", type=Path, required=True)
    options.add_argument("--start", type=Path, required=True, help="folder made by training.distil, or the shipped one")
    options.add_argument("--out", type=Path, required=True)
    options.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    options.add_argument("--minutes", type=float, default=30.0)
    options.add_argument("--rate", type=float, default=3e-5)
    options.add_argument("--translated", type=Path, help="the --out of training.translated: more to learn from")
    options.add_argument("--batch", type=int, default=BATCH, help="questions a step")
    options.add_argument("--workers", type=int, default=0, help="processes that draw the questions, for a fast device")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--resume", action="store_true", help="go on from the checkpoint in --out")
    options.add_argument("--keep-words", action="store_true", help="leave the word vectors as they are")
    options.add_argument("--dossiers", type=float, default=DOSSIER_SHARE, help="share of the runs about these")
    arguments = options.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(arguments.seed)
    checkpoint = arguments.out / "checkpoint.pt"

    asked = split_questions(arguments.data).training
    asked += read_translated(arguments.translated, asked)
    asked += NEWSWIRE_REPEATED * read_newswire(arguments.data, apart=True)
    dossiers = rows_to_find(trained_on(read_dossiers()))
    questions = Questions(
        asked,
        Words(arguments.data),
        arguments.seed,
        size=arguments.batch,
        dossiers=dossiers,
        share=arguments.dossiers,
    )
    stream = Stream(arguments.data, arguments.seed, arguments.translated)
    student = Student(arguments.start, device=arguments.device, max_tokens=176)
    teacher = Student(arguments.teacher, device=arguments.device, max_tokens=96)
    student.body.embeddings.word_embeddings.weight.requires_grad_(not arguments.keep_words)
    optimiser = student.optimiser(arguments.rate, embedding_factor=5)
    clock, steps = Clock(arguments.minutes), 0
    if arguments.resume and checkpoint.exists():
        state = torch.load(checkpoint, map_location=arguments.device, weights_only=True)
        student.body.load_state_dict(state["body"])
        optimiser.load_state_dict(state["optimiser"])
        clock.spent, steps = state["spent"], state["steps"]
        stream.choose.seed(steps)

    def make(part: int, parts: int) -> Iterator[Drawn]:
        questions.choose.seed(f"{arguments.seed + steps} {part} {parts}")
        while True:
            wordings, texts, passages = questions.batch()
            yield student.ids(wordings), student.ids(texts), passages

    made, parallel = produce(make, arguments.workers), int(PAIRS * arguments.batch)

    with (arguments.out / "log.csv").open("a", newline="") as file, Progress() as progress:
        log = csv.writer(file)
        bar = progress.add_task("contrast", total=arguments.minutes)
        sums, last = torch.zeros(2, device=arguments.device), clock.spent
        queue: list[tuple[list[list[int]], list[str]]] = []
        for share in clock.ticks():
            wordings, texts, passages = next(made)
            found = contrast(student(wordings), student(texts), passages)
            if not queue:
                # Sorted by length: a padded batch of mixed lengths costs several times as much.
                pairs = stream.chunk(CHUNK * parallel)
                ids = student.ids([p.other for p in pairs])
                batches = length_batches([len(row) for row in ids], parallel, stream.choose)
                queue = [([ids[i] for i in batch], [pairs[i].english for i in batch]) for batch in batches]
            rows, english = queue.pop()
            likeness = (student(rows) * teacher.encode(english).clone()).sum(1).mean()
            loss = found + 4 * (1 - likeness)
            warm = min(1.0, (steps + 1) / 50)
            step(optimiser, loss, multiplier=warm * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * share))))
            steps += 1
            sums += torch.stack([found, likeness]).detach()
            if steps % 50 == 0:
                means = [round(mean, 4) for mean in (sums / 50).tolist()]
                log.writerow([steps, steps * arguments.batch, round(clock.spent, 2), *means])
                file.flush()
                sums.zero_()
                progress.update(bar, completed=clock.spent)
            if clock.spent - last > 5:
                last = clock.spent
                state = {"body": student.body.state_dict(), "optimiser": optimiser.state_dict()}
                save_checkpoint(checkpoint, {**state, "spent": clock.spent, "steps": steps})

    plain = Tokenizer.from_file(str(arguments.start / "tokenizer.json"))
    save_sentence_transformer(student.body, plain, arguments.teacher, arguments.out)


if __name__ == "__main__":
    main()
