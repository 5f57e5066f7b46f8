"""Measures the HTTP interface under many clients: errors, latency and the server's memory; prints JSON and a table."""

import argparse
import asyncio
import json
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

import httpx
from rich.console import Console
from rich.table import Table

from benchmarks.memory import resident
from rag.metrics import percentile

PATIENCE = 120  # seconds that an answer may take


@dataclass(frozen=True, slots=True)
class Load:
    """What clients that ask one question after the other found: seconds of each answer, and what went wrong."""

    clients: int
    seconds: float
    latencies: tuple[float, ...]
    errors: dict[str, int]
    unlike: int

    def to_dict(self) -> dict[str, object]:
        """Return the figures as JSON values; latencies in milliseconds."""
        found = sorted(self.latencies) or [0.0]
        return {
            "clients": self.clients,
            "seconds": round(self.seconds, 1),
            "answers": len(self.latencies),
            "answers_per_second": round(len(self.latencies) / self.seconds, 2),
            "errors": self.errors,
            "answers_unlike_the_first": self.unlike,
            "p50_ms": round(1000 * percentile(found, 50)),
            "p95_ms": round(1000 * percentile(found, 95)),
            "max_ms": round(1000 * found[-1]),
        }


async def measure(address: str, questions: Sequence[str], *, clients: int, seconds: float) -> Load:
    """Let clients ask for some seconds, each its next question as soon as the last one is answered.

    An answer that differs from the first one to the same question counts as unlike.
    """
    latencies: list[float] = []
    errors: Counter[str] = Counter()
    first: dict[str, str] = {}
    unlike = 0
    began = time.perf_counter()

    async def client(number: int, http: httpx.AsyncClient) -> None:
        nonlocal unlike
        start = number * len(questions) // clients
        for question in islice(cycle(questions), start, None):
            asked = time.perf_counter()
            if asked - began >= seconds:
                return
            try:
                response = await http.post("api/ask", json={"question": question})
            except httpx.HTTPError as error:
                errors[type(error).__name__] += 1
                continue
            if response.status_code != 200:
                errors[str(response.status_code)] += 1
                continue
            latencies.append(time.perf_counter() - asked)
            unlike += first.setdefault(question, response.text) != response.text

    limits = httpx.Limits(max_connections=clients, max_keepalive_connections=clients)
    async with httpx.AsyncClient(base_url=address, timeout=PATIENCE, limits=limits) as http:
        await asyncio.gather(*(client(number, http) for number in range(clients)))
    return Load(clients, time.perf_counter() - began, tuple(latencies), dict(errors), unlike)


@contextmanager
def server(index: Path) -> Iterator[tuple[str, int]]:
    """Start `rag chat` in a process of its own, and give its address and process id."""
    command = [sys.executable, "-u", "-m", "rag", "chat", "--index", str(index)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            found = next(filter(None, (re.search(r"http://\S+", line) for line in process.stdout)), None)
            if found is None:
                sys.exit("the server did not start")
            yield found[0], process.pid
        finally:
            process.terminate()


def main() -> None:
    """Print the figures."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--index", type=Path, default=Path("index"))
    options.add_argument("--gold", type=Path, default=Path("tests/gold/questions.jsonl"))
    options.add_argument("--clients", type=int, default=32)
    options.add_argument("--seconds", type=float, default=120)
    options.add_argument("--out", type=Path, help="where the JSON goes as well")
    given = options.parse_args()
    questions = [json.loads(line)["question"] for line in given.gold.read_text(encoding="utf-8").splitlines()]
    with server(given.index) as (address, process):
        asyncio.run(measure(address, questions[:4], clients=1, seconds=5))  # what is loaded once is loaded now
        before = resident(process) / 2**20
        load = asyncio.run(measure(address, questions, clients=given.clients, seconds=given.seconds))
        after = resident(process) / 2**20
    figures = {**load.to_dict(), "resident_before_mib": round(before), "resident_after_mib": round(after)}
    text = json.dumps(figures, indent=2)
    if given.out:
        given.out.write_text(text + "\n", encoding="utf-8")
    sys.stdout.write(text + "\n")
    table = Table("figure", "value")
    for name, value in figures.items():
        table.add_row(name.replace("_", " "), str(value or 0))
    Console().print(table)


if __name__ == "__main__":
    main()
