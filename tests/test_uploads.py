import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag import Assistant
from rag.chat import files_of
from rag.labels import LABELS, REFUSED
from rag.uploads import UploadRefused, Uploads

BAKERY = b"The bakery on Mill Street belongs to Ada Quill. It opens at six."
TAVERN = b"The tavern by the river belongs to Tom Reed. It closes at two."


@pytest.fixture(scope="module")
def assistant(index_dir: Path) -> Assistant:
    return Assistant.open(index_dir)


@pytest.fixture
def uploads(assistant: Assistant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Uploads]:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    made = Uploads(assistant)
    yield made
    made.close_all()
    assert list(tmp_path.iterdir()) == [], "nothing of a reader's files is left"


def quiet(stage: str, done: int, total: int) -> None:
    pass


def ids(uploads: Uploads, session: str) -> list[str]:
    return [document.id for document in uploads.documents(session)]


def test_files_are_asked_in_their_own_session_only(uploads: Uploads, assistant: Assistant) -> None:
    steps: list[str] = []
    uploads.add("one", {"bakery.txt": BAKERY}, lambda stage, done, total: steps.append(stage))
    assert "embed" in steps
    mine = uploads.assistant("one")
    assert mine is not None
    assert mine.ask("Who owns the bakery on Mill Street?", threshold=0).citations[0].answer.document.id == "bakery.txt"
    assert uploads.assistant("two") is None
    assert ids(uploads, "two") == []
    assert "bakery.txt" not in [document.id for document in assistant.documents]


def test_files_are_added_to_those_that_are_there_and_removed_one_by_one(uploads: Uploads, tmp_path: Path) -> None:
    uploads.add("one", {"bakery.txt": BAKERY}, quiet)
    uploads.add("one", {"tavern.md": TAVERN}, quiet)
    assert ids(uploads, "one") == ["bakery.txt", "tavern.md"]
    uploads.remove("one", "bakery.txt", quiet)
    assert ids(uploads, "one") == ["tavern.md"]
    uploads.remove("one", "tavern.md", quiet)
    assert uploads.assistant("one") is None
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(UploadRefused) as refused:
        uploads.remove("one", "tavern.md", quiet)
    assert refused.value.why == "gone"


def test_a_closed_session_leaves_nothing(uploads: Uploads, tmp_path: Path) -> None:
    uploads.add("one", {"bakery.txt": BAKERY}, quiet)
    (folder,) = tmp_path.iterdir()
    assert folder.stat().st_mode & 0o077 == 0
    uploads.close("one")
    uploads.close("one")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("files", "why", "name"),
    [
        ({"../a.txt": BAKERY}, "bad_name", "../a.txt"),
        ({"/etc/a.txt": BAKERY}, "bad_name", "/etc/a.txt"),
        ({"a\\b.txt": BAKERY}, "bad_name", "a\\b.txt"),
        ({"a\x00b.txt": BAKERY}, "bad_name", "ab.txt"),
        ({".a.txt": BAKERY}, "bad_name", ".a.txt"),
        ({"": BAKERY}, "bad_kind", ""),
        ({"a" * 99 + ".txt": BAKERY}, "bad_name", "a" * 99 + "."),
        ({"corpus.toml": BAKERY}, "bad_kind", "corpus.toml"),
        ({"good.txt": BAKERY, "bad.txt": b"\xff\xfe\xfa"}, "unreadable", "bad.txt"),
        ({"empty.txt": b"  \n"}, "unreadable", "empty.txt"),
        ({"tavern.txt": TAVERN}, "taken", "tavern.txt"),
        ({f"{number}.txt": BAKERY for number in range(10)}, "too_many", ""),
    ],
)
def test_one_bad_file_and_none_is_taken(uploads: Uploads, files: dict[str, bytes], why: str, name: str) -> None:
    uploads.add("one", {"tavern.txt": TAVERN}, quiet)
    with pytest.raises(UploadRefused) as refused:
        uploads.add("one", files, quiet)
    assert (refused.value.why, refused.value.name) == (why, name)
    assert ids(uploads, "one") == ["tavern.txt"]


def test_files_and_texts_have_limits(uploads: Uploads, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.uploads.MOST_BYTES", 100)
    with pytest.raises(UploadRefused) as refused:
        uploads.add("one", {"a.txt": b"a" * 101}, quiet)
    assert refused.value.why == "too_big"
    monkeypatch.setattr("rag.uploads.MOST_CHARACTERS", 80)
    with pytest.raises(UploadRefused) as refused:
        uploads.add("one", {"a.txt": BAKERY, "b.txt": TAVERN}, quiet)
    assert (refused.value.why, refused.value.name) == ("too_long", "b.txt")


def test_readers_have_a_limit_and_the_idle_make_room(uploads: Uploads, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.uploads.MOST_READERS", 1)
    uploads.add("one", {"bakery.txt": BAKERY}, quiet)
    with pytest.raises(UploadRefused) as refused:
        uploads.add("two", {"tavern.txt": TAVERN}, quiet)
    assert refused.value.why == "crowded"
    monkeypatch.setattr("rag.uploads.IDLE_SECONDS", -1)
    uploads.add("two", {"tavern.txt": TAVERN}, quiet)
    assert (ids(uploads, "one"), ids(uploads, "two")) == ([], ["tavern.txt"])


@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
@pytest.mark.parametrize("why", REFUSED)
def test_every_refusal_is_a_sentence(labels: object, why: str) -> None:
    message = UploadRefused(why, "a.txt").message(labels)  # type: ignore[arg-type]
    assert "{" not in message
    assert message.endswith(".")


def sent(name: str, data: bytes) -> dict[str, object]:
    return {"name": name, "size": len(data), "data": base64.b64encode(data).decode()}


def test_what_a_browser_sends_becomes_files() -> None:
    assert files_of([sent("a.txt", BAKERY), sent("b.txt", b"")]) == {"a.txt": BAKERY, "b.txt": b""}


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ([{"name": "a.txt", "size": 9_000_000, "data": ""}], "too_big"),
        ([{"name": "a.txt", "size": 1, "data": "A" * 8_000_000}], "too_big"),
        ([sent(f"{number}.txt", b"a") for number in range(11)], "too_many"),
        ([sent("a.txt", b"a"), sent("a.txt", b"b")], "taken"),
        ([{"name": "a.txt", "size": 1, "data": "%%"}], "unreadable"),
        ([{"name": 5, "size": 1, "data": "YQ=="}], "gone"),
        (["a.txt"], "gone"),
    ],
)
def test_what_is_no_file_is_refused(data: object, why: str) -> None:
    with pytest.raises(UploadRefused) as refused:
        files_of(data)
    assert refused.value.why == why
