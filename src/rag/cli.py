"""The `rag` command: build an index, ask it, chat with it, score it, and look whether all is well."""

import importlib.metadata
import io
import json
import platform
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from rag.errors import CorpusError, EngineError, GoldError, IndexDirectoryError, RagError
from rag.spans import LEVELS, Answer, Citation, Reason, Span

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from rag.ask import Assistant
    from rag.evaluate import Evaluation
    from rag.index import BuildReport
    from rag.update import Status

DISTRIBUTION = "verbatim-qa"
OLDEST_PYTHON = (3, 11)
PACKAGES = (
    "torch",
    "sentence-transformers",
    "faiss-cpu",
    "gradio",
    "langchain-text-splitters",
    "bm25s",
    "PyStemmer",
    "py3langid",
    "onnxruntime",
    "tokenizers",
    "numpy",
    "rich",
    "typer",
)
# What the program can do without, by the extra that brings it.
OPTIONAL = {
    "pypdf": "documents",
    "mammoth": "documents",
    "trafilatura": "documents",
    "mcp": "mcp",
    "qdrant-client": "qdrant",
}
SEEDS = Path("seeds")
INDEX = Path("index")
LINE_LIMIT = 1_048_576  # bytes of a line of standard input; a question is far shorter

_REASONS: dict[Reason, str] = {
    "nothing_relevant": "nothing in them is about it",
    "no_answer_in_passages": "the nearest passages do not say it",
    "not_a_question": "it does not read as a question",
    "too_uncertain": "what they say is too uncertain an answer",
}
_CONTROL = {code: " " if chr(code).isspace() else "\ufffd" for code in (*range(0x20), *range(0x7F, 0xA0))}
_LINE_BREAKS = str.maketrans({"\x85": "\\u0085", "\u2028": "\\u2028", "\u2029": "\\u2029"})

app = typer.Typer(
    name="rag",
    help="Answer questions about a folder of documents in the documents' own words.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

IndexOption = Annotated[Path, typer.Option("--index", metavar="DIR", help="The folder of the index.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def main() -> None:
    """Run the command line.

    Exit 0 when all went well, 2 when the user can mend it, 3 when files were skipped, 130 when interrupted.
    """
    app(prog_name="rag")


@contextmanager
def _mistakes_on_one_line() -> Iterator[None]:
    try:
        yield
        # A reader that went away is noticed here, where typer still keeps quiet about it, and not at shutdown.
        sys.stdout.flush()
    except RagError as error:
        typer.echo(f"rag: {' '.join(str(error).split())}", err=True)
        raise typer.Exit(2) from None


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"rag {_version(DISTRIBUTION)}")
        raise typer.Exit


@app.callback()
def _options(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    # JSON is UTF-8 whatever the terminal is; a lone surrogate becomes the escape that JSON writes it with.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")


@app.command()
@_mistakes_on_one_line()
def build(
    corpus: Annotated[Path, typer.Argument(metavar="[CORPUS]", help="The folder of documents.")] = SEEDS,
    *,
    index: IndexOption = INDEX,
    encoder: Annotated[
        str | None,
        typer.Option(
            metavar="NAME_OR_PATH",
            help='"bundled", or a sentence-transformers model; an index keeps that of its last build.',
        ),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, metavar="N", help="Embed with so many processes.")] = 1,
    engine: Annotated[
        str | None,
        typer.Option(metavar="NAME", help='"local", or "qdrant" for a server; an index keeps that of its first build.'),
    ] = None,
    url: Annotated[
        str | None, typer.Option(help="The Qdrant server; its key is read from the variable QDRANT_API_KEY.")
    ] = None,
) -> None:
    """Build the index of a folder of documents, or bring it up to date; exit 3 when files of it were skipped."""
    if url == ":memory:":
        raise EngineError("an index in memory would end with this command; give --url a server or a folder")
    _conclude(_build(corpus, index, encoder=encoder, workers=workers, engine=engine, url=url), index)


@app.command()
@_mistakes_on_one_line()
def add(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Documents, from anywhere.")],
    *,
    index: IndexOption = INDEX,
) -> None:
    """Add documents to the index, or read them again; they stay through later builds."""
    from rag.update import add as work

    with _progress_bar() as progress:
        report = work(files, index, progress=progress)
    _print_skipped(report)
    _conclude(report, index)


@app.command()
@_mistakes_on_one_line()
def remove(
    ids: Annotated[list[str], typer.Argument(metavar="ID...", help="Ids of documents, as citations show them.")],
    *,
    index: IndexOption = INDEX,
) -> None:
    """Take documents out of the index; they stay out through later builds, until they are added again."""
    from rag.update import remove as work

    with _progress_bar() as progress:
        report = work(ids, index, progress=progress)
    _conclude(report, index)


@app.command()
@_mistakes_on_one_line()
def status(
    corpus: Annotated[
        Path | None,
        typer.Argument(metavar="[CORPUS]", help="The folder of documents; the one of the index when not given."),
    ] = None,
    *,
    index: IndexOption = INDEX,
) -> None:
    """Tell what `rag build` would change: files that are new, changed, renamed or removed, by their contents."""
    from rag.update import status as work

    _print_status(work(corpus, index), index)


@app.command()
@_mistakes_on_one_line()
def ask(
    question: Annotated[str, typer.Argument(help='The question; "-" reads one a line from standard input.')],
    *,
    index: IndexOption = INDEX,
    as_json: JsonOption = False,
    language: Annotated[
        str | None, typer.Option(metavar="CODE", help="The question's language; recognised when not given.")
    ] = None,
    document: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Search only this document; can be repeated.")
    ] = None,
    threshold: Annotated[
        float | None, typer.Option(min=0.0, max=1.0, help="Refuse below this confidence; 0 always answers.")
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show the ranks and scores of each stage, for winners and losers.")
    ] = False,
    history: Annotated[
        str | None,
        typer.Option(metavar="JSON", help='Earlier turns that it may lean on: [["question", "answer"], ...].'),
    ] = None,
) -> None:
    """Ask a question and print the answer in a document's own words, with its place."""
    turns = _turns(history)
    assistant = _open(index)
    _check_documents(document or (), assistant)
    console = _console()
    for text in _questions(question):
        answer = assistant.ask(text, turns, language=language, documents=document or None, threshold=threshold)
        if as_json:
            _print_json({**answer.to_dict(), **({"explanation": answer.explain()} if explain else {})})
        else:
            print_answer(answer, console)
            if explain:
                _print_explanation(answer, console)


@app.command()
@_mistakes_on_one_line()
def chat(
    *,
    index: IndexOption = INDEX,
    corpus: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Bring the index up to date with this folder first.")
    ] = None,
    host: Annotated[str, typer.Option(help="The address to listen on; another machine reaches 0.0.0.0.")] = "127.0.0.1",
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="The port to listen on; the first free one from 7860 when not given."),
    ] = None,
    auth: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Who may ask: a file of lines that `rag password` made.")
    ] = None,
    no_auth: Annotated[
        bool, typer.Option("--no-auth", help="Let everybody ask who reaches the host, even from other machines.")
    ] = False,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Another name that the page is reached by; can be repeated."),
    ] = None,
    mcp: Annotated[bool, typer.Option("--mcp", help="Serve assistants over MCP as well, at /mcp.")] = False,
    questions: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Questions to offer, one a line; CORPUS.questions.txt when not given."),
    ] = None,
    feedback: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where readers' verdicts go; INDEX.feedback.jsonl when not given."),
    ] = None,
) -> None:
    """Open the chat page for the browser, and answer programs at /api."""
    from rag.server import Where, launch

    where = Where(host, port, auth, everybody=no_auth, names=tuple(allow_host or ()))
    where.rules()  # what is wrong with them should not wait for an index
    if corpus is None:
        _build_when_missing(index)
    launch(index, corpus=corpus, where=where, mcp=mcp, questions=questions, feedback=feedback)


@app.command()
@_mistakes_on_one_line()
def mcp(*, index: IndexOption = INDEX) -> None:
    """Serve one assistant over MCP, on standard input and output."""
    from rag.mcp_server import check_installed, speak

    check_installed()
    speak(_open(index), version=_version(DISTRIBUTION))


@app.command()
@_mistakes_on_one_line()
def password(name: Annotated[str, typer.Argument(help="Who may ask: the name to log in with.")]) -> None:
    """Print a line for the file of `rag chat --auth`; the password is asked for, or read from a pipe."""
    from rag.passwords import check_name, password_line

    check_name(name)
    if sys.stdin.isatty():
        word = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    else:
        word = sys.stdin.readline().rstrip("\r\n")
    typer.echo(password_line(name, word))


@app.command()
@_mistakes_on_one_line()
def evaluate(
    gold: Annotated[Path, typer.Argument(metavar="GOLD.jsonl", help="The gold questions.")],
    *,
    chats: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The gold chats; chats.jsonl beside the gold questions when not given."),
    ] = None,
    index: IndexOption = INDEX,
    as_json: JsonOption = False,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE.html", help="Also write a page of all scores and the worst misses.")
    ] = None,
    write: Annotated[bool, typer.Option("--write", help="Write the scores as the expected ones.")] = False,
    candidates: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Score nothing; print the gold questions that a file of feedback proposes."),
    ] = None,
) -> None:
    """Score the answers to gold questions; exit 1 when a score left the tolerance in expected.json."""
    from rag.baseline import compare, read_expected, write_expected
    from rag.evaluate import evaluate as score
    from rag.gold import read_chats, read_gold

    questions = read_gold(gold)
    if candidates is not None:
        _print_candidates(candidates, [question.question for question in questions])
        return
    beside = gold.with_name("chats.jsonl")
    follow_ups = read_chats(chats or beside) if chats or beside.exists() else ()
    expected = gold.with_name("expected.json")
    wanted = read_expected(expected) if expected.exists() else {"scores": {}}
    if report is not None and not report.parent.is_dir():
        raise GoldError(f"there is no folder {report.parent} for the report: make it or give another file")
    assistant = _open(index)
    with _progress_bar() as progress:
        evaluation = score(assistant, questions, chats=follow_ups, progress=progress)
    complaints = compare(evaluation, wanted)
    if report is not None:
        from rag.report import write_report

        write_report(evaluation, report, title=f"Evaluation of {gold.name}")
        typer.echo(f"rag: wrote {report}", err=True)
    if as_json:
        _print_json({**evaluation.to_dict(), "complaints": complaints})
    else:
        _print_evaluation(evaluation, complaints)
    if write:
        write_expected(evaluation, expected)
        typer.echo(f"rag: wrote {expected}", err=True)
    elif complaints:
        raise typer.Exit(1)


@app.command()
@_mistakes_on_one_line()
def doctor(*, index: IndexOption = INDEX) -> None:
    """Look whether all that the program needs is there and works; exit 2 when something is not."""

    @cache
    def opened() -> "Assistant":
        from rag.ask import Assistant

        return Assistant.open(index)

    checks: list[tuple[str, Callable[[], str]]] = [
        ("python", _check_python),
        *((package, partial(_check_package, package)) for package in PACKAGES),
        *((package, partial(_check_optional, package, extra)) for package, extra in OPTIONAL.items()),
        ("bundled models", _check_models),
        ("index is there", lambda: _check_presence(index)),
        ("index is whole", lambda: _check_index(opened())),
        ("a question", lambda: _check_question(opened())),
    ]
    problems = [name for name, check in checks if not _is_well(name, check)]
    if problems:
        raise typer.Exit(2)


def _console() -> "Console":
    from rich.console import Console

    return Console(markup=False, highlight=False, emoji=False, soft_wrap=True)


@contextmanager
def _progress_bar() -> Iterator[Callable[[str, int, int], None]]:
    from rich.console import Console
    from rich.progress import Progress, TaskID

    console = Console(stderr=True)
    tasks: dict[str, TaskID] = {}
    with Progress(console=console, disable=not console.is_terminal) as bar:

        def show(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bar.add_task(stage, total=total)
            bar.update(tasks[stage], completed=done, total=total)

        yield show


def _build(
    corpus: Path,
    index: Path,
    *,
    encoder: str | None = None,
    workers: int = 1,
    engine: str | None = None,
    url: str | None = None,
) -> "BuildReport":
    from rag.index import build

    with _progress_bar() as progress:
        report = build(corpus, index, encoder=encoder, workers=workers, engine=engine, url=url, progress=progress)
    _print_skipped(report)
    return report


def _print_skipped(report: "BuildReport") -> None:
    for skipped in report.skipped:
        typer.echo(f"rag: skipped {_printable(skipped.id)}: {_printable(skipped.reason)}", err=True)


def _conclude(report: "BuildReport", index: Path) -> None:
    typer.echo(_summary(report, index))
    if report.skipped:
        raise typer.Exit(3)


def _print_status(status: "Status", index: Path) -> None:
    lines = [
        *(("new", id) for id in status.new),
        *(("changed", id) for id in status.changed),
        *(("renamed", f"{old} -> {new}") for old, new in status.renamed),
        *(("removed", id) for id in status.removed),
    ]
    skipped = [("skipped", f"{id}: {reason}") for id, reason in status.skipped]
    left_out = [("left out", f"{id} (by `rag remove`; `rag add` takes it in again)") for id in status.left_out]
    added = [("added", f"{id} (from {path})") for id, path in status.added]
    for word, text in (*lines, *skipped, *left_out, *added):
        typer.echo(f"{word:9} {_printable(text)}")
    change = f"`rag build` would make {len(lines)} changes" if lines else "nothing has changed"
    typer.echo(f"{index}: {status.documents} documents, {status.folder}: {change}")


def _summary(report: "BuildReport", index: Path) -> str:
    skipped = f", {len(report.skipped)} skipped" if report.skipped else ""
    recall = "" if report.recall is None else f", recall@10 {report.recall:.3f}"
    return (
        f"{index}: {report.documents} documents, {report.passages} passages "
        f"({report.embedded} embedded, {report.reused} reused), {report.seconds:.1f} s, "
        f"{report.size / 1e6:.1f} MB{recall}{skipped}"
    )


def _open(index: Path) -> "Assistant":
    _build_when_missing(index)
    from rag.ask import Assistant

    return Assistant.open(index)


def _build_when_missing(index: Path) -> None:
    from rag.index import is_missing

    if not is_missing(index):
        return
    if not SEEDS.is_dir():
        raise IndexDirectoryError(
            f"there is no index in {index} and no folder {SEEDS} to build one from: run {_build_command(index)}"
        )
    typer.echo(f"rag: there is no index in {index}: building it from {SEEDS} first", err=True)
    typer.echo(f"rag: {_summary(_build(SEEDS, index), index)}", err=True)


def _build_command(index: Path) -> str:
    return "`rag build FOLDER`" if index == INDEX else f"`rag build FOLDER --index {index}`"


def _print_candidates(feedback: Path, known: Sequence[str]) -> None:
    from rag.feedback import candidates

    found = candidates(feedback, known)
    for question in found.questions:
        _print_json(question)
    typer.echo(
        f"rag: {len(found.questions)} proposed, for a person to check; {found.known} are gold questions already, "
        f"{found.follow_ups} follow-ups were left out, and {len(found.unanswered)} need an answer written by hand",
        err=True,
    )
    for text in found.unanswered:
        typer.echo(f"rag: without a right answer: {_printable(text)}", err=True)


def _check_documents(wanted: Sequence[str], assistant: "Assistant") -> None:
    known = [document.id for document in assistant.documents]
    for document in wanted:
        if document not in known:
            more = ", …" if len(known) > 10 else ""
            raise CorpusError(
                f'the index has no document "{document}": give --document one of {", ".join(known[:10])}{more}'
            )


def _turns(history: str | None) -> tuple[tuple[str, str], ...]:
    from rag.wire import read_history

    try:
        return read_history(json.loads(history or "[]"))
    except (ValueError, RecursionError):
        raise RagError('--history is not JSON: give it as [["question", "answer"], ...]') from None


def _questions(question: str) -> Iterator[str]:
    if question != "-":
        yield question
        return
    for line in _lines(sys.stdin.buffer):
        # A byte that is no text must not end the conversation, nor a blank line: each gets an answer with a reason.
        yield line.decode("utf-8", errors="replace").removeprefix("\ufeff").rstrip("\r\n")


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """Give the lines of a file, each cut at LINE_LIMIT, so that no line is too long for the memory."""
    while line := file.readline(LINE_LIMIT):
        yield line
        while len(line) == LINE_LIMIT and not line.endswith(b"\n"):
            line = file.readline(LINE_LIMIT)


def _print_json(values: dict[str, object]) -> None:
    line = json.dumps(values, ensure_ascii=False).translate(_LINE_BREAKS)
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def print_answer(answer: Answer, console: "Console") -> None:
    """Print the answer for a person to read: the quoted words, their sentence and place, how sure, who else says so.

    The answer is bold inside its sentence, and stands alone before it, when it is shorter. A refusal is printed with
    its reason and the first 200 characters of the nearest passages.
    """
    if answer.reason is not None:
        _print_refusal(answer, answer.reason, console)
    for number, citation in enumerate(answer.citations, start=1):
        if number == 2:
            console.print("Also:\n")
        console.print(_quotation(citation))
        console.print(_place(citation.answer, number) + ("" if number == 1 else "\n"))
        if number == 1:
            console.print(_how_sure(answer) + _lacking(answer) + "\n")
    _print_others(answer, console)


def _print_explanation(answer: Answer, console: "Console") -> None:
    from rich.console import Console

    from rag.explain import render

    # Tables need lines that end: as wide as the terminal, or wide enough where there is none.
    render(answer.explain(), Console(markup=False, emoji=False, width=console.width if console.is_terminal else 200))


def _print_others(answer: Answer, console: "Console") -> None:
    number = len(answer.citations)
    for other in answer.others:
        console.print("Otherwise:\n")
        for citation in other.citations:
            number += 1
            console.print(_quotation(citation))
            console.print(_place(citation.answer, number) + "\n")


def _how_sure(answer: Answer) -> str:
    if answer.level is None:
        return ""
    _, meaning = LEVELS[answer.level]
    return f"Confidence {answer.confidence:.2f}, {answer.level}: {meaning}."


def _lacking(answer: Answer) -> str:
    names = ", ".join(f"“{_printable(name)}”" for name in answer.unmentioned)
    return f"\nNo document mentions {names}." if names else ""


def _print_refusal(answer: Answer, reason: Reason, console: "Console") -> None:
    console.print(f"The documents do not answer this: {_REASONS[reason]}.{_lacking(answer)}\n")
    if answer.passages:
        console.print("The nearest passages:\n")
    for number, hit in enumerate(answer.passages[:3], start=1):
        cut = "…" if hit.span.end - hit.span.start > 200 else ""
        console.print(f"“{_printable(hit.span.text[:200])}{cut}”")
        console.print(_place(hit.span, number) + "\n")


def _quotation(citation: Citation) -> "Text":
    from rich.text import Text

    words, sentence = citation.answer, citation.sentence
    quoted = Text(f"“{_printable(sentence.text)}”")
    if words.text == sentence.text:
        return quoted
    quoted.stylize("bold", words.start - sentence.start + 1, words.end - sentence.start + 1)
    # Bold does not survive a pipe, so the words stand alone as well.
    return Text.assemble((f"“{_printable(words.text)}”", "bold"), "\n", quoted)


def _place(span: Span, number: int) -> str:
    document = span.document
    place = f"[{number}] {_printable(document.title)} ({document.language}) {document.id}:{span.start}-{span.end}"
    if span.page is not None:
        return f"{place}, page {span.page}"
    heading = span.heading
    return f"{place}, under “{_printable(heading)}”" if heading and heading != document.title else place


def _printable(text: str) -> str:
    """Return the text, as long as it was, without the characters that could steer a terminal."""
    return text.translate(_CONTROL)


def _print_evaluation(evaluation: "Evaluation", complaints: Sequence[str]) -> None:
    from rag.tables import render

    console = _console()
    render(evaluation, console)
    for number, miss in enumerate(evaluation.worst(10), start=1):
        if number == 1:
            console.print("\nThe worst misses:")
        said = f"“{_printable(miss.answer.text)}”" if miss.answer.found else f"refused ({miss.answer.reason})"
        wanted = f"“{miss.gold.answers[0]}”" if miss.gold.answerable else "a refusal"
        console.print(
            f"{miss.gold.id}  {miss.gold.question}\n"
            f"    {said}, {miss.answer.confidence:.2f}; wanted {wanted}; {miss.cause}"
        )
    for complaint in complaints:
        console.print(f"expected.json: {complaint}")


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return "(not installed)"


def _is_well(name: str, check: Callable[[], str]) -> bool:
    try:
        found = check()
    except (RagError, ImportError, OSError) as error:
        typer.echo(f"problem  {name}: {' '.join(str(error).split())}")
        return False
    typer.echo(f"ok       {name}: {found}")
    return True


def _check_python() -> str:
    if sys.version_info < OLDEST_PYTHON:
        raise RagError(
            f"this is {platform.python_version()}: install {'.'.join(map(str, OLDEST_PYTHON))} or a later one"
        )
    return platform.python_version()


def _check_package(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        raise RagError(f"it is not installed: run `pip install {package}`") from None


def _check_optional(package: str, extra: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return f'not installed, which is well unless you need it: pip install "{DISTRIBUTION}[{extra}]"'


def _check_models() -> str:
    folder = Path(__file__).with_name("models")
    weights = [path for path in sorted(folder.glob("*/**/*")) if path.suffix in (".safetensors", ".onnx")]
    if not weights:
        raise RagError(f"there are no weights below {folder}: install {DISTRIBUTION} again")
    return ", ".join(f"{path.relative_to(folder)} ({path.stat().st_size / 1e6:.1f} MB)" for path in weights)


def _check_presence(index: Path) -> str:
    from rag.index import is_missing

    if is_missing(index):
        raise IndexDirectoryError(f"there is none in {index}: run {_build_command(index)}")
    return str(index)


def _check_index(assistant: "Assistant") -> str:
    if not assistant.documents:
        raise IndexDirectoryError("it holds no documents: run `rag build FOLDER` with a folder that has some")
    return ", ".join(f"{name} {value}" for name, value in assistant.description.items())


def _check_question(assistant: "Assistant") -> str:
    title = assistant.documents[0].title
    answer = assistant.ask(f"{title}?", threshold=0)
    if not answer.found:
        raise IndexDirectoryError(
            f"no answer to the title of the first document ({answer.reason}): build the index anew"
        )
    return _place(answer.citations[0].answer, 1)
