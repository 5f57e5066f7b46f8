"""The conversation as HTML: questions, quotations with their citations, refusals; every text of a document escaped."""

from collections.abc import Sequence
from html import escape

from rag.conversation import Turn
from rag.decide import MOST_CITATIONS
from rag.labels import COMPLAINTS, Labels
from rag.markup import anchor, button, escaped, excerpt_html, lang, marked_html, questions_html, title_html
from rag.spans import Answer, Citation, Hit, Span

NEAREST_SHOWN = 3
WHY_LENGTH = 500  # characters


def header_html(labels: Labels) -> str:
    """Return the name of the page and what it is, and what can be done with a conversation."""
    exports = button("export", "Markdown", "markdown") + button("export", "JSON", "json")
    return (
        f'<div class="top"{lang(labels.language)} data-conversation="{escape(labels.conversation)}" '
        f'data-copied="{escape(labels.copied)}"><h1>Verbatim</h1><p>{escape(labels.tagline)}</p>'
        f'<div class="tools"><details class="menu"><summary>{escape(labels.export)}</summary>'
        f"<div>{exports}</div></details>"
        f"{button('clear', labels.clear)}</div></div>"
    )


def messages(turns: Sequence[Turn], labels: Labels, pending: str | None = None) -> list[dict[str, str]]:
    """Return the conversation as a chat's messages; a `pending` question is still without its answer."""
    shown = []
    for turn in turns:
        last = turn is turns[-1] and pending is None
        shown += [
            _message("user", question_html(turn.question)),
            _message("assistant", turn_html(turn, labels, last=last)),
        ]
    if pending is not None:
        waiting = f'<p class="working">{escape(labels.working)}</p>'
        shown += [_message("user", question_html(pending)), _message("assistant", waiting)]
    return shown


def question_html(question: str) -> str:
    """Return a question as it was typed."""
    return f'<p class="asked">{escaped(question)}</p>'


def turn_html(turn: Turn, labels: Labels, *, last: bool) -> str:
    """Return the reply to a question, and what can be done with it; the last one can be asked again."""
    if turn.answer is None:
        again = f'<p class="actions">{button("retry", labels.retry)}</p>' if last else ""
        return f'<div class="refusal"><p>{escape(turn.notice)}</p>{again}</div>'
    said = passages_html(turn.answer, labels) if turn.passages_only else answer_html(turn.answer, labels, turn.searched)
    offers = questions_html(labels.next, turn.next) if last else ""
    return said + _actions_html(turn, turn.answer, labels, last=last) + offers


def answer_html(answer: Answer, labels: Labels, searched: int = 0) -> str:
    """Return an answer as HTML: a quotation with its numbered citations, or a refusal with its reason.

    The exact words lie in `<mark>`, inside their sentence. `searched` documents could have said so; 0 is unknown.
    """
    return _quotation_html(answer, labels, searched) if answer.found else _refusal_html(answer, labels)


def passages_html(answer: Answer, labels: Labels) -> str:
    """Return the passages nearest to a question, without an answer."""
    if not answer.passages:
        return _refusal_html(answer, labels) if answer.reason else ""
    return (
        f'<div class="passages"><p class="kind">{escape(labels.passages)}</p>'
        f"<ul>{_near_html(answer.passages, labels)}</ul></div>"
    )


def support(answer: Answer, labels: Labels, searched: int) -> str:
    """Return how many of the documents that were searched say so, and in which languages."""
    documents = {citation.answer.document.id: citation.answer.document for citation in answer.citations}
    spoken = ", ".join(dict.fromkeys(each.language for each in documents.values() if each.language != "und"))
    if searched < 2 or not spoken:
        return ""
    capped = len(documents) == MOST_CITATIONS < searched
    form = labels.one_says_so if len(documents) == 1 else labels.many_say_so if capped else labels.some_say_so
    return form.format(count=len(documents), total=searched, languages=spoken)


def _message(role: str, html: str) -> dict[str, str]:
    return {"role": role, "content": html}


def _quotation_html(answer: Answer, labels: Labels, searched: int) -> str:
    best, *rest = answer.citations
    document = best.answer.document
    said = support(answer, labels, searched)
    number = len(answer.citations) + 1
    others = ""
    for other in answer.others:
        others += _list_html(labels.others if not others else "", other.citations, labels, first=number, kind="others")
        number += len(other.citations)
    return (
        f'<div class="answer"><p class="kind"><span>{escape(labels.quotation)}</span>'
        f"{_foreign_html(answer, labels)}</p>"
        f"<blockquote{lang(document.language)}>"
        f"{marked_html(document, best.sentence.start, best.sentence.end, None, best.answer)}</blockquote>"
        f'<p class="cited">{_link_html(best, 1, labels)}</p>'
        f"{_confidence_html(answer, labels)}{_lacking_html(answer, labels)}"
        + (f'<p class="support">{escape(said)}</p>' if said else "")
        + _list_html(labels.also, rest, labels, first=2, kind="also")
        + others
        + "</div>"
    )


def _list_html(title: str, citations: Sequence[Citation], labels: Labels, *, first: int, kind: str) -> str:
    if not citations:
        return ""
    rows = "".join(
        f"<li>{_link_html(citation, number, labels)} <q{lang(citation.answer.document.language)}>"
        f"{escaped(citation.answer.text)}</q></li>"
        for number, citation in enumerate(citations, start=first)
    )
    return (f'<p class="{kind}">{escape(title)}</p>' if title else "") + f'<ul class="{kind}">{rows}</ul>'


def _refusal_html(answer: Answer, labels: Labels) -> str:
    assert answer.reason is not None
    nearest = _near_html(answer.passages[:NEAREST_SHOWN], labels)
    return (
        f'<div class="refusal"><p class="kind">{escape(labels.refusal)}</p>'
        f"<p>{escape(labels.reasons[answer.reason])}</p>{_lacking_html(answer, labels)}"
        + (f"<details><summary>{escape(labels.nearest)}</summary><ul>{nearest}</ul></details>" if nearest else "")
        + "</div>"
    )


def _lacking_html(answer: Answer, labels: Labels) -> str:
    return f'<p class="support">{escaped(said)}</p>' if (said := labels.lacking(answer.unmentioned)) else ""


def _near_html(hits: Sequence[Hit], labels: Labels) -> str:
    return "".join(
        f'<li><a href="#{anchor(hit.span.document, hit.span)}">{title_html(hit.span.document)}'
        f"{_page_html(hit.span, labels)}</a>"
        f"<blockquote{lang(hit.span.document.language)}>{excerpt_html(hit.span)}</blockquote></li>"
        for hit in hits
    )


def _foreign_html(answer: Answer, labels: Labels) -> str:
    language = answer.citations[0].answer.document.language
    if language in (answer.language, "und") or answer.language == "und":
        return ""
    words = labels.foreign.format(language=labels.languages.get(language, language))
    return f'<span class="foreign">{escape(words)}</span>'


def _confidence_html(answer: Answer, labels: Labels) -> str:
    assert answer.level is not None
    name, meaning = labels.levels[answer.level]
    percent = labels.percent.format(percent=round(100 * answer.confidence))
    return (
        f'<p class="confidence {answer.level}"><span class="meter"></span><b>{escape(name)}</b> {escape(percent)}'
        f'<span class="meaning">{escape(meaning)}</span></p>'
    )


def _link_html(citation: Citation, number: int, labels: Labels) -> str:
    document = citation.answer.document
    return (
        f'<a href="#{anchor(document, citation.answer, citation.sentence)}"><span class="number">[{number}]</span> '
        f"{title_html(document)}{_page_html(citation.answer, labels)}</a>"
    )


def _page_html(span: Span, labels: Labels) -> str:
    return f", {escape(labels.page.format(page=span.page))}" if span.page is not None else ""


def _actions_html(turn: Turn, answer: Answer, labels: Labels, *, last: bool) -> str:
    copies = button("copy", labels.copy, plain_text(answer)) if answer.found and not turn.passages_only else ""
    again = button("retry", labels.retry) if last else ""
    # What a reader's own files say is nobody else's: it is not offered to be noted.
    verdict = "" if turn.own or turn.passages_only else _verdict_html(turn, labels)
    return f'<div class="actions">{copies}{again}{verdict}</div>'


def _verdict_html(turn: Turn, labels: Labels) -> str:
    if turn.verdict is None:
        return (
            f'<span class="verdict">{escape(labels.verdict)} {button("right", labels.right, turn.id, kind="up")}'
            f"{button('wrong', labels.wrong, turn.id, kind='down')}</span>"
        )
    noted = f'<span class="verdict noted {turn.verdict}">{escape(labels.noted)}</span>'
    if turn.why:
        return noted
    complaints = "".join(
        button("why", labels.complaints[complaint], f"{turn.id} {complaint}") for complaint in COMPLAINTS[:-1]
    )
    return (
        f'{noted}<div class="why"><label>{escape(labels.why)} <input type="text" maxlength="{WHY_LENGTH}" '
        f'placeholder="{escape(labels.comment)}"/></label>{button("comment", labels.send, turn.id)}'
        + (f'<div class="complaints">{complaints}</div>' if turn.verdict == "wrong" else "")
        + "</div>"
    )


def plain_text(answer: Answer) -> str:
    """Return an answer to paste elsewhere: the sentence in quotation marks, and where it stands."""
    citation = answer.citations[0]
    document = citation.answer.document
    place = " · ".join(fact for fact in (document.title, document.date, document.id) if fact)
    return f"“{citation.sentence.text.strip()}”\n{place}"
