"""What is trained on and what is held back."""

import json
import lzma
from pathlib import Path
from typing import Any

import pytest
from training.data import TRAIN_FILES, Pair, bucket, held_back, read_pairs, split_questions

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


def test_pairs_that_rules_translated_are_read_beside_the_other_files_of_their_folder(tmp_path: Path) -> None:
    texts = [f"The mill number {number} turns." for number in range(400)]
    english = next(text for text in texts if not held_back(Pair(text, "", "it")))
    held = next(text for text in texts if held_back(Pair(text, "", "it")))
    for folder in ("parallel", "qc", "translated"):
        (tmp_path / folder).mkdir()
    files = {
        "qc/mintaka_dev_parallel": "en\tes\n",
        "qc/qald9_train_multilingual": "",
        "qc/qald9_test_multilingual": "",
        "translated/tico19.en-it": f"{english}\tIl mulino gira.\n{held}\tGira.\n",
        # The held-back questions, which are no pairs.
        "translated/asked": "it\tq1\tChi gira?\n",
    }
    for name, text in files.items():
        (tmp_path / f"{name}.tsv.xz").write_bytes(lzma.compress(text.encode()))
    assert read_pairs(tmp_path, tmp_path / "translated") == [Pair(english, "Il mulino gira.", "it")]
