"""Scores as tables on the terminal."""

from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING

from rag.evaluate import Evaluation, Scores

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_PAIR_COLUMNS = {
    "answerable": "n",
    "right_sentence": "sent.",
    "right_words": "words",
    "exact_match": "EM",
    "f1": "F1",
    "recall_at_5": "R@5",
    "mrr": "MRR",
    "citation_precision": "cited",
}


def render(evaluation: Evaluation, console: "Console") -> None:
    """Print the scores as two tables: by question language, and by question language and document language."""
    columns = {"all": evaluation.overall, **evaluation.by_language}
    if evaluation.follow_up_outcomes:
        columns["follow-ups"] = evaluation.follow_ups
    console.print(_table_of_scores(columns))
    console.print(_table_of_pairs(evaluation.by_languages))


def _table_of_scores(columns: Mapping[str, Scores]) -> "Table":
    from rich.table import Table

    table = Table("score", *columns, title="by question language")
    for column in table.columns[1:]:
        column.justify = "right"
    for field in fields(Scores):
        table.add_row(field.name, *(_cell(field.name, getattr(scores, field.name)) for scores in columns.values()))
    return table


def _table_of_pairs(pairs: Mapping[tuple[str, str], Scores]) -> "Table":
    from rich.table import Table

    table = Table("asked", "source", *_PAIR_COLUMNS.values(), title="by question language and document language")
    for column in table.columns[2:]:
        column.justify = "right"
    asked_above = ""
    for (asked, written), scores in pairs.items():
        if asked_above not in ("", asked):
            table.add_section()
        cells = [_cell(name, getattr(scores, name)) for name in _PAIR_COLUMNS]
        table.add_row("" if asked == asked_above else asked, written, *cells)
        asked_above = asked
    return table


def _cell(name: str, value: float | None) -> str:
    if value is None:
        return "-"
    if name in ("questions", "answerable"):
        return str(value)
    return f"{value:.1f}" if name.endswith("_ms") else f"{value:.3f}"
