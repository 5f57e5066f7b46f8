import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from rag.encode import (
    BUNDLED,
    BUNDLED_FOLDER,
    ONNX_FILE,
    Encoder,
    OnnxEncoder,
    SentenceTransformerEncoder,
    folder_fingerprint,
    lasting_name,
    open_encoder,
    printable,
    spec_fingerprint,
    unit,
)
from rag.errors import EncoderError

ROOT = Path(__file__).parent.parent
MIXED = (
    "Who leads the studio?",
    "",
    "¿Quién dirige el estudio de Amazon y desde cuándo lo hace, si se puede saber?",
    "à",
    "L’équipe est petite. " * 15,
    "\ud800 half a pair",
    "Chi lo dirige?",
    "   \n\t ",
    "東京タワーの高さは？",
    "\x00\x01",
)


def is_one_sentence(message: str) -> bool:
    return "\n" not in message and 20 < len(message) < 500 and ";" in message


@pytest.fixture(scope="module")
def onnx() -> OnnxEncoder:
    return OnnxEncoder()


@pytest.fixture(scope="module")
def reference() -> SentenceTransformerEncoder:
    return SentenceTransformerEncoder(BUNDLED)


def thousand_sentences() -> list[str]:
    """Return 250 in each language: the gold questions and the articles' lines, whole, halved and joined."""
    by_language: dict[str, list[str]] = {"it": [], "es": [], "en": [], "fr": []}
    for line in (ROOT / "tests/gold/questions.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        by_language[row["lang"]].append(row["question"])
    for path, language in zip(sorted((ROOT / "seeds").glob("*.txt")), ("it", "es", "en", "fr", "fr"), strict=True):
        by_language[language] += [part for part in path.read_text("utf-8").replace("\n", ". ").split(". ") if part]
    made = []
    for whole in by_language.values():
        halves = [" ".join(text.split()[: len(text.split()) // 2]) for text in whole]
        joined = [f"{one} {two}" for step in (1, 7) for one, two in zip(whole, whole[step:], strict=False)]
        short = [" ".join(text.split()[:25]) for text in (*whole, *halves, *joined)]
        made += list(dict.fromkeys(short))[:250]
    return made


def test_both_forms_of_the_bundled_model_agree(onnx: OnnxEncoder, reference: SentenceTransformerEncoder) -> None:
    texts = thousand_sentences()
    assert len(texts) == 1000
    cosines = (onnx.encode_passages(texts) * reference.encode_passages(texts)).sum(axis=1)
    assert cosines.min() >= 0.99
    questions = texts[::50]
    assert (onnx.encode_questions(questions) * reference.encode_questions(questions)).sum(axis=1).min() >= 0.99


def test_both_forms_are_one_encoder(onnx: OnnxEncoder, reference: SentenceTransformerEncoder) -> None:
    assert onnx.fingerprint == reference.fingerprint == spec_fingerprint(BUNDLED)
    assert onnx.dimensions == reference.dimensions
    assert onnx.name == reference.name == BUNDLED


@pytest.mark.parametrize("form", ["onnx", "reference"])
def test_any_text_has_a_unit_vector_in_its_place(form: str, request: pytest.FixtureRequest) -> None:
    encoder: Encoder = request.getfixturevalue(form)
    for encode in (encoder.encode_passages, encoder.encode_questions):
        together = encode(MIXED)
        assert together.shape == (len(MIXED), encoder.dimensions)
        assert together.dtype == np.float32
        assert np.linalg.norm(together, axis=1) == pytest.approx(np.ones(len(MIXED)), abs=1e-5)
        for text, row in zip(MIXED, together, strict=True):
            assert encode([text])[0] == pytest.approx(row, abs=1e-4), text
        assert encode([]).shape == (0, encoder.dimensions)


def test_only_the_first_256_tokens_count(onnx: OnnxEncoder) -> None:
    long = "parola " * 5000
    assert onnx.encode_passages([long])[0] == pytest.approx(onnx.encode_passages([long + "fine"])[0], abs=1e-6)


@pytest.mark.parametrize("form", ["onnx", "reference"])
def test_threads_may_share_an_encoder(form: str, request: pytest.FixtureRequest) -> None:
    encoder: Encoder = request.getfixturevalue(form)
    texts = [text for text in MIXED if len(text) < 100]
    expected = encoder.encode_passages(texts)
    differences: list[float] = []

    def work(encode: Callable[[Sequence[str]], np.ndarray[tuple[int, int], np.dtype[np.float32]]]) -> None:
        for first in range(len(texts)):
            rows = encode(texts[first:])
            differences.append(float(np.abs(rows - expected[first:]).max()))

    threads = [threading.Thread(target=work, args=(encoder.encode_passages,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(differences) == 4 * len(texts)
    assert max(differences) < 1e-4


def test_a_folder_is_really_the_encoder(tmp_path: Path, reference: SentenceTransformerEncoder) -> None:
    folder = tmp_path / "changed"
    shutil.copytree(BUNDLED_FOLDER, folder, ignore=shutil.ignore_patterns("*.onnx"))
    weights = load_file(folder / "model.safetensors")
    name = next(name for name in sorted(weights) if name.endswith("LayerNorm.bias"))
    weights[name][0] += 5
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    changed = open_encoder(str(folder))
    assert changed.name == str(folder.resolve())
    assert changed.fingerprint == folder_fingerprint(folder) != reference.fingerprint
    text = ["Albert Cheng leads the studio."]
    assert float((changed.encode_passages(text) * reference.encode_passages(text)).sum()) < 0.999


def test_a_folder_with_an_onnx_file_is_asked_through_it(tmp_path: Path, onnx: OnnxEncoder) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(BUNDLED_FOLDER, folder)
    opened = open_encoder(str(folder), asking=True)
    assert isinstance(opened, OnnxEncoder)
    assert opened.name == str(folder)
    assert opened.fingerprint == onnx.fingerprint
    assert np.array_equal(opened.encode_questions(["chi?"]), onnx.encode_questions(["chi?"]))
    (folder / ONNX_FILE).unlink()
    assert isinstance(open_encoder(str(folder), asking=True), SentenceTransformerEncoder)


def test_the_fingerprint_is_of_what_shapes_the_vectors(tmp_path: Path) -> None:
    (tmp_path / "1_Pooling").mkdir()
    (tmp_path / "1_Pooling" / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    first = folder_fingerprint(tmp_path)
    for name in ("README.md", "model.onnx", ".gitattributes", ".cache/download.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("other")
        assert folder_fingerprint(tmp_path) == first, name
    (tmp_path / "1_Pooling" / "config.json").write_text("{ }")
    second = folder_fingerprint(tmp_path)
    assert second != first
    (tmp_path / "1_Pooling" / "config.json").rename(tmp_path / "config.json")
    assert folder_fingerprint(tmp_path) not in (first, second)


def test_a_name_lasts_when_the_working_directory_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "model").mkdir()
    monkeypatch.chdir(tmp_path)
    assert lasting_name("model") == str(tmp_path.resolve() / "model")
    assert lasting_name(BUNDLED) == BUNDLED
    assert lasting_name("someone/some-model") == "someone/some-model"


@pytest.mark.parametrize(
    "spec", ["./no/such/folder", "/no/such/folder", "EMPTY", "FILE", "nobody-at-all/no-such-model"]
)
def test_a_wrong_encoder_is_one_sentence(spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "FILE").write_text("not a folder")
    (tmp_path / "EMPTY").mkdir()
    named = str(tmp_path / spec) if spec.isupper() else spec
    with pytest.raises(EncoderError) as caught:
        open_encoder(named)
    assert named in str(caught.value)
    assert is_one_sentence(str(caught.value))


@pytest.mark.parametrize("damage", ["cut onnx", "flipped onnx", "cut tokenizer", "no config", "no size"])
def test_a_damaged_encoder_is_one_sentence(damage: str, tmp_path: Path) -> None:
    for name in (ONNX_FILE, "tokenizer.json", "config.json"):
        shutil.copy(BUNDLED_FOLDER / name, tmp_path / name)
    model, tokenizer, config = (tmp_path / name for name in (ONNX_FILE, "tokenizer.json", "config.json"))
    if damage == "cut onnx":
        model.write_bytes(model.read_bytes()[:100_000])
    elif damage == "flipped onnx":
        model.write_bytes(b"\xff" * 64 + model.read_bytes()[64:])
    elif damage == "cut tokenizer":
        tokenizer.write_bytes(tokenizer.read_bytes()[:1000])
    elif damage == "no config":
        config.unlink()
    else:
        config.write_text("{}")
    with pytest.raises(EncoderError) as caught:
        open_encoder(str(tmp_path), asking=True)
    assert str(tmp_path) in str(caught.value)
    assert is_one_sentence(str(caught.value))


def test_unit_keeps_directions_and_gives_one_to_what_has_none() -> None:
    rows = unit(np.array([[3, 4], [0, 0], [np.nan, 1], [np.inf, 1], [1e-30, 0], [-2e38, 2e38]], np.float32))
    half = np.sqrt(0.5)
    assert rows == pytest.approx(np.array([[0.6, 0.8], [1, 0], [1, 0], [1, 0], [1, 0], [-half, half]]))
    assert rows.dtype == np.float32
    assert unit(np.empty((0, 3), np.float32)).shape == (0, 3)


def test_lone_surrogates_are_replaced() -> None:
    assert printable("a\ud800b\udfffc \U0001f600 è") == "a?b?c \U0001f600 è"


def test_asking_imports_no_heavy_library(index_dir: Path) -> None:
    code = (
        "import sys\n"
        "from rag import Assistant\n"
        "answer = Assistant.open(sys.argv[1]).ask('who runs the harbour of Port Ellis?', threshold=0)\n"
        "assert answer.found\n"
        "heavy = ('torch', 'sentence_transformers', 'transformers', 'gradio', 'langchain_text_splitters')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(index_dir)],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(ROOT / "src"), "PATH": ""},
        check=False,
    )
    assert (run.returncode, run.stdout.strip()) == (0, "[]"), run.stderr


def test_several_processes_embed_as_one(reference: SentenceTransformerEncoder, tmp_path: Path) -> None:
    texts = thousand_sentences()[:70]
    program = tmp_path / "program.py"  # the processes begin where a script does, and pytest is none
    program.write_text(
        "import sys, numpy as np\n"
        "from rag.encode import LazyEncoder\n"
        "if __name__ == '__main__':\n"
        "    with LazyEncoder('bundled', workers=2) as encoder:\n"
        "        np.save(sys.argv[1], encoder.encode_passages(sys.stdin.read().split('\\x1e')))\n"
    )
    subprocess.run(
        [sys.executable, str(program), str(tmp_path / "rows.npy")],
        input="\x1e".join(texts).encode(),
        check=True,
        timeout=300,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )
    rows = np.load(tmp_path / "rows.npy")
    np.testing.assert_allclose(rows, reference.encode_passages(texts), atol=2e-5)
