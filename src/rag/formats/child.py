"""The process that reads files which others made: it may use so much memory and time, and open and start nothing."""

import contextlib
import json
import math
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import BinaryIO

from rag.formats.extracted import Limits, UnreadableError
from rag.formats.read import read

_FORBIDDEN = ("socket.", "subprocess.", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.system")


def main() -> None:
    """Answer each file on standard input, a line of JSON and then its bytes, with a line of JSON."""
    questions, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    # What a library prints is no answer.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    limits = Limits(**json.loads(questions.readline()))
    _bound_memory(limits)
    own = [os.path.realpath(path) for path in (sys.prefix, sys.base_prefix, *filter(None, sys.path))]
    sys.addaudithook(_forbid(tuple(os.path.join(path, "") for path in own)))  # noqa: PTH118
    while line := questions.readline():
        answers.write(_answer(json.loads(line), questions, limits) + b"\n")
        answers.flush()


def _answer(question: dict[str, str | int], file: BinaryIO, limits: Limits) -> bytes:
    _bound_time(limits)
    try:
        data = file.read(int(question["bytes"]))
        return json.dumps(asdict(read(str(question["suffix"]), data, limits))).encode()
    except UnreadableError as error:
        return json.dumps({"unreadable": str(error)}).encode()
    except MemoryError:
        return json.dumps({"memory": True}).encode()
    except RecursionError:
        return json.dumps({"unreadable": "it is nested too deeply, as a trap is; remove it"}).encode()
    except Exception as error:  # whatever a broken file leads a library to
        reason = f"it is damaged ({type(error).__name__} in reading it); get it again"
        return json.dumps({"unreadable": reason}).encode()


def _bound_memory(limits: Limits) -> None:
    try:
        import resource
    except ImportError:  # Windows has no such limits; there the clock alone ends a bad file
        return
    for kind, most in (
        (resource.RLIMIT_AS, limits.memory_bytes),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        # macOS refuses a limit on address space.
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(kind, (most, most))


def _bound_time(limits: Limits) -> None:
    """Let the system end this process when the next file takes more processor time than it may."""
    try:
        import resource
    except ImportError:
        return
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    until = math.ceil(time.process_time() + limits.seconds)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CPU, (until, hard))


def _forbid(readable: tuple[str, ...]) -> Callable[[str, tuple[object, ...]], None]:
    """Return a hook that lets only the program's own files be opened: a second lock, should a library follow a link."""

    def hook(event: str, details: tuple[object, ...]) -> None:
        if event.startswith(_FORBIDDEN):
            raise PermissionError(f"{event} is not allowed here")
        if event == "open" and isinstance(details[0], str | bytes):
            path = os.path.realpath(os.fsdecode(details[0]))
            if not path.startswith(readable):
                raise PermissionError(f"{path} may not be opened here")

    return hook


if __name__ == "__main__":
    main()
