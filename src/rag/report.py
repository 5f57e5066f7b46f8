"""An evaluation as one HTML page that needs nothing from elsewhere: scores, causes, levels, plots, the worst misses."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import fields
from html import escape
from pathlib import Path

from rag.errors import GoldError
from rag.evaluate import CAUSES, Evaluation, Outcome, Scores
from rag.plots import reliability_plot, risk_coverage_plot
from rag.spans import LEVELS

WORST = 20
MOST_WORDINGS = 4
_NAMES = {
    "questions": "questions",
    "answerable": "answerable",
    "right_sentence": "right sentence",
    "right_words": "right words",
    "exact_match": "exact match",
    "f1": "F1 of words",
    "recall_at_5": "recall@5",
    "mrr": "MRR",
    "citation_precision": "citation precision",
    "citation_recall": "citation recall",
    "verbatim": "verbatim",
    "unanswerable_refused": "unanswerable refused",
    "answerable_refused": "answerable refused",
    "ece": "ECE",
    "latency_p50_ms": "p50, ms",
    "latency_p95_ms": "p95, ms",
}
_PAIR_SCORES = ("answerable", "right_sentence", "right_words", "f1", "recall_at_5", "citation_precision")
_STYLE = """
:root { color-scheme: light dark; --ink: #1b1b1f; --dim: #5c5c66; --rule: #d8d8de; --mark: #1f5fa8; --page: #fff; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #ececf1; --dim: #a5a5b0; --rule: #3b3b44; --mark: #7db4f0; --page: #17171b; }
}
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--page); max-width: 72rem;
  margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.5rem; } p, caption { color: var(--dim); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding-bottom: .5rem; }
th, td { padding: .3rem .7rem; border-bottom: 1px solid var(--rule); text-align: left; vertical-align: top; }
td.number { text-align: right; white-space: nowrap; }
.plots { display: flex; flex-wrap: wrap; gap: 2rem; } figure { margin: 0; }
svg text { fill: var(--dim); font-size: 11px; } svg .grid { stroke: var(--rule); }
svg .even { stroke: var(--dim); stroke-dasharray: 4 4; }
svg .line { fill: none; stroke: var(--mark); stroke-width: 2; } svg .dot { fill: var(--mark); fill-opacity: .6; }
mark { background: none; color: var(--mark); font-weight: 600; }
"""


def write_report(evaluation: Evaluation, path: Path, *, title: str) -> None:
    """Write the page; raises GoldError when the file cannot be written."""
    try:
        path.write_text(page(evaluation, title=title), encoding="utf-8")
    except OSError as error:
        raise GoldError(
            f"the report {path} cannot be written ({error.strerror}): give a file in a folder that exists"
        ) from error


def page(evaluation: Evaluation, *, title: str) -> str:
    """Return the page as HTML; every text of the documents and of the gold questions is escaped."""
    sections = [
        _by_language(evaluation),
        _by_languages(evaluation),
        _follow_ups(evaluation),
        _levels(evaluation),
        _causes(evaluation),
        _worst(evaluation),
    ]
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            # The page has no script and asks for nothing; a browser can hold it to that.
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
            f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>",
            f"<h1>{escape(title)}</h1>",
            *sections,
            "</body></html>\n",
        ]
    )


def _by_language(evaluation: Evaluation) -> str:
    columns = {"all": evaluation.overall, **evaluation.by_language}
    rows = [
        [_NAMES[field.name], *(_number(getattr(scores, field.name)) for scores in columns.values())]
        for field in fields(Scores)
    ]
    return _section(
        "Scores by question language",
        _table("Shares are of the answerable questions unless the name says otherwise.", ["", *columns], rows),
    )


def _by_languages(evaluation: Evaluation) -> str:
    rows = [
        [asked, written, *(_number(getattr(scores, name)) for name in _PAIR_SCORES)]
        for (asked, written), scores in evaluation.by_languages.items()
    ]
    return _section(
        "Question language by document language",
        _table(
            "A question whose sources are in several languages counts in each.",
            ["asked in", "source in", *(_NAMES[name] for name in _PAIR_SCORES)],
            rows,
        ),
    )


def _follow_ups(evaluation: Evaluation) -> str:
    chats, foreign, harmed = evaluation.follow_ups, evaluation.foreign_history, evaluation.harmed
    if not evaluation.follow_up_outcomes:
        return _section("Follow-ups", "<p>No chats were given.</p>")
    alone = {outcome.gold.id: outcome.right for outcome in evaluation.outcomes}
    right_alone = sum(alone[outcome.gold.id] for outcome in evaluation.foreign_outcomes)
    right_with = sum(outcome.right for outcome in evaluation.foreign_outcomes)
    rows = [
        ["follow-ups, with their history", _number(chats.questions), _number(chats.right_sentence),
         _number(chats.right_words), _number(chats.unanswerable_refused)],
        ["full questions, with a foreign history", _number(foreign.questions), _number(foreign.right_sentence),
         _number(foreign.right_words), _number(foreign.unanswerable_refused)],
    ]  # fmt: skip
    told = (
        f"Of {len(evaluation.foreign_outcomes)} full questions, {right_alone} came out right alone and {right_with} at "
        f"the end of a chat about something else; history harmed {len(harmed)}"
        + (f" ({', '.join(outcome.gold.id for outcome in harmed)})." if harmed else ".")
    )
    table = _table("", ["", "questions", "right sentence", "right words", "unanswerable refused"], rows)
    return _section("Follow-ups, both ways", f"<p>{escape(told)}</p>{table}")


def _levels(evaluation: Evaluation) -> str:
    rows = [
        [scores.level, f"{LEVELS[scores.level][0]:.2f}", LEVELS[scores.level][1], _number(scores.answers),
         _number(scores.confidence), _number(scores.right_sentence), _number(scores.right_words)]
        for scores in evaluation.levels
    ]  # fmt: skip
    header = ["level", "from", "meaning", "answers", "mean confidence", "right sentence", "right words"]
    plots = (
        f'<div class="plots"><figure>{reliability_plot(evaluation.reliability)}'
        "<figcaption>On the dashed line, confidence is as often right as it says.</figcaption></figure>"
        f"<figure>{risk_coverage_plot(evaluation.risk_coverage)}"
        "<figcaption>What is wrong among the answers, when only the surest are given.</figcaption></figure></div>"
    )
    return _section("Confidence", _table("Of the answers that were given.", header, rows) + plots)


def _causes(evaluation: Evaluation) -> str:
    languages = list(evaluation.by_language)
    counts = Counter((outcome.cause, outcome.gold.language) for outcome in evaluation.outcomes)
    rows = [
        [cause, meaning, _number(evaluation.causes[cause]), *(_number(counts[cause, x]) for x in languages)]
        for cause, meaning in CAUSES.items()
    ]
    caption = f"Of {len(evaluation.outcomes)} questions; a question without right words is a miss."
    return _section("Causes of the misses", _table(caption, ["cause", "", "all", *languages], rows))


def _worst(evaluation: Evaluation) -> str:
    header = ["question", "expected", "answered", "in the sentence", "confidence", "cause"]
    rows = "".join(_miss(outcome) for outcome in evaluation.worst(WORST))
    caption = "Wrong answers by falling confidence, then refusals, then wrong words of the right sentence."
    return _section(f"The {WORST} worst misses", _framed(caption, header, rows))


def _miss(outcome: Outcome) -> str:
    gold, answer = outcome.gold, outcome.answer
    wordings = " / ".join(f"“{wording}”" for wording in gold.answers[:MOST_WORDINGS])
    more = f" and {len(gold.answers) - MOST_WORDINGS} more" if len(gold.answers) > MOST_WORDINGS else ""
    earlier = "".join(f"{escape(question)} — {escape(said)}<br>" for question, said in gold.history)
    sentence = ""
    if answer.found:
        words, whole = answer.citations[0].answer, answer.citations[0].sentence
        before, after = whole.text[: words.start - whole.start], whole.text[words.end - whole.start :]
        sentence = f"{escape(before)}<mark>{escape(words.text)}</mark>{escape(after)}<br>{escape(words.document.id)}"
    cells = [
        f"{escape(gold.id)}<br>{earlier}<strong>{escape(gold.question)}</strong>",
        escape(wordings + more) or "a refusal",
        escape(answer.text) if answer.found else f"refused ({escape(answer.reason or '')})",
        sentence,
        f"{answer.confidence:.2f}" + (f"<br>{answer.level}" if answer.level else ""),
        escape(outcome.cause or ""),
    ]
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _section(title: str, body: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{body}</section>"


def _table(caption: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    body = "".join(
        "<tr>" + "".join(f"<td{_is_number(cell)}>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return _framed(caption, header, body)


def _framed(caption: str, header: Sequence[str], body: str) -> str:
    heads = "".join(f'<th scope="col">{escape(name)}</th>' for name in header)
    said = f"<caption>{escape(caption)}</caption>" if caption else ""
    table = f"<table>{said}<thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"
    # A wide table scrolls by itself; it can be reached by keyboard to do so.
    return f'<div class="wide" tabindex="0">{table}</div>'


def _is_number(cell: str) -> str:
    return ' class="number"' if cell == "-" or cell.replace(".", "", 1).isdigit() else ""


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return str(value) if isinstance(value, int) else f"{value:.3f}"
