"""Real files of every format, made here, and what is read of them."""

import io
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fpdf import FPDF

from rag.corpus import read_corpus
from rag.formats import Confined, Extracted, Limits, UnreadableError, kinds
from rag.formats.pages import flowing
from rag.sources import Skipped
from rag.spans import Document, Span

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
PROSE = (
    "Port Ellis opened its new harbour in June 2019 after four years of work, and the harbour is run by Maria Duarte."
)


@pytest.fixture(scope="module")
def reader() -> Iterator[Confined]:
    with Confined() as confined:
        yield confined


def archive(files: dict[str, str | bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in files.items():
            made.writestr(name, content)
    return buffer.getvalue()


def pdf(*pages: str, title: str = "") -> bytes:
    made = FPDF()
    made.set_font("Helvetica", size=11)
    made.set_title(title)
    for text in pages:
        made.add_page()
        if text:
            made.multi_cell(0, 6, text)
    return bytes(made.output())


def docx(body: str, **more: str) -> bytes:
    return archive(
        {
            "[Content_Types].xml": (
                '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
                '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
                '<Override PartName="/word/document.xml" ContentType='
                '"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>'
            ),
            "_rels/.rels": (
                '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
                '<Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/'
                'officeDocument" Target="word/document.xml"/></Relationships>'
            ),
            "word/document.xml": f'<?xml version="1.0"?><w:document {W}><w:body>{body}</w:body></w:document>',
            **more,
        }
    )


def paragraph(text: str, style: str = "") -> str:
    properties = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    return f"<w:p>{properties}<w:r><w:t>{text}</w:t></w:r></w:p>"


def epub(chapters: dict[str, str], *, spine: tuple[str, ...] = (), more: dict[str, str] | None = None) -> bytes:
    item = '<item id="{0}" href="{0}" media-type="application/xhtml+xml" properties="{1}"/>'
    items = "".join(item.format(name, "nav" if name.startswith("nav") else "") for name in chapters)
    order = "".join(f'<itemref idref="{name}"/>' for name in spine or tuple(chapters))
    return archive(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": (
                '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
                '<rootfile full-path="OEBPS/book.opf"/></rootfiles></container>'
            ),
            "OEBPS/book.opf": (
                '<package xmlns="http://www.idpf.org/2007/opf" version="3.0"><metadata '
                'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>The  Mill</dc:title></metadata>'
                f"<manifest>{items}</manifest><spine>{order}</spine></package>"
            ),
            **{
                f"OEBPS/{name}": '<?xml version="1.0" encoding="utf-8"?><html xmlns="http://www.w3.org/1999/xhtml">'
                f"<head><title>{name}</title></head><body>{body}</body></html>"
                for name, body in chapters.items()
            },
            **(more or {}),
        }
    )


def headings(found: Extracted) -> list[str | None]:
    document = Document("a", "A", "en", found.text, headings=found.headings)
    return [Span(document, place, place + 1).heading for place in found.headings]


# PDF


def test_the_pages_of_a_pdf(reader: Confined) -> None:
    found = reader.read(".pdf", pdf(f"{PROSE} " * 3, "It has a blue crane.", "", "The last page."))
    whole = " ".join([PROSE] * 3)
    assert found.text == f"{whole}\n\nIt has a blue crane.\n\nThe last page."
    assert found.pages == (0, len(whole) + 2, len(whole) + 24, len(whole) + 24)
    document = Document("a.pdf", "A", "en", found.text, pages=found.pages)
    crane, last = found.text.index("blue crane"), found.text.index("last")
    assert (Span(document, 5, 9).page, Span(document, crane, crane + 4).page) == (1, 2)
    assert Span(document, last, last + 4).page == 4


def written_by_hand(content: bytes) -> bytes:
    """Return a PDF of one page with this content stream."""
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(content), content),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    made, places = b"%PDF-1.4\n", []
    for number, item in enumerate(objects, start=1):
        places.append(len(made))
        made += b"%d 0 obj%sendobj\n" % (number, item)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    ending = b"trailer<</Root 1 0 R/Size 6>>\nstartxref\n%d\n%%%%EOF\n" % len(made)
    return made + b"xref\n0 6\n0000000000 65535 f \n" + table + ending


LEFT = (
    "The mill of Saint-Aubin has made",
    "flour since the year 1790. The mil-",
    "ler is Mr Renaud, who has three",
    "people to help him. He sells the",
    "flour to the bakers of the valley.",
    "In winter the river is frozen.",
)
RIGHT = (
    "The lighthouse was built in 1874",
    "by the engineer Luis Ortega. It is",
    "42 metres high and can be seen at",
    "a distance of 30 kilometres. Since",
    "2003 it has been a museum that is",
    "visited by many people each year.",
)


@pytest.mark.parametrize("by_line", [True, False])
def test_two_columns_are_read_one_after_the_other(reader: Confined, by_line: bool) -> None:
    pieces = [(x, 700 - 14 * row, text) for x, half in ((50, LEFT), (320, RIGHT)) for row, text in enumerate(half)]
    if by_line:
        pieces.sort(key=lambda piece: (-piece[1], piece[0]))
    content = "".join(f"BT /F1 11 Tf 1 0 0 1 {x} {y} Tm ({text}) Tj ET\n" for x, y, text in pieces)
    heading = "BT /F1 18 Tf 1 0 0 1 50 740 Tm (Two buildings) Tj ET\n"
    found = reader.read(".pdf", written_by_hand((heading + content).encode()))
    assert found.text.startswith(
        "Two buildings\n\nThe mill of Saint-Aubin has made flour since the year 1790. The miller"
    )
    assert "the river is frozen." in found.text
    assert found.text.endswith(
        "The lighthouse was built in 1874 by the engineer Luis Ortega. It is 42 metres high and can be seen at "
        "a distance of 30 kilometres. Since 2003 it has been a museum that is visited by many people each year."
    )


def test_a_table_is_read_line_by_line(reader: Confined) -> None:
    cells = [(x, 700 - 14 * row, f"{name} {row}") for row in range(8) for x, name in ((50, "Ships"), (320, "Year"))]
    content = "".join(f"BT /F1 11 Tf 1 0 0 1 {x} {y} Tm ({text}) Tj ET\n" for x, y, text in cells)
    lines = reader.read(".pdf", written_by_hand(content.encode())).text.split("\n\n")
    assert [" ".join(line.split()) for line in lines][:2] == ["Ships 0 Year 0", "Ships 1 Year 1"]


def test_a_scan_says_what_to_do(reader: Confined) -> None:
    with pytest.raises(UnreadableError, match=r"it holds no text but only pictures, as a scan does; .*`ocrmypdf`"):
        reader.read(".pdf", pdf("", ""))


def test_a_password_is_said(reader: Confined) -> None:
    for secret, said in (("secret", "it has a password"), ("", "")):
        made = FPDF()
        made.set_encryption(owner_password="owner", user_password=secret)
        made.add_page()
        made.set_font("Helvetica", size=11)
        made.cell(text="The harbour is open.")
        if said:
            with pytest.raises(UnreadableError, match=said):
                reader.read(".pdf", bytes(made.output()))
        else:
            assert reader.read(".pdf", bytes(made.output())).text == "The harbour is open."


@pytest.mark.parametrize(
    ("title", "kept"), [("The year 2019", "The year 2019"), ("report final.docx", ""), ("Untitled", "")]
)
def test_the_title_of_a_pdf(reader: Confined, title: str, kept: str) -> None:
    assert reader.read(".pdf", pdf("A page.", title=title)).title == kept


def test_lines_become_paragraphs() -> None:
    head = "The yearly report"
    pages = [
        [head, "", "The ship was well-", "known in the har-", "bour, a well-known ship of co-", "operation", "1"],
        [head, "that goes on. - No list.", "- A list", "- of two", "", "2"],
        [head, "2019 1", "2020 2", "3"],
    ]
    text, starts = flowing(pages)
    assert text == (
        "The yearly report\n\n"
        "The ship was well-known in the harbour, a well-known ship of cooperation that goes on. - No list.\n\n"
        "- A list\n\n- of two\n\n2019 1\n\n2020 2"
    )
    assert [text[start : start + 6] for start in starts] == ["The ye", "that g", "2019 1"]


@pytest.mark.parametrize(
    ("after", "joined"),
    [
        ("J. Smith wrote it.", True),
        ("– as they say – and so on", True),
        ("1.2. What is this?", False),
        ("1.2 What is this?", False),
        ("3.5 metres of it", True),
        ("• a point", False),
        ("b) a point", False),
    ],
)
def test_items_and_numbered_headings_begin_a_line(after: str, joined: bool) -> None:
    before = "This is a line of a paragraph that goes on over the lines by"
    text = flowing([[before, after]])[0]
    assert text == before + (" " if joined else "\n\n") + after


# DOCX


def test_a_word_document(reader: Confined) -> None:
    table = "".join(
        f"<w:tr>{''.join(f'<w:tc>{paragraph(cell)}</w:tc>' for cell in row)}</w:tr>"
        for row in (("Year", "Ships"), ("2019", "12"))
    )
    deleted = "<w:del><w:r><w:delText>Non più.</w:delText></w:r></w:del>"
    body = (
        paragraph("Il porto", "Heading1"),
        paragraph("È aperto da giugno &amp; luglio."),
        paragraph("Chi paga", "Heading2"),
        paragraph("Paga la città."),
        f"<w:p>{deleted}<w:r><w:t>Sì</w:t><w:br/><w:t>no.</w:t></w:r></w:p>",
        f"<w:tbl>{table}</w:tbl>",
    )
    core = '<p xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>Porto</dc:title></p>'
    found = reader.read(".docx", docx("".join(body), **{"docProps/core.xml": core}))
    assert found.text == (
        "Il porto\n\nÈ aperto da giugno & luglio.\n\nChi paga\n\nPaga la città.\n\nSì\nno.\n\nYear | Ships\n2019 | 12"
    )
    assert headings(found) == ["Il porto", "Chi paga"]
    assert (found.title, found.pages) == ("Porto", ())


def test_an_old_word_file_and_another_archive_are_told_apart(reader: Confined) -> None:
    with pytest.raises(UnreadableError, match="it is an old Word file or has a password"):
        reader.read(".docx", bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600))
    with pytest.raises(UnreadableError, match="a ZIP archive and no Word document"):
        reader.read(".docx", archive({"a.txt": "A text."}))


# EPUB


def test_a_book_is_read_in_the_order_of_its_spine(reader: Confined) -> None:
    book = epub(
        {
            "nav.xhtml": "<nav><ol><li>One</li></ol></nav>",
            "two.xhtml": "<h2>The miller</h2><p>Mr&#160;Renaud grinds.</p>",
            "one.xhtml": "<section><h1>The mill</h1><p>It stands\n  by the <em>river</em>.</p></section>",
        },
        spine=("nav.xhtml", "one.xhtml", "two.xhtml"),
    )
    found = reader.read(".epub", book)
    assert found.text == "The mill\n\nIt stands by the river.\n\nThe miller\n\nMr\u00a0Renaud grinds."
    assert (found.title, headings(found)) == ("The Mill", ["The mill", "The miller"])


def test_a_protected_book_is_said(reader: Confined) -> None:
    cipher = '<encryption><CipherReference URI="OEBPS/{}"/></encryption>'
    for name, protected in (("one.xhtml", True), ("font.otf", False)):
        book = epub({"one.xhtml": "<p>Text.</p>"}, more={"META-INF/encryption.xml": cipher.format(name)})
        if protected:
            with pytest.raises(UnreadableError, match="it is protected against copying"):
                reader.read(".epub", book)
        else:
            assert reader.read(".epub", book).text == "Text."


# HTML

PAGE = f"""<!DOCTYPE html><html lang="en"><head><title>Harbour | Site</title><style>p {{}}</style></head><body>
<nav><ul><li><a href="/">Home</a></li><li><a href="/x">News and links to other places</a></li></ul></nav>
<main><article><h1>The harbour</h1><p>{PROSE} It is <b>very</b> new.</p>
<h2>Who pays</h2><p>{PROSE} The town<br>pays.</p><ul><li>A crane</li><li>A <i>quay</i></li></ul>
<table><tr><th>Year</th><th>Ships</th></tr><tr><td>2019</td><td>12</td></tr></table></article></main>
<footer><p>Copyright, imprint, privacy</p></footer><script>alert("x")</script></body></html>"""


@pytest.mark.parametrize("suffix", [".html", ".htm", ".xhtml"])
def test_a_page_without_its_navigation(reader: Confined, suffix: str) -> None:
    found = reader.read(suffix, PAGE.encode())
    assert found.text == (
        f"The harbour\n\n{PROSE} It is very new.\n\nWho pays\n\n{PROSE} The town\npays.\n\n"
        "- A crane\n- A quay\n\nYear | Ships\n2019 | 12"
    )
    assert (found.title, headings(found)) == ("The harbour", ["The harbour", "Who pays"])


@pytest.mark.parametrize(
    ("head", "encoding"),
    [
        ("<meta charset='iso-8859-1'>", "cp1252"),
        ('<meta http-equiv="Content-Type" content="text/html; charset=windows-1252">', "cp1252"),
        ('<?xml version="1.0" encoding="ISO-8859-15"?>', "iso-8859-15"),
        ("<meta charset=utf-8>", "utf-8"),
        ("<meta charset=utf-16>", "utf-8"),
        ("<meta charset=no-such-thing>", "utf-8"),
        ("<meta charset=utf-8>", "cp1252"),
        ("", "utf-8-sig"),
        ("<meta charset=iso-8859-1>", "utf-16"),
        ("", "cp1252"),
        ("<meta charset=koi8-r>", "koi8-r"),
    ],
)
def test_a_page_in_its_encoding(reader: Confined, head: str, encoding: str) -> None:
    words = (
        "Привет, порт" if encoding == "koi8-r" else "L’été, perché costa 5 €" if "8859" not in encoding else "Été: 5 €"
    )
    found = reader.read(".html", f"{head}<html><body><h1>{words}</h1><p>Ok.</p></body></html>".encode(encoding))
    assert found.text == f"{words}\n\nOk."
    assert found.title == words


def test_a_short_page_keeps_all_but_its_furniture(reader: Confined) -> None:
    found = reader.read(
        ".html", b"<body><header><h1>Note</h1></header><nav>Home</nav><div>It is <p>short.</div></body>"
    )
    assert (found.text, headings(found)) == ("Note\n\nIt is\n\nshort.", ["Note"])


def test_a_deep_page_is_read_whole_or_refused(reader: Confined) -> None:
    assert reader.read(".html", b"<div>" * 1_000 + b"Deep.").text == "Deep."
    assert reader.read(".html", b"<p>" + b"word " * 3_000_000).text == "word " * 2_999_999 + "word"
    with pytest.raises(UnreadableError, match="it is nested too deeply"):
        reader.read(".html", b"<div>" * 3_000 + b"Too deep.")


def test_a_layout_table_keeps_its_paragraphs(reader: Confined) -> None:
    found = reader.read(".html", b"<table><tr><td>Menu<td><p>One.</p><p>Two.</p><pre>a  b\n c</pre></table>")
    assert found.text == "Menu\n\nOne.\n\nTwo.\n\na  b\n c"


# Text


def test_the_headings_of_markdown(reader: Confined) -> None:
    found = reader.read(".md", b"# One #\ntext\n```\n# code\n```\n   ## Two\n#three\n    # code\n")
    assert headings(found) == ["One", "Two"]


# Limits, and what is missing


@pytest.mark.parametrize(
    ("limits", "suffix", "make", "said"),
    [
        (Limits(file_bytes=100), ".txt", lambda: b"x" * 101, "over 100 bytes"),
        (Limits(characters=100), ".txt", lambda: b"x" * 101, "over 100 characters"),
        (Limits(characters=100), ".pdf", lambda: pdf("x " * 90), "over 100 characters"),
        (Limits(pages=2), ".pdf", lambda: pdf("a", "b", "c"), "it has 3 pages, and 2 is the limit"),
        (Limits(entries=2), ".docx", lambda: docx(paragraph("a")), "it holds 3 files, and 2 is the limit"),
        (Limits(unpacked_bytes=500), ".epub", lambda: epub({"a": "b"}), r"it unpacks to [\d,]+ bytes, and 500"),
        (Limits(), ".docx", lambda: docx(" " * 30_000_000), "it unpacks to over 100 times its size"),
    ],
)
def test_what_is_beyond_a_limit_says_so(limits: Limits, suffix: str, make: Callable[[], bytes], said: str) -> None:
    with Confined(limits) as reader, pytest.raises(UnreadableError, match=said):
        reader.read(suffix, make())


def test_a_library_that_is_missing_is_named(reader: Confined, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(kinds.LIBRARIES, ".pdf", {"no_such_library": "no-such-library"})
    said = 'no-such-library is not installed, which reads it: run `pip install "verbatim-qa[documents]"`'
    with pytest.raises(UnreadableError) as caught:
        reader.read(".pdf", pdf("A page."))
    assert str(caught.value) == said


def test_a_folder_of_all_formats(tmp_path: Path) -> None:
    files = {
        "a.txt": b"The harbour is open.",
        "sub/b.md": b"## The mill\n\nIt grinds.",
        "sub/c.html": PAGE.encode(),
        "sub/deep/d.PDF": pdf(PROSE, "It has a blue crane."),
        "e.docx": docx(paragraph("Il faro è aperto ogni giorno.")),
        "f.epub": epub({"one.xhtml": "<h1>One</h1><p>Le moulin tourne.</p>"}),
        "scan.pdf": pdf(""),
        "old.doc": b"not read",
    }
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    found = read_corpus(tmp_path)
    assert [(d.id, d.title, len(d.pages), len(d.headings)) for d in found.documents] == [
        ("a.txt", "The harbour is open.", 0, 0),
        ("e.docx", "Il faro è aperto ogni giorno.", 0, 0),
        ("f.epub", "The Mill", 0, 1),
        ("sub/b.md", "The mill", 0, 1),
        ("sub/c.html", "The harbour", 0, 2),
        ("sub/deep/d.PDF", PROSE[:90].rpartition(" ")[0] + "…", 2, 0),
    ]
    assert [(skipped.id, skipped.reason[:19]) for skipped in found.skipped] == [("scan.pdf", "it holds no text bu")]
    assert isinstance(found.skipped[0], Skipped)
