"""What deploys beyond one machine: the Ray script's own part, run without Ray, and the compose file."""

import importlib.util
import os
import re
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from rag.index import JOURNAL, Settings, build_with
from rag.journal import Journal
from tests.conftest import WordHashEncoder

DEPLOY = Path(__file__).parents[1] / "deploy"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("embed_with_ray", DEPLOY / "embed_with_ray.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_build_embeds_nothing_after_the_cluster(script: ModuleType, corpus_dir: Path, tmp_path: Path) -> None:
    encoder = WordHashEncoder()
    index = tmp_path / "index"
    index.mkdir()
    with Journal(index / JOURNAL, encoder.fingerprint) as journal:
        texts = list(script.new_texts(corpus_dir, journal, Settings()))
        assert script.write_texts(iter(texts), tmp_path / "texts") == len(texts) > 0
        half = texts[: len(texts) // 2]
        for part in (half, texts[len(half) :]):
            batch = {
                "key": np.array([text["key"] for text in part]),
                "vector": encoder.encode_passages([text["text"] for text in part]),
            }
            assert script.enter(journal, batch) == len(part)
            left = list(script.new_texts(corpus_dir, journal, Settings()))
            assert left == (texts[len(half) :] if part is half else [])
    embedded = encoder.embedded
    report = build_with(corpus_dir, index, encoder, settings=Settings(), progress=lambda stage, done, total: None)
    assert (report.embedded, encoder.embedded) == (0, embedded)


def test_texts_are_lines_of_json_that_replace_those_before(script: ModuleType, tmp_path: Path) -> None:
    script.write_texts(iter([{"key": "00", "text": "old"}]), tmp_path / "texts")
    assert script.write_texts(iter([{"key": "01", "text": "é\n"}, {"key": "02", "text": "b"}]), tmp_path / "texts") == 2
    written = [path.read_text("ascii") for path in (tmp_path / "texts").iterdir()]
    assert written == ['{"key": "01", "text": "\\u00e9\\n"}\n{"key": "02", "text": "b"}\n']


def test_the_server_is_pinned_has_a_key_and_is_not_open_to_the_network() -> None:
    text = (DEPLOY / "compose.yaml").read_text("utf-8")
    version = re.search(r"image: qdrant/qdrant:v(\d+)\.(\d+)\.\d+\n", text)
    assert version is not None
    assert (int(version[1]), int(version[2])) >= (1, 16)
    assert '"127.0.0.1:6333:6333"' in text
    assert "QDRANT__SERVICE__API_KEY: ${QDRANT_API_KEY:?" in text
    assert os.linesep.join(line for line in text.splitlines() if "\t" in line) == ""
