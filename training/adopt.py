"""Makes the student out of the multilingual teacher: every other layer, and its vectors under the student's own pieces.

A piece of the student gets the mean of the teacher's pieces that cover the same letters, over the words of the training
texts as often as they occur: so a lower-case, accent-free piece inherits from every way in which its word is written.
"""

import argparse
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from transformers import BertConfig, BertModel

from training.data import held_back, read_pairs, split_questions
from training.multilingual import FIRST, LAST, PAD, UNKNOWN
from training.vocabulary import save_sentence_transformer

SPECIAL = {"[PAD]": PAD, "[UNK]": UNKNOWN, "[CLS]": FIRST, "[SEP]": LAST}
# Every other layer of twelve. Untrained, the first four and the last two are as good; after four minutes of
# distillation on one core these found 84% of Spanish translations, those 80.
LAYERS = (0, 2, 4, 6, 8, 10)
AT_ONCE = 20_000


def words_of(texts: Iterable[str]) -> Counter[str]:
    """Count the words between spaces."""
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(text.split())
    return counts


def inherited_vectors(
    teacher: Tokenizer, student: Tokenizer, words: Counter[str], vectors: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return a vector for each piece of the student, (pieces, dimensions); the mean of all for one that never occurs.

    `vectors` are the teacher's, (its pieces, dimensions); special tokens keep theirs.
    """
    size = student.get_vocab_size()
    total = np.zeros((size, vectors.shape[1]), np.float32)
    weight = np.zeros(size, np.float32)
    distinct = list(words)
    for i in range(0, len(distinct), AT_ONCE):
        part = distinct[i : i + AT_ONCE]
        theirs = teacher.encode_batch(part, add_special_tokens=False)
        ours = student.encode_batch(part, add_special_tokens=False)
        for word, one, other in zip(part, theirs, ours, strict=True):
            for piece, (first, last) in zip(other.ids, other.offsets, strict=True):
                for theirs_id, (start, end) in zip(one.ids, one.offsets, strict=True):
                    shared = min(last, end) - max(first, start)
                    if shared > 0:
                        share = words[word] * shared / (last - first)
                        total[piece] += share * vectors[theirs_id]
                        weight[piece] += share
    rows = np.where(weight[:, None] > 0, total / np.maximum(weight, 1e-9)[:, None], vectors.mean(0))
    for name, theirs_name in SPECIAL.items():
        rows[student.token_to_id(name)] = vectors[teacher.token_to_id(theirs_name)]
    return rows.astype(np.float32)


def fewer_layers(body: BertModel, kept: Sequence[int], rows: NDArray[np.float32]) -> BertModel:
    """Return a network of the kept layers over other word vectors."""
    config = BertConfig(**{**body.config.to_dict(), "num_hidden_layers": len(kept), "vocab_size": len(rows)})
    smaller = BertModel(config, add_pooling_layer=False)
    state = body.state_dict()
    chosen = {k: v for k, v in state.items() if not k.startswith("encoder.layer.") and "word_embeddings" not in k}
    for i, place in enumerate(kept):
        start = f"encoder.layer.{place}."
        chosen |= {f"encoder.layer.{i}.{k.removeprefix(start)}": v for k, v in state.items() if k.startswith(start)}
    chosen["embeddings.word_embeddings.weight"] = torch.from_numpy(rows)
    smaller.load_state_dict(chosen)
    return smaller


def main() -> None:
    """Write the untrained student."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--data", type=Path, required=True, help="folder with parallel/, qa/")
    options.add_argument("--teacher", type=Path, required=True, help="folder made by training.multilingual")
    options.add_argument(
        "--vocabulary", type=Path, required=True, help="folder made by training.vocabulary, or shipped"
    )
    options.add_argument("--layers", type=int, nargs="+", default=LAYERS, help="the teacher's that are kept")
    options.add_argument("--out", type=Path, required=True)
    arguments = options.parse_args()

    teacher = Tokenizer.from_file(str(arguments.teacher / "tokenizer.json"))
    student = Tokenizer.from_file(str(arguments.vocabulary / "tokenizer.json"))
    student.no_padding()
    student.no_truncation()
    texts = [side for p in read_pairs(arguments.data) if not held_back(p) for side in (p.english, p.other)]
    texts += [t for q in split_questions(arguments.data).training for t in (q.question, q.passage)]
    body = BertModel.from_pretrained(arguments.teacher, add_pooling_layer=False, dtype=torch.float32)
    vectors = body.embeddings.word_embeddings.weight.detach().numpy()
    rows = inherited_vectors(teacher, student, words_of(texts), vectors)
    smaller = fewer_layers(body, arguments.layers, rows)
    save_sentence_transformer(smaller, student, arguments.vocabulary, arguments.out)


if __name__ == "__main__":
    main()
