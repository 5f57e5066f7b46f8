"""Asks the gold questions of Haystack and of txtai beside Verbatim: the same passages, the same reading model.

Both are set up as their documentation shows for extractive answers, without a network: Haystack finds passages by BM25
and reads them; txtai searches by vectors of Verbatim's encoder and by words, and reads the three best joined. The
reading model is Verbatim's own, written out as the question answering model that they load, so what differs is what
stands around it. Needs `pip install -e ".[train,peers]"`.
"""

import argparse
import os
import tempfile
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.ask import warm
from rag import Assistant
from rag.evaluate import Asks, Evaluation, evaluate
from rag.gold import read_gold
from rag.index import Index, open_index
from rag.metrics import percentile
from rag.read import READER_FOLDER
from rag.sentences import sentences
from rag.spans import Answer, Citation, Document, Span

ENCODER_FOLDER = READER_FOLDER.parent / "encoder"
TOP_K = 11  # Verbatim reads four; it read as many when the peers were first asked
SHARES = ("right_sentence", "right_words", "f1", "unanswerable_refused", "answerable_refused", "ece")


def write_model(folder: Path) -> None:
    """Write the bundled reader as the question answering model and the tokenizer that transformers loads by path."""
    from training.restore import restore_reader
    from transformers import BertConfig, BertForQuestionAnswering, PreTrainedTokenizerFast

    reader = restore_reader(READER_FOLDER)
    model = BertForQuestionAnswering(BertConfig.from_pretrained(READER_FOLDER, num_labels=2))
    model.bert.load_state_dict(reader.body.state_dict())
    model.qa_outputs.load_state_dict(reader.head.state_dict())
    model.save_pretrained(folder)
    special = {"cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": "[PAD]", "unk_token": "[UNK]"}
    path = str(READER_FOLDER / "tokenizer.json")
    tokenizer: Any = PreTrainedTokenizerFast
    tokenizer(tokenizer_file=path, model_max_length=512, **special).save_pretrained(folder)


def answer_at(question: str, words: Span, passage: Span, score: float) -> Answer:
    """Return the words with their sentence as an answer."""
    whole = Span(passage.document, 0, len(passage.document.text))
    around = [sentence for sentence in sentences(whole) if sentence.overlaps(words)] or [passage]
    start, end = min(words.start, around[0].start), max(words.end, around[-1].end)
    sentence = Span(passage.document, start, end)
    confidence = min(1.0, max(0.0, score))
    return Answer(question, "und", (Citation(words, sentence, confidence),), confidence, None)


def nothing(question: str) -> Answer:
    """Return that there is no answer."""
    return Answer(question, "und", (), 0.0, "no_answer_in_passages")


class Haystack:
    """Haystack's pipeline as something that is asked like an assistant; a history it knows nothing of."""

    def __init__(self, index: Index, model: Path) -> None:
        from haystack import Document as Text
        from haystack import Pipeline
        from haystack.components.retrievers.in_memory import InMemoryBM25Retriever
        from haystack.document_stores.in_memory import InMemoryDocumentStore
        from haystack_integrations.components.readers.transformers import TransformersExtractiveReader

        self._passages = list(index.passages)
        self.documents: Sequence[Document] = index.documents
        store = InMemoryDocumentStore()
        store.write_documents([Text(content=p.text, meta={"number": i}) for i, p in enumerate(self._passages)])
        self._pipeline = Pipeline()
        self._pipeline.add_component("retriever", InMemoryBM25Retriever(store, top_k=TOP_K))
        self._pipeline.add_component("reader", TransformersExtractiveReader(str(model), top_k=1, no_answer=True))
        self._pipeline.connect("retriever.documents", "reader.documents")

    def ask(self, question: str, history: Sequence[tuple[str, str]] = ()) -> Answer:
        """Return its best answer, or none where "no answer" is likelier."""
        result: Any = self._pipeline.run({"retriever": {"query": question}, "reader": {"query": question}})
        best = max(result["reader"]["answers"], key=lambda answer: answer.score, default=None)
        if best is None or best.document is None or best.document_offset is None or not best.data:
            return nothing(question)
        passage, place = self._passages[best.document.meta["number"]], best.document_offset
        words = Span(passage.document, passage.start + place.start, passage.start + place.end)
        return answer_at(question, words, passage, float(best.score))


class Txtai:
    """txtai's extractive pipeline as something that is asked like an assistant; a history it knows nothing of.

    It returns words and the passage they fit best, not where they stand: they are looked up there.
    """

    def __init__(self, index: Index, model: Path) -> None:
        from txtai import Embeddings
        from txtai.pipeline import RAG

        self._passages = list(index.passages)
        self.documents: Sequence[Document] = index.documents
        self._embeddings = Embeddings(path=str(ENCODER_FOLDER), hybrid=True, content=True, gpu=False)
        self._embeddings.index([(i, passage.text, None) for i, passage in enumerate(self._passages)])
        options = {"task": "question-answering", "output": "reference"}
        self._rag = RAG(self._embeddings, str(model), gpu=False, **options)

    def ask(self, question: str, history: Sequence[tuple[str, str]] = ()) -> Answer:
        """Return its answer, or none where its score is below txtai's own limit or the model finds none."""
        if not question.strip():
            return nothing(question)
        try:
            ((_, text, reference),) = self._rag([("q", question, question, False)])
        except TypeError:  # it cannot place the model's "not answered here", which is the first token
            return nothing(question)
        if not text or reference is None:
            return nothing(question)
        passage = self._passages[int(reference)]
        at = passage.text.find(text)
        if at < 0:
            return answer_at(question, passage, passage, 0.5)
        words = Span(passage.document, passage.start + at, passage.start + at + len(text))
        return answer_at(question, words, passage, 0.5)


def row(name: str, evaluation: Evaluation, times: Sequence[float], *, calibrated: bool) -> list[str]:
    """Return a line of the table; without a confidence of its own a peer has no calibration error."""
    scores = evaluation.overall.to_dict()
    figures = [f"{100 * (scores[share] or 0.0):.1f}" for share in SHARES]
    figures[-1] = figures[-1] if calibrated else ""
    return [name, *figures, f"{percentile(times, 50):.0f}", f"{percentile(times, 95):.0f}"]


def main() -> None:
    """Print a table of the three."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--index", type=Path, default=Path("index"))
    options.add_argument("--gold", type=Path, default=Path("tests/gold/questions.jsonl"))
    arguments = options.parse_args()
    os.environ.update(HAYSTACK_TELEMETRY_ENABLED="False", HF_HUB_OFFLINE="1")
    gold = read_gold(arguments.gold)
    table = Table("percent of the gold questions", *(share.replace("_", " ") for share in SHARES), "p50 ms", "p95 ms")
    with tempfile.TemporaryDirectory() as folder:
        write_model(Path(folder))
        index = open_index(arguments.index)
        asked: list[tuple[str, Asks]] = [
            ("Verbatim", Assistant.open(arguments.index)),
            (f"Haystack {version('haystack-ai')}", Haystack(index, Path(folder))),
            (f"txtai {version('txtai')}", Txtai(index, Path(folder))),
        ]
        for name, assistant in asked:
            times = [1000 * seconds for seconds in warm(assistant, [question.question for question in gold])]
            calibrated = not isinstance(assistant, Txtai)
            table.add_row(*row(name, evaluate(assistant, gold), times, calibrated=calibrated))
    Console(width=150).print(table)


if __name__ == "__main__":
    main()
