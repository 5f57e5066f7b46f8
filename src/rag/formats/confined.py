"""Reads files in a process of their own, so that a bad one can neither hang nor end a build."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any

from rag.formats.extracted import Extracted, Limits, UnreadableError
from rag.formats.kinds import missing_library
from rag.formats.text import read_markdown, read_text

# Beyond this many times the processor time on the clock, something is not working but waiting.
_PATIENCE = 5
# JSON writes a character in at most this many bytes.
_BYTES_A_CHARACTER = 12
_ROOM = 10_000_000
# What a process returns that the system ended for its processor time; Windows has no such limit.
_OUT_OF_TIME = -getattr(signal, "SIGXCPU", 0) or None


class Confined:
    """A reader of files; close it, or use it in a `with` block, to end its process."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._child: subprocess.Popen[bytes] | None = None
        self._answered = 0

    def __enter__(self) -> "Confined":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        if self._child is not None:
            self._child.kill()
            self._child.communicate()
            self._child, self._answered = None, 0

    def read(self, suffix: str, data: bytes) -> Extracted:
        """Return what a file of this ending holds.

        Raises UnreadableError with the reason when it is too large, broken, protected or without text, when it takes
        more time or memory than it may, or when a library that reads it is not installed.
        """
        if len(data) > self.limits.file_bytes:
            raise UnreadableError(f"it is over {self.limits.file_bytes:,} bytes long; divide it")
        if suffix in (".txt", ".md"):
            extracted = read_text(data) if suffix == ".txt" else read_markdown(data)
            if len(extracted.text) > self.limits.characters:
                raise UnreadableError(f"it holds over {self.limits.characters:,} characters; divide it")
            return extracted
        library = missing_library(suffix)
        if library:
            raise UnreadableError(
                f'{library} is not installed, which reads it: run `pip install "verbatim-qa[documents]"`'
            )
        answer = self._ask(suffix, data)
        # Memory that earlier files left behind is not this one's fault.
        if ("memory" in answer or "died" in answer) and self._answered > 1:
            self.close()
            answer = self._ask(suffix, data)
        return self._extracted(answer)

    def _extracted(self, answer: dict[str, Any]) -> Extracted:
        if "text" in answer:
            return Extracted(answer["text"], answer["title"], tuple(answer["pages"]), tuple(answer["headings"]))
        if "unreadable" in answer:
            raise UnreadableError(answer["unreadable"])
        self.close()
        if "memory" in answer:
            raise UnreadableError(f"it takes over {self.limits.memory_bytes:,} bytes of memory to read; divide it")
        if "late" in answer:
            raise UnreadableError(f"it takes over {self.limits.seconds} seconds to read; divide it")
        raise UnreadableError("the library that reads it broke off; get it again or remove it")

    def _ask(self, suffix: str, data: bytes) -> dict[str, Any]:
        """Return the process's answer, or {"died": ...} or {"late": ...} when there is none."""
        child = self._child = self._child or self._start()
        self._answered += 1
        assert child.stdin and child.stdout
        late = threading.Event()

        def stop() -> None:
            late.set()
            child.kill()

        clock = threading.Timer(_PATIENCE * self.limits.seconds, stop)
        clock.start()
        try:
            child.stdin.write(json.dumps({"suffix": suffix, "bytes": len(data)}).encode() + b"\n")
            child.stdin.write(data)
            child.stdin.flush()
            line = child.stdout.readline(_BYTES_A_CHARACTER * self.limits.characters + _ROOM)
        except OSError:
            line = b""
        finally:
            clock.cancel()
        with contextlib.suppress(ValueError):
            answer = json.loads(line)
            return dict(answer)
        self.close()
        return {"late": True} if late.is_set() or child.returncode == _OUT_OF_TIME else {"died": True}

    def _start(self) -> "subprocess.Popen[bytes]":
        # The folder of documents may be the working directory, and nothing in it is a module of ours: -P.
        child = subprocess.Popen(
            [sys.executable, "-P", "-m", "rag.formats.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            # numpy, which comes along with a library, reserves memory for each thread.
            env={**os.environ, "PYTHONPATH": os.pathsep.join(_paths()), "OPENBLAS_NUM_THREADS": "1"},
        )
        assert child.stdin
        with contextlib.suppress(OSError):
            child.stdin.write(json.dumps(asdict(self.limits)).encode() + b"\n")
        self._answered = 0
        return child


def _paths() -> list[str]:
    """Return where this program lies, and what the user added."""
    return [str(Path(__file__).parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])]
