"""Why this answer and not another: the ranks and scores of each stage, for the winning and the losing readings."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rag.decide import ASSURANCE, EVIDENCE, SAME, Case, Decision, Weights
from rag.expect import expected
from rag.search import Found
from rag.spans import Citation, Span

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

LOSERS = 5
_STAGES = ("dense", "lexical", "fused", "reader", "score", "pooled")


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """What one answer was made of, kept to be explained when somebody asks.

    `wording` is the question as it was searched for, `attempts` every wording that was tried with its confidence;
    `found` the passages that were found, best first, of which not all are read; `case` None where nothing could be
    read; `further` the citations of passages that were read only when the answer was known.
    """

    wording: str
    language: str
    attempts: tuple[tuple[str, float], ...]
    found: tuple[Found, ...]
    case: Case | None
    decision: Decision
    weights: Weights
    threshold: float
    further: tuple[Citation, ...] = ()

    def explain(self) -> dict[str, Any]:
        """Return the stages as JSON values: the winner, all that is cited, and the best `LOSERS` of the others."""
        return {
            "wording": self.wording,
            "attempts": [{"wording": text, "confidence": round(sure, 4)} for text, sure in self.attempts],
            "expected": expected(self.wording, self.language),
            "threshold": self.threshold,
            "confidence": self._confidence(self.case) if self.case else None,
            "candidates": self._candidates(self.case) if self.case else [],
            "further": [_place(citation.answer, citation.sentence) for citation in self.further],
        }

    def _confidence(self, case: Case) -> dict[str, Any]:
        columns = _columns(ASSURANCE, case.assurance().tolist(), self.weights.confidence)
        logit = self.weights.bias + sum(column["adds"] for column in columns.values()) + case.untold()
        return {
            "value": round(self.decision.confidence, 4),
            "logit": round(logit, 4),
            "bias": self.weights.bias,
            "columns": columns,
            "untold": round(case.untold(), 4),
        }

    def _candidates(self, case: Case) -> list[dict[str, Any]]:
        roles = self._roles(case)
        losers = [i for i in range(len(case.readings)) if i not in roles][:LOSERS]
        ranks = {found.row: rank for rank, found in enumerate(self.found, start=1)}
        return [
            self._candidate(case, i, roles.get(i, "lost"), ranks[case.readings[i].found.row])
            for i in sorted([*roles, *losers])
        ]

    def _roles(self, case: Case) -> dict[int, str]:
        """Return what became of the readings that were not simply lost, by their place in the ranking."""
        cited = [citation.answer for citation in self.decision.citations]
        against = [citation.answer for other in self.decision.others for citation in other.citations]
        roles = {0: "won" if cited else "refused"}
        for i, reading in enumerate(case.readings):
            # A list that was asked for is cited whole, and read in part.
            if any(span.contains(reading.answer) for span in against):
                roles[i] = "contradicts"
            elif i and any(span.contains(reading.answer) for span in cited):
                roles[i] = "agrees"
        return roles

    def _candidate(self, case: Case, i: int, role: str, fused_rank: int) -> dict[str, Any]:
        reading, found = case.readings[i], case.readings[i].found
        return {
            "rank": i + 1,
            "outcome": role,
            **_place(reading.answer, reading.sentence),
            "dense": {"rank": found.dense_rank, "score": round(found.dense, 4)},
            "lexical": {"rank": found.lexical_rank, "score": round(found.lexical, 4)},
            "fused": {"rank": fused_rank, "score": round(found.hit.score, 5)},
            "reader": round(reading.score, 4),
            "evidence": _columns(EVIDENCE, case.evidence[i].tolist(), self.weights.ranking),
            "score": round(float(case.scores[i]), 4),
            "pooled": round(float(case.pooled[i]), 4),
            "same_answer_as_first": bool(case.alike[0, i] >= SAME) if i else True,
        }


def _place(answer: Span, sentence: Span) -> dict[str, Any]:
    return {
        "document": answer.document.id,
        "language": answer.document.language,
        "start": answer.start,
        "end": answer.end,
        "answer": answer.text,
        "sentence": sentence.text,
    }


def _columns(names: Sequence[str], values: Sequence[float], weights: Sequence[float]) -> dict[str, dict[str, float]]:
    return {
        name: {"value": round(value, 4), "weight": weight, "adds": round(value * weight, 4)}
        for name, value, weight in zip(names, values, weights, strict=True)
    }


def render(explanation: dict[str, Any], console: "Console") -> None:
    """Print an explanation: what was searched for, the candidates by stage, and what each score is made of."""
    if not explanation or explanation["confidence"] is None:
        console.print("Nothing was read, so there is nothing to explain.\n")
        return
    for attempt in explanation["attempts"]:
        chosen = " (chosen)" if attempt["wording"] == explanation["wording"] else ""
        console.print(f"Searched for: {attempt['wording']}  [{attempt['confidence']:.2f}]{chosen}")
    console.print(f"Expects: {explanation['expected']}. Answers from {explanation['threshold']:.2f} on.\n")
    console.print(_table_of_stages(explanation["candidates"]))
    console.print(_table_of_evidence(explanation["candidates"]))
    console.print(_table_of_confidence(explanation["confidence"]))
    for one in explanation["further"]:
        place = f"{one['document']}:{one['start']}-{one['end']}"
        console.print(f"Found afterwards, saying the same: {_brief(one['answer'])}  {place}")


def _table_of_stages(candidates: Sequence[dict[str, Any]]) -> "Table":
    from rich.table import Table

    table = Table("", "answer", "document", "", *_STAGES, title="stages")
    for one in candidates:
        ranked = [f"{_ordinal(one[name]['rank'])} {one[name]['score']:.3f}" for name in _STAGES[:3]]
        scores = [f"{one[name]:.2f}" for name in _STAGES[3:]]
        place = f"{one['document']}:{one['start']}-{one['end']}"
        table.add_row(str(one["rank"]), _brief(one["answer"]), place, one["outcome"], *ranked, *scores)
    return table


def _table_of_evidence(candidates: Sequence[dict[str, Any]]) -> "Table":
    from rich.table import Table

    table = Table("evidence", "weight", *(str(one["rank"]) for one in candidates), title="value, and what it adds")
    for column in table.columns[1:]:
        column.justify = "right"
    for name, first in candidates[0]["evidence"].items():
        cells = [one["evidence"][name] for one in candidates]
        table.add_row(name, f"{first['weight']:.2f}", *(f"{cell['value']:.2f} {cell['adds']:+.2f}" for cell in cells))
    return table


def _table_of_confidence(confidence: dict[str, Any]) -> "Table":
    from rich.table import Table

    table = Table("confidence", "weight", "value", "adds", title="confidence of the first")
    for column in table.columns[1:]:
        column.justify = "right"
    for name, cell in confidence["columns"].items():
        table.add_row(name, f"{cell['weight']:.2f}", f"{cell['value']:.2f}", f"{cell['adds']:+.2f}")
    if confidence["untold"]:
        table.add_row("untold", "", "", f"{confidence['untold']:+.2f}")
    table.add_row("bias", "", "", f"{confidence['bias']:+.2f}")
    table.add_section()
    table.add_row("sum", "", "", f"{confidence['logit']:+.2f}")
    table.add_row("probability", "", "", f"{1 / (1 + math.exp(-confidence['logit'])):.2f}")
    return table


def _ordinal(rank: int | None) -> str:
    return "-" if rank is None else f"#{rank}"


def _brief(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= 40 else f"{plain[:39]}…"
