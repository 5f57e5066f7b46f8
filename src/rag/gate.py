"""Lets a few questions be answered at a time, and a few more wait; who comes then is turned away at once."""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from rag.errors import RagError

if TYPE_CHECKING:
    from anyio import CapacityLimiter

AT_ONCE, WAITING = 2, 64

Result = TypeVar("Result")


class Busy(RagError):
    """Too many wait already."""


class Gate:
    """Where programs' questions, which take long, leave the event loop for threads."""

    def __init__(self, *, at_once: int = AT_ONCE, waiting: int = WAITING) -> None:
        self._at_once, self._waiting = at_once, waiting
        self._inside = 0
        self._limiter: CapacityLimiter | None = None

    async def run(self, work: Callable[[], Result]) -> Result:
        """Do the work in a thread when its turn comes; raises Busy when too many wait before it."""
        from anyio import CapacityLimiter, to_thread

        if self._inside >= self._at_once + self._waiting:
            raise Busy(f"{self._waiting} questions wait already: ask again in a few seconds")
        # Made here, because it belongs to the event loop that uses it.
        self._limiter = self._limiter or CapacityLimiter(self._at_once)
        self._inside += 1
        try:
            return await to_thread.run_sync(work, limiter=self._limiter)
        finally:
            self._inside -= 1
