"""Measures building and asking as the number of passages grows, beside FAISS and bm25s called directly.

`python -m benchmarks.scale --sizes 5,1000,10000,100000,1000000 --write` renews `scale.json` and the README's table.
Texts are made by a seeded generator: made-up words of four languages in Zipf's frequencies, in sentences. Up to 10,000
passages the whole of `rag build` runs with the bundled encoder. Beyond, embedding takes hours, so texts are cut into
passages as they are made and vectors are drawn, in clusters within topics; all that is searched is the same.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.memory import peak, resident
from rag.documents import Documents, write_documents
from rag.encode import BUNDLED, open_encoder
from rag.files import mapped, write_rows
from rag.index import Index, build, open_index
from rag.lexical import question_words
from rag.local import Local
from rag.manifest import Manifest
from rag.metrics import percentile
from rag.passage_sentences import PassageSentences
from rag.passages import Passages, Spans
from rag.search import search
from rag.sources import Sources
from rag.spans import Document
from rag.vectors import ROWS

HERE = Path(__file__).parent
RESULTS = HERE / "scale.json"
README = HERE / "README.md"
BEGIN, END = "<!-- scale -->", "<!-- end of scale -->"
EMBEDDED_UP_TO = 10_000
DEPTH = 50
DIMENSIONS = 384
PASSAGES_A_DOCUMENT = 50
SENTENCES_A_PASSAGE = 5
_SYLLABLES = {
    "en": "th er ing st an ed or le ment un re con ship ward ness el ow ight ash",
    "es": "ción ar er es la do ra mente an os ito que ría bre lu ma ca to gue",
    "fr": "eau oir ment tion é re le ou an in oi que aux dre vi sa pe fleu",
    "it": "zione are etto mente gli che ra to ma lo sta ria ne pa vi co scia",
}
_FUNCTION_WORDS = {
    "en": "the of and to in a is that for it was on with as",
    "es": "de la que el en y a los se del las un por con",
    "fr": "de la le et les des en un du une que est pour dans",
    "it": "di e che la il un per in con del della non sono le",
}
LANGUAGES = tuple(_SYLLABLES)
Bounds = list[tuple[int, int]]
Asked = tuple[str, str, NDArray[np.float32]]  # a question, its language, its vector


class Prose:
    """Texts of one language from a seed: words in Zipf's frequencies, a quarter of them function words."""

    def __init__(self, language: str, *, vocabulary: int = 60_000) -> None:
        draw = np.random.default_rng(LANGUAGES.index(language))
        syllables = np.array(_SYLLABLES[language].split())
        made = ["".join(syllables[draw.integers(0, len(syllables), draw.integers(2, 6))]) for _ in range(vocabulary)]
        self._words = np.array(made)
        self._small = _FUNCTION_WORDS[language].split()
        weights = 1.0 / (np.arange(vocabulary) + 2.7) ** 1.05
        self._cumulated = np.cumsum(weights / weights.sum())

    def passages(self, count: int, draw: np.random.Generator) -> list[list[str]]:
        """Return passages of five sentences, of about 400 characters each."""
        lengths = draw.integers(9, 16, SENTENCES_A_PASSAGE * count)
        words = self._words[np.searchsorted(self._cumulated, draw.random(int(lengths.sum())))].tolist()
        for at in np.flatnonzero(draw.random(len(words)) < 0.25).tolist():
            words[at] = self._small[at % len(self._small)]
        ends = np.cumsum(lengths).tolist()
        bounds = zip([0, *ends], ends, strict=False)
        sentences = [" ".join(words[start:end]).capitalize() + "." for start, end in bounds]
        return [sentences[at : at + SENTENCES_A_PASSAGE] for at in range(0, len(sentences), SENTENCES_A_PASSAGE)]


def documents(passages: int, *, seed: int) -> Iterator[tuple[Document, Bounds, Bounds]]:
    """Return documents of 50 passages, in four languages by turns, and the bounds of the passages and sentences."""
    proses = {language: Prose(language) for language in LANGUAGES}
    for number, first in enumerate(range(0, passages, PASSAGES_A_DOCUMENT)):
        draw = np.random.default_rng((seed, number))
        language = LANGUAGES[number % len(LANGUAGES)]
        parts = proses[language].passages(min(PASSAGES_A_DOCUMENT, passages - first), draw)
        texts = [" ".join(sentences) for sentences in parts]
        bounds = _bounds(texts, gap=2)
        within = [
            (start + first, start + last)
            for (start, _), sentences in zip(bounds, parts, strict=True)
            for first, last in _bounds(sentences, gap=1)
        ]
        yield Document(f"{number:06}.txt", f"Document {number}", language, "\n\n".join(texts)), bounds, within


def _bounds(texts: Sequence[str], *, gap: int) -> Bounds:
    """Return where texts begin and end that are written one after the other."""
    starts = np.cumsum([0, *(len(text) + gap for text in texts)]).tolist()
    return [(start, start + len(text)) for start, text in zip(starts, texts, strict=False)]


def drawn_vectors(count: int, *, seed: int) -> Iterator[NDArray[np.float32]]:
    """Return unit vectors in parts: clusters of about 50 within 200 topics, their spectrum falling as real ones do."""
    spectrum = ((1.0 + np.arange(DIMENSIONS)) ** -0.4).astype(np.float32)
    topics = np.random.default_rng(seed).standard_normal((200, DIMENSIONS), dtype=np.float32)
    clusters = max(1, count // 50)
    for start in range(0, count, 10_000):
        draw = np.random.default_rng((seed, start))
        numbers = draw.integers(0, clusters, min(10_000, count - start))
        unique, places = np.unique(numbers, return_inverse=True)
        own = np.stack([_direction(seed, int(number)) for number in unique])
        noise = draw.standard_normal((len(numbers), DIMENSIONS), dtype=np.float32)
        yield _unit((topics[numbers % 200] + 0.8 * own[places] + 0.8 * noise) * spectrum)


def _direction(seed: int, number: int) -> NDArray[np.float32]:
    return np.random.default_rng((seed, 1, number)).standard_normal(DIMENSIONS, dtype=np.float32)


def _unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def build_small(folder: Path, passages: int) -> dict[str, object]:
    """Run the whole build over files, with the bundled encoder."""
    corpus = folder / "corpus"
    corpus.mkdir()
    if passages == 5:  # documents, as the first corpus has
        for path in sorted((HERE.parent / "seeds").glob("*.txt")):
            (corpus / path.name).write_bytes(path.read_bytes())
    else:
        for document, _, _ in documents(passages, seed=0):
            (corpus / document.id).write_text(document.text, "utf-8")
    report = build(corpus, folder / "index")
    return {"documents": report.documents, "passages": report.passages, "vectors": "embedded"}


def build_large(folder: Path, passages: int) -> dict[str, object]:
    """Write the same files as a build does, from passages and vectors that need no model."""
    index, data = folder / "index", folder / "index" / f"data-{'0' * 16}-0"
    data.mkdir(parents=True)
    places: list[NDArray[np.int64]] = []
    parts: list[NDArray[np.int64]] = []

    def made() -> Iterator[Document]:
        for number, (document, *bounds) in enumerate(documents(passages, seed=0)):
            for each, kept in zip(bounds, (places, parts), strict=True):
                kept.append(np.array([(number, start, end) for start, end in each], np.int64))
            yield document

    write_documents(data, made())
    found = Passages(Documents(data), np.concatenate(places))
    np.save(data / "passages.npy", found.places)
    write_rows(data / ROWS, passages, DIMENSIONS, drawn_vectors(passages, seed=0))
    within = Spans(found.documents, np.concatenate(parts))
    firsts = SENTENCES_A_PASSAGE * np.arange(passages)
    touched = np.stack([firsts, firsts + SENTENCES_A_PASSAGE], axis=1)
    PassageSentences.write(data, within, touched, DIMENSIONS, drawn_vectors(len(within), seed=1))
    engine = Local.write(data, found, mapped(data / ROWS))
    Manifest.write(
        index,
        data,
        {
            "built": "",
            "inputs": "",
            "encoder": {"name": "drawn", "fingerprint": "drawn", "dimensions": DIMENSIONS},
            "engine": dict(engine.description),
            "settings": {"passage_size": 480, "passage_overlap": 0},
            "passages": passages,
            "sources": Sources().to_dict(),
        },
    )
    return {"documents": len(places), "passages": passages, "vectors": "drawn"}


def asked(index: Index, *, count: int) -> list[Asked]:
    """Return questions with their languages and vectors: words of a passage, and a vector near the passage's own."""
    draw = np.random.default_rng(7)
    questions = []
    encoder = open_encoder(BUNDLED, asking=True) if index.encoder_name == BUNDLED else None
    for row in draw.integers(0, len(index.passages), count).tolist():
        passage = index.passages[row]
        words = list(dict.fromkeys(word for word in passage.text.split() if len(word) > 3))
        question = " ".join(draw.choice(words, min(len(words), 6), replace=False)).strip(".") + "?"
        if encoder is not None:
            query = encoder.encode_questions([question])[0]
        else:
            spectrum = (1.0 + np.arange(DIMENSIONS)) ** -0.4
            noise = _unit((draw.standard_normal((1, DIMENSIONS)) * spectrum).astype(np.float32))
            query = _unit(index.engine.rows(row, row + 1) + 0.6 * noise)[0]
        questions.append((question, passage.document.language, query))
    return questions


def measure(folder: Path, *, count: int) -> dict[str, object]:
    """Open an index and ask it, in a process that has done nothing else."""
    import bm25s  # noqa: F401  # loaded now, so that the memory of the index is not that of a library
    import faiss

    before = resident()
    began = time.perf_counter()
    index = open_index(folder / "index")
    opened = time.perf_counter() - began
    questions = asked(index, count=count)

    def ours(question: str, language: str, query: NDArray[np.float32]) -> None:
        languages = list(dict.fromkeys([language, *index.languages]))
        search(index.collection, question=question, query=query, languages=languages, depth=DEPTH)

    seconds = _timed(ours, questions)
    added = resident() - before
    data = folder / "index" / index.manifest.fields["data"]
    described = index.engine.description["vectors"]
    assert isinstance(described, dict)
    rows = mapped(data / ROWS)
    if described["kind"] == "exact":
        raw: Any = faiss.IndexFlatIP(rows.shape[1])
        raw.add(np.ascontiguousarray(rows))
    else:
        raw = faiss.read_index(str(data / "vectors.faiss"))
        raw.nprobe = described["searched"]
    faiss.omp_set_num_threads(1)
    by_faiss = _timed(lambda question, language, query: raw.search(query[np.newaxis], DEPTH), questions)
    by_bm25s = _timed(_bm25s(data / "lexical", index), questions)
    return {
        "open_s": round(opened, 3),
        "p50_ms": _ms(seconds, 50),
        "p95_ms": _ms(seconds, 95),
        "faiss_p50_ms": _ms(by_faiss, 50),
        "bm25s_p50_ms": _ms(by_bm25s, 50),
        "processor_p50_ms": _ms(seconds, 50, processor=True),
        "faiss_processor_p50_ms": _ms(by_faiss, 50, processor=True),
        "bm25s_processor_p50_ms": _ms(by_bm25s, 50, processor=True),
        "resident_mb": round(added / 1e6, 1),
        "index_mb": round(index.manifest.fields["bytes"] / 1e6, 1),
        "engine": dict(described),
        "recall@10": _recall(index, rows, questions),
    }


def _bm25s(folder: Path, index: Index) -> Callable[[str, str, NDArray[np.float32]], object]:
    """Return a search by bm25s itself over the very matrix that the index has."""
    import bm25s
    from bm25s.selection import topk

    from rag.postings import Postings

    postings = Postings.load(folder)
    model = bm25s.BM25(method="lucene", backend="numpy", csc_backend="numpy")
    model.nonoccurrence_array = None
    model.scores = {
        "data": mapped(folder / "values.npy"),
        "indices": mapped(folder / "rows.npy"),
        "indptr": mapped(folder / "bounds.npy"),
        "num_docs": len(index.passages),
    }

    def run(question: str, language: str, query: NDArray[np.float32]) -> object:
        words = question_words(question, list(dict.fromkeys([language, *index.languages])))
        found = list(dict.fromkeys(term for word in words for term in word))
        numbers = [number for term in found if (number := postings.terms.number(term)) is not None]
        if not numbers:
            return None
        return topk(model.get_scores_from_ids(numbers), k=min(DEPTH, len(index.passages)), backend="numpy")

    return run


def _recall(index: Index, rows: NDArray[np.float32], questions: Sequence[Asked]) -> float:
    """Return the share of the ten nearest, by comparing all, that the index's dense ranking has among its first ten."""
    queries = np.stack([query for _, _, query in questions[:100]])
    scores = np.full((len(queries), 10), -np.inf, np.float32)
    nearest = np.zeros((len(queries), 10), np.int64)
    for start in range(0, len(rows), 20_000):
        part = queries @ np.asarray(rows[start : start + 20_000]).T
        every = np.concatenate((scores, part), axis=1)
        numbers = np.concatenate((nearest, np.tile(np.arange(start, start + part.shape[1]), (len(queries), 1))), axis=1)
        first = np.argsort(-every, axis=1)[:, :10]
        scores, nearest = np.take_along_axis(every, first, 1), np.take_along_axis(numbers, first, 1)
    hits = total = 0
    for (question, language, query), wanted in zip(questions, nearest, strict=False):
        found = index.engine.rank(question, query, [language], depth=DEPTH).dense[:10]
        here = set(wanted[: len(rows)].tolist())
        hits, total = hits + len(set(found) & here), total + min(10, len(here))
    return round(hits / total, 4)


def _timed(
    attempt: Callable[[str, str, NDArray[np.float32]], object],
    questions: Sequence[Asked],
) -> list[tuple[float, float]]:
    """Return the seconds of each question, on the clock and of the processor, after a tenth of them to warm up."""
    for question in questions[: max(1, len(questions) // 10)]:
        attempt(*question)
    seconds = []
    for question in questions:
        began, worked = time.perf_counter(), time.process_time()
        attempt(*question)
        seconds.append((time.perf_counter() - began, time.process_time() - worked))
    return seconds


def _ms(seconds: Sequence[tuple[float, float]], percent: float, *, processor: bool = False) -> float:
    return round(1000 * percentile([each[processor] for each in seconds], percent), 2)


def machine() -> dict[str, object]:
    """Return what the figures were measured on."""
    model = platform.processor() or platform.machine()
    if (information := Path("/proc/cpuinfo")).exists():
        names = [line for line in information.read_text().splitlines() if line.startswith("model name")]
        model = names[0].partition(":")[2].strip() if names else model
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else 0
    return {"cpu": model, "cores": os.cpu_count(), "memory_gb": round(memory / 1e9)}


def table(results: Sequence[dict[str, Any]]) -> str:
    """Return the figures as a Markdown table."""
    head = (
        "passages",
        "build s",
        "peak build MB",
        "index MB",
        "open s",
        "search p50 ms",
        "p95 ms",
        "FAISS + bm25s p50 ms",
        "processor p50 ms",
        "FAISS + bm25s processor p50 ms",
        "resident MB",
        "recall@10",
        "processor p50 against the size before",
    )
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    before = None
    for each in results:
        growth = "" if before is None else f"x {each['processor_p50_ms'] / before:.1f}"
        before = each["processor_p50_ms"]
        direct = f"{each['faiss_p50_ms']} + {each['bm25s_p50_ms']}"
        worked = f"{each['faiss_processor_p50_ms']} + {each['bm25s_processor_p50_ms']}"
        lines.append(
            f"| {each['passages']:,} ({each['vectors']}) | {each['build_s']} | {each['build_peak_mb']} | "
            f"{each['index_mb']} | {each['open_s']} | {each['p50_ms']} | {each['p95_ms']} | {direct} | "
            f"{each['processor_p50_ms']} | {worked} | "
            f"{each['resident_mb']} | {each['recall@10']} | {growth} |"
        )
    return "\n".join(lines)


def run(size: int, *, count: int) -> dict[str, Any]:
    """Build and ask in processes of their own, so that each one's memory is its own."""
    with tempfile.TemporaryDirectory() as folder:
        found: dict[str, Any] = {}
        for stage in ("build", "ask"):
            command = [sys.executable, "-m", "benchmarks.scale", "--sizes", str(size), "--count", str(count)]
            done = subprocess.run(
                [*command, "--stage", stage, "--folder", folder], check=True, stdout=subprocess.PIPE, text=True
            )
            found |= json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Measure each size; print the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument(
        "--sizes", default="5,1000", help="numbers of passages; 5 stands for the five articles of seeds/"
    )
    options.add_argument("--count", type=int, default=300, help="questions a size")
    options.add_argument("--write", action="store_true", help="keep the results in scale.json and the README")
    options.add_argument("--note", default="", help="what a reader of the results should know")
    options.add_argument("--stage", choices=["build", "ask"])
    options.add_argument("--folder", type=Path)
    chosen = options.parse_args()
    sizes = [int(size) for size in chosen.sizes.split(",")]
    if chosen.stage:
        began = time.perf_counter()
        if chosen.stage == "build":
            maker = build_small if sizes[0] <= EMBEDDED_UP_TO else build_large
            found: dict[str, object] = maker(chosen.folder, sizes[0])
            found |= {"build_s": round(time.perf_counter() - began, 1), "build_peak_mb": round(peak() / 1e6)}
        else:
            found = measure(chosen.folder, count=chosen.count)
        sys.stdout.write(json.dumps(found) + "\n")
        return
    results = []
    for size in sizes:
        results.append({"size": size, **run(size, count=chosen.count)})
        sys.stdout.write(json.dumps(results[-1]) + "\n")
        sys.stdout.flush()
    sys.stdout.write(table(results) + "\n")
    if chosen.write:
        keep(results, note=chosen.note)


def keep(results: Sequence[dict[str, Any]], *, note: str) -> None:
    """Replace the results of these sizes, with the machine and the commit, and the table of the README."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    stamped = [{**each, "machine": machine(), "commit": commit.stdout.strip(), "note": note} for each in results]
    before = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
    sizes = {each["size"] for each in stamped}
    every = sorted([*(each for each in before if each["size"] not in sizes), *stamped], key=lambda each: each["size"])
    RESULTS.write_text(json.dumps(every, indent=1) + "\n")
    text = README.read_text("utf-8")
    head, _, rest = text.partition(BEGIN)
    README.write_text(f"{head}{BEGIN}\n{table(every)}\n{END}{rest.partition(END)[2]}", "utf-8")


if __name__ == "__main__":
    main()
