"""Finds what the second reader is to tell apart: what the program has it read of the dossiers that are trained on.

Near misses that are drawn from a folder by chance, or by their words, are mostly easy to see through. These are the
sentences around which the first reader finds an answer likeliest, as the program cuts them, in the four passages that
search finds first, for every question in two of its four languages: hard negatives by the model itself, as Xiong et
al. 2021 ("Approximate Nearest Neighbor Negative Contrastive Learning for Dense Text Retrieval") mine them for search.
As a command it writes them as JSON lines, in twenty minutes on two cores.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

from rich.progress import track

from rag.cascade import most_promising
from rag.encode import Encoder, OnnxEncoder
from rag.read import Reader, open_reader, stated
from rag.spans import Span
from training.calibrate import LANGUAGES, World
from training.dossiers import Asked, Dossier, read_dossiers, trained_on
from training.mined import Mined, Window, write_mined

# Windows of a question, and the languages that it is asked in.
MOST = 4
ASKED_IN = 2


def mine(dossier: Dossier, number: int, encoder: Encoder, reader: Reader) -> Iterator[Mined]:
    """Yield each question of a dossier in two languages, by turns, with what the reader finds likeliest.

    A window with a part of an answer only is left out.
    """
    world = World(dossier.documents, encoder)
    for place, asked in enumerate(dossier.asked):
        for turn in range(ASKED_IN):
            language = LANGUAGES[(place + number + turn * len(LANGUAGES) // ASKED_IN) % len(LANGUAGES)]
            question = asked.questions[language]
            query = encoder.encode_questions([question])[0]
            found = world.find(question, language, query)[:MOST]
            readings = stated(question, reader.read(question, query, found))
            spans = [each.hit.span for each in most_promising(readings, most=MOST)]
            windows = [window for span in spans if (window := window_of(span, asked))]
            if windows:
                yield Mined(asked.id, language, question, tuple(windows))


def window_of(span: Span, asked: Asked) -> Window | None:
    """Return the window of a span, None when it has a part of an answer only."""
    touched = [place for place in asked.places if place.touches(span)]
    if not touched:
        return Window(span.text, -1, -1)
    whole = [place for place in touched if span.start <= place.start and place.end <= span.end]
    return Window(span.text, whole[0].start - span.start, whole[0].end - span.start) if whole else None


def main() -> None:
    """Mine the dossiers that are trained on."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--out", type=Path, required=True)
    options.add_argument(
        "--dossiers", type=int, nargs=2, default=(0, None), help="the first one, and the one to stop at"
    )
    arguments = options.parse_args()
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    encoder, reader = OnnxEncoder(), open_reader()
    chosen = list(enumerate(trained_on(read_dossiers())))[slice(*arguments.dossiers)]
    mined = [each for number, dossier in track(chosen, "mining") for each in mine(dossier, number, encoder, reader)]
    write_mined(mined, arguments.out)


if __name__ == "__main__":
    main()
