"""Fits the decision's few coefficients on held-back questions and writes them with what they measure to."""

import argparse
import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import track
from scipy.optimize import minimize

from rag.ask import PASSAGES, PASSAGES_AT_HOME, worth_reading
from rag.cascade import with_second_look
from rag.decide import ASSURANCE, DECISION_FILE, EVIDENCE, Case, Weights, rank, weigh
from rag.encode import Encoder, OnnxEncoder
from rag.gold import GoldQuestion
from rag.index import Settings, split_documents
from rag.lexical import Lexical, with_beginning
from rag.local import Local
from rag.metrics import contains, expected_calibration_error
from rag.names import unmentioned
from rag.passage_sentences import PassageSentences
from rag.read import AnswerVectors, Reader, open_reader, stated, telling
from rag.search import Collection, Found, search_at_home
from rag.spans import Document, Span
from rag.vectors import Vectors
from training.data import Question, split_questions
from training.dossiers import folders, measured, read_dossiers
from training.examples import borrowed, renamed, swapped
from training.folders import Folder
from training.news import news_folders
from training.translated import asked_questions, in_words_of

# A world is a small collection, as a user's folder is: neighbouring passages, so of few articles, in four languages.
LANGUAGES = ("en", "es", "fr", "it")
PASSAGES_OF_A_LANGUAGE = 14
QUESTIONS_OF_A_LANGUAGE = 9
# Of a user's questions so many are taken to have no answer; there are more among those asked here, which count less.
UNANSWERABLE_SHARE = 0.25
MOST_WRONG_REFUSALS = 0.06
# How much the weights of the confidence are drawn to 0; more keeps what is rare, as another date is, from counting.
SHRINKAGE = 1e-5
# What questions count in the fit by what they are about: passages of an encyclopaedia, news, dossiers. There are fewer
# of news, and more would fit them to the last.
SHARES = {"passages": 0.6, "news": 0.2, "dossiers": 0.2}
# What never makes an answer less sure: among passages of an encyclopaedia hardly any two say the same, and the few that
# seem to would speak against it.
NEVER_AGAINST = ("score", "lead", "agreement")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question asked of a world: its readings, and which are right; `abroad` when only another language answers.

    `translated` when it is asked in words that rules translated, `trap` when somebody wrote it to look answerable;
    `about` is one of SHARES.
    """

    language: str
    case: Case
    right: NDArray[np.bool_]
    answerable: bool
    abroad: bool
    nearest: float
    translated: bool
    trap: bool = False
    about: str = "passages"


@dataclass(frozen=True, slots=True)
class Models:
    """What a question is asked with."""

    encoder: Encoder
    reader: Reader
    answers: AnswerVectors


class World:
    """A collection of documents with its index in memory."""

    def __init__(self, documents: Sequence[Document], encoder: Encoder) -> None:
        self.documents = tuple(documents)
        divided = split_documents(self.documents, Settings())
        self.passages = divided.passages
        texts = [p.text for p in self.passages]
        words = [with_beginning(passage) for passage in self.passages]
        lexical = Lexical.of(words, [p.document.language for p in self.passages])
        self.engine = Local(Vectors.of(encoder.encode_passages(texts)), lexical)
        vectors = encoder.encode_passages([sentence.text for sentence in divided.sentences])
        self.collection = Collection(
            self.passages, PassageSentences.of(divided.sentences, divided.touched, vectors), self.engine
        )
        self.languages = sorted({d.language for d in documents})

    def languages_for(self, language: str) -> list[str]:
        """Return the language of a question and those of the documents."""
        return list(dict.fromkeys([language, *self.languages]))

    def find(
        self, question: str, language: str, query: NDArray[np.float32], *, hidden: frozenset[str] = frozenset()
    ) -> list[Found]:
        """Return what search finds for a question when the documents `hidden` are not there."""
        there = [d.id for d in self.documents if d.id not in hidden]
        return search_at_home(
            self.collection,
            question=question,
            query=query,
            languages=self.languages_for(language),
            k=PASSAGES,
            home=self.passages.within(there, language=language),
            k_home=PASSAGES_AT_HOME,
            selection=self.passages.within(there),
        )

    def ask(self, question: Question, models: "Models", weights: Weights, *, hidden: frozenset[str]) -> Case | None:
        """Return the ranked readings of a question when the documents `hidden` are not there."""
        query = models.encoder.encode_questions([question.question])[0]
        languages = self.languages_for(question.language)
        found = self.find(question.question, question.language, query, hidden=hidden)
        read = models.reader.read(question.question, query, worth_reading(found, question.language))
        readings = telling(question.question, question.language, stated(question.question, read))
        if not readings:
            return None
        lacking = unmentioned(
            question.question, languages, self.engine.weight, [passage.hit.span.text for passage in found]
        )
        return weigh(
            question.question,
            question.language,
            readings,
            self.engine,
            weights,
            answers=models.answers,
            unmentioned=lacking,
        )


@dataclass(frozen=True, slots=True)
class Posed:
    """A question for a world, with the places that answer it: document id to start and end.

    There are none where it asks about another name or year than the documents do, or something else about their names,
    nor where it is a `trap`: somebody wrote it to look answerable. `translated` when rules translated its words.
    `unmarked` are translations of a source in which nobody marked the answer. With `gold`, what it accepts is right in
    any document of the places.
    """

    question: Question
    places: dict[str, tuple[int, int]]
    translated: bool = False
    unmarked: frozenset[str] = frozenset()
    trap: bool = False
    gold: GoldQuestion | None = None

    def is_right(self, sentence: Span) -> bool:
        """Tell whether a sentence touches the answer at one of its places, or has its words elsewhere in a source.

        The gold questions are judged so, too.
        """
        if self.gold is not None:
            return self.gold.supported_by(sentence)
        if (place := self.places.get(sentence.document.id)) is None:
            return False
        touches = sentence.start < place[1] and place[0] < sentence.end
        return touches or contains(sentence.text, sentence.document.text[slice(*place)])

    def hidings(self) -> list[frozenset[str]]:
        """Return what to hide: nothing, all sources, and those in the question's own language if others are left.

        What is unmarked always is: it would answer and count as wrong.
        """
        sources = frozenset(self.places)
        own = frozenset(id for id in sources if id.startswith(self.question.language))
        hidden = [frozenset[str](), *([sources] if sources else []), *([own] if own < sources and own else [])]
        return [each | self.unmarked for each in hidden]


def worlds(data: Path, encoder: Encoder, asked: Mapping[str, Mapping[str, str]]) -> list[tuple[World, list[Posed]]]:
    """Return collections with the questions to ask; Italian passages are the Spanish ones' translations.

    `asked` has questions by language and id, which are asked in a language that is not their own as well.
    """
    held = split_questions(data)
    development, traps = held.development, held.unanswerable
    foreign = {x: translations_of(development, x, asked) for x in LANGUAGES}
    choose = random.Random(0)
    by_passage: dict[str, list[Question]] = {}
    by_id: dict[str, list[Question]] = {}
    for rows in development.values():
        for question in rows:
            by_passage.setdefault(question.passage, []).append(question)
            by_id.setdefault(question.id, []).append(question)
    # A passage and its translation share most of their questions' ids, but not all.
    alike = {text: {q.passage for asked in rows for q in by_id[asked.id]} for text, rows in by_passage.items()}
    texts = {x: list(dict.fromkeys(q.passage for q in development[x])) for x in ("en", "es", "fr")}
    made = []
    for at in range(0, min(map(len, texts.values())) - PASSAGES_OF_A_LANGUAGE + 1, PASSAGES_OF_A_LANGUAGE):
        chosen = {x: passages[at : at + PASSAGES_OF_A_LANGUAGE] for x, passages in texts.items()}
        asked_in_spanish = [q for text in chosen["es"] for q in by_passage[text]]
        chosen["it"] = list({t.passage: 0 for q in asked_in_spanish for t in by_id[q.id] if t.language == "it"})
        documents, ids, posed = [], dict[str, str](), []
        for language, passages in chosen.items():
            ids |= {text: f"{language}-{at + i}" for i, text in enumerate(passages)}
            documents += [Document(ids[text], "", language, text) for text in passages]
        for language, passages in chosen.items():
            posed += set_traps([trap for trap in traps if trap.passage in passages], asked)
            rows = [q for text in passages for q in by_passage[text]]
            for question in choose.sample(rows, min(len(rows), QUESTIONS_OF_A_LANGUAGE)):
                same = [q for q in by_id[question.id] if q.passage in ids]
                places = {ids[q.passage]: (q.start, q.start + len(q.answer)) for q in same}
                unmarked = (
                    frozenset(ids[text] for q in same for text in alike[q.passage] if text in ids) - places.keys()
                )
                wordings = [(question, development[language])]
                if others := [x for x in LANGUAGES if question.id in foreign[x]]:
                    other = choose.choice(others)
                    wordings.append((foreign[other][question.id], list(foreign[other].values())))
                for wording, rest in wordings:
                    translated = wording is not question
                    posed.append(Posed(wording, places, translated, unmarked))
                    if miss := near_miss(wording, passages, rest, choose):
                        posed.append(Posed(replace(wording, question=miss), {}, translated))
        made.append((World(documents, encoder), posed))
    return made


def worlds_of(made: Sequence[Folder], encoder: Encoder) -> list[tuple[World, list[Posed]]]:
    """Return folders with the questions about them."""
    return [(World(folder.documents, encoder), [_posed(gold) for gold in folder.questions]) for folder in made]


def dossiers_by_turns() -> list[Folder]:
    """Return the dossiers that are measured by, each question in one of its languages, by turns."""
    return [
        replace(
            folder,
            questions=tuple(
                gold
                for number, gold in enumerate(folder.questions)
                # Four in a row are one question in all its languages.
                if (number + number // len(LANGUAGES)) % len(LANGUAGES) == 0
            ),
        )
        for folder in folders(measured(read_dossiers()))
    ]


def _posed(gold: GoldQuestion) -> Posed:
    question = Question(gold.id, gold.language, gold.question, "", "", -1, "folders")
    return Posed(question, dict.fromkeys(gold.sources, (0, 0)), trap=not gold.answerable, gold=gold)


def translations_of(
    development: Mapping[str, Sequence[Question]], language: str, asked: Mapping[str, Mapping[str, str]]
) -> dict[str, Question]:
    """Return the held-back questions of other languages that are asked in this one, by id, about their own passages."""
    others = (q for other, rows in development.items() if other != language for q in rows)
    return {q.id: q for q in in_words_of(others, language, asked)}


def set_traps(traps: Sequence[Question], asked: Mapping[str, Mapping[str, str]]) -> list[Posed]:
    """Return questions that no passage answers as they were written, and in one of the languages they are asked in."""
    posed = [Posed(trap, {}, trap=True) for trap in traps]
    for number, trap in enumerate(traps):
        if wordings := [q for x in LANGUAGES if x != trap.language for q in in_words_of([trap], x, asked)]:
            posed.append(Posed(wordings[number % len(wordings)], {}, translated=True, trap=True))
    return posed


def near_miss(
    question: Question, passages: Sequence[str], others: Sequence[Question], choose: random.Random
) -> str | None:
    """Return a question that looks like one of the passages' and that none answers, of a kind drawn by chance.

    It is about another name than the question's passage, of the other `passages` or of none of them, about another name
    of that passage, or about such a name and something that one of the `others` asks. None where the question has no
    name to change.
    """
    elsewhere = [q for q in choose.sample(others, min(len(others), 12)) if q.passage not in passages]
    kinds: list[Callable[[], str | None]] = [
        lambda: renamed(question, choose.sample(passages, len(passages)), choose),
        lambda: renamed(question, [q.passage for q in elsewhere], choose),
        lambda: swapped(question, question.passage, choose),
        lambda: borrowed(question.passage, elsewhere, choose),
    ]
    return next(filter(None, (kind() for kind in choose.sample(kinds, len(kinds)))), None)


def ask_all(
    data: Path,
    models: Models,
    weights: Weights,
    *,
    translated: Mapping[str, Mapping[str, str]],
    most: int | None = None,
) -> tuple[list[Asked], list[Asked]]:
    """Ask every question with its sources and without; return the worlds, or the first `most` of a kind, in halves."""
    halves: tuple[list[Asked], list[Asked]] = ([], [])
    kinds = {
        "passages": worlds(data, models.encoder, translated)[:most],
        "news": worlds_of(news_folders(data)[:most], models.encoder),
        "dossiers": worlds_of(dossiers_by_turns()[:most], models.encoder),
    }
    every = [(about, *each) for about, made in kinds.items() for each in made]
    for number, (about, world, questions) in enumerate(track(every, "asking")):
        for posed in questions:
            for hidden in posed.hidings():
                case = world.ask(posed.question, models, weights, hidden=hidden)
                if case is None:
                    continue
                answerable = not posed.places.keys() <= hidden
                right = np.array([posed.is_right(r.sentence) for r in case.readings])
                nearest = max(r.found.dense for r in case.readings)
                own = any(place.startswith(posed.question.language) for place in posed.places.keys() - hidden)
                abroad = answerable and not own
                seen = (answerable, abroad, nearest, posed.translated, posed.trap, about)
                halves[number % 2].append(Asked(posed.question.language, case, right, *seen))
    return halves


def descend(
    loss: Callable[[NDArray[np.float64]], float], size: int, *, positive: Sequence[int] = ()
) -> NDArray[np.float64]:
    """Return the weights with the least loss; those at the places `positive` are not below 0."""
    bounds = [(0.0 if i in positive else None, None) for i in range(size)]
    return np.asarray(minimize(loss, np.zeros(size), method="L-BFGS-B", bounds=bounds, options={"maxiter": 200}).x)


def fit_ranking(asked: Sequence[Asked]) -> NDArray[np.float64]:
    """Fit the evidence by the log-likelihood of choosing a right reading, with a little shrinkage."""
    kept = [a for a in asked if a.answerable and a.right.any()]
    rows = [(a.case.evidence, a.right, heavy) for a, heavy in zip(kept, what_counts(kept), strict=True)]

    def loss(weights: NDArray[np.float64]) -> float:
        total = 0.0
        for evidence, right, heavy in rows:
            scores = evidence @ weights
            scores -= scores.max()
            total -= heavy * float(np.log(np.exp(scores[right]).sum() / np.exp(scores).sum()))
        return total + 0.001 * float(weights @ weights)

    return descend(loss, len(EVIDENCE))


def fit_confidence(asked: Sequence[Asked]) -> tuple[NDArray[np.float64], float]:
    """Fit the probability that the first reading is right, by logistic regression beside what is not fitted."""
    rows, untold = assurances(asked)
    right = np.array([a.answerable and bool(a.right[0]) for a in asked], float)
    heavy = what_counts(asked)

    def loss(weights: NDArray[np.float64]) -> float:
        logits = rows @ weights[:-1] + weights[-1] + untold
        each = np.logaddexp(0, logits) - right * logits
        return float((heavy * each).sum()) + SHRINKAGE * float(weights[:-1] @ weights[:-1])

    fitted = descend(loss, len(ASSURANCE) + 1, positive=[ASSURANCE.index(name) for name in NEVER_AGAINST])
    return fitted[:-1], float(fitted[-1])


def what_counts(asked: Sequence[Asked]) -> NDArray[np.float64]:
    """Return the weight of each question in a fit, which sum to 1: kinds as users would ask them, each by its share."""
    answerable, about = (np.array([getattr(a, name) for a in asked]) for name in ("answerable", "about"))
    weights = np.zeros(len(asked))
    for kind, share in SHARES.items():
        for known, part in ((True, 1 - UNANSWERABLE_SHARE), (False, UNANSWERABLE_SHARE)):
            mine = (about == kind) & (answerable == known)
            weights[mine] = share * part / max(1, mine.sum())
    return np.asarray(weights / weights.sum())


def expected_unanswerable(answerable: NDArray[np.bool_]) -> float:
    """Return how many unanswerable questions a user would ask beside the answerable ones."""
    return float(UNANSWERABLE_SHARE / (1 - UNANSWERABLE_SHARE) * answerable.sum())


def reranked(asked: Asked, ranking: NDArray[np.float64]) -> Asked:
    """Return the same question under other weights."""
    places = {id(reading): right for reading, right in zip(asked.case.readings, asked.right, strict=True)}
    old = asked.case
    known = (old.question, old.language, old.readings, old.evidence, old.alike)
    case = rank(*known, ranking.tolist(), unmentioned=old.unmentioned)
    right = np.array([places[id(reading)] for reading in case.readings])
    return replace(asked, case=case, right=right)


def sureness(asked: Sequence[Asked], confidence: NDArray[np.float64], bias: float) -> NDArray[np.float64]:
    """Return the probability that the first reading of each question is right, (questions,)."""
    rows, untold = assurances(asked)
    return np.asarray(1 / (1 + np.exp(-(rows @ confidence + bias + untold))))


def assurances(asked: Sequence[Asked]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what each confidence is made of, (questions, ASSURANCE), and what it loses beside, (questions,)."""
    return np.stack([a.case.assurance() for a in asked]), np.array([a.case.untold() for a in asked])


def refused_at_most(sure: NDArray[np.float64], counts: NDArray[np.float64]) -> float:
    """Return the threshold below which `MOST_WRONG_REFUSALS` of the answerable questions lie, as each counts."""
    order = np.argsort(sure)
    below = np.cumsum(counts[order]) / counts.sum()
    return float(sure[order][np.searchsorted(below, MOST_WRONG_REFUSALS)])


def measure(asked: Sequence[Asked], sure: NDArray[np.float64], threshold: float) -> dict[str, float]:
    """Return what the decision is worth on questions whose sureness was not fitted on them."""
    answerable = np.array([a.answerable for a in asked])
    right = np.array([a.answerable and bool(a.right[0]) for a in asked])
    # Of the unanswerable, as many as a user would ask, evenly drawn.
    lacking = np.flatnonzero(~answerable)
    drawn = np.linspace(0, len(lacking) - 1, min(len(lacking), round(expected_unanswerable(answerable)))).astype(int)
    usual = np.union1d(np.flatnonzero(answerable), lacking[drawn])
    scores = {
        "questions": int(answerable.sum()),
        "unanswerable": int((~answerable).sum()),
        "right_sentence": right[answerable].mean(),
        "right_and_answered": (right & (sure >= threshold))[answerable].mean(),
        "reachable": np.mean([a.right.any() for a in asked if a.answerable]),
        "refused_answerable": (sure < threshold)[answerable].mean(),
        "refused_unanswerable": (sure < threshold)[~answerable].mean(),
        "ece": expected_calibration_error(sure[usual].tolist(), right[usual].tolist()),
    }
    for language in sorted({a.language for a in asked}):
        mine = answerable & np.array([a.language == language and not a.abroad for a in asked])
        scores[f"right_sentence.{language}"] = right[mine].mean()
    scores["right_sentence.abroad"] = right[np.array([a.abroad for a in asked])].mean()
    if (traps := np.array([a.trap for a in asked])).any():
        scores["refused_traps"] = (sure < threshold)[traps].mean()
    if (translated := answerable & np.array([a.translated for a in asked])).any():
        scores["right_sentence.translated"] = right[translated].mean()
    return {name: round(float(value), 4) for name, value in scores.items()}


def main() -> None:
    """Write the coefficients, fitted on all worlds, and the figures of each half by the other half's."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--data", type=Path, required=True)
    options.add_argument("--out", type=Path, default=DECISION_FILE)
    options.add_argument(
        "--translated", type=asked_questions, default={}, help="the --out of training.translated: ask as it does too"
    )
    options.add_argument("--worlds", type=int, help="ask only so many worlds, to try it")
    arguments = options.parse_args()
    encoder = OnnxEncoder()
    models = Models(encoder, with_second_look(open_reader()), AnswerVectors(encoder))
    start = Weights((0.0,) * len(EVIDENCE), (0.0,) * len(ASSURANCE), 0.0, 0.0, 0.0)
    halves = ask_all(arguments.data, models, start, translated=arguments.translated, most=arguments.worlds)
    held: list[Asked] = []
    others_fit = []
    for fit, rest in (halves, halves[::-1]):
        ranking = fit_ranking(fit)
        confidence, bias = fit_confidence([reranked(a, ranking) for a in fit])
        judged = [reranked(a, ranking) for a in rest]
        held += judged
        others_fit.append(sureness(judged, confidence, bias))
    sure, about = np.concatenate(others_fit), np.array([a.about for a in held])
    answerable = np.array([a.answerable for a in held])
    threshold = refused_at_most(sure[answerable], what_counts([a for a in held if a.answerable]))
    everything = [*halves[0], *halves[1]]
    ranking = fit_ranking(everything)
    confidence, bias = fit_confidence([reranked(a, ranking) for a in everything])
    relevance = float(np.quantile([a.nearest for a in everything if a.answerable and a.about == "passages"], 0.01))
    values = {
        "ranking": dict(zip(EVIDENCE, np.round(ranking, 3).tolist(), strict=True)),
        "confidence": dict(zip(ASSURANCE, np.round(confidence, 3).tolist(), strict=True)),
        "bias": round(bias, 3),
        "threshold": round(threshold, 3),
        "relevance": round(relevance, 3),
        **{
            f"measured_on_other_{kind}": measure([a for a in held if a.about == kind], sure[about == kind], threshold)
            for kind in SHARES
            if (about == kind).any()
        },
    }
    arguments.out.write_text(json.dumps(values, indent=1) + "\n")
    print(json.dumps(values, indent=1))  # noqa: T201


if __name__ == "__main__":
    main()
