"""Over 300 hostile files in one folder: none ends or hangs the reading, and nothing outside the folder is read."""

import io
import os
import random
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import pytest
from fpdf import FPDF

from rag.corpus import read_corpus
from rag.formats import Confined, Limits, UnreadableError
from rag.sources import Corpus

CANARY = "canary-4711-do-not-read"
LIMITS = Limits(seconds=8, memory_bytes=1_000_000_000)
WORDS = "The harbour of Port Ellis is run by Maria Duarte, and employs 240 people since June 2019. "
DOCTYPE = '<!DOCTYPE a [<!ENTITY b "bbbbbbbbbb">{}]>'
LAUGHS = DOCTYPE.format("".join(f'<!ENTITY b{n} "{f"&b{n - 1};" * 10 if n else "ha"}">' for n in range(10)))
OUTSIDE = DOCTYPE.format('<!ENTITY x SYSTEM "file://{}">')
TYPES = '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'
RELATIONS = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r" Target='
    '"{}" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"/></Relationships>'
)
W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
BODY = "<w:p><w:pPr><w:pStyle w:val='Heading1'/></w:pPr><w:r><w:t>Port</w:t></w:r></w:p>" + (
    f"<w:tbl><w:tr><w:tc><w:p><w:r><w:t>{WORDS}</w:t></w:r></w:p></w:tc></w:tr></w:tbl>" * 9
)
CONTAINER = '<container><rootfiles><rootfile full-path="{}"/></rootfiles></container>'
PACKAGE = (
    '{}<package><metadata><title>Port</title></metadata><manifest><item id="a" href="{}" media-type='
    '"application/xhtml+xml"/></manifest><spine><itemref idref="a"/></spine></package>'
)
PAGE = f"<html><head><title>Port</title></head><body><nav>Home</nav><h1>Port</h1>{f'<p>{WORDS}</p>' * 9}</body></html>"


def zipped(files: dict[str, str | bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def docx(
    document: str | bytes = "",
    *,
    relations: str = RELATIONS.format("word/document.xml"),
    more: Mapping[str, bytes] = MappingProxyType({}),
) -> bytes:
    document = document or f"<w:document {W}><w:body>{BODY}</w:body></w:document>"
    return zipped({"[Content_Types].xml": TYPES, "_rels/.rels": relations, "word/document.xml": document, **more})


def epub(chapter: str | bytes = PAGE, *, package: str = "", container: str = CONTAINER.format("b.opf")) -> bytes:
    files = {"META-INF/container.xml": container, "b.opf": package or PACKAGE.format("", "a.xhtml"), "a.xhtml": chapter}
    return zipped(files)


def pdf() -> bytes:
    made = FPDF()
    made.set_font("Helvetica", size=11)
    for _ in range(3):
        made.add_page()
        made.multi_cell(0, 6, WORDS * 3)
    return bytes(made.output())


def raw_pdf(*objects: bytes, trailer: bytes = b"") -> bytes:
    """Return a PDF of these objects, the first of which is its catalogue."""
    made, places = b"%PDF-1.7\n", []
    for number, content in enumerate(objects, start=1):
        places.append(len(made))
        made += b"%d 0 obj %s endobj\n" % (number, content)
    table = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    table += b"".join(b"%010d 00000 n \n" % place for place in places)
    return made + table + b"trailer<</Root 1 0 R/Size 9%s>>\nstartxref\n%d\n%%%%EOF" % (trailer, len(made))


def stream(content: bytes, more: bytes = b"") -> bytes:
    return b"<</Length %d%s>>stream\n%s\nendstream" % (len(content), more, content)


def mutated(data: bytes, chance: random.Random) -> bytes:
    """Return the data with some bytes changed, taken out, doubled or put elsewhere."""
    made = bytearray(data)
    for _ in range(chance.choice((1, 3, 30))):
        place, length = chance.randrange(len(made)), chance.choice((1, 4, 100))
        match chance.randrange(4):
            case 0:
                made[place] = chance.randrange(256)
            case 1 if len(made) > 2 * length:
                del made[place : place + length]
            case 2:
                made[place:place] = made[place : place + length]
            case _:
                made[place:place] = chance.choice(
                    (b"\0", b"<", b"999999999", b"\xff\xfe", b"[[[[", b"<<", b"&x;", b"/Kids")
                )
    return bytes(made)


def broken() -> Iterator[tuple[str, bytes]]:
    """Yield whole files of each format, cut short and mutated, also inside of their archives."""
    chance = random.Random(20_261_125)
    page = PAGE.encode()
    for suffix, data in ((".pdf", pdf()), (".docx", docx()), (".epub", epub()), (".html", page)):
        yield f"whole{suffix}", data
        for number in range(20):
            yield f"cut-{number}{suffix}", data[: chance.randrange(len(data))]
        for number in range(45):
            yield f"mutated-{number}{suffix}", mutated(data, chance)
    document = f"<w:document {W}><w:body>{BODY}</w:body></w:document>".encode()
    for number in range(25):
        yield f"inside-{number}.docx", docx(mutated(document, chance))
        yield f"inside-{number}.epub", epub(mutated(page, chance))


def traps(canary: Path) -> Iterator[tuple[str, bytes]]:
    """Yield files that were made to be read without end, or to have something else read."""
    bomb = bytes(60_000_000)
    outside = OUTSIDE.format(canary)
    yield "bomb.docx", docx(more={"word": bomb})
    yield "bomb.epub", epub(bomb)
    # The sizes that an archive declares may be lies.
    lie = bytearray(docx(more={"word": bomb}))
    place = lie.rfind(b"PK\x01\x02")
    lie[place + 24 : place + 28] = (1000).to_bytes(4, "little")
    yield "lie.docx", bytes(lie)
    yield "many.docx", docx(more={str(number): b"" for number in range(10_001)})
    yield "names.docx", docx(more={"../../evil.xml": b"<a/>", "/etc/passwd": b"x", "word/../../x": b"x"})
    for name, target in (
        ("up", f"../../../../../../../..{canary}"),
        ("root", str(canary)),
        ("url", f"file://{canary}"),
    ):
        yield f"relation-{name}.docx", docx(relations=RELATIONS.format(target))
        yield f"chapter-{name}.epub", epub(package=PACKAGE.format("", target))
        yield f"package-{name}.epub", epub(container=CONTAINER.format(target))
    text = "<w:p><w:r><w:t>{}</w:t></w:r></w:p></w:body></w:document>"
    for name, doctype, entity in (("laughs", LAUGHS, "&b9;"), ("outside", outside, "&x;")):
        document = f"{doctype}<w:document {W}><w:body>{text.format(entity)}"
        yield f"{name}.docx", docx(document)
        yield f"{name}-16.docx", docx(f'<?xml version="1.0" encoding="utf-16"?>{document}'.encode("utf-16"))
        yield f"{name}.epub", epub(package=PACKAGE.format(doctype, entity))
        yield f"{name}-chapter.epub", epub(f"{doctype}<html><body><p>{entity}</p></body></html>")
        yield f"{name}.xhtml", f'<?xml version="1.0"?>{doctype}<html><body><p>{entity}</p></body></html>'.encode()
    yield (
        "frames.html",
        (
            f'<iframe src="file://{canary}"></iframe><object data="{canary}"></object><link href="{canary}">'
            f'<base href="file:///"><img src="{canary}"><xi:include href="{canary}"/><p>{WORDS}</p>'
        ).encode(),
    )
    for depth in (300, 100_000):
        yield f"deep-{depth}.html", b"<div>" * depth + WORDS.encode()
        yield f"deep-{depth}.epub", epub("<div>" * depth + WORDS)
        yield (
            f"deep-{depth}.docx",
            docx(f"<w:document {W}><w:body>{'<w:sdt>' * depth}{'</w:sdt>' * depth}</w:body></w:document>"),
        )
    yield "wide.html", f"<p {' '.join(f'a{n}=b' for n in range(20_000))}>".encode() + b"<b><i><p>" * 20_000 + b"text"
    yield "line.html", b"<p>" + b"word " * 1_000_000
    yield from pdf_traps()
    yield from wrong_texts()


def pdf_traps() -> Iterator[tuple[str, bytes]]:
    catalogue, font = b"<</Type/Catalog/Pages 2 0 R>>", b"/Resources<</Font<</F1 5 0 R>>/XObject<</X 4 0 R>>>>"
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R%s>>" % font
    pages = b"<</Type/Pages/Kids[3 0 R]/Count 1>>"
    text = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"
    packed = zlib.compress(bytes(100_000_000))
    yield "count.pdf", raw_pdf(catalogue, b"<</Type/Pages/Kids[3 0 R]/Count 999999999>>", page, stream(b""), text)
    yield "loop.pdf", raw_pdf(catalogue, b"<</Type/Pages/Kids[2 0 R 2 0 R]/Count 2>>")
    yield "bomb.pdf", raw_pdf(catalogue, pages, page, stream(packed, b"/Filter/FlateDecode"), text)
    twice = stream(zlib.compress(packed), b"/Filter[/FlateDecode/FlateDecode]")
    yield "bombs.pdf", raw_pdf(catalogue, pages, page, twice, text)
    form = b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]" + font
    yield "form.pdf", raw_pdf(catalogue, pages, page, stream(b"/X Do /X Do /X Do", form), text)
    yield "deep.pdf", raw_pdf(catalogue, pages, page, b"[" * 100_000, text)
    yield "dict.pdf", raw_pdf(b"<</A" * 50_000, pages)
    yield "text.pdf", raw_pdf(catalogue, pages, page, stream(b"BT /F1 9 Tf " + b"(x) Tj " * 400_000 + b"ET"), text)
    yield "previous.pdf", raw_pdf(catalogue, pages, page, stream(b""), text, trailer=b"/Prev 9")
    yield "self.pdf", raw_pdf(b"1 0 R", pages)
    yield (
        "wide.pdf",
        raw_pdf(catalogue, b"<</Type/Pages/Kids[" + b"3 0 R " * 6_000 + b"]/Count 6000>>", page, stream(b""), text),
    )


def wrong_texts() -> Iterator[tuple[str, bytes]]:
    for number, encoding in enumerate(("utf-16", "utf-32", "cp1252", "utf-16-be", "cp037", "shift_jis")):
        words = "L’été" if encoding != "shift_jis" else "港の灯台"
        yield f"encoding-{number}.txt", (words * 9).encode(encoding, "replace")
        yield f"encoding-{number}.md", (words * 9).encode(encoding, "replace")
        yield f"encoding-{number}.html", f"<meta charset=utf-8><p>{words * 9}".encode(encoding, "replace")
        yield f"encoding-{number}.epub", epub(f"<p>{words * 9}".encode(encoding, "replace"))
    for encoding in (
        "undefined",
        "idna",
        "rot13",
        "base64",
        "zlib",
        "unicode_escape",
        "mbcs",
        "punycode",
        "utf-7",
        "x" * 300,
    ):
        yield f"declared-{encoding[:20]}.html", f"<meta charset={encoding}><p>{WORDS}".encode() + b"\xff"
    yield "line.txt", b"word " * 4_000_000
    yield "zeros.txt", bytes(1_000_000)
    yield "fences.md", b"```\n# no\n" * 50_000
    yield "..txt.txt", b"A name with two dots, which is hidden."
    yield "a..b.txt", b"A name with two dots."
    yield "%2e%2e%2fup.txt", b"A name like a way up."
    yield "empty.pdf", b""
    yield "noise.pdf", random.Random(1).randbytes(100_000)
    yield "noise.docx", random.Random(2).randbytes(100_000)


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("outside")
    (folder / "canary.txt").write_text(CANARY)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, outside: Path) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    for name, content in (*broken(), *traps(outside / "canary.txt")):
        path = folder / f"part{len(name) % 5}" / name
        path.parent.mkdir(exist_ok=True)
        assert not path.exists(), name
        path.write_bytes(content)
    links = {
        "file.txt": outside / "canary.txt",
        "folder": outside,
        "up.txt": Path("..", "..", outside.parent.name, outside.name, "canary.txt"),
        "passwd.txt": Path("/etc/passwd"),
        "endless.txt": Path("/dev/zero"),
        "self.txt": Path("self.txt"),
        "nowhere.pdf": Path("nowhere"),
        "parent": Path(),
    }
    for name, target in links.items():
        (folder / name).symlink_to(target)
    os.mkfifo(folder / "pipe.pdf")
    return folder


@pytest.fixture(scope="module")
def found(folder: Path) -> Corpus:
    return read_corpus(folder, limits=LIMITS)


def test_there_are_enough_of_them(folder: Path) -> None:
    assert sum(1 for path in folder.rglob("*") if path.is_file()) >= 300


def test_each_file_is_read_or_skipped_with_a_reason(folder: Path, found: Corpus) -> None:
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file() or path.is_symlink()}
    expected = {name for name in names if "." in name.rpartition("/")[2]} - {"part9/..txt.txt"}
    expected = {name for name in expected if not name.rpartition("/")[2].startswith(".")}
    blank = {id for id, (_, reason) in found.sources.unread.items() if not reason}
    assert {d.id for d in found.documents} | {s.id for s in found.skipped} | blank == expected
    for skipped in found.skipped:
        assert skipped.reason.startswith("it"), skipped
        assert "\n" not in skipped.reason


def test_the_whole_files_are_read(found: Corpus) -> None:
    read = {document.id.rpartition("/")[2]: document.text for document in found.documents}
    for suffix in (".pdf", ".docx", ".epub", ".html"):
        assert WORDS.strip() in read[f"whole{suffix}"]
    assert len(read["line.txt"]) == 20_000_000
    assert len(read) > 100


def test_nothing_outside_is_read(found: Corpus) -> None:
    for document in found.documents:
        assert CANARY not in document.text, document.id
        assert "root:x:0" not in document.text, document.id
    reasons = {skipped.id: skipped.reason for skipped in found.skipped}
    for name in ("file.txt", "up.txt", "passwd.txt", "endless.txt"):
        assert "a link that leads out of the folder" in reasons[name]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("bomb.docx", "to over 100 times its size"),
        ("bomb.epub", "to over 100 times its size"),
        ("many.docx", "it holds 10,004 files, and 10,000 is the limit"),
        ("laughs.docx", "it defines XML entities"),
        ("laughs-16.docx", "it defines XML entities"),
        ("outside.epub", "it defines XML entities"),
        ("wide.pdf", "it has 6,000 pages, and 5,000 is the limit"),
        ("encoding-0.txt", "it is not text (it holds NUL bytes)"),
        ("empty.pdf", "it is damaged"),
        ("text.pdf", "it takes over 8 seconds to read"),
        ("deep-100000.html", "it is nested too deeply"),
    ],
)
def test_a_trap_is_named(found: Corpus, name: str, reason: str) -> None:
    reasons = {skipped.id.rpartition("/")[2]: skipped.reason for skipped in found.skipped}
    assert reason in reasons[name]


READ_ALL = """
import resource, sys
from pathlib import Path
from rag.corpus import read_corpus
from rag.formats import Limits
read_corpus(Path(sys.argv[1]), limits=Limits(seconds=4, memory_bytes=int(sys.argv[2])))
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the limits of Linux")
def test_reading_the_traps_takes_bounded_memory(tmp_path: Path, outside: Path) -> None:
    for name, content in traps(outside / "canary.txt"):
        path = tmp_path / f"part{len(name) % 5}" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    # In a small process of its own: what a large one starts counts its parent's memory as its own at first.
    arguments = [sys.executable, "-c", READ_ALL, str(tmp_path), str(LIMITS.memory_bytes)]
    said = subprocess.run(arguments, capture_output=True, text=True, check=True).stdout
    assert 0 < int(said) * 1024 < LIMITS.memory_bytes


@pytest.mark.skipif(sys.platform != "linux", reason="the limits of Linux")
def test_memory_and_time_are_bounded() -> None:
    heavy = b"<p>" + b"<b>x</b>" * 3_000_000
    with Confined(Limits(memory_bytes=300_000_000)) as reader:
        with pytest.raises(UnreadableError, match="it takes over 300,000,000 bytes of memory to read"):
            reader.read(".html", heavy)
        assert reader.read(".html", b"<p>The next one is read.</p>").text == "The next one is read."
    with Confined(Limits(seconds=4)) as reader:
        slow = dict(pdf_traps())["text.pdf"]
        with pytest.raises(UnreadableError, match="it takes over 4 seconds to read"):
            reader.read(".pdf", slow)
        assert WORDS.strip() in reader.read(".pdf", pdf()).text
