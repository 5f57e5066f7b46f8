"""Expected scores with their tolerances, with which an evaluation is compared, so that no change goes unexplained."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from rag.errors import GoldError
from rag.evaluate import Evaluation, Scores

_LOWER_IS_BETTER = {"answerable_refused", "ece"}
_NEVER_EXPECTED = {"questions", "answerable", "latency_p50_ms", "latency_p95_ms"}
_EXPECTED = ("value", "tolerance")
_TOLERANCE = 0.02


def compare(evaluation: Evaluation, expected: Mapping[str, Mapping[str, Mapping[str, float]]]) -> list[str]:
    """Return a complaint for each expected score that the evaluation misses by more than its tolerance, up or down.

    An unexplained rise is a complaint too: something changed that nobody meant to change. Names are those of `Scores`,
    alone for all questions, after a language and a dot for the questions in it, and after "follow_ups." for the chats,
    after "foreign_history." for full questions at the end of a chat about something else.
    """
    measured = {name: value for name, (value, _) in _named(evaluation).items()}
    complaints = []
    for name, wanted in expected["scores"].items():
        value, tolerance = wanted["value"], wanted["tolerance"]
        if name not in measured:
            complaints.append(f"{name} is expected to be {value:.4f} and was not measured")
        elif abs(measured[name] - value) > tolerance + 1e-9:
            complaints.append(_difference(name, measured[name], value, tolerance))
    return complaints


def read_expected(path: Path) -> dict[str, dict[str, dict[str, float]]]:
    """Read the expected scores and their tolerances; raises GoldError when the file does not hold them."""
    try:
        scores = json.loads(path.read_text(encoding="utf-8"))["scores"]
        return {"scores": {name: {key: _finite(score[key]) for key in _EXPECTED} for name, score in scores.items()}}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise GoldError(
            f"{path} does not hold expected scores: delete it and write it anew with `rag evaluate --write`"
        ) from error


def write_expected(evaluation: Evaluation, path: Path) -> None:
    """Write the scores as the expected ones; tolerances already in the file stay.

    A new score tolerates 0.02 or one question, whichever is more; verbatim tolerates nothing. Latency is never written.
    Raises GoldError when the file cannot be written, or holds something else than expected scores.
    """
    kept = read_expected(path)["scores"] if path.exists() else {}
    scores = {}
    for name, (value, questions) in _named(evaluation).items():
        overall = "." not in name
        if overall or name.endswith(".right_sentence") or name in kept:
            tolerance = kept[name]["tolerance"] if name in kept else _tolerance(name, questions)
            scores[name] = {"value": round(value, 4), "tolerance": tolerance}
    try:
        path.write_text(json.dumps({"scores": scores}, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise GoldError(
            f"{path} cannot be written ({error.strerror}): make the folder writable or copy the gold file elsewhere"
        ) from error


def _named(evaluation: Evaluation) -> dict[str, tuple[float, int]]:
    sides = {
        "": evaluation.overall,
        **{f"{language}.": scores for language, scores in evaluation.by_language.items()},
        "follow_ups.": evaluation.follow_ups,
        "foreign_history.": evaluation.foreign_history,
    }
    return {
        f"{side}{name}": (value, _questions_behind(name, scores))
        for side, scores in sides.items()
        for name, value in asdict(scores).items()
        if name not in _NEVER_EXPECTED and value is not None
    }


def _questions_behind(name: str, scores: Scores) -> int:
    if name == "unanswerable_refused":
        return scores.questions - scores.answerable
    return scores.questions if name in ("verbatim", "ece") else scores.answerable


def _difference(name: str, measured: float, value: float, tolerance: float) -> str:
    rise = measured > value
    better = rise != (name.rpartition(".")[2] in _LOWER_IS_BETTER)
    what = f"an unexplained {'rise' if rise else 'improvement'}" if better else "worse"
    return (
        f"{name} {'rose' if rise else 'fell'} from {value:.4f} to {measured:.4f}, {what}, "
        f"beyond its tolerance of {tolerance:.4f}"
    )


def _tolerance(name: str, questions: int) -> float:
    # Rounded up, so that the rounding of the value to four digits cannot make one question too many.
    return 0.0 if name == "verbatim" else max(_TOLERANCE, math.ceil(1000 / questions) / 1000)


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError(f"{value} is not a score")
    return float(value)
