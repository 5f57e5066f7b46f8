"""What the second reader is to tell apart: windows that the program would have it read, as `mine` writes them."""

import json
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

MOST_APART = 2


@dataclass(frozen=True, slots=True)
class Window:
    """What is read of a document, and the code points of the answer in it; `start` is -1 where it has none."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Mined:
    """A question in one language and what is read of its folder, likeliest first."""

    id: str
    language: str
    question: str
    windows: tuple[Window, ...]

    def together(self, choose: random.Random, *, most: int) -> list[list[Window]]:
        """Return a window that answers before up to `most` that do not; where none does, two of those, apart."""
        answering = [window for window in self.windows if window.start >= 0]
        lacking = [window for window in self.windows if window.start < 0]
        lacking = choose.sample(lacking, min(len(lacking), most if answering else MOST_APART))
        return [[choose.choice(answering), *lacking]] if answering else [[window] for window in lacking]


def read_mined(path: Path) -> list[Mined]:
    """Return what `write_mined` wrote."""
    rows = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return [Mined(**{**row, "windows": tuple(Window(**each) for each in row["windows"])}) for row in rows]


def write_mined(mined: Sequence[Mined], path: Path) -> None:
    """Write one line for each question."""
    path.write_text("".join(json.dumps(asdict(each), ensure_ascii=False) + "\n" for each in mined), encoding="utf-8")
