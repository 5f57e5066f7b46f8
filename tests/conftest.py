"""What the tests share: a word-hash encoder, and a corpus of five documents in four languages."""

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from numpy.typing import NDArray

from rag.ask import Assistant
from rag.decide import Weights
from rag.index import Settings, build, build_with, open_index
from rag.read import SentenceReader

# Shared runners are slow at times; a property does not depend on the clock.
settings.register_profile("steady", deadline=None)
settings.load_profile("steady")

CORPUS = {
    "harbour.txt": (
        "The harbour of Port Ellis\n\n"
        "Port Ellis opened its new harbour in June 2019 after four years of work. The harbour is run by Maria Duarte, "
        "a former ship's captain, and employs 240 people.\n\n"
        "Who pays for it\n\n"
        "The town borrowed 35 million pounds from the Northern Bank. Fishing boats use the old quay for free, while "
        "ferries pay 90 pounds for each landing. A second crane will be delivered in October.\n"
    ),
    "faro.txt": (
        "El faro de Cabo Blanco\n\n"
        "El faro de Cabo Blanco fue construido en 1874 por el ingeniero Luis Ortega. Mide 42 metros de altura y su luz "
        "se ve a 30 kilómetros de distancia.\n\n"
        "Desde 2003 el faro es un museo. Lo visitan cada año unas 18.000 personas, y la entrada cuesta cinco euros.\n"
    ),
    "moulin.txt": (
        "date 2021-05-04 Le moulin de Saint-Aubin\n\n"
        "Le moulin de Saint-Aubin produit de la farine depuis 1790. M. Renaud, le meunier, emploie trois personnes. "
        "Il vend sa farine « à prix juste », dit-il, aux boulangers de la vallée.\n\n"
        "En hiver, la rivière gèle et le moulin s'arrête pendant six semaines.\n"
    ),
    "biblioteca.txt": (
        "La biblioteca di Montalto\n\n"
        "La biblioteca di Montalto custodisce 120.000 volumi. La direttrice Anna Ferri l'ha riaperta nel settembre 2022 "
        "dopo l'alluvione, che aveva distrutto l'archivio dei giornali.\n\n"
        "Il restauro è stato pagato dalla regione. I prestiti sono gratuiti per gli studenti dell'università.\n"
    ),
    "ferry.txt": (
        "A ferry between Port Ellis and Cabo Blanco\n\n"
        "A ferry now links Port Ellis with Cabo Blanco twice a week. The crossing takes nine hours. The company "
        "Atlantic Lines bought the ship Aurora second-hand from Norway.\n"
    ),
}


class WordHashEncoder:
    """A deterministic encoder: each word adds its own fixed random direction; it counts what it embeds."""

    name = "word-hash"

    def __init__(self, *, dimensions: int = 64, salt: str = "") -> None:
        self.dimensions = dimensions
        self.fingerprint = f"word-hash-{dimensions}-{salt}"
        self.embedded = 0
        self._salt = salt

    def encode_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.embedded += len(texts)
        return self._encode(texts)

    def encode_questions(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return self._encode(texts)

    def _encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        rows = np.zeros((len(texts), self.dimensions), np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in re.findall(r"\w+", text.casefold()) or [""]:
                seed = hashlib.sha256((self._salt + word).encode("utf-8", "replace")).digest()[:8]
                row += np.random.default_rng(int.from_bytes(seed, "big")).standard_normal(self.dimensions)
            row /= np.linalg.norm(row)
        return rows


@pytest.fixture
def word_hash() -> WordHashEncoder:
    return WordHashEncoder()


@pytest.fixture(scope="session")
def corpus_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    for name, text in CORPUS.items():
        (folder / name).write_text(text, encoding="utf-8", newline="")
    return folder


@pytest.fixture(scope="session")
def index_dir(corpus_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built") / "index"
    build(corpus_dir, folder)
    return folder


@pytest.fixture(scope="session")
def word_assistant(corpus_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Assistant:
    """An assistant that loads no model: word-hash vectors, whole sentences as answers."""
    folder, encoder = tmp_path_factory.mktemp("words") / "index", WordHashEncoder()
    build_with(corpus_dir, folder, encoder, settings=Settings(), progress=lambda stage, done, total: None)
    return Assistant(open_index(folder), encoder, SentenceReader(), Weights.load())
