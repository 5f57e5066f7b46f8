"""What is trained on and what is held back."""

import json
import lzma
from pathlib import Path
from typing import Any

import pytest
from training.data import TRAIN_FILES, bucket, split_questions

ES = "squad_es_v11_dev_small.rest.es"
TRAPS = "squad_es_v2_dev_small.rest.es"
IT = "squad_it_test.rest.it"


def row(id: str, passage: str, answer: str | None) -> dict[str, Any]:
    answers = [] if answer is None else [{"text": answer, "start": passage.index(answer)}]
    return {"id": id, "lang": "?", "question": f"{id}?", "context": passage, "answers": answers}


@pytest.fixture
def passages() -> tuple[str, str]:
    """A passage that is held back and one that is not."""
    texts = [f"Ada lives at {number}." for number in range(100)]
    return next(t for t in texts if bucket(t, 8) == 0), next(t for t in texts if bucket(t, 8) != 0)


def test_what_no_passage_answers_is_held_back_with_its_passage(tmp_path: Path, passages: tuple[str, str]) -> None:
    held, trained = passages
    italian = "Ada abita là, e Leo no."
    rows = {
        ES: [row("a", held, "Ada"), row("b", trained, "Ada")],
        TRAPS: [row("c", held, None), row("d", trained, None), row("e", held, "Ada")],
        # Its Spanish side is held back, so it is, too.
        IT: [row("a", italian, "Ada"), row("f", italian, "Leo")],
    }
    folder = tmp_path / "qa" / "train"
    folder.mkdir(parents=True)
    for name in TRAIN_FILES:
        with lzma.open(folder / f"{name}.jsonl.xz", "wt", encoding="utf-8") as file:
            for each in rows.get(name, []):
                file.write(json.dumps({**each, "lang": name[-2:]}) + "\n")
    split = split_questions(tmp_path)
    assert {q.id for q in split.training} == {"b", "d"}
    assert {x: [q.id for q in questions] for x, questions in split.development.items()} == {
        "es": ["a"],
        "it": ["a", "f"],
    }
    assert [(q.id, q.start) for q in split.unanswerable] == [("c", -1)]
