"""Does to an index what power cuts, bad disks, full disks and impatient people do, and checks that it is never half.

Prints one line for each trial; exit status 1 when one failed. `python -m benchmarks.torture --kills 50 --flips 1000`.
"""

import argparse
import hashlib
import multiprocessing
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rag.errors import IndexDirectoryError
from rag.index import BuildReport, Settings, build_with, open_index
from rag.search import search

DIMENSIONS = 64
SETTINGS = Settings(passage_size=160, passage_overlap=40)


class WordHash:
    """An encoder without a model: each word adds a direction of its own; it waits and counts as a real one would."""

    name = "torture"
    fingerprint = "torture-1"
    dimensions = DIMENSIONS

    def __init__(self, *, pause: float = 0.0) -> None:
        self.embedded, self._pause = 0, pause

    def encode_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the vectors of passages, (texts, 64)."""
        self.embedded += len(texts)
        time.sleep(self._pause)
        return self.encode_questions(texts)

    def encode_questions(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the vectors of questions, (texts, 64)."""
        rows = np.zeros((len(texts), DIMENSIONS), np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in re.findall(r"\w+", text.casefold()) or [""]:
                draw = np.frombuffer(hashlib.shake_128(word.encode("utf-8", "replace")).digest(DIMENSIONS), np.int8)
                row += draw.astype(np.float32) + 0.5
            row /= np.linalg.norm(row)
        return rows


def write_corpus(folder: Path, *, documents: int, version: int) -> None:
    """Write documents whose every sentence names the version, so that a half index would show."""
    folder.mkdir(exist_ok=True)
    described = ""
    for number in range(documents):
        lines = [
            f"Station {number}-{line} of release v{version} lies {line * 7 + number} miles from the coast. "
            f"Its keeper in release v{version} is person{number}x{line}."
            for line in range(12)
        ]
        described += f'[documents."station{number}.txt"]\ntitle = "Station"\nlanguage = "en"\n'
        (folder / f"station{number}.txt").write_text("\n\n".join(lines) + "\n", "utf-8")
    (folder / "corpus.toml").write_text(described, "utf-8")


def build(corpus: Path, index: Path, encoder: WordHash) -> BuildReport:
    """Build with this encoder."""
    return build_with(corpus, index, encoder, settings=SETTINGS, progress=lambda stage, done, total: None)


def version_of(index: Path) -> int:
    """Open an index, ask it, and return the one version that all of it is of; raises AssertionError when it is half."""
    opened, encoder = open_index(index), WordHash()
    question = "who is the keeper of station 3-4?"
    found = search(
        opened.collection,
        question=question,
        query=encoder.encode_questions([question])[0],
        languages=["en"],
        k=5,
    )
    assert any("person3x4" in each.hit.span.text for each in found), "the index does not answer"
    every = {version for passage in opened.passages for version in re.findall(r"release v(\d+)", passage.text)}
    assert len(every) == 1, f"the index mixes versions {every}"
    count = len(opened.passages)
    rows = opened.engine.rows(0, count)
    assert np.array_equal(rows, encoder.encode_questions([passage.text for passage in opened.passages]))
    return int(every.pop())


@contextmanager
def builder(corpus: Path, index: Path, *, pause: float) -> Iterator[ForkServerProcess]:
    """Run a build in a process of its own, which is gone when the block is left."""
    # The server has the libraries already, so that a process is killed while it builds and not while it loads them.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["rag.index", "bm25s", "faiss", "langchain_text_splitters", "py3langid"])
    process = context.Process(target=_build_slowly, args=(corpus, index, pause))
    process.start()
    try:
        yield process
    finally:
        process.kill()
        process.join()


def _build_slowly(corpus: Path, index: Path, pause: float) -> None:
    build(corpus, index, WordHash(pause=pause))


def kills(folder: Path, *, count: int, seed: int, documents: int = 40) -> str:
    """Kill builds at random moments; each time the old or the new index must open, answer, and be whole."""
    draw, corpus, index = random.Random(seed), folder / "corpus", folder / "index"
    write_corpus(corpus, documents=documents, version=0)
    build(corpus, index, WordHash())
    write_corpus(corpus, documents=documents, version=1)
    began = time.monotonic()
    with builder(corpus, index, pause=0.0) as process:
        process.join()
        assert process.exitcode == 0
    length = time.monotonic() - began
    assert version_of(index) == 1
    old = new = 0
    for version in range(2, count + 2):
        before = version_of(index)
        write_corpus(corpus, documents=documents, version=version)
        with builder(corpus, index, pause=0.0) as process:
            time.sleep(draw.uniform(0.0, 1.1 * length))
            process.kill()
            process.join()
        after = version_of(index)
        assert after in (before, version), f"the index is of version {after}, not {before} or {version}"
        old, new = old + (after == before), new + (after == version)
    assert build(corpus, index, WordHash()).documents == documents
    left = sorted(path.name.partition("-")[0] for path in index.iterdir())
    assert left == [".lock", "data", "manifest.json"], f"{left} were left"
    return f"{count} kills within {length:.1f} s of building: {old} left the old index, {new} the new one, none a half"


def flips(folder: Path, *, count: int, seed: int) -> str:
    """Flip single bits of all the files; each must be refused with one sentence."""
    draw, index = random.Random(seed), _index(folder)
    files = sorted(path for path in index.rglob("*") if path.is_file() and path.name != ".lock")
    sizes = [path.stat().st_size for path in files]
    for number in range(count):
        # Every file has its turn, however small it is.
        path = files[number] if number < len(files) else draw.choices(files, sizes)[0]
        content = bytearray(path.read_bytes())
        place, bit = draw.randrange(len(content)), draw.randrange(8)
        content[place] ^= 1 << bit
        whole = path.read_bytes()
        path.write_bytes(content)
        try:
            open_index(index)
        except IndexDirectoryError as error:
            assert "\n" not in str(error), "the refusal is more than a line"
        else:
            # White space between the fields of the manifest says nothing.
            blank = path.name == "manifest.json" and _says_the_same(whole, bytes(content))
            assert blank, f"bit {bit} of byte {place} of {path.name} was flipped and not noticed"
        path.write_bytes(whole)
    assert version_of(index) == 1
    return f"{count} bit flips over {len(files)} files: every one refused with one sentence"


def two_builders(folder: Path) -> str:
    """Start a second build while one is at work; it must say so in one sentence, and the first must end well."""
    index, corpus = _index(folder), folder / "corpus"
    write_corpus(corpus, documents=40, version=2)
    with builder(corpus, index, pause=0.3) as first:
        deadline = time.monotonic() + 60
        while not (index / ".journal").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        message = _refusal(lambda: build(corpus, index, WordHash()))
        assert "another build is writing" in message, message
        assert version_of(index) == 1
        first.join()
        assert first.exitcode == 0
    assert version_of(index) == 2
    return f"a second builder is refused ({message!r}), the first ends well"


def resumed(folder: Path) -> str:
    """Kill a build half-way and build again; what was embedded must not be embedded again."""
    index, corpus = _index(folder), folder / "corpus"
    write_corpus(corpus, documents=40, version=2)
    with builder(corpus, index, pause=0.1) as process:
        journal, deadline = index / ".journal", time.monotonic() + 60
        while not (journal.exists() and journal.stat().st_size > 40_000) and time.monotonic() < deadline:
            time.sleep(0.01)
        process.kill()
        process.join()
    assert version_of(index) == 1
    kept = (journal.stat().st_size - 100) // (32 + 4 * DIMENSIONS + 4)
    encoder = WordHash()
    build(corpus, index, encoder)
    assert version_of(index) == 2
    assert kept > 0, "nothing had been embedded yet"
    opened = open_index(index).collection
    texts = {span.text for span in (*opened.passages, *opened.sentences.spans)}
    assert encoder.embedded <= len(texts) - kept, "what was embedded was embedded again"
    return f"a build stopped after {kept} of {len(texts)} texts embeds the other {encoder.embedded}"


def full_disk(folder: Path) -> str:
    """Build on a disk that is too small for the new index; the old one must stay, and one sentence say why."""
    disk = folder / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode:
        return "full disk: skipped, because this user may not mount a small one"
    try:
        corpus, index = folder / "corpus", disk / "index"
        write_corpus(corpus, documents=20, version=1)
        build(corpus, index, WordHash())
        write_corpus(corpus, documents=400, version=2)
        message = _refusal(lambda: build(corpus, index, WordHash()))
        assert "No space left on device" in message, message
        assert version_of(index) == 1
        shutil.rmtree(corpus)
        write_corpus(corpus, documents=20, version=3)
        (index / ".journal").unlink(missing_ok=True)
        build(corpus, index, WordHash())
        assert version_of(index) == 3
    finally:
        subprocess.run(["umount", str(disk)], check=True)
    return f"a full disk leaves the old index ({message.replace(str(folder), '…')!r})"


def _index(folder: Path) -> Path:
    corpus, index = folder / "corpus", folder / "index"
    write_corpus(corpus, documents=8, version=1)
    build(corpus, index, WordHash())
    assert version_of(index) == 1
    return index


def _says_the_same(one: bytes, other: bytes) -> bool:
    import json

    try:
        return bool(json.loads(one) == json.loads(other))
    except ValueError:
        return False


def _refusal(attempt: Callable[[], object]) -> str:
    try:
        attempt()
    except IndexDirectoryError as error:
        assert "\n" not in str(error), "the refusal is more than a line"
        return str(error)
    raise AssertionError("it was not refused")


def main() -> int:
    """Run every trial, each in a folder of its own."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--kills", type=int, default=50)
    options.add_argument("--flips", type=int, default=1000)
    options.add_argument("--seed", type=int, default=0)
    chosen = options.parse_args()
    trials: list[Callable[[Path], str]] = [
        lambda folder: kills(folder, count=chosen.kills, seed=chosen.seed),
        lambda folder: flips(folder, count=chosen.flips, seed=chosen.seed),
        two_builders,
        resumed,
        full_disk,
    ]
    failed = 0
    for trial in trials:
        with tempfile.TemporaryDirectory() as folder:
            try:
                line = trial(Path(folder))
            except AssertionError as error:
                failed, line = failed + 1, f"FAILED: {error}"
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
