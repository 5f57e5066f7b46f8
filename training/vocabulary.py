"""Makes the student's vocabulary and starting vectors: English wordpieces of the teacher, new ones for es, fr, it."""

import argparse
import json
import shutil
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import scipy.sparse as sparse
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import BertModel

from training.data import Pair, held_back, read_dictionary, read_pairs, split_questions

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
# 36,608 pieces of 384 numbers and the body make 49.8 MB in half precision.
PIECES = 36_608
ENGLISH = 20_000


def is_latin(piece: str) -> bool:
    """Tell whether a wordpiece is made of Latin letters, digits, punctuation and currency signs."""
    return not piece.startswith("[unused") and all(
        ord(c) < 0x250 or 0x2000 <= ord(c) < 0x2100 or 0x20A0 <= ord(c) <= 0x20CF for c in piece.removeprefix("##")
    )


def wordpiece(tokens: Sequence[str]) -> Tokenizer:
    """Return a lower-casing, accent-folding BERT tokenizer over `tokens`, the id of each being its position."""
    vocabulary = {token: i for i, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(token, vocabulary[token]) for token in ("[CLS]", "[SEP]")],
    )
    return tokenizer


def count(tokenizer: Tokenizer, texts: Sequence[str]) -> Counter[str]:
    """Count the pieces of the texts."""
    counts: Counter[str] = Counter()
    for i in range(0, len(texts), 10_000):
        for encoding in tokenizer.encode_batch(texts[i : i + 10_000], add_special_tokens=False):
            counts.update(encoding.tokens)
    return counts


def choose_pieces(teacher: Tokenizer, english: Sequence[str], foreign: Sequence[str]) -> list[str]:
    """Return the special tokens, the teacher's most used Latin pieces, then the most used new ones."""
    inherited = [t for t, _ in sorted(teacher.get_vocab().items(), key=lambda item: item[1])]
    inherited = [t for t in inherited if is_latin(t) and t not in SPECIAL]
    learner = wordpiece(SPECIAL)
    learner.train_from_iterator(
        foreign,
        trainers.WordPieceTrainer(
            vocab_size=PIECES, special_tokens=list(SPECIAL), min_frequency=4, show_progress=False, limit_alphabet=200
        ),
    )
    # A piece of the teacher earns its place in any of the four languages: names and loans are shared.
    used = count(teacher, english)
    counts = count(learner, foreign)
    alphabet = [t for t in inherited if len(t.removeprefix("##")) == 1]
    ranked = sorted(inherited, key=lambda t: -(used[t] + counts[t]))
    kept = list(dict.fromkeys(alphabet + ranked))[: ENGLISH - len(SPECIAL)]
    known = set(kept)
    new = [t for t, _ in counts.most_common() if t not in known and t not in SPECIAL and is_latin(t)]
    return [*SPECIAL, *kept, *new][:PIECES]


def occurrences(tokenizer: Tokenizer, texts: Sequence[str]) -> "sparse.csr_matrix[np.float32]":
    """Return which pieces each text holds: a (texts, pieces) matrix of ones."""
    ends, ids = [0], list[int]()
    for i in range(0, len(texts), 10_000):
        for encoding in tokenizer.encode_batch(texts[i : i + 10_000], add_special_tokens=False):
            ids.extend(set(encoding.ids))
            ends.append(len(ids))
    shape = (len(texts), tokenizer.get_vocab_size())
    return sparse.csr_matrix((np.ones(len(ids), np.float32), ids, ends), shape=shape)


def starting_vectors(
    teacher: Tokenizer, student: Tokenizer, pairs: Sequence[Pair], vectors: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return a vector for each piece of the student.

    A piece that the teacher has keeps its vector. A new one gets the weighted mean of the three English pieces e that
    it co-occurs with most, by count(e, f)^2 / (count(e) count(f)) over sentence and dictionary pairs (the idea of
    WECHSEL, Minixhofer et al. 2022); one that never occurs gets the mean of all.
    """
    english = occurrences(teacher, [p.english for p in pairs])
    foreign = occurrences(student, [p.other for p in pairs])
    together = (foreign.T @ english).tocsr()
    of_english, of_foreign = np.asarray(english.sum(0)).ravel(), np.asarray(foreign.sum(0)).ravel()
    known = teacher.get_vocab()
    rows = np.tile(vectors.mean(0), (student.get_vocab_size(), 1)).astype(np.float32)
    for token, i in student.get_vocab().items():
        if token in known:
            rows[i] = vectors[known[token]]
            continue
        first, last = together.indptr[i], together.indptr[i + 1]
        if first == last:
            continue
        columns, counts = together.indices[first:last], together.data[first:last]
        strength = counts * counts / (of_english[columns] * of_foreign[i])
        best = np.argsort(-strength)[:3]
        weights = strength[best] ** 1.5
        rows[i] = (weights / weights.sum()) @ vectors[columns[best]]
    return rows


def save_sentence_transformer(body: BertModel, tokenizer: Tokenizer, teacher: Path, out: Path) -> None:
    """Write a standard sentence-transformers folder: mean pooling, unit vectors, 256 tokens."""
    out.mkdir(parents=True, exist_ok=True)
    body.save_pretrained(out)
    tokenizer.save(str(out / "tokenizer.json"))
    settings = {
        "tokenizer_class": "BertTokenizer",
        "do_lower_case": True,
        "model_max_length": 256,
        **{f"{t.strip('[]').lower()}_token": t for t in SPECIAL},
    }
    (out / "tokenizer_config.json").write_text(json.dumps(settings, indent=1))
    (out / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 256, "do_lower_case": False}))
    for name in ("modules.json", "config_sentence_transformers.json"):
        # A shipped folder, which may be the teacher too, has but the first.
        if (teacher / name).exists():
            shutil.copy(teacher / name, out / name)
    shutil.copytree(teacher / "1_Pooling", out / "1_Pooling", dirs_exist_ok=True)


def main() -> None:
    """Write the untrained student, which the teacher's body and aligned vectors already make useful."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--data", type=Path, required=True, help="folder with parallel/, dict/, qa/")
    options.add_argument("--teacher", type=Path, required=True, help="folder of all-MiniLM-L6-v2")
    options.add_argument("--out", type=Path, required=True)
    arguments = options.parse_args()

    pairs = [p for p in read_pairs(arguments.data) if not held_back(p)]
    questions = split_questions(arguments.data).training
    teacher = Tokenizer.from_file(str(arguments.teacher / "tokenizer.json"))
    teacher.no_padding()
    teacher.no_truncation()
    texts = {passage: q.language for q in questions for passage in (q.question, q.passage)}
    english = [p.english for p in pairs] + [t for t, language in texts.items() if language == "en"]
    foreign = [p.other for p in pairs] + [t for t, language in texts.items() if language != "en"]
    student = wordpiece(choose_pieces(teacher, english, foreign))
    body = BertModel.from_pretrained(arguments.teacher, add_pooling_layer=False)
    vectors = body.embeddings.word_embeddings.weight.detach().numpy()
    rows = starting_vectors(teacher, student, pairs + read_dictionary(arguments.data), vectors)
    body.resize_token_embeddings(len(rows))
    body.embeddings.word_embeddings.weight.data = torch.from_numpy(rows)
    body.config.pad_token_id = student.token_to_id("[PAD]")
    save_sentence_transformer(body, student, arguments.teacher, arguments.out)


if __name__ == "__main__":
    main()
