import io
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from rag.ask import Assistant
from rag.decide import ASSURANCE, EVIDENCE, UNTOLD, Weights
from rag.explain import LOSERS, render
from rag.index import Settings, build_with, open_index
from rag.read import SentenceReader
from rag.spans import Answer

if TYPE_CHECKING:
    from tests.conftest import WordHashEncoder

WEIGHTS = Weights(
    tuple({"reader": 6.0, "coverage": 2.0}.get(name, 0.0) for name in EVIDENCE),
    tuple({"reader": 3.0, "coverage": 3.0, "lead": 0.5}.get(name, 0.0) for name in ASSURANCE),
    bias=-2.0,
    threshold=0.3,
    relevance=0.15,
)


@pytest.fixture
def assistant(corpus_dir: Path, tmp_path: Path, word_hash: "WordHashEncoder") -> Assistant:
    index = tmp_path / "index"
    build_with(corpus_dir, index, word_hash, settings=Settings(), progress=lambda stage, done, total: None)
    return Assistant(open_index(index), word_hash, SentenceReader(), WEIGHTS)


def test_the_stages_of_the_winner_and_of_the_losers(assistant: Assistant) -> None:
    answer = assistant.ask("Who is the harbour run by?")
    told = json.loads(json.dumps(answer.explain()))
    first, *rest = told["candidates"]
    assert (first["rank"], first["outcome"], first["answer"]) == (1, "won", answer.text)
    assert (first["start"], first["end"]) == (answer.citations[0].answer.start, answer.citations[0].answer.end)
    assert (first["dense"]["rank"], first["lexical"]["rank"], first["fused"]["rank"]) == (1, 1, 1)
    assert [one["rank"] for one in told["candidates"]] == sorted(one["rank"] for one in told["candidates"])
    assert {one["outcome"] for one in rest} == {"lost"}
    assert len(rest) == LOSERS
    assert all(one["pooled"] <= first["pooled"] for one in rest)
    assert told["wording"] == "Who is the harbour run by?"
    assert told["expected"] == "name"
    assert told["threshold"] == 0.3


def test_the_evidence_adds_up_to_the_score_and_the_confidence(assistant: Assistant) -> None:
    answer = assistant.ask("When did Port Ellis open its new harbour?")
    told = answer.explain()
    for one in told["candidates"]:
        assert list(one["evidence"]) == list(EVIDENCE)
        assert sum(column["adds"] for column in one["evidence"].values()) == pytest.approx(one["score"], abs=1e-3)
    sure = told["confidence"]
    assert list(sure["columns"]) == list(ASSURANCE)
    assert sure["bias"] + sum(column["adds"] for column in sure["columns"].values()) == pytest.approx(sure["logit"])
    assert sure["untold"] == 0
    assert 1 / (1 + math.exp(-sure["logit"])) == pytest.approx(answer.confidence, abs=1e-3)


def test_what_the_confidence_loses_beside_the_evidence_is_explained(assistant: Assistant) -> None:
    answer = assistant.ask("How much does the ferry cost?", threshold=0, documents=["ferry.txt"])
    sure = answer.explain()["confidence"]
    assert sure["untold"] == pytest.approx(UNTOLD["money"], abs=1e-4)
    adds = sum(column["adds"] for column in sure["columns"].values())
    assert sure["bias"] + adds + sure["untold"] == pytest.approx(sure["logit"], abs=1e-3)
    assert 1 / (1 + math.exp(-sure["logit"])) == pytest.approx(answer.confidence, abs=1e-3)


def test_a_refusal_is_explained_too(assistant: Assistant) -> None:
    answer = assistant.ask("Which pizza do astronauts prefer?")
    assert not answer.found
    assert answer.explain()["candidates"][0]["outcome"] == "refused"
    assert answer.explain()["confidence"]["value"] == round(answer.confidence, 4)


def test_a_follow_up_shows_each_wording_that_was_tried(assistant: Assistant) -> None:
    turn = ("¿Quién construyó el faro de Cabo Blanco?", "El faro de Cabo Blanco fue construido en 1874.")
    told = assistant.ask("And how old is it?", [turn], threshold=0).explain()
    wordings = [attempt["wording"] for attempt in told["attempts"]]
    assert wordings[0] == "And how old is it?"
    assert len(wordings) > 1
    assert told["wording"] in wordings


def test_what_was_not_searched_for_has_nothing_to_explain(assistant: Assistant) -> None:
    assert assistant.ask("?!").explain() == {}
    assert Answer("who?", "en", (), 0.0, "not_a_question").explain() == {}
    nowhere = assistant.ask("Who runs it?", documents=[]).explain()
    assert (nowhere["candidates"], nowhere["confidence"]) == ([], None)


def test_the_trace_makes_no_two_answers_different(assistant: Assistant) -> None:
    one, other = (assistant.ask("Who is the harbour run by?") for _ in range(2))
    assert one == other
    assert "trace" not in repr(one)


def test_the_tables_show_every_stage(assistant: Assistant) -> None:
    answer = assistant.ask("Who is the harbour run by?")
    console = Console(file=io.StringIO(), width=220)
    render(answer.explain(), console)
    text = console.file.getvalue()  # type: ignore[attr-defined]  # the StringIO above
    for word in (
        "dense",
        "lexical",
        "fused",
        "reader",
        "pooled",
        "coverage",
        "lead",
        "probability",
        "won",
        "lost",
        "#1",
    ):
        assert word in text
    assert f"{answer.confidence:.2f}" in text
    empty = Console(file=io.StringIO(), width=220)
    render(assistant.ask("?").explain(), empty)
    assert empty.file.getvalue() == "Nothing was read, so there is nothing to explain.\n\n"  # type: ignore[attr-defined]
