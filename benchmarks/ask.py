"""Measures asking: cold as a whole process, warm per question, and memory; prints a table."""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.memory import peak
from rag import Assistant
from rag.evaluate import Asks
from rag.metrics import percentile


def cold(index: Path, *, runs: int) -> list[float]:
    """Return the seconds of whole `rag ask` processes."""
    seconds = []
    for _ in range(runs):
        began = time.perf_counter()
        command = [sys.executable, "-m", "rag", "ask", "who leads AI Studio?", "--index", str(index)]
        subprocess.run(command, check=True, capture_output=True)
        seconds.append(time.perf_counter() - began)
    return seconds


def warm(assistant: Asks, questions: Sequence[str]) -> list[float]:
    """Return the seconds of each question, asked once each of a fresh assistant after one to warm up."""
    assistant.ask("warm up?")
    seconds = []
    for question in questions:
        began = time.perf_counter()
        assistant.ask(question)
        seconds.append(time.perf_counter() - began)
    return seconds


def main() -> None:
    """Print the figures."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--index", type=Path, default=Path("index"))
    options.add_argument("--gold", type=Path, default=Path("tests/gold/questions.jsonl"))
    options.add_argument("--runs", type=int, default=5)
    arguments = options.parse_args()
    questions = [json.loads(line)["question"] for line in arguments.gold.read_text(encoding="utf-8").splitlines()]
    starts = cold(arguments.index, runs=arguments.runs)
    assistant = Assistant.open(arguments.index)
    first = warm(assistant, questions)
    again = warm(assistant, questions)
    table = Table("figure", "value")
    table.add_row("cold `rag ask`, median s", f"{percentile(starts, 50):.2f}")
    for name, seconds in (("first asking", first), ("asked again", again)):
        for q in (50, 95):
            table.add_row(f"warm ask, {name}, p{q} ms", f"{1000 * percentile(seconds, q):.1f}")
    table.add_row("peak memory, MiB", f"{peak() / 2**20:.0f}")
    Console().print(table)


if __name__ == "__main__":
    main()
