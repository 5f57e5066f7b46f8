from pathlib import Path

import numpy as np
import pytest

from rag.cascade import SECOND_FOLDER
from rag.edges import whole_words
from rag.encode import BUNDLED_FOLDER, OnnxEncoder
from rag.errors import EncoderError
from rag.read import READER_FOLDER, Reading, SpanReader
from rag.spans import Document, Span
from tests.passage_parts import found, sentences_within

TEXT = (
    "The harbour of Port Ellis\n\n"
    "Port Ellis opened its new harbour in June 2019 after four years of work. The harbour is run by Maria Duarte (a "
    "former ship’s captain), and employs 240 people.\n\n"
    "The town borrowed 35 million pounds from the “Northern Bank”. Fishing boats use the old quay for free."
)
HARBOUR = Document("harbour.txt", "The harbour", "en", TEXT)
FARO = Document("faro.txt", "El faro", "es", "El faro fue construido en 1874 por el ingeniero Luis Ortega.")


@pytest.fixture(scope="module", params=[READER_FOLDER, SECOND_FOLDER], ids=lambda folder: folder.name)
def reader(request: pytest.FixtureRequest) -> SpanReader:
    return SpanReader(request.param)


def read(reader: SpanReader, question: str, *spans: Span) -> list[Reading]:
    encoder = OnnxEncoder(BUNDLED_FOLDER)
    passages = [found(span, encoder, row=row) for row, span in enumerate(spans)]
    return reader.read(question, encoder.encode_questions([question])[0], passages)


def whole(document: Document) -> Span:
    return Span(document, 0, len(document.text))


@pytest.mark.parametrize(
    ("question", "documents", "words"),
    [
        ("Who runs the harbour?", [HARBOUR, FARO], "Maria Duarte"),
        # The reader takes the lighthouse's year for the harbour's as easily; the decision knows better.
        ("When did the harbour open?", [HARBOUR], "June 2019"),
        ("¿Quién construyó el faro?", [HARBOUR, FARO], "Luis Ortega"),
    ],
)
def test_the_exact_words_come_first(reader: SpanReader, question: str, documents: list[Document], words: str) -> None:
    best = max(read(reader, question, *map(whole, documents)), key=lambda reading: reading.score)
    assert words in best.answer.text
    assert len(best.answer.text.split()) <= 8


def test_a_reading_is_whole_words_of_one_passage_inside_its_sentence(reader: SpanReader) -> None:
    passages = [Span(HARBOUR, 0, 100), Span(HARBOUR, 27, len(TEXT)), whole(FARO)]
    readings = read(reader, "who pays for the harbour, how much and when?", *passages)
    assert len({(r.answer.document.id, r.answer.start, r.answer.end) for r in readings}) == len(readings) > 3
    for reading in readings:
        text, start, end = reading.answer.document.text, reading.answer.start, reading.answer.end
        assert not (start > 0 and text[start - 1].isalnum() and text[start].isalnum())
        assert not (end < len(text) and text[end - 1].isalnum() and text[end].isalnum())
        assert reading.sentence.contains(reading.answer)
        assert np.linalg.norm(reading.vector) == pytest.approx(1, abs=1e-3)


def test_a_sentence_around_an_answer_is_the_documents_own(reader: SpanReader) -> None:
    sentences = {sentence.text for sentence in sentences_within(whole(HARBOUR))}
    inside = [r for r in read(reader, "How many people work there?", whole(HARBOUR)) if r.sentence.text in sentences]
    assert any("240" in reading.answer.text for reading in inside)


@pytest.mark.parametrize("question", ["", "?" * 500, "x " * 5000, "\ud800 who", "谁经营港口"])
def test_no_question_breaks_it(reader: SpanReader, question: str) -> None:
    assert all(np.isfinite(reading.score) for reading in read(reader, question, whole(HARBOUR)))


def test_nothing_found_is_nothing_read(reader: SpanReader) -> None:
    assert read(reader, "Who?") == []


@pytest.mark.parametrize(
    ("words", "widened"),
    [
        ("arbour", "harbour"),
        ("Maria Duarte (", "Maria Duarte"),
        ("former ship’s captain)", "former ship’s captain"),
        ("Maria Duarte (a former ship’s captain)", "Maria Duarte (a former ship’s captain)"),
        ("“Northern Bank”.", "Northern Bank"),
        ("employs 24", "employs 240"),
    ],
)
def test_words_are_widened_and_the_marks_at_their_edges_left_out(words: str, widened: str) -> None:
    start = TEXT.index(words)
    assert whole_words(Span(HARBOUR, start, start + len(words)), whole(HARBOUR)).text == widened


def test_a_damaged_reader_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_bytes((READER_FOLDER / "tokenizer.json").read_bytes())
    (tmp_path / "model_int8.onnx").write_bytes(b"not a model")
    with pytest.raises(EncoderError, match=r"^the reader in .* cannot be loaded; install it again$"):
        SpanReader(tmp_path)
