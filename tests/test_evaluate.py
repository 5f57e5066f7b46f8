import io
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from rag.baseline import compare, read_expected, write_expected
from rag.errors import GoldError
from rag.evaluate import FOREIGN, Evaluation, Outcome, evaluate
from rag.gold import GoldQuestion, read_chats, read_gold
from rag.spans import Answer, Citation, Document, Hit, Span
from rag.tables import render

ENGLISH = Document("en.txt", "Studio", "en", "The studio opened in August. Albert Cheng leads the studio.")
FRENCH = Document("fr.txt", "Atelier", "fr", "Albert Cheng dirige l’atelier. La bêta fermée commence en mars.")


class Clerk:
    """Answers by cue words: knows which phrase a word in the question asks for, and where the phrase stands.

    The first document that has the phrase is cited first. A question without a cue is taken for a follow-up, and its
    cue is looked for in the question before.
    """

    def __init__(self, cues: dict[str, tuple[str, float]], documents: tuple[Document, ...] = (ENGLISH, FRENCH)) -> None:
        self.cues = cues
        self.documents = documents

    def ask(self, question: str, history: Sequence[tuple[str, str]] = ()) -> Answer:
        texts = [question, *(asked for asked, _ in reversed(history))]
        found = next((self.cues[cue] for text in texts for cue in self.cues if cue in text), None)
        passages = tuple(Hit(Span(document, 0, len(document.text)), 1.0) for document in self.documents)
        if found is None:
            return Answer(question, "en", (), 0.1, "nothing_relevant", passages)
        phrase, confidence = found
        citations = tuple(_citation(document, phrase) for document in self.documents if phrase in document.text)
        return Answer(question, "en", citations, confidence, None, passages)


def _citation(document: Document, phrase: str) -> Citation:
    start = document.text.index(phrase)
    sentence = next(match for match in re.finditer(r"[^.]+\.", document.text) if match.end() > start)
    return Citation(
        Span(document, start, start + len(phrase)), Span(document, sentence.start(), sentence.end()), score=1.0
    )


def gold(question: str, *answers: str, sources: Sequence[str] = (), language: str = "en", id: str = "") -> GoldQuestion:
    return GoldQuestion(id or question, language, question, answers, tuple(sources))


def only(evaluation: Evaluation) -> Outcome:
    (outcome,) = evaluation.outcomes
    return outcome


BOTH = ("en.txt", "fr.txt")


def test_a_right_answer_is_right_in_every_way() -> None:
    clerk = Clerk({"leads": ("Albert Cheng", 0.9)})
    outcome = only(evaluate(clerk, [gold("who leads it?", "Albert Cheng", sources=BOTH)]))
    assert (outcome.right, outcome.right_sentence, outcome.right_words) == (True, True, True)
    assert (outcome.exact_match, outcome.f1, outcome.recall_at_5, outcome.reciprocal_rank) == (1.0, 1.0, 1.0, 1.0)
    assert (outcome.citations, outcome.supported, outcome.verbatim) == (2, 2, 2)
    assert outcome.latency_ms >= 0


def test_the_sentence_can_be_right_and_the_words_wrong() -> None:
    clerk = Clerk({"leads": ("the studio", 0.9)})
    outcome = only(evaluate(clerk, [gold("who leads it?", "Albert Cheng", sources=["en.txt"])]))
    assert (outcome.right_sentence, outcome.right_words, outcome.f1) == (True, False, 0.0)


def test_words_are_right_when_they_contain_a_wording_but_match_exactly_only_alone() -> None:
    clerk = Clerk({"leads": ("Albert Cheng leads", 0.9)})
    outcome = only(evaluate(clerk, [gold("who leads it?", "Albert Cheng", "Cheng", sources=["en.txt"])]))
    assert (outcome.right_words, outcome.exact_match) == (True, 0.0)
    assert outcome.f1 == pytest.approx(0.8)


@pytest.mark.parametrize(("words", "right"), [(25, True), (26, False)])
def test_words_are_right_up_to_25_of_them(words: int, right: bool) -> None:
    text = " ".join(["Cheng", *(f"word{number}" for number in range(words - 1))])
    document = Document("long.txt", "Long", "en", f"{text}.")
    clerk = Clerk({"who": (text, 0.9)}, (document,))
    outcome = only(evaluate(clerk, [gold("who?", "Cheng", sources=["long.txt"])]))
    assert (outcome.right_sentence, outcome.right_words) == (True, right)


def test_the_right_words_in_a_document_that_is_no_source_are_wrong() -> None:
    clerk = Clerk({"leads": ("Albert Cheng", 0.9)})
    outcome = only(evaluate(clerk, [gold("who leads it?", "Albert Cheng", sources=["fr.txt"])]))
    assert (outcome.right_sentence, outcome.right_words, outcome.exact_match) == (False, False, 1.0)
    assert (outcome.citations, outcome.supported) == (2, 1)
    # The English passage comes first and is no source, so the first relevant one is the second.
    assert outcome.reciprocal_rank == 0.5


def test_a_wording_elsewhere_in_the_document_does_not_make_the_sentence_right() -> None:
    clerk = Clerk({"leads": ("August", 0.9)})
    outcome = only(evaluate(clerk, [gold("who leads it?", "Albert Cheng", sources=["en.txt"])]))
    assert (outcome.right_sentence, outcome.recall_at_5) == (False, 1.0)


def test_a_refused_question_scores_nothing_but_its_passages_count() -> None:
    outcome = only(evaluate(Clerk({}), [gold("who leads it?", "Albert Cheng", sources=BOTH)]))
    assert (outcome.right, outcome.right_words, outcome.exact_match, outcome.f1) == (False, False, 0.0, 0.0)
    assert (outcome.citations, outcome.recall_at_5) == (0, 1.0)


def test_recall_looks_at_five_passages() -> None:
    fillers = tuple(Document(f"{number}.txt", "Filler", "en", "Nothing here.") for number in range(5))
    clerk = Clerk({}, (*fillers, ENGLISH))
    outcome = only(evaluate(clerk, [gold("who leads it?", "Albert Cheng", sources=["en.txt"])]))
    assert outcome.recall_at_5 == 0.0
    assert outcome.reciprocal_rank == pytest.approx(1 / 6)


def test_a_citation_of_another_text_than_the_documents_is_not_verbatim() -> None:
    class Forger(Clerk):
        def ask(self, question: str, history: Sequence[tuple[str, str]] = ()) -> Answer:
            forged = Document("en.txt", "Studio", "en", "Jeff Bezos leads the studio.")
            return Answer(question, "en", (_citation(forged, "Jeff Bezos"),), 1.0, None)

    evaluation = evaluate(Forger({}), [gold("who leads it?", "Jeff Bezos", sources=["en.txt"])])
    assert only(evaluation).verbatim == 0
    assert evaluation.overall.verbatim == 0.0


@pytest.fixture
def mixed() -> Evaluation:
    """Six questions: right, wrong, refused; right in both languages; refused rightly; answered wrongly."""
    clerk = Clerk(
        {
            "leads": ("Albert Cheng", 0.9),
            "opened": ("Albert Cheng", 0.7),
            "dirige": ("Albert Cheng", 0.8),
            "owns": ("August", 0.6),
        }
    )
    questions = [
        gold("who leads it?", "Albert Cheng", sources=BOTH),
        gold("when was it opened?", "August", sources=["en.txt"]),
        gold("when does the beta start?", "en mars", sources=["fr.txt"]),
        gold("qui dirige ?", "Albert Cheng", sources=["en.txt"], language="fr"),
        gold("combien coûte-t-il ?", language="fr"),
        gold("who owns it?"),
    ]
    chat = GoldQuestion("c", "en", "and his name?", ("Albert Cheng",), BOTH, history=(("who leads it?", "Cheng"),))
    return evaluate(clerk, questions, chats=[chat])


def test_overall_scores(mixed: Evaluation) -> None:
    scores = mixed.overall
    assert (scores.questions, scores.answerable) == (6, 4)
    assert scores.right_sentence == 2 / 4
    assert scores.right_words == 2 / 4
    assert scores.exact_match == 2 / 4
    assert scores.recall_at_5 == 1.0
    # Passages come English first: the French-only question finds its passage second.
    assert scores.mrr == pytest.approx((1 + 1 + 0.5 + 1) / 4)
    # "leads" two supported of two; "opened" none of two; "dirige" one of two, for French is no source of it.
    assert scores.citation_precision == pytest.approx(3 / 6)
    # Two sources, one, one and one: three of the five are cited.
    assert scores.citation_recall == pytest.approx(3 / 5)
    assert scores.verbatim == 1.0
    assert scores.unanswerable_refused == 1 / 2
    assert scores.answerable_refused == 1 / 4
    # One answer to a bin: |1 - 0.9|, |0 - 0.7|, |1 - 0.8|, and |0 - 0.6| for the answer that does not exist.
    assert scores.ece == pytest.approx((0.1 + 0.7 + 0.2 + 0.6) / 4)


def test_scores_by_question_language(mixed: Evaluation) -> None:
    assert list(mixed.by_language) == ["en", "fr"]
    assert mixed.by_language["en"].right_sentence == 1 / 3
    assert mixed.by_language["fr"].right_sentence == 1.0
    assert mixed.by_language["fr"].unanswerable_refused == 1.0
    assert mixed.by_language["fr"].answerable_refused == 0.0


def test_scores_by_both_languages_count_a_question_in_each_of_its_sources(mixed: Evaluation) -> None:
    cells = {pair: (scores.answerable, scores.right_sentence) for pair, scores in mixed.by_languages.items()}
    assert cells == {("en", "en"): (2, 1 / 2), ("en", "fr"): (2, 1 / 2), ("fr", "en"): (1, 1.0)}


def test_two_sources_of_one_language_count_once() -> None:
    documents = (ENGLISH, Document("en2.txt", "Again", "en", "Albert Cheng leads the studio."))
    clerk = Clerk({"leads": ("Albert Cheng", 0.9)}, documents)
    evaluation = evaluate(clerk, [gold("who leads it?", "Albert Cheng", sources=["en.txt", "en2.txt"])])
    assert evaluation.by_languages["en", "en"].answerable == 1


def test_a_follow_up_is_asked_with_its_history_and_scored_apart(mixed: Evaluation) -> None:
    assert mixed.follow_ups.right_sentence == 1.0
    assert mixed.follow_ups.questions == 1
    assert len(mixed.outcomes) == 6


def test_worst_puts_confident_wrong_answers_before_refusals(mixed: Evaluation) -> None:
    worst = [miss.gold.id for miss in mixed.worst(10)]
    assert worst == ["when was it opened?", "who owns it?", "when does the beta start?"]
    assert [miss.gold.id for miss in mixed.worst(1)] == ["when was it opened?"]


def test_the_cause_of_each_miss(mixed: Evaluation) -> None:
    assert {outcome.gold.id: outcome.cause for outcome in mixed.outcomes} == {
        "who leads it?": None,
        "when was it opened?": "ranking",
        "when does the beta start?": "refusal",
        "qui dirige ?": None,
        "combien coûte-t-il ?": None,
        "who owns it?": "answered",
    }
    assert mixed.causes == {"answered": 1, "retrieval": 0, "ranking": 1, "words": 0, "refusal": 1}


def test_a_miss_is_one_of_retrieval_where_no_passage_holds_the_answer() -> None:
    clerk = Clerk({"leads": ("Albert Cheng", 0.9)}, (ENGLISH,))
    other = Document("other.txt", "Other", "en", "Maria Duarte leads the harbour.")
    clerk.documents = (ENGLISH, other)
    found = evaluate(clerk, [gold("who leads the harbour?", "Maria Duarte", sources=["other.txt"])])
    assert only(found).cause == "ranking"

    class Blind(Clerk):
        def ask(self, question: str, history: Sequence[tuple[str, str]] = ()) -> Answer:
            return replace(super().ask(question, history), passages=(Hit(Span(ENGLISH, 0, len(ENGLISH.text)), 1.0),))

    blind = Blind({"leads": ("Albert Cheng", 0.9)}, (ENGLISH, other))
    missed = evaluate(blind, [gold("who leads the harbour?", "Maria Duarte", sources=["other.txt"])])
    assert only(missed).cause == "retrieval"


def test_wrong_words_of_the_right_sentence_are_the_mildest_miss() -> None:
    clerk = Clerk({"leads": ("the studio", 0.95), "opened": ("Albert Cheng", 0.5)})
    questions = [
        gold("who leads it?", "Albert Cheng", sources=["en.txt"]),
        gold("when was it opened?", "August", sources=["en.txt"]),
    ]
    worst = evaluate(clerk, questions).worst(5)
    assert [(miss.gold.id, miss.cause) for miss in worst] == [
        ("when was it opened?", "ranking"),
        ("who leads it?", "words"),
    ]


def test_each_level_has_its_share_of_right_answers(mixed: Evaluation) -> None:
    levels = {scores.level: scores for scores in mixed.levels}
    assert [(level, scores.answers) for level, scores in levels.items()] == [
        ("high", 1),
        ("good", 2),
        ("low", 1),
        ("doubtful", 0),
    ]
    assert levels["high"].right_sentence == 1.0
    assert levels["good"].right_sentence == 0.5
    assert levels["good"].confidence == pytest.approx(0.75)
    assert (levels["low"].right_sentence, levels["doubtful"].right_sentence) == (0.0, None)


def test_full_questions_are_asked_with_a_foreign_history_too(mixed: Evaluation) -> None:
    # The chat is answered "Albert Cheng", so it is foreign to the questions that have another answer or none.
    assert [outcome.gold.id for outcome in mixed.foreign_outcomes] == [
        "when was it opened?",
        "when does the beta start?",
        "combien coûte-t-il ?",
        "who owns it?",
    ]
    # Clerk looks for a cue in the question before: the French question, refused alone, is now answered wrongly.
    assert [outcome.gold.id for outcome in mixed.harmed] == ["combien coûte-t-il ?"]
    assert mixed.foreign_history.unanswerable_refused == 0.0
    assert mixed.to_dict()["foreign_history"]["harmed"] == ["combien coûte-t-il ?"]


def test_of_many_questions_some_are_asked_with_a_foreign_history() -> None:
    chat = GoldQuestion("c", "en", "and his name?", ("Albert Cheng",), BOTH, history=(("who leads it?", "Cheng"),))
    evaluation = evaluate(Clerk({}), [gold(f"question {n}") for n in range(3 * FOREIGN)], chats=[chat])
    assert [outcome.gold.id for outcome in evaluation.foreign_outcomes][:2] == ["question 0", "question 3"]
    assert len(evaluation.foreign_outcomes) == FOREIGN


def test_silence_raises_no_score() -> None:
    scores = evaluate(Clerk({}), [gold("who leads it?", "Albert Cheng", sources=BOTH)]).overall
    assert (scores.citation_precision, scores.verbatim, scores.ece) == (0.0, 0.0, 1.0)
    assert (scores.answerable_refused, scores.unanswerable_refused) == (1.0, None)


def test_nothing_asked_has_no_scores() -> None:
    scores = evaluate(Clerk({}), []).overall
    assert (scores.questions, scores.right_sentence, scores.ece, scores.latency_p50_ms) == (0, None, None, None)


def test_progress_is_told_stage_and_counts() -> None:
    told: list[tuple[str, int, int]] = []
    asked = [gold("one"), gold("two")]
    evaluate(Clerk({}), asked, chats=[gold("three")], progress=lambda *step: told.append(step))
    # The chat has no answers and no turns before, so there is a history to ask both questions with.
    assert told == [
        ("questions", 1, 2),
        ("questions", 2, 2),
        ("follow-ups", 1, 1),
        ("foreign histories", 1, 2),
        ("foreign histories", 2, 2),
    ]


def test_a_source_outside_the_index_is_a_mistake_in_the_gold() -> None:
    with pytest.raises(GoldError, match=r'"who\?" names the source "en", which is not in the index'):
        evaluate(Clerk({}), [gold("who?", "Cheng", sources=["en"])])


def test_the_dictionary_is_json_and_holds_every_side(mixed: Evaluation) -> None:
    values = json.loads(json.dumps(mixed.to_dict()))
    assert values["overall"]["right_sentence"] == 0.5
    assert values["overall"]["mrr"] == 0.875
    assert values["languages"]["fr"]["right_sentence"] == 1.0
    assert values["follow_ups"]["right_sentence"] == 1.0
    pairs = {(pair["question_language"], pair["document_language"]): pair["f1"] for pair in values["pairs"]}
    assert pairs == {("en", "en"): 0.5, ("en", "fr"): 0.5, ("fr", "en"): 1.0}
    # By confidence: leads (right), dirige (right), opened (wrong), owns (wrong).
    assert values["risk_coverage"] == [[0.25, 0.0], [0.5, 0.0], [0.75, 0.3333], [1.0, 0.5]]
    first, *_, last = values["outcomes"]
    assert (first["id"], first["answer"], first["document"]) == ("who leads it?", "Albert Cheng", "en.txt")
    assert first["sentence"] == " Albert Cheng leads the studio."
    assert (last["right"], last["answerable"], last["found"], last["confidence"]) == (False, False, True, 0.6)
    assert [outcome["id"] for outcome in values["follow_up_outcomes"]] == ["c"]


def test_the_tables_hold_the_scores(mixed: Evaluation) -> None:
    console = Console(file=io.StringIO(), width=100)
    render(mixed, console)
    text = console.file.getvalue()  # type: ignore[attr-defined]  # the StringIO above
    rows = [[cell.strip() for cell in re.split("[│┃]", line)[1:-1]] for line in text.splitlines() if "│" in line]
    assert ["right_sentence", "0.500", "0.333", "1.000", "1.000"] in rows
    assert ["questions", "6", "4", "2", "1"] in rows
    assert ["unanswerable_refused", "0.500", "0.000", "1.000", "-"] in rows
    assert ["fr", "en", "1", "1.000", "1.000", "1.000", "1.000", "1.000", "1.000", "0.500"] in rows


def expected(**values: float) -> dict[str, dict[str, dict[str, float]]]:
    return {"scores": {name: {"value": value, "tolerance": 0.02} for name, value in values.items()}}


def test_scores_as_expected_need_no_complaint(mixed: Evaluation) -> None:
    assert compare(mixed, expected(right_sentence=0.51, ece=0.41)) == []


def test_a_fall_is_worse(mixed: Evaluation) -> None:
    assert compare(mixed, expected(right_sentence=0.53)) == [
        "right_sentence fell from 0.5300 to 0.5000, worse, beyond its tolerance of 0.0200"
    ]


def test_a_rise_is_unexplained(mixed: Evaluation) -> None:
    assert compare(mixed, expected(right_sentence=0.4)) == [
        "right_sentence rose from 0.4000 to 0.5000, an unexplained rise, beyond its tolerance of 0.0200"
    ]


def test_errors_improve_by_falling(mixed: Evaluation) -> None:
    rises, falls = compare(mixed, expected(ece=0.1, answerable_refused=0.9))
    assert rises.startswith("ece rose from 0.1000 to 0.4000, worse,")
    assert falls.startswith("answerable_refused fell from 0.9000 to 0.2500, an unexplained improvement,")


def test_a_difference_of_the_tolerance_itself_is_tolerated(mixed: Evaluation) -> None:
    assert compare(mixed, expected(right_sentence=0.52)) == []
    assert compare(mixed, expected(right_sentence=0.48)) == []


def test_scores_of_one_side_have_its_name(mixed: Evaluation) -> None:
    names = {"en.right_sentence": 0.9, "fr.right_sentence": 1.0, "follow_ups.right_sentence": 0.5}
    complaints = compare(mixed, expected(**names))
    assert [complaint.split()[0] for complaint in complaints] == ["en.right_sentence", "follow_ups.right_sentence"]


def test_an_expected_score_that_was_not_measured_is_missed(mixed: Evaluation) -> None:
    assert compare(mixed, expected(**{"it.right_sentence": 0.9})) == [
        "it.right_sentence is expected to be 0.9000 and was not measured"
    ]


def test_written_scores_are_the_expected_ones(mixed: Evaluation, tmp_path: Path) -> None:
    path = tmp_path / "expected.json"
    write_expected(mixed, path)
    read = read_expected(path)
    assert compare(mixed, read) == []
    assert set(read["scores"]) == {
        "right_sentence",
        "right_words",
        "exact_match",
        "f1",
        "recall_at_5",
        "mrr",
        "citation_precision",
        "citation_recall",
        "verbatim",
        "unanswerable_refused",
        "answerable_refused",
        "ece",
        "en.right_sentence",
        "fr.right_sentence",
        "follow_ups.right_sentence",
        "foreign_history.right_sentence",
    }
    # One of four answerable questions, one of two unanswerable ones, one of three English ones; no forgery at all.
    tolerances = {name: score["tolerance"] for name, score in read["scores"].items()}
    assert tolerances["right_sentence"] == 0.25
    assert tolerances["unanswerable_refused"] == 0.5
    assert tolerances["en.right_sentence"] == 0.334
    assert tolerances["verbatim"] == 0.0


def test_with_many_questions_the_tolerance_is_two_hundredths(tmp_path: Path) -> None:
    questions = [gold(f"question {number}", "Albert Cheng", sources=["en.txt"]) for number in range(60)]
    path = tmp_path / "expected.json"
    write_expected(evaluate(Clerk({}), questions), path)
    assert read_expected(path)["scores"]["right_sentence"] == {"value": 0.0, "tolerance": 0.02}


def test_writing_again_keeps_tolerances_and_asked_for_names(mixed: Evaluation, tmp_path: Path) -> None:
    path = tmp_path / "expected.json"
    chosen = {"value": 0.1, "tolerance": 0.07}
    path.write_text(json.dumps({"scores": {"right_sentence": chosen, "fr.f1": chosen, "en.f1.": chosen}}))
    write_expected(mixed, path)
    scores = read_expected(path)["scores"]
    assert scores["right_sentence"] == {"value": 0.5, "tolerance": 0.07}
    assert scores["fr.f1"] == {"value": 1.0, "tolerance": 0.07}
    assert "en.f1." not in scores


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        '{"scores": []}',
        '{"scores": {"f1": 0.5}}',
        '{"scores": {"f1": {"value": 0.5}}}',
        '{"scores": {"f1": {"value": 0.5, "tolerance": NaN}}}',
        '{"scores": {"f1": {"value": "high", "tolerance": 0.1}}}',
    ],
)
def test_a_file_without_expected_scores_is_a_mistake_and_stays(content: str, mixed: Evaluation, tmp_path: Path) -> None:
    path = tmp_path / "expected.json"
    path.write_text(content)
    with pytest.raises(GoldError, match=r"expected\.json does not hold expected scores: delete it"):
        read_expected(path)
    with pytest.raises(GoldError, match="delete it"):
        write_expected(mixed, path)
    assert path.read_text() == content


def test_expected_scores_that_cannot_be_written_are_a_mistake(mixed: Evaluation, tmp_path: Path) -> None:
    with pytest.raises(GoldError, match="cannot be written"):
        write_expected(mixed, tmp_path / "missing" / "expected.json")


GOOD: dict[str, Any] = {"id": "q1", "lang": "it", "question": "Chi?", "answers": ["Cheng"], "sources": ["a.txt"]}


@pytest.fixture
def gold_file(tmp_path: Path) -> Callable[..., Path]:
    def write(*lines: str | dict[str, Any]) -> Path:
        path = tmp_path / "questions.jsonl"
        texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
        path.write_text("\n".join(texts), encoding="utf-8")
        return path

    return write


def test_gold_is_read_as_written(gold_file: Callable[..., Path]) -> None:
    unanswerable = {"id": "q2", "lang": "fr", "question": "Où\u2028?", "kind": "near miss"}
    path = gold_file("\ufeff" + json.dumps(GOOD), "", json.dumps(unanswerable, ensure_ascii=False) + "\r", "")
    assert read_gold(path) == (
        GoldQuestion("q1", "it", "Chi?", ("Cheng",), ("a.txt",), ""),
        GoldQuestion("q2", "fr", "Où\u2028?", (), (), "near miss"),
    )
    assert [question.answerable for question in read_gold(path)] == [True, False]


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("{", "line 2 is not JSON"),
        ("[1]", "line 2 is not a JSON object"),
        ({**GOOD, "id": 7}, 'line 2: "id" must be a text'),
        ({**GOOD, "id": "q2", "lang": ""}, 'line 2: "lang" must be a text'),
        ({**GOOD, "id": "q2", "question": " "}, 'line 2: "question" must be a text that is not blank'),
        ({**GOOD, "id": "q2", "kind": 1}, 'line 2: "kind" must be a text'),
        ({**GOOD, "id": "q2", "answers": "Cheng"}, 'line 2: "answers" must be a list of texts'),
        ({**GOOD, "id": "q2", "answers": [""]}, 'line 2: "answers" must be a list of texts that are not blank'),
        ({**GOOD, "id": "q2", "answers": ["?"]}, r'line 2: the accepted wording "\?" has no letter or digit'),
        ({**GOOD, "id": "q2", "sources": [3]}, 'line 2: "sources" must be a list of texts'),
        ({**GOOD, "id": "q2", "sources": []}, 'line 2: a question with "answers" must name the documents'),
        (GOOD, 'line 2: the id "q1" is also that of line 1'),
    ],
)
def test_a_malformed_line_is_named(line: str | dict[str, Any], what: str, gold_file: Callable[..., Path]) -> None:
    with pytest.raises(GoldError, match=rf"questions\.jsonl, {what}"):
        read_gold(gold_file(GOOD, line))


def test_gold_that_is_not_there_empty_or_not_text_is_a_mistake(tmp_path: Path) -> None:
    path = tmp_path / "gold.jsonl"
    with pytest.raises(GoldError, match=r"gold\.jsonl cannot be read \(No such file or directory\)"):
        read_gold(path)
    path.write_text("\n \n")
    with pytest.raises(GoldError, match=r"gold\.jsonl is empty"):
        read_gold(path)
    path.write_bytes(b"ab\xff")
    with pytest.raises(GoldError, match=r"gold\.jsonl is not UTF-8 at byte 2"):
        read_gold(path)


def test_a_chat_is_its_last_question_with_the_turns_before(gold_file: Callable[..., Path]) -> None:
    turns = [
        {"question": "Who leads it?", "answers": ["Albert Cheng", "Cheng"], "sources": ["a.txt"]},
        {"question": "How old is he?", "answers": [], "sources": []},
        {"question": "Since when?", "answers": ["August"], "sources": ["b.txt"]},
    ]
    path = gold_file({"id": "c1", "lang": "en", "turns": turns})
    history = (("Who leads it?", "Albert Cheng"), ("How old is he?", ""))
    assert read_chats(path) == (GoldQuestion("c1", "en", "Since when?", ("August",), ("b.txt",), "follow-up", history),)


@pytest.mark.parametrize(
    ("turns", "what"),
    [
        (None, '"turns" must be a list of at least two objects'),
        ([{"question": "Who?"}], '"turns" must be a list of at least two objects'),
        (["Who?", "When?"], '"turns" must be a list of at least two objects'),
        ([{"answers": []}, {"question": "When?"}], '"question" must be a text'),
        ([{"question": "Who?"}, {"question": "When?", "answers": ["May"]}], 'a question with "answers" must name'),
    ],
)
def test_a_malformed_chat_is_named(turns: object, what: str, gold_file: Callable[..., Path]) -> None:
    with pytest.raises(GoldError, match=rf"questions\.jsonl, line 1: {what}"):
        read_chats(gold_file({"id": "c1", "lang": "en", "turns": turns}))
