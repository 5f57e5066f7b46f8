import asyncio
import json

import pytest
from benchmarks.clients import Load, measure
from starlette.applications import Starlette
from starlette.routing import Mount

from rag.api import api
from rag.ask import Assistant
from rag.gate import Gate
from rag.guard import Guard, Rules
from rag.server import serving

QUESTIONS = [
    "Who runs the new harbour?",
    "¿Cuánto cuesta la entrada?",
    "Que produit le moulin de Saint-Aubin ?",
    "Chi ha pagato il restauro?",
    "How many hours does the crossing take?",
    "Which pizza do astronauts prefer?",
]


@pytest.mark.enable_socket
def test_many_clients_get_the_same_answers_and_no_error(word_assistant: Assistant) -> None:
    gate = Gate()
    app = Guard(Starlette(routes=[Mount("/api", api(word_assistant, gate, version="1"))]), Rules())
    with serving(app) as address:
        load = asyncio.run(measure(address, QUESTIONS, clients=16, seconds=5))
    figures = load.to_dict()
    assert (figures["errors"], figures["answers_unlike_the_first"]) == ({}, 0)
    assert len(load.latencies) >= 16
    assert 0 < figures["p50_ms"] <= figures["p95_ms"] <= figures["max_ms"]  # type: ignore[operator]


@pytest.mark.enable_socket
def test_what_is_turned_away_counts_as_an_error(word_assistant: Assistant) -> None:
    gate = Gate(at_once=1, waiting=0)
    app = Guard(Starlette(routes=[Mount("/api", api(word_assistant, gate, version="1"))]), Rules())
    with serving(app) as address:
        load = asyncio.run(measure(address, QUESTIONS, clients=4, seconds=1))
    assert set(load.errors) == {"503"}
    assert load.unlike == 0


def test_figures_are_milliseconds() -> None:
    figures = Load(2, 10.0, (0.1, 0.2, 0.3, 0.4), {}, 0).to_dict()
    assert json.loads(json.dumps(figures)) == figures
    assert (figures["answers"], figures["answers_per_second"], figures["max_ms"]) == (4, 0.4, 400)
    assert 100 <= figures["p50_ms"] <= 300  # type: ignore[operator]
