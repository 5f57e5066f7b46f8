"""Turns texts into unit vectors: the bundled model, or any sentence-transformers model by name or path."""

import hashlib
import json
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from rag.errors import EncoderError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

BUNDLED = "bundled"
BUNDLED_FOLDER = Path(__file__).parent / "models" / "encoder"
ONNX_FILE = "model_int8.onnx"
MAX_TOKENS = 256
BATCH = 32


class Encoder(Protocol):
    """Texts to vectors of unit length; two encoders of one fingerprint give interchangeable vectors."""

    @property
    def name(self) -> str:
        """Return the name by which `open_encoder` finds it again."""
        ...

    @property
    def fingerprint(self) -> str:
        """Return what tells this encoder's vectors from another's."""
        ...

    @property
    def dimensions(self) -> int:
        """Return the length of a vector."""
        ...

    def encode_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the vectors of passages, (texts, dimensions)."""
        ...

    def encode_questions(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the vectors of questions, (texts, dimensions)."""
        ...


def folder_fingerprint(folder: Path) -> str:
    """Return the SHA-256 over the names and contents of a model's files, but for what does not change its vectors."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        place = path.relative_to(folder)
        # The ONNX file holds the same weights, the card none, and hidden files are other programs' notes.
        hidden = any(part.startswith(".") for part in place.parts)
        if path.is_file() and not hidden and path.suffix not in {".onnx", ".md", ".png", ".csv"}:
            digest.update(place.as_posix().encode() + b"\0")
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


class SentenceTransformerEncoder:
    """Any sentence-transformers model: a folder is read without the network, a name may be downloaded."""

    def __init__(self, spec: str) -> None:
        """Load the model; raise EncoderError when it is neither a model's folder nor a name that can be had."""
        folder = BUNDLED_FOLDER if spec == BUNDLED else Path(spec)
        self.name = lasting_name(spec)
        # The tokenizers of transformers are changed by every call and refuse a second one meanwhile.
        self._lock = threading.Lock()
        self._pool: dict[Literal["input", "output", "processes"], Any] | None = None
        self._model = _load_model(str(folder), local=folder.is_dir(), spec=spec)
        self.dimensions = int(self._model.get_embedding_dimension() or 0)
        self.fingerprint = folder_fingerprint(folder) if folder.is_dir() else _weights_fingerprint(self._model)

    def encode_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the vectors of passages, (texts, dimensions)."""
        return self._unit(texts, question=False)

    def encode_questions(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the vectors of questions, (texts, dimensions), under the model's own question prompt if it has one."""
        return self._unit(texts, question=True)

    @contextmanager
    def processes(self, workers: int) -> Iterator[None]:
        """Let so many processes of the library's pool embed; each has a share of the cores.

        A script that does this needs `if __name__ == "__main__":`, as any that starts processes.
        """
        import torch

        share = str(max(1, torch.get_num_threads() // workers))
        device = str(self._model.device)
        before = os.environ.get("OMP_NUM_THREADS")
        os.environ["OMP_NUM_THREADS"] = share
        try:
            self._pool = self._model.start_multi_process_pool(["cpu"] * workers if device == "cpu" else None)
        finally:
            if before is None:
                del os.environ["OMP_NUM_THREADS"]
            else:
                os.environ["OMP_NUM_THREADS"] = before
        try:
            yield
        finally:
            self._model.stop_multi_process_pool(self._pool)
            self._pool = None

    def _unit(self, texts: Sequence[str], *, question: bool) -> NDArray[np.float32]:
        if not texts:
            return np.empty((0, self.dimensions), np.float32)
        encode = self._model.encode_query if question else self._model.encode_document
        with self._lock:
            rows = encode(
                [printable(text) for text in texts],
                batch_size=BATCH,
                convert_to_numpy=True,
                show_progress_bar=False,
                pool=self._pool,
                chunk_size=BATCH,
            )
        return unit(np.asarray(rows, np.float32))


class LazyEncoder:
    """An encoder for passages that is loaded only when a text has to be embedded, by several processes if so asked.

    Leave its `with` block to end the processes. Raises EncoderError where the encoder cannot be loaded.
    """

    def __init__(self, spec: str, *, workers: int = 1) -> None:
        self.name = lasting_name(spec)
        self._opened: SentenceTransformerEncoder | None = None
        self._workers, self._stack = workers, ExitStack()
        fingerprint = spec_fingerprint(spec)
        self.fingerprint = fingerprint or self._open().fingerprint

    def __enter__(self) -> "LazyEncoder":
        return self

    def __exit__(self, *details: object) -> None:
        self._stack.close()

    @property
    def dimensions(self) -> int:
        """Return the length of a vector."""
        return self._open().dimensions

    def encode_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the vectors of passages, (texts, dimensions)."""
        return self._open().encode_passages(texts)

    def encode_questions(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the vectors of questions, (texts, dimensions)."""
        return self._open().encode_questions(texts)

    def _open(self) -> SentenceTransformerEncoder:
        if self._opened is None:
            encoder = open_encoder(self.name)
            assert isinstance(encoder, SentenceTransformerEncoder)
            if self._workers > 1:
                self._stack.enter_context(encoder.processes(self._workers))
            self._opened = encoder
        return self._opened


class OnnxEncoder:
    """The bundled model, or another folder that holds its int8 ONNX file, without importing torch."""

    def __init__(self, folder: Path = BUNDLED_FOLDER, *, name: str = BUNDLED) -> None:
        """Load the model; raise EncoderError when the folder is damaged."""
        import onnxruntime
        from tokenizers import Tokenizer

        self.name = name
        self.fingerprint = folder_fingerprint(folder)
        try:
            self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
            self._session = onnxruntime.InferenceSession(folder / ONNX_FILE, providers=["CPUExecutionProvider"])
            self.dimensions = int(json.loads((folder / "config.json").read_text())["hidden_size"])
        except Exception as error:  # each library raises types of its own, all meaning a damaged file
            raise EncoderError(
                f"the encoder in {folder} cannot be loaded ({_first_line(error)}); install it again"
            ) from error
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._tokenizer.enable_padding(pad_id=0, pad_token="[PAD]")

    def encode_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the vectors of passages, (texts, dimensions)."""
        return self._encode(texts)

    def encode_questions(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the vectors of questions, (texts, dimensions)."""
        return self._encode(texts)

    def _encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        vectors = np.empty((len(texts), self.dimensions), np.float32)
        encodings = [(i, printable(text)) for i, text in enumerate(texts)]
        encodings.sort(key=lambda pair: len(pair[1]))
        for first in range(0, len(encodings), BATCH):
            part = encodings[first : first + BATCH]
            rows = self._tokenizer.encode_batch([text for _, text in part])
            inputs = {
                "input_ids": np.array([row.ids for row in rows], np.int64),
                "attention_mask": np.array([row.attention_mask for row in rows], np.int64),
            }
            vectors[[i for i, _ in part]] = self._session.run(None, inputs)[0]
        return vectors


def open_encoder(spec: str = BUNDLED, *, asking: bool = False) -> Encoder:
    """Return the encoder called `spec`: "bundled", a folder, or the name of a published model.

    With `asking`, a folder with an ONNX file is opened without importing torch. Raises EncoderError.
    """
    folder = BUNDLED_FOLDER if spec == BUNDLED else Path(spec)
    if spec == BUNDLED and not (folder / "model.safetensors").is_file():
        raise EncoderError(f"the bundled encoder is missing from {folder}; install the package again")
    if not folder.is_dir() and (folder.is_absolute() or spec.startswith(".")):
        raise EncoderError(f"there is no encoder folder {spec}; give the folder of a sentence-transformers model")
    if asking and (folder / ONNX_FILE).is_file():
        return OnnxEncoder(folder, name=spec)
    return SentenceTransformerEncoder(spec)


def spec_fingerprint(spec: str) -> str | None:
    """Return the fingerprint of the encoder called `spec` without loading it; None where only loading can tell."""
    folder = BUNDLED_FOLDER if spec == BUNDLED else Path(spec)
    return folder_fingerprint(folder) if folder.is_dir() else None


def lasting_name(spec: str) -> str:
    """Return the name that finds the same encoder from any working directory: a folder's is its absolute path."""
    return str(Path(spec).resolve()) if spec != BUNDLED and Path(spec).is_dir() else spec


def unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the rows (n, d) at length 1; one without a direction, zero or not finite, points along the first axis.

    >>> unit(np.array([[3, 4], [0, 0]], np.float32))
    array([[0.6, 0.8],
           [1. , 0. ]], dtype=float32)
    """
    wide = rows.astype(np.float64)
    lengths = np.linalg.norm(wide, axis=1, keepdims=True)
    known = np.isfinite(lengths) & (lengths > 0)
    axis = np.eye(1, wide.shape[1])
    return np.asarray(np.where(known, wide / np.where(known, lengths, 1.0), axis), np.float32)


def printable(text: str) -> str:
    """Return the text with lone surrogates replaced, which no tokenizer takes."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _load_model(path: str, *, local: bool, spec: str) -> "SentenceTransformer":
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    # Weights that an encoder never uses are no news to its user.
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        return SentenceTransformer(path, device=None, local_files_only=local)
    except Exception as error:  # a missing file, a bad file, no network: the library raises them under many types
        raise EncoderError(
            f"the encoder {spec!r} cannot be loaded ({_first_line(error)}); give the folder of a sentence-transformers"
            " model, or the name of one while there is a network"
        ) from error


def _weights_fingerprint(model: "SentenceTransformer") -> str:
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode() + b"\0" + tensor.detach().cpu().float().numpy().tobytes())
    return digest.hexdigest()


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:160]
