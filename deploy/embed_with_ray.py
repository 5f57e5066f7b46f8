"""Embeds a folder of documents on a Ray cluster, and leaves the vectors where `rag build` finds them.

Run it on a machine that sees the documents and the index. The package is installed there and on every machine of the
cluster, and so is `ray[data]`; `--texts` is a folder that all of them read:

    python deploy/embed_with_ray.py my_documents --index my_index --texts /shared/texts --actors 32 --gpus 1
    rag build my_documents --index my_index --engine qdrant --url http://qdrant:6333

The first command may be stopped and run again: it embeds what is not in the index's journal yet. The second one finds
every vector there and embeds nothing.
"""

import argparse
import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.corpus import read_corpus
from rag.encode import BUNDLED, open_encoder, spec_fingerprint
from rag.index import JOURNAL, Settings, key_of, split_documents
from rag.journal import Journal
from rag.manifest import exclusive

TEXTS_A_FILE = 50_000


class Embed:
    """One actor: loads the encoder once, and embeds the batches that it is given."""

    def __init__(self, spec: str) -> None:
        self._encoder = open_encoder(spec)

    def __call__(self, batch: Mapping[str, Any]) -> dict[str, Any]:
        """Return the vector of each text beside its key."""
        texts = [str(text) for text in batch["text"]]
        return {"key": batch["key"], "vector": self._encoder.encode_passages(texts)}


def new_texts(corpus: Path, journal: Journal, settings: Settings) -> Iterator[dict[str, str]]:
    """Yield each text that the journal has no vector for, once, with its key in hexadecimal digits."""
    met: set[bytes] = set()
    for span in split_documents(read_corpus(corpus).documents, settings):
        key = key_of(span.text)
        if key not in met and key not in journal:
            met.add(key)
            yield {"key": key.hex(), "text": span.text.encode("utf-8", "replace").decode()}


def write_texts(texts: Iterator[dict[str, str]], folder: Path) -> int:
    """Write texts as files of JSON lines for Ray to read, in place of what was in the folder; return how many."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    count = 0
    lines: list[str] = []
    for text in texts:
        lines.append(json.dumps(text) + "\n")
        count += 1
        if len(lines) == TEXTS_A_FILE:
            _write_file(folder, count, lines)
    _write_file(folder, count, lines)
    return count


def _write_file(folder: Path, count: int, lines: list[str]) -> None:
    if lines:
        (folder / f"texts-{count:012}.json").write_text("".join(lines), encoding="ascii")
        lines.clear()


def enter(journal: Journal, batch: Mapping[str, NDArray[Any]]) -> int:
    """Enter a batch of vectors into the journal, and return how many they were."""
    keys = [bytes.fromhex(str(key)) for key in batch["key"]]
    journal.add(keys, np.stack([np.asarray(vector, np.float32) for vector in batch["vector"]]))
    return len(keys)


def embed(corpus: Path, index: Path, texts: Path, *, encoder: str, actors: int, gpus: float, batch: int) -> int:
    """Embed on the cluster what the journal of the index lacks; return how many texts that were."""
    import ray

    fingerprint = spec_fingerprint(encoder) or open_encoder(encoder).fingerprint
    with exclusive(index), Journal(index / JOURNAL, fingerprint) as journal:
        wanted = write_texts(new_texts(corpus, journal, Settings()), texts)
        if not wanted:
            return 0
        vectors = ray.data.read_json(str(texts)).map_batches(
            Embed,
            fn_constructor_args=(encoder,),
            batch_size=batch,
            compute=ray.data.ActorPoolStrategy(size=actors),
            num_gpus=gpus,
        )
        # They come as the actors finish them, and each is kept from then on.
        return sum(enter(journal, part) for part in vectors.iter_batches(batch_size=4096))


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path, help="the folder of documents")
    parser.add_argument("--index", type=Path, required=True, help="the folder of the index")
    parser.add_argument("--texts", type=Path, required=True, help="a folder for the texts, which is emptied first")
    parser.add_argument("--encoder", default=BUNDLED, help="as for `rag build`, at the same path on every machine")
    parser.add_argument("--actors", type=int, default=2, help="how many encoders work at once")
    parser.add_argument("--gpus", type=float, default=0.0, help="GPUs an actor, or a part of one")
    parser.add_argument("--batch", type=int, default=512, help="texts a batch")
    given = parser.parse_args()
    done = embed(
        given.corpus,
        given.index,
        given.texts.resolve(),
        encoder=given.encoder,
        actors=given.actors,
        gpus=given.gpus,
        batch=given.batch,
    )
    print(f"{given.index}: {done} texts embedded; now run `rag build {given.corpus} --index {given.index}`")  # noqa: T201


if __name__ == "__main__":
    main()
