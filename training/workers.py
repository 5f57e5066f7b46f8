"""Batches made ahead by other processes, so that a fast device does not wait for them."""

import multiprocessing
import os
from collections.abc import Callable, Iterator
from queue import Empty
from typing import TypeVar

Batch = TypeVar("Batch")
# Batches that a process may be ahead.
AHEAD = 8
# Seconds without a batch after which the processes are looked after.
LOOKED_AFTER = 5.0


def produce(make: Callable[[int, int], Iterator[Batch]], workers: int) -> Iterator[Batch]:
    """Yield the batches of `make(part, parts)`, each part in a process of its own; in this one without workers.

    The processes are forks: whatever `make` uses must be there before, and it may not touch a GPU. Raises RuntimeError
    when one of them has failed.
    """
    if workers < 1:
        yield from make(0, 1)
        return
    context = multiprocessing.get_context("fork")
    queue = context.Queue(workers * AHEAD)

    def fill(part: int) -> None:
        # A fork of a program that tokenises in threads may not do so itself.
        os.environ["TOKENIZERS_PARALLELISM"] = "false"
        for batch in make(part, workers):
            queue.put(batch)

    processes = [context.Process(target=fill, args=(part,), daemon=True) for part in range(workers)]
    for process in processes:
        process.start()
    while True:
        try:
            yield queue.get(timeout=LOOKED_AFTER)
        except Empty:
            if failed := [process.pid for process in processes if process.exitcode]:
                raise RuntimeError(f"processes that make batches have failed: {failed}") from None
