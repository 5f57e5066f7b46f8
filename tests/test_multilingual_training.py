import hashlib
import random
import struct
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from tokenizers import Tokenizer
from training.adopt import fewer_layers, inherited_vectors
from training.alignment import Joined, words_of_tokens
from training.imitate import similar_batches
from training.multilingual import make_body, make_tokenizer, padding_first, read_packed, save, unpack
from training.states import States, Teacher, begin, joined, middle_and_scale, passage_loss, whole_words
from training.vocabulary import SPECIAL, wordpiece
from transformers import BertModel

HIDDEN, LAYERS, HEADS, INNER, POSITIONS, TYPES = 32, 9, 2, 64, 16, 2
PIECES = ["<s>", "<pad>", "</s>", "<unk>", "▁la", "▁Studio", "▁studio", "▁mar", "zo", "▁", "m", "é"]
# The file has vectors without a piece at its end.
VECTORS = len(PIECES) + 3


def packed(numbers: NDArray[np.float32]) -> bytes:
    """Write numbers as the format does: blocks of 32 with a scale of half precision."""
    written = b""
    for block in numbers.reshape(-1, 32):
        scale = np.float16(np.abs(block).max() / 7 or 1)
        small = np.clip(np.round(block / np.float32(scale)) + 8, 0, 15).astype(np.uint8)
        written += scale.tobytes() + (small[:16] | small[16:] << 4).astype(np.uint8).tobytes()
    return written


def tensors() -> dict[str, NDArray[np.float32]]:
    draw = np.random.default_rng(3)
    shapes: dict[str, tuple[int, ...]] = {
        "emb.word": (VECTORS, HIDDEN),
        "emb.pos": (POSITIONS, HIDDEN),
        "emb.type": (TYPES, HIDDEN),
    }
    shapes |= {"emb.ln.w": (HIDDEN,), "emb.ln.b": (HIDDEN,)}
    for i in range(LAYERS):
        for name, rows, columns in (("q", 32, 32), ("k", 32, 32), ("v", 32, 32), ("ao", 32, 32)):
            shapes |= {f"l{i}.{name}.w": (rows, columns), f"l{i}.{name}.b": (rows,)}
        shapes |= {f"l{i}.fi.w": (INNER, HIDDEN), f"l{i}.fi.b": (INNER,)}
        shapes |= {f"l{i}.fo.w": (HIDDEN, INNER), f"l{i}.fo.b": (HIDDEN,)}
        shapes |= {f"l{i}.{name}.{x}": (HIDDEN,) for name in ("aln", "oln") for x in "wb"}
    return {name: draw.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}


def in_four_bits(name: str) -> bool:
    return name == "emb.word" or (name.endswith(".w") and "ln" not in name)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A small network in the teacher's format."""
    head = b"E5S1" + struct.pack("<I7ifi", 1, HIDDEN, LAYERS, HEADS, INNER, VECTORS, POSITIONS, TYPES, 1e-12, 32)
    encoded = [piece.encode() for piece in PIECES]
    ends = np.cumsum([0, *map(len, encoded)]).astype("<u4")
    scores = -np.arange(len(PIECES), dtype="<f4")
    head += struct.pack("<5iQ", len(PIECES), 0, 2, 1, 3, int(ends[-1]))
    head += ends.tobytes() + scores.tobytes() + b"".join(encoded)
    folded = struct.pack("<IBI", 0xA0, 1, 0x20)
    head += struct.pack("<iI", 1, len(folded)) + folded
    stored = {
        name: packed(values) if in_four_bits(name) else values.astype("<f4").tobytes()
        for name, values in tensors().items()
    }
    directory = struct.pack("<i", len(stored))
    at = len(head) + len(directory) + sum(2 + len(name) + 21 for name in stored)
    for name, content in stored.items():
        kind = int(in_four_bits(name))
        directory += struct.pack(
            f"<H{len(name)}sBIQQ", len(name), name.encode(), kind, tensors()[name].size, at, len(content)
        )
        at += len(content)
    path = tmp_path / "small.bin"
    path.write_bytes(head + directory + b"".join(stored.values()))
    return path


@pytest.fixture
def folder(file: Path, tmp_path: Path) -> Path:
    """The folder of the small network."""
    read = padding_first(read_packed(file, sha256=sha256(file)))
    save(make_body(read), make_tokenizer(read.pieces), tmp_path / "folder")
    return tmp_path / "folder"


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@given(st.lists(st.integers(-7, 7), min_size=32, max_size=96), st.sampled_from([0.5, 1.0, 3.0]))
def test_blocks_give_back_the_numbers_that_four_bits_hold(numbers: list[int], scale: float) -> None:
    numbers = [7, *numbers[1 : len(numbers) // 32 * 32]]
    values = np.array(numbers, np.float32).reshape(-1, 32)
    values[:, 0] = 7
    assert unpack(packed(values * scale)).tolist() == (values * scale).reshape(-1).tolist()


def test_the_file_is_read_whole(file: Path) -> None:
    read = read_packed(file, sha256=sha256(file))
    assert [piece for piece, _ in read.pieces] == PIECES
    assert [score for _, score in read.pieces] == [-float(i) for i in range(len(PIECES))]
    assert (read.sizes["hidden"], read.sizes["layers"], read.sizes["pieces"]) == (HIDDEN, LAYERS, VECTORS)
    for name, values in tensors().items():
        # Rounded to fifteen steps between the largest number of a block and its negative.
        allowed = np.abs(values).max() / 13 if in_four_bits(name) else 0.0
        assert np.abs(read.tensors[name] - values.reshape(-1)).max() <= allowed, name


def test_another_file_is_refused_by_its_sum(file: Path) -> None:
    with pytest.raises(ValueError, match=r"is not the file e5-small-q4\.bin"):
        read_packed(file)


def test_padding_becomes_the_first_piece_with_its_own_vector(file: Path) -> None:
    before = read_packed(file, sha256=sha256(file))
    after = padding_first(before)
    assert [piece for piece, _ in after.pieces][:4] == ["<pad>", "<s>", "</s>", "<unk>"]
    rows, moved = (x.tensors["emb.word"].reshape(VECTORS, HIDDEN) for x in (before, after))
    assert (moved[0] == rows[1]).all()
    assert (moved[1] == rows[0]).all()
    assert (moved[2:] == rows[2:]).all()


def test_pieces_are_the_likeliest_division_and_compatibility_forms_are_folded(file: Path) -> None:
    tokenizer = make_tokenizer(padding_first(read_packed(file, sha256=sha256(file))).pieces)
    assert tokenizer.encode("  la   studio ").tokens == ["<s>", "▁la", "▁studio", "</s>"]
    assert tokenizer.encode("marzo é").tokens == ["<s>", "▁mar", "zo", "▁", "é", "</s>"]
    assert tokenizer.encode("marzo e\u0301").ids == tokenizer.encode("marzo é").ids


def test_the_network_computes_from_the_unpacked_weights_and_its_folder_gives_the_same(
    file: Path, tmp_path: Path
) -> None:
    read = padding_first(read_packed(file, sha256=sha256(file)))
    body = make_body(read).train(mode=False)
    ids = torch.tensor([[1, 4, 5, 2]])
    with torch.inference_mode():
        expected = body(input_ids=ids).last_hidden_state
    first = read.tensors["l1.fi.w"].reshape(INNER, HIDDEN)
    assert (body.state_dict()["encoder.layer.1.intermediate.dense.weight"].numpy() == first).all()
    save(body, make_tokenizer(read.pieces), tmp_path / "folder")
    again = BertModel.from_pretrained(tmp_path / "folder", add_pooling_layer=False, dtype=torch.float32)
    with torch.inference_mode():
        assert torch.allclose(again.train(mode=False)(input_ids=ids).last_hidden_state, expected, atol=0.02)
    assert Tokenizer.from_file(str(tmp_path / "folder" / "tokenizer.json")).encode("la").ids == [1, 4, 2]


def test_a_piece_inherits_from_every_way_in_which_its_word_is_written(file: Path) -> None:
    read = padding_first(read_packed(file, sha256=sha256(file)))
    teacher = make_tokenizer(read.pieces)
    student = wordpiece([*SPECIAL, "studio", "marzo", "mar", "##zo", "unseen"])
    vectors = read.tensors["emb.word"].reshape(VECTORS, HIDDEN)
    words = Counter({"Studio": 3, "studio": 1, "marzo": 2})
    rows = inherited_vectors(teacher, student, words, vectors)
    place = {piece: i for i, (piece, _) in enumerate(read.pieces)}
    expected = 0.75 * vectors[place["▁Studio"]] + 0.25 * vectors[place["▁studio"]]
    assert rows[student.token_to_id("studio")] == pytest.approx(expected, abs=1e-5)
    expected = (3 * vectors[place["▁mar"]] + 2 * vectors[place["zo"]]) / 5
    assert rows[student.token_to_id("marzo")] == pytest.approx(expected, abs=1e-5)
    assert rows[student.token_to_id("unseen")] == pytest.approx(vectors.mean(0), abs=1e-5)
    for ours, theirs in (("[PAD]", "<pad>"), ("[CLS]", "<s>"), ("[SEP]", "</s>"), ("[UNK]", "<unk>")):
        assert rows[student.token_to_id(ours)] == pytest.approx(vectors[place[theirs]])


def test_the_layers_that_are_kept_follow_each_other(file: Path) -> None:
    body = make_body(padding_first(read_packed(file, sha256=sha256(file))))
    rows = np.ones((7, HIDDEN), np.float32)
    smaller = fewer_layers(body, [0, 2], rows)
    assert smaller.config.num_hidden_layers == 2
    assert smaller.embeddings.word_embeddings.weight.shape == (7, HIDDEN)
    for i, kept in enumerate((0, 2)):
        name = "encoder.layer.{}.attention.self.query.weight"
        assert torch.equal(smaller.state_dict()[name.format(i)], body.state_dict()[name.format(kept)])


def test_batches_hold_texts_of_like_length_and_like_meaning() -> None:
    choose = random.Random(1)
    topics = [choose.randrange(4) for _ in range(64)]
    lengths = [10 + i % 2 * 50 for i in range(64)]
    targets = torch.eye(4)[topics] + 0.01 * torch.rand(64, 4)
    batches = similar_batches(lengths, targets, 8, choose)
    assert sorted(i for batch in batches for i in batch) == list(range(64))
    assert {len(batch) for batch in batches} == {8}
    assert all(len({lengths[i] for i in batch}) == 1 for batch in batches)
    # Four batches of four topics in a group: as many of one topic as in no batch by chance.
    alike = [max(Counter(topics[i] for i in batch).values()) for batch in batches]
    assert sum(alike) / len(alike) > 6


def test_tokens_belong_to_the_words_between_spaces_under_either_tokenizer(file: Path) -> None:
    text = "la studio marzo, studio"
    pieces = make_tokenizer(padding_first(read_packed(file, sha256=sha256(file))).pieces)
    encoding = pieces.encode(text)
    assert encoding.tokens[1:-1] == ["▁la", "▁studio", "▁mar", "zo", ",", "▁studio"]
    assert words_of_tokens(text, encoding) == [-1, 0, 1, 2, 2, 2, 3, -1]
    words = wordpiece([*SPECIAL, "la", "studio", "mar", "##zo", ","])
    assert words_of_tokens(text, words.encode(text)) == [-1, 0, 1, 2, 2, 2, 3, -1]


def test_states_of_tokens_are_averaged_by_word_up_to_the_limit_of_each_text() -> None:
    states = torch.arange(2 * 5, dtype=torch.float32).reshape(2, 5, 1)
    joined = Joined.of([[-1, 0, 0, 1, -1], [-1, 0, 1, 2]], 5, [1, 2], "cpu")
    assert joined.count == 3
    assert joined.mean(states).flatten().tolist() == [1.5, 6.0, 7.0]


PASSAGES = ["la studio marzo", "studio studio la la marzo", "Studio marzo marzo la"]


def test_the_words_of_a_prefix_are_none_of_the_text(folder: Path) -> None:
    plain, prefixed = States(folder, device="cpu"), States(folder, device="cpu", prefix="query: ")
    assert plain.read(["la studio"])[1] == [[-1, 0, 1, -1]]
    _, (words,), _ = prefixed.read(["la studio"])
    assert words[-3:] == [0, 1, -1]
    assert set(words[:-3]) == {-1}
    assert whole_words([[-1, 0, 1, 2]], [words]) == [1]


def test_what_all_texts_share_is_taken_off_the_teachers_states_and_vectors(folder: Path) -> None:
    teacher = Teacher(folder, device="cpu")
    teacher.centre(PASSAGES, PASSAGES)
    with torch.inference_mode():
        layers, words, _ = teacher.read(PASSAGES)
    states = (joined(words, layers[-1], whole_words(words)).mean(layers[-1]) - teacher.word) * teacher.scale
    assert states.mean(0).abs().max() < 0.01
    assert float(states.square().mean()) == pytest.approx(1, abs=1e-3)
    student = States(folder, device="cpu")
    begin(student, PASSAGES)
    middle, scale = middle_and_scale(student, PASSAGES)
    assert middle.abs().max() < 0.01
    assert scale == pytest.approx(1, abs=1e-3)
    vectors = teacher.encode(PASSAGES)
    assert vectors.norm(dim=1).tolist() == pytest.approx([1, 1, 1])
    # Vectors less their mean cannot all point one way, as they do before.
    assert (vectors @ vectors.T).min() < 0


def test_a_student_that_imitates_has_less_loss_with_every_step(folder: Path) -> None:
    torch.manual_seed(0)
    student, teacher = States(folder, device="cpu"), Teacher(folder, device="cpu")
    teacher.centre(PASSAGES, PASSAGES)
    optimiser = torch.optim.Adam(student.network.parameters(), lr=5e-3)
    measured = []
    for _ in range(20):
        loss, means = passage_loss(student, teacher, PASSAGES)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        measured.append([float(loss.detach()), *means.tolist()])
    (first, by_word, likeness), (last, by_word_after, likeness_after) = measured[0], measured[-1]
    assert last < 0.8 * first
    assert by_word_after < by_word
    assert likeness_after > likeness
