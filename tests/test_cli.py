import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from rag.cli import LINE_LIMIT, OPTIONAL, PACKAGES, app, print_answer
from rag.passwords import Passwords
from rag.spans import Alternative, Answer, Citation, Document, Hit, Span

ROOT = Path(__file__).parent.parent
COMMANDS = ("build", "add", "remove", "status", "ask", "chat", "mcp", "password", "evaluate", "doctor")


def rag(*arguments: str | Path, input: str | bytes | None = None) -> Result:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], input=input)
    assert isinstance(result.exception, SystemExit | None), result.exception
    return result


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONIOENCODING": "ascii"}


def said_by(line: str, corpus: Path) -> dict[str, Any]:
    """Return the JSON answer, after looking up each citation in the corpus's own files."""
    answer: dict[str, Any] = json.loads(line)
    for citation in answer["citations"]:
        text = (corpus / citation["document"]).read_bytes().decode("utf-8-sig")
        assert text[citation["start"] : citation["end"]] == citation["text"]
        assert citation["text"] in citation["sentence"]
    return answer


@pytest.fixture
def question(corpus_dir: Path) -> str:
    """The first long line of the first document: whatever the corpus is, that is in it."""
    text = min(corpus_dir.glob("*.txt")).read_text(encoding="utf-8-sig")
    line = next(line for line in text.splitlines() if len(line) > 30)
    return " ".join(line.split()[:12])


def test_help_names_every_command() -> None:
    result = rag("--help")
    assert result.exit_code == 0
    assert [name for name in COMMANDS if name not in result.stdout] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str) -> None:
    result = rag(command, "--help")
    assert result.exit_code == 0
    assert f"rag {command}" in result.stdout


def test_version_is_that_of_the_distribution() -> None:
    result = rag("--version")
    assert (result.exit_code, result.stderr) == (0, "")
    assert re.fullmatch(r"rag (\d+\.\d+\.\d+|\(not installed\))\n", result.stdout)


@pytest.mark.parametrize(
    "arguments", [("ask",), ("frobnicate",), ("ask", "who?", "--threshold", "1.5"), ("chat", "--port", "70000")]
)
def test_wrong_usage_exits_2(arguments: tuple[str, ...]) -> None:
    result = rag(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")


HEAVY = ("torch", "sentence_transformers", "faiss", "gradio", "bm25s", "langchain_text_splitters", "py3langid")
SERVING = ("gradio", "starlette", "fastapi", "uvicorn", "mcp", "anyio", "httpx", "torch", "sentence_transformers")


def test_the_command_line_loads_nothing_heavy() -> None:
    heavy = {*HEAVY, *SERVING}
    code = f"import sys, rag.cli; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_asking_loads_nothing_that_serves(index_dir: Path) -> None:
    asked = f"['ask', 'who?', '--json', '--history', '[[\"a\", \"b\"]]', '--index', {str(index_dir)!r}]"
    code = f"import sys\nfrom rag.cli import app\napp({asked}, standalone_mode=False)\n"
    code += f"print(sorted({set(SERVING)} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[1] == "[]"


def test_python_m_rag_is_the_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "rag", "ask", "--help"], env=environment(), capture_output=True, check=True
    )
    assert b"rag ask" in done.stdout


def test_build_tells_what_it_did_and_does_it_once(corpus_dir: Path, tmp_path: Path) -> None:
    first = rag("build", corpus_dir, "--index", tmp_path / "index")
    counts = re.search(r"5 documents, (\d+) passages \((\d+) embedded, 0 reused\)", first.stdout)
    assert counts is not None, first.output
    passages, embedded = counts.groups()
    assert passages == embedded
    second = rag("build", corpus_dir, "--index", tmp_path / "index")
    assert f"5 documents, {passages} passages (0 embedded, {passages} reused)" in second.stdout


@pytest.mark.parametrize(
    "arguments", [("build", "no-such-folder"), ("build", "--encoder", "./no-such-encoder", ROOT / "seeds")]
)
def test_what_cannot_be_built_is_one_sentence(
    arguments: tuple[str | Path, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = rag(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert re.fullmatch(r"rag: .*no-such-(folder|encoder).*\n", result.stderr)


def test_ask_prints_a_quotation_and_its_place(index_dir: Path, corpus_dir: Path, question: str) -> None:
    result = rag("ask", question, "--index", index_dir, "--threshold", "0")
    assert (result.exit_code, result.stderr) == (0, "")
    place = re.search(r"^\[1\] .+ \(\w+\) (\S+):(\d+)-(\d+)$", result.stdout, flags=re.MULTILINE)
    assert place is not None, result.stdout
    text = (corpus_dir / place[1]).read_bytes().decode("utf-8-sig")
    assert " ".join(text[int(place[2]) : int(place[3])].split()) in " ".join(result.stdout.split())


def test_ask_json_is_one_object_on_one_line(index_dir: Path, corpus_dir: Path, question: str) -> None:
    result = rag("ask", question, "--json", "--index", index_dir)
    assert (result.exit_code, result.stderr) == (0, "")
    (line,) = result.stdout.splitlines()
    answer = said_by(line, corpus_dir)
    assert answer["question"] == question
    assert (answer["found"], answer["reason"]) == (True, None)
    assert answer["answer"] == answer["citations"][0]["text"]
    assert answer["citations"][0]["document"] == min(path.name for path in corpus_dir.glob("*.txt"))


def test_ask_reads_questions_from_standard_input(index_dir: Path, corpus_dir: Path, question: str) -> None:
    lines = ["\ufeff" + question, "", " \t", "qué\u2028? \x85", question]
    sent = "\n".join(lines).encode() + b"\n\xff\xfe?\r\n\x00\x1b[2J"
    result = rag("ask", "--json", "-", "--index", index_dir, input=sent)
    assert result.exit_code == 0
    answers = [said_by(line, corpus_dir) for line in result.stdout.splitlines()]
    asked = [question, "", " \t", "qué\u2028? \x85", question, "\ufffd\ufffd?", "\x00\x1b[2J"]
    assert [answer["question"] for answer in answers] == asked
    assert answers[0]["found"]
    assert answers[4]["citations"] == answers[0]["citations"]
    for blank in answers[1:3]:
        assert (blank["found"], blank["answer"], blank["citations"]) == (False, "", [])
        assert blank["reason"] is not None


@pytest.mark.parametrize("hard", ["", "   ", "x" * 100_000, "who is it? " * 9_000, "\udcff\ud800 who?"])
def test_no_question_is_an_error(hard: str, index_dir: Path, corpus_dir: Path) -> None:
    result = rag("ask", hard, "--json", "--index", index_dir)
    assert (result.exit_code, result.stderr) == (0, "")
    answer = said_by(result.stdout, corpus_dir)
    assert answer["question"] == hard
    assert answer["found"] == (answer["reason"] is None)
    if not hard.strip():
        assert not answer["found"]


def test_a_line_that_is_too_long_for_the_memory_is_cut(index_dir: Path, question: str) -> None:
    sent = b"x" * (2 * LINE_LIMIT + 7) + b"\n" + question.encode() + b"\n\n" + b"y" * LINE_LIMIT + b"\n" + b"who?"
    result = rag("ask", "--json", "-", "--index", index_dir, input=sent)
    assert (result.exit_code, result.stderr) == (0, "")
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert [len(answer["question"]) for answer in answers] == [LINE_LIMIT, len(question), 0, LINE_LIMIT, 4]
    assert [answer["reason"] for answer in answers[:1] + answers[2:4]] == ["not_a_question"] * 3
    assert answers[1]["found"]


@pytest.mark.parametrize("history", ["{", "[[1, 2]]", '[["a"]]', '"a"', "[" * 100_000, '[["a", "b"]]x'])
def test_a_history_that_is_none_is_a_mistake(history: str, index_dir: Path) -> None:
    result = rag("ask", "who?", "--index", index_dir, "--history", history)
    assert (result.exit_code, result.stdout) == (2, "")
    assert re.fullmatch(r"rag: .*history.*\n", result.stderr)


def test_a_history_reaches_the_question(index_dir: Path) -> None:
    turns = json.dumps([["¿Quién construyó el faro de Cabo Blanco?", "Luis Ortega"]])
    alone, led = (
        json.loads(rag("ask", "¿Y cuándo?", "--json", "--threshold", "0", "--index", index_dir, *more).stdout)
        for more in ((), ("--history", turns))
    )
    assert led["question"] == alone["question"]
    assert led["citations"][0]["document"] == "faro.txt"
    assert led["confidence"] > alone["confidence"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--host", "0.0.0.0"), "everybody who reaches this machine could ask"),
        (("--auth", "no-such-file"), r"the passwords in no-such-file cannot be read \(No such file or directory\)"),
        (("--host", "0.0.0.0", "--auth", "no-such-file"), "cannot be read"),
    ],
)
def test_the_page_is_not_served_to_strangers_by_mistake(options: tuple[str, ...], said: str, index_dir: Path) -> None:
    result = rag("chat", "--index", index_dir, *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert re.search(said, result.stderr)
    assert len(result.stderr.splitlines()) == 1


def test_a_password_becomes_a_line_that_lets_in(tmp_path: Path) -> None:
    result = rag("password", "ada", input="correct horse\n")
    assert (result.exit_code, result.stderr) == (0, "")
    (tmp_path / "passwords").write_text(result.stdout)
    known = Passwords.read(tmp_path / "passwords")
    assert known.accept("ada", "correct horse")
    assert not known.accept("ada", "correct hors")
    for name, word in (("ada", "short"), ("a:b", "correct horse"), ("ada", "")):
        refused = rag("password", name, input=word + "\n")
        assert (refused.exit_code, refused.stdout) == (2, "")


def test_documents_limit_the_search(index_dir: Path, corpus_dir: Path, question: str) -> None:
    last = max(path.name for path in corpus_dir.glob("*.txt"))
    result = rag("ask", question, "--json", "--threshold", "0", "--index", index_dir, "--document", last)
    answer = said_by(result.stdout, corpus_dir)
    assert answer["found"]
    assert {citation["document"] for citation in answer["citations"]} == {last}


def test_an_unknown_document_is_a_mistake(index_dir: Path, corpus_dir: Path) -> None:
    result = rag("ask", "who?", "--index", index_dir, "--document", "nowhere.txt")
    first = min(path.name for path in corpus_dir.glob("*.txt"))
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f'rag: the index has no document "nowhere.txt": give --document one of {first}, ')


def test_a_given_language_is_the_questions(index_dir: Path, question: str) -> None:
    result = rag("ask", question, "--json", "--index", index_dir, "--language", "fr")
    assert json.loads(result.stdout)["language"] == "fr"


def test_threshold_0_always_answers(index_dir: Path, corpus_dir: Path) -> None:
    result = rag("ask", "zyx wvu?", "--json", "--threshold", "0", "--index", index_dir)
    assert said_by(result.stdout, corpus_dir)["found"]


def test_without_index_and_seeds_it_says_what_to_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for arguments in (["ask", "who?"], ["chat"]):
        result = rag(*arguments)
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr == (
            "rag: there is no index in index and no folder seeds to build one from: run `rag build FOLDER`\n"
        )
    other = rag("ask", "who?", "--index", "elsewhere")
    assert other.stderr.endswith("run `rag build FOLDER --index elsewhere`\n")
    assert list(tmp_path.iterdir()) == []


def test_without_an_index_it_builds_one_from_the_seeds(
    corpus_dir: Path, question: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(corpus_dir, "seeds")
    Path("index").mkdir()
    Path("index/README.md").write_text("Built here.\n")
    result = rag("ask", question, "--json")
    assert result.exit_code == 0
    said, done = result.stderr.splitlines()
    assert said == "rag: there is no index in index: building it from seeds first"
    assert done.startswith("rag: index: 5 documents, ")
    assert said_by(result.stdout, corpus_dir)["found"]
    again = rag("ask", question, "--json")
    assert (again.stderr, again.stdout) == ("", result.stdout)


def test_a_damaged_index_is_refused_and_left_as_it_is(index_dir: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "index"
    shutil.copytree(index_dir, damaged)
    largest = max((path for path in damaged.rglob("*") if path.is_file()), key=lambda path: path.stat().st_size)
    largest.write_bytes(largest.read_bytes()[:-1])
    before = {path: path.read_bytes() for path in damaged.rglob("*") if path.is_file()}
    result = rag("ask", "who?", "--index", damaged)
    assert (result.exit_code, result.stdout) == (2, "")
    assert re.fullmatch(r"rag: .+\n", result.stderr)
    assert {path: path.read_bytes() for path in damaged.rglob("*") if path.is_file()} == before


def _easy(corpus_dir: Path) -> dict[str, object]:
    first = min(path.name for path in corpus_dir.glob("*.txt"))
    asked = "Quanti volumi custodisce la biblioteca di Montalto?"
    return {"question": asked, "answers": ["120.000"], "sources": [first]}


@pytest.fixture
def gold(corpus_dir: Path, tmp_path: Path) -> Path:
    rows = [
        {"id": "easy", "lang": "it", **_easy(corpus_dir)},
        {"id": "none", "lang": "en", "question": "zyx wvu?", "answers": [], "sources": []},
    ]
    path = tmp_path / "questions.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_evaluate_writes_and_then_holds_the_scores(gold: Path, index_dir: Path) -> None:
    expected = gold.with_name("expected.json")
    fresh = rag("evaluate", gold, "--index", index_dir)
    assert fresh.exit_code == 0
    assert "right_sentence" in fresh.stdout
    assert not expected.exists()

    written = rag("evaluate", gold, "--index", index_dir, "--write")
    assert (written.exit_code, written.stderr) == (0, f"rag: wrote {expected}\n")
    scores = json.loads(expected.read_text())
    assert scores["scores"]["right_sentence"] == {"value": 1.0, "tolerance": 1.0}
    assert rag("evaluate", gold, "--index", index_dir).exit_code == 0

    scores["scores"]["right_sentence"] = {"value": 0.5, "tolerance": 0.02}
    expected.write_text(json.dumps(scores))
    risen = rag("evaluate", gold, "--index", index_dir)
    assert risen.exit_code == 1
    assert "expected.json: right_sentence rose from 0.5000 to 1.0000, an unexplained rise" in risen.stdout
    assert json.loads(expected.read_text()) == scores


def test_evaluate_json_is_one_object(gold: Path, index_dir: Path) -> None:
    gold.with_name("expected.json").write_text('{"scores": {"verbatim": {"value": 0.5, "tolerance": 0}}}')
    result = rag("evaluate", gold, "--index", index_dir, "--json")
    values = json.loads(result.stdout)
    assert result.exit_code == 1
    assert values["overall"]["verbatim"] == 1.0
    assert [outcome["id"] for outcome in values["outcomes"]] == ["easy", "none"]
    assert [complaint.split()[0] for complaint in values["complaints"]] == ["verbatim"]


def test_evaluate_shows_the_worst_misses(gold: Path, index_dir: Path, corpus_dir: Path, question: str) -> None:
    first = min(path.name for path in corpus_dir.glob("*.txt"))
    row = {"id": "miss", "lang": "en", "question": question, "answers": ["Zyx Wvu"], "sources": [first]}
    gold.write_text(json.dumps(row))
    shown = rag("evaluate", gold, "--index", index_dir).stdout
    assert f"miss  {question}\n" in shown
    assert "wanted “Zyx Wvu”" in shown


@pytest.mark.parametrize("given", [True, False])
def test_evaluate_asks_the_chats_given_or_beside(
    given: bool, gold: Path, index_dir: Path, corpus_dir: Path, tmp_path: Path
) -> None:
    turn = _easy(corpus_dir)
    chats = tmp_path / ("elsewhere.jsonl" if given else "chats.jsonl")
    chats.write_text(json.dumps({"id": "chat", "lang": "it", "turns": [turn, turn]}))
    options = ["--chats", str(chats)] if given else []
    values = json.loads(rag("evaluate", gold, "--index", index_dir, "--json", *options).stdout)
    assert values["follow_ups"]["questions"] == 1
    assert values["follow_ups"]["right_sentence"] == 1.0


def test_a_malformed_gold_file_is_a_mistake(gold: Path, index_dir: Path) -> None:
    gold.write_text(gold.read_text() + "{}\n")
    result = rag("evaluate", gold, "--index", index_dir)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f'rag: {gold}, line 3: "id" must be a text that is not blank\n'


def test_a_build_that_skips_a_file_says_why_and_exits_3(corpus_dir: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(corpus_dir, tmp_path / "corpus"))
    (folder / "bad.txt").write_bytes(b"caf\xe9")
    result = rag("build", folder, "--index", tmp_path / "index")
    assert result.exit_code == 3
    assert result.stderr == "rag: skipped bad.txt: it is not UTF-8 at byte 3; save it as UTF-8 and try again\n"
    assert ": 5 documents, " in result.stdout
    assert result.stdout.endswith(", 1 skipped\n")


def test_doctor_is_content_with_a_whole_index(index_dir: Path) -> None:
    result = rag("doctor", "--index", index_dir)
    lines = result.stdout.splitlines()
    assert [line for line in lines if not line.startswith("ok       ")] == []
    assert (result.exit_code, len(lines)) == (0, len(PACKAGES) + len(OPTIONAL) + 5)
    assert f"ok       python: {sys.version.split()[0]}" in lines


def test_doctor_names_every_problem(tmp_path: Path) -> None:
    result = rag("doctor", "--index", tmp_path / "none")
    problems = [line for line in result.stdout.splitlines() if line.startswith("problem  ")]
    assert result.exit_code == 2
    assert [line.split(":")[0] for line in problems[-3:]] == [
        "problem  index is there",
        "problem  index is whole",
        "problem  a question",
    ]
    assert f"run `rag build FOLDER --index {tmp_path / 'none'}`" in problems[-3]


def test_doctor_looks_for_exactly_the_dependencies() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert [re.split("[=<>!~]", dependency)[0] for dependency in project["dependencies"]] == list(PACKAGES)
    for package, extra in OPTIONAL.items():
        listed = [re.split(r"[\[=<>!~]", dependency)[0] for dependency in project["optional-dependencies"][extra]]
        assert package in listed


def test_doctor_is_content_without_what_is_optional(index_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.cli.OPTIONAL", {"no-such-package-anywhere": "documents"})
    result = rag("doctor", "--index", index_dir)
    assert result.exit_code == 0
    assert (
        "ok       no-such-package-anywhere: not installed, which is well unless you need it: "
        'pip install "verbatim-qa[documents]"'
    ) in result.stdout.splitlines()


ARTICLE = Document(
    "a.txt", "Studio\x1b[2J", "en", "It opened in May.\nThe studio is led by [bold]Al Cheng[/bold] now. Ok."
)


def place(words: str) -> Span:
    start = ARTICLE.text.index(words)
    return Span(ARTICLE, start, start + len(words))


SENTENCE = place("The studio is led by [bold]Al Cheng[/bold] now.")


def shown(answer: Answer, *, terminal: bool = False) -> str:
    file = io.StringIO()
    console = Console(file=file, force_terminal=terminal, markup=False, highlight=False, emoji=False, soft_wrap=True)
    print_answer(answer, console)
    return file.getvalue()


def test_a_short_answer_stands_alone_and_in_its_sentence() -> None:
    citation = Citation(place("Al Cheng"), SENTENCE, 0.9)
    text = shown(Answer("who?", "en", (citation,), 0.9, None))
    assert text == (
        "“Al Cheng”\n“The studio is led by [bold]Al Cheng[/bold] now.”\n[1] Studio\ufffd[2J (en) a.txt:45-53\n"
        "Confidence 0.90, high: at least nine of ten such answers are right.\n\n"
    )
    bright = shown(Answer("who?", "en", (citation,), 0.9, None), terminal=True)
    assert "led by [bold]\x1b[1mAl Cheng\x1b[0m[/bold] now.”" in bright


def test_a_whole_sentence_is_quoted_once_and_the_others_after_it() -> None:
    other = Document("b.txt", "Atelier", "fr", "Cheng dirige\nl’atelier.")
    citations = (
        Citation(SENTENCE, SENTENCE, 0.9),
        Citation(Span(other, 0, len(other.text)), Span(other, 0, len(other.text)), 0.8),
    )
    assert shown(Answer("who?", "en", citations, 0.9, None)) == (
        "“The studio is led by [bold]Al Cheng[/bold] now.”\n"
        "[1] Studio\ufffd[2J (en) a.txt:18-65\n"
        "Confidence 0.90, high: at least nine of ten such answers are right.\n\n"
        "Also:\n\n"
        "“Cheng dirige l’atelier.”\n"
        "[2] Atelier (fr) b.txt:0-23\n\n"
    )


def test_what_other_documents_say_otherwise_comes_last() -> None:
    other = Document("b.txt", "Atelier", "fr", "Renaud dirige l’atelier.")
    rival = Alternative((Citation(Span(other, 0, 6), Span(other, 0, len(other.text)), 0.5),))
    text = shown(Answer("who?", "en", (Citation(place("Al Cheng"), SENTENCE, 0.6),), 0.6, None, others=(rival,)))
    assert text.endswith(
        "Confidence 0.60, low: about every other such answer is right: read what stands around it.\n\n"
        "Otherwise:\n\n"
        "“Renaud”\n“Renaud dirige l’atelier.”\n[2] Atelier (fr) b.txt:0-6\n\n"
    )


def test_a_citation_says_its_page_or_its_heading() -> None:
    paged = Document("r.pdf", "Report", "en", "One.\n\nTwo leads it.\n\nThree.", pages=(0, 6, 22))
    whole = Span(paged, 6, 19)
    citation = Citation(Span(paged, 6, 9), whole, 0.9)
    assert (citation.page, citation.heading, Span(paged, 0, 4).page, Span(paged, 22, 26).page) == (2, None, 1, 3)
    assert citation.to_dict()["page"] == 2
    assert "\n[1] Report (en) r.pdf:6-9, page 2\n" in shown(Answer("who?", "en", (citation,), 0.9, None))
    headed = Document("r.md", "Report", "en", "# Report\nIt is.\n## Staff \x1b##\r\nMaria.", headings=(0, 16))
    maria = headed.text.index("Maria")
    citation = Citation(Span(headed, maria, maria + 6), Span(headed, maria, maria + 6), 0.9)
    assert (citation.page, citation.to_dict()["heading"]) == (None, "Staff \x1b")
    assert ", under “Staff \ufffd”\n" in shown(Answer("who?", "en", (citation,), 0.9, None))
    assert (Span(headed, 9, 12).heading, Span(headed, 18, 20).heading) == ("Report", "Staff \x1b")


@pytest.mark.parametrize(("pages", "headings"), [((1,), ()), ((0, 9), ()), ((0, 3, 2), ()), ((), (-1,)), ((), (4, 2))])
def test_pages_and_headings_lie_in_the_text_in_order(pages: tuple[int, ...], headings: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="of 'a'"):
        Document("a", "A", "en", "12345678", pages=pages, headings=headings)


def test_a_refusal_has_its_reason_and_the_nearest_passages() -> None:
    long = Document("long.txt", "Long", "it", "parola " * 40)
    passages = (Hit(Span(long, 0, 280), 0.5), Hit(Span(ARTICLE, 0, 17), 0.4))
    assert shown(Answer("who?", "en", (), 0.2, "nothing_relevant", passages)) == (
        "The documents do not answer this: nothing in them is about it.\n\n"
        "The nearest passages:\n\n"
        f"“{long.text[:200]}…”\n"
        "[1] Long (it) long.txt:0-280\n\n"
        "“It opened in May.”\n"
        "[2] Studio\ufffd[2J (en) a.txt:0-17\n\n"
    )
    assert shown(Answer("", "und", (), 0.0, "not_a_question")) == (
        "The documents do not answer this: it does not read as a question.\n\n"
    )


def test_an_answer_is_explained(index_dir: Path) -> None:
    question = ("ask", "Who runs the harbour of Port Ellis?", "--index", index_dir)
    told = json.loads(rag(*question, "--json", "--explain").stdout)
    assert told["explanation"]["candidates"][0]["outcome"] == "won"
    assert told["explanation"]["confidence"]["value"] == told["confidence"]
    assert "explanation" not in json.loads(rag(*question, "--json").stdout)
    text = rag(*question, "--explain").stdout
    for word in ("Searched for: Who runs the harbour of Port Ellis?", "lexical", "pooled", "probability"):
        assert word in text


def asking(index: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "rag", "ask", "--json", "-", "--index", str(index)],
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # Started in the background, the tests ignore the interrupt, and so would the command.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def test_answers_are_flushed_in_utf_8_and_an_interrupt_exits_130(index_dir: Path) -> None:
    with asking(index_dir) as process:
        assert process.stdin and process.stdout and process.stderr
        process.stdin.write("perché?\n".encode())
        process.stdin.flush()
        assert json.loads(process.stdout.readline().decode())["question"] == "perché?"
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 130
        assert b"Traceback" not in process.stderr.read()


def test_a_reader_that_goes_away_is_no_error_to_print(index_dir: Path) -> None:
    with asking(index_dir) as process:
        assert process.stdin and process.stdout and process.stderr
        process.stdin.write(b"who?\n")
        process.stdin.flush()
        process.stdout.readline()
        process.stdout.close()
        process.stdin.write(b"who?\nwhen?\n")
        process.stdin.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=60) == 1
