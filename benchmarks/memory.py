"""How much memory a process takes."""

import os
import resource
import subprocess
import sys


def resident(process: int | None = None) -> int:
    """Return the bytes of a process in memory, mapped files included; of this one by default."""
    command = ["ps", "-o", "rss=", "-p", str(process or os.getpid())]
    return 1024 * int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def peak() -> int:
    """Return the most bytes that this process has had in memory."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
