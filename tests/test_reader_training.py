"""What the reader's training makes of questions, and how it rounds."""

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
import pytest
from training.contraries import KINDS, contrary
from training.data import Question, is_translated
from training.examples import UNANSWERABLE_REPEATED, Example, Examples, borrowed, renamed, swapped
from training.rivals import Rivals, lacks

from rag.cascade import SECOND_FOLDER
from rag.read import READER_FOLDER
from tests.training_parts import NoWords

if TYPE_CHECKING:
    import torch
    from tokenizers import Tokenizer
    from training.network import SpanReader

LIONS = "In Kenya, lions sleep by day. At night Leo Marsh films them for the National Trust, as he did in 1998."
ZEBRAS = "In Namibia, zebras eat grass. A herd of them was filmed at night by Ada Wolf in 2004 for the Prairie Museum."


def question(text: str, passage: str, answer: str, *, language: str = "en") -> Question:
    return Question(text, language, text, passage, answer, passage.index(answer), "test")


def asked(count: int = 12) -> list[Question]:
    rows = [question(f"Who films lions in Kenya at night, take {i}?", LIONS, "Leo Marsh") for i in range(count)]
    rows += [question("What do zebras eat in Namibia?", ZEBRAS, "grass")]
    for language in ("es", "fr", "it"):
        rows.append(question("Leo Marsh?", f"{LIONS} {language}", "Leo Marsh", language=language))
    return rows


def test_every_answer_of_an_example_is_at_its_place() -> None:
    examples = Examples(asked(), NoWords(), seed=3)
    drawn = [example for together in examples.chunk(300) for example in together]
    answered = [e for e in drawn if e.start >= 0]
    assert {e.text[e.start : e.end] for e in answered} <= {"Leo Marsh", "grass"}
    missing = len(drawn) - len(answered)
    assert 30 < missing < 150


def test_texts_that_lack_the_answer_come_after_the_one_that_has_it() -> None:
    groups = [together for together in Examples(asked(), NoWords(), seed=3).chunk(300) if len(together) > 1]
    assert {len(together) for together in groups} <= {2, 3, 4}
    assert len(groups) > 30
    for answered, *lacking in groups:
        assert answered.start >= 0
        assert all(e.start == -1 and e.question == answered.question for e in lacking)
        assert all(lacks(e.text, answered.text[answered.start : answered.end]) for e in lacking)


def test_a_rival_of_another_language_lacks_the_answer_in_that_language() -> None:
    english = replace(question("Who films lions in Kenya?", LIONS, "Leo Marsh"), id="q")
    spanish = replace(question("Leoni?", "I leoni di Leone Marsio dormono.", "Leone Marsio", language="it"), id="q")
    rows = [english, spanish, question("Zebre?", "Le zebre mangiano i leoni, forse.", "zebre", language="it")]
    examples = Examples(rows, NoWords(), seed=1)
    found = {text for _ in range(40) for text in examples.near_misses(english)}
    assert found == {"Le zebre mangiano i leoni, forse."}


def test_each_part_draws_its_own_questions_and_all_parts_draw_every_one() -> None:
    rows = [question(f"Who films lions, take {i}?", LIONS, "Leo Marsh") for i in range(10)]
    examples = Examples(rows, NoWords(), seed=1)
    drawn = []
    for part in range(2):
        examples.restart(7, part=part, parts=2)
        drawn.append([examples.draw("en").id for _ in range(5)])
    assert sorted(drawn[0] + drawn[1]) == sorted(q.id for q in rows)
    examples.restart(7, part=1, parts=2)
    assert [examples.draw("en").id for _ in range(5)] == drawn[1]


def test_a_question_that_its_passage_does_not_answer_is_asked_twice_a_round() -> None:
    rows = [*asked(), replace(asked()[0], id="none", start=-1, answer="")]
    examples = Examples(rows, NoWords(), seed=1)
    round_ = [examples.draw("en").id for _ in range(15)]
    assert round_.count("none") == UNANSWERABLE_REPEATED == 2
    assert len(set(round_)) == 14


def test_to_end_with_no_translated_passage_is_asked_about_but_where_it_does_not_answer() -> None:
    written = question("¿Quién filma leones?", LIONS, "Leo Marsh", language="es")
    translated = [
        replace(written, language=x, question=f"{x}?", passage=f"{LIONS} {x}", source="squad.es-" + x)
        for x in ("fr", "it")
    ]
    lacking = replace(translated[0], id="none", start=-1, answer="")
    other = question("What do zebras eat in Namibia?", ZEBRAS, "grass")
    assert [is_translated(q) for q in (written, *translated)] == [False, True, True]
    examples = Examples([written, *translated, lacking, other], NoWords(), seed=1, written=True)
    assert {language: [q.id for q in rows] for language, rows in examples.by_language.items()} == {
        "en": [other.id],
        "es": [written.id],
        "fr": ["none"],
        "it": [],
    }
    asked = {examples.wording(written) for _ in range(60)}
    assert {"fr?", "it?"} <= asked


def test_a_question_about_news_is_mostly_asked_in_the_other_languages_that_it_was_written_in() -> None:
    english = question("Who films lions?", LIONS, "Leo Marsh")
    also = (("fr", "Qui filme des lions ?"), ("it", "Chi filma i leoni?"))
    lacking = replace(english, id="none", start=-1, answer="", source="newswire", also=also)
    examples = Examples([replace(english, source="newswire", also=also), lacking], NoWords(), seed=1)
    assert sorted(q.id for q in examples.by_language["en"]) == [english.id] * 2 + ["none"] * 2
    for each in examples.by_language["en"]:
        asked = [examples.wording(each).casefold() for _ in range(200)]
        # Some without punctuation, some without function words.
        counts = [sum(words in wording for wording in asked) for words in ("films lions", "lions ?", "leoni")]
        assert all(30 < count < 110 for count in counts)


def test_to_begin_with_every_text_answers_its_question() -> None:
    unanswerable = replace(question("Who painted it?", LIONS, "Leo Marsh"), answer="", start=-1)
    examples = Examples([*asked(), unanswerable], NoWords(), seed=1, answered=True)
    drawn = examples.chunk(100)
    assert all(len(together) == 1 and together[0].start >= 0 for together in drawn)
    assert not any(together[0].question.startswith("Who painted") for together in drawn)


def test_a_rival_looks_like_the_answer_and_lacks_it() -> None:
    rows = asked()
    assert Rivals(rows).of(rows[0], random.Random(0), count=3) == [ZEBRAS]
    assert lacks(ZEBRAS, "leo marsh")
    assert not lacks(LIONS, "leo MARSH")


def test_a_renamed_question_asks_about_something_the_passage_does_not_name() -> None:
    original = question("Who films lions in Kenya?", LIONS, "Leo Marsh")
    other = renamed(original, [ZEBRAS], random.Random(0))
    assert other is not None
    assert other.startswith("Who films lions in ")
    assert other.removeprefix("Who films lions in ").rstrip("?") in {"Ada Wolf", "Prairie Museum"}


def test_a_question_without_names_cannot_be_renamed() -> None:
    assert renamed(question("Who films them?", LIONS, "Leo Marsh"), [ZEBRAS], random.Random(0)) is None


def test_a_swapped_question_asks_of_another_name_of_the_text_what_it_says_of_one() -> None:
    text = f"{LIONS} Later, in Namibia, Ada Wolf filmed zebras."
    asked = question("Who films lions in Kenya?", text, "Leo Marsh")
    assert swapped(asked, text, random.Random(0)) == "Who films lions in Namibia?"
    # Neither the answer nor a name of another length stands in for it.
    assert swapped(asked, LIONS, random.Random(0)) is None
    assert swapped(question("Who films lions there?", text, "Leo Marsh"), text, random.Random(0)) is None
    # Nor one that may be a part of its own.
    parts = f"{LIONS} The Kenya Trust paid."
    assert swapped(question("Who pays the National Trust?", parts, "Leo Marsh"), parts, random.Random(0)) is None
    year = question("Who filmed lions in spring 1998?", f"{LIONS} They slept in 2004.", "Leo Marsh")
    assert swapped(year, year.passage, random.Random(0)) == "Who filmed lions in spring 2004?"


def test_a_borrowed_question_asks_something_else_about_a_name_of_the_text() -> None:
    other = question("What do zebras eat in Namibia?", ZEBRAS, "grass")
    assert borrowed(LIONS, [other], random.Random(0)) == "What do zebras eat in Kenya?"
    # It would be answered: the text has the answer's letters.
    assert borrowed(f"{LIONS} They lie in the grass.", [other], random.Random(0)) is None
    # No name of the text has as many words as the question's.
    longer = question("Who founded the old Prairie Museum of Namibia Town Hall?", ZEBRAS, "Ada Wolf")
    assert borrowed("By day, lions sleep in Kenya.", [longer], random.Random(0)) is None
    assert borrowed("By day, lions sleep.", [other], random.Random(0)) is None


def test_a_contrary_question_asks_about_another_of_a_kind_that_the_text_does_not_have() -> None:
    text = "The first herd came in March, the last one in May."
    asked = [contrary("When did the first herd come?", "en", text, random.Random(i)) for i in range(40)]
    assert set(asked) == {f"When did the {other} herd come?" for other in ("second", "third", "fourth", "fifth")}
    month = contrary("March: who came?", "en", text, random.Random(1))
    assert month is not None
    assert month.endswith(": who came?")
    assert month.removesuffix(": who came?") in set(KINDS["en"][0]) - {"March", "May"}
    assert contrary("¿Quién nació?", "es", "Ada nació.", random.Random(0)) == "¿Quién murió?"
    assert contrary("¿Quién nació?", "es", "Ada nació y murió.", random.Random(0)) is None
    assert contrary("Who came?", "en", text, random.Random(0)) is None


@pytest.mark.parametrize("language", KINDS)
def test_a_kind_has_several_words_each_once(language: str) -> None:
    for kind in KINDS[language]:
        assert len(kind) == len(set(kind)) > 1


def test_a_changed_question_stands_beside_the_one_that_it_was_made_of() -> None:
    text = f"{LIONS} Later, in Namibia, Ada Wolf filmed zebras."
    original = question("Who films lions in Kenya?", text, "Leo Marsh")
    examples = Examples([original], NoWords(), seed=1)
    made = [examples.examples(original) for _ in range(200)]
    beside = [groups for groups in made if len(groups) == 2]
    assert len(beside) > 20
    for (answered,), (changed,) in beside:
        assert answered.start >= 0
        assert (changed.start, changed.text) == (-1, answered.text)
        assert changed.question.casefold() != original.question.casefold()


def test_a_question_is_half_translated_but_for_its_names() -> None:
    words = NoWords()
    words.by_language = {("it", "en"): {"leoni": ["lions"], "dorme": ["sleeps"], "marsh": ["swamp"]}}
    translated = {words.translate("Quando dorme Marsh coi leoni?", "it", random.Random(i)) for i in range(30)}
    assert "Quando sleeps Marsh coi lions?" in translated
    assert all("Marsh" in text for text in translated)


def test_weights_are_rounded_to_seven_bits_an_output() -> None:
    torch = pytest.importorskip("torch")
    from training.rounding import LARGEST_WEIGHT, rounded_weights

    weights = torch.tensor([[0.52, -1.0, 0.2501], [10.0, 0.0, 4.99]])
    steps = rounded_weights(weights) / (torch.tensor([[1.0], [10.0]]) / LARGEST_WEIGHT)
    np.testing.assert_allclose(steps.numpy(), [[33, -63, 16], [63, 0, 31]], atol=1e-4)


def test_inputs_are_rounded_text_by_text_and_keep_their_gradient() -> None:
    torch = pytest.importorskip("torch")
    from training.rounding import rounded_inputs

    small, large = torch.tensor([[[0.1, -0.2]]]), torch.tensor([[[100.0, -300.0]]])
    together = rounded_inputs(torch.cat([small, large]))
    np.testing.assert_allclose(together[0].numpy(), rounded_inputs(small)[0].numpy(), atol=1e-7)
    np.testing.assert_allclose(together[0].numpy(), small[0].numpy(), atol=0.3 / 255)
    values = torch.tensor([[[0.3, 0.7]]], requires_grad=True)
    (gradient,) = torch.autograd.grad(rounded_inputs(values).sum(), values)
    np.testing.assert_allclose(gradient.numpy(), [[[1.0, 1.0]]], atol=1e-6)


class GivenScores:
    """A network whose start and end scores are what it is made with, whatever it reads."""

    def __init__(self, scores: "torch.Tensor") -> None:
        self.given = scores

    def states(self, ids: "torch.Tensor", mask: "torch.Tensor", types: "torch.Tensor") -> "torch.Tensor":
        return self.given

    def scores(
        self, states: "torch.Tensor", mask: "torch.Tensor", types: "torch.Tensor"
    ) -> "tuple[torch.Tensor, torch.Tensor]":
        return states, states


def small_reader(seed: int, *, layers: int = 2, tokens: int = 20) -> "SpanReader":
    import torch
    from training.network import SpanReader
    from transformers import BertConfig, BertModel

    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=tokens,
        hidden_size=16,
        num_hidden_layers=layers,
        num_attention_heads=4,
        intermediate_size=32,
        max_position_embeddings=40,
        initializer_range=0.3,
    )
    return SpanReader(BertModel(config, add_pooling_layer=False))


def test_a_reader_learns_what_its_teachers_make_of_the_windows() -> None:
    torch = pytest.importorskip("torch")
    pytest.importorskip("onnx")
    from training.taught import Teacher, score_loss, taught_losses
    from training.windows import Batch, Row

    reader, teachers = small_reader(0), [Teacher(small_reader(seed).eval(), other=False) for seed in (1, 2)]
    batch = Batch.of([[Row([2, 5, 3, 6, 7, 3], 3, 3, 3)], [Row([2, 5, 6, 3, 8, 9, 7, 7, 3], 4, 0, 0)]])
    with torch.no_grad():
        alone = float(score_loss(teachers[0].reader(*batch.inputs("cpu")), batch))
        hard, scored = taught_losses(teachers[0].reader, teachers[:1], batch, "cpu").tolist()
    assert hard == pytest.approx(alone, abs=0.05)  # in half precision
    assert scored == pytest.approx(0, abs=1e-3)
    optimiser = torch.optim.Adam(reader.parameters(), lr=3e-3)
    told = []
    for _ in range(40):
        losses = taught_losses(reader, teachers, batch, "cpu")
        optimiser.zero_grad()
        losses[1].backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        told.append(float(losses.detach()[1]))
    assert told[0] > 0.01
    assert told[-1] < 0.3 * told[0]


def test_an_early_head_learns_from_the_answers_and_from_the_last_layer_and_is_not_kept(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    pytest.importorskip("onnx")
    from training.network import load_reader, save_reader
    from training.reader import add_early_head
    from training.taught import early_losses, score_loss
    from training.windows import Batch, Row

    batch = Batch.of([[Row([2, 5, 3, 6, 7, 3], 3, 3, 3)], [Row([2, 5, 6, 3, 8, 9, 7, 7, 3], 4, 0, 0)]])
    deep, moved = "body.encoder.layer.1.output.dense.weight", []
    for part in range(3):
        reader = small_reader(0)
        add_early_head(reader, 1)
        before = reader.state_dict()[deep].clone()
        with torch.no_grad():
            alone = float(score_loss(reader(*batch.inputs("cpu")), batch))
        optimiser = torch.optim.Adam(reader.parameters(), lr=3e-3)
        told = []
        for _ in range(60):
            losses = early_losses(reader, batch, "cpu", layers=1)
            optimiser.zero_grad()
            losses[part].backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            told.append(losses.tolist())
        assert told[0][0] == pytest.approx(alone, abs=0.05)  # in half precision
        assert told[-1][part] < 0.3 * told[0][part]
        moved.append(not torch.equal(reader.state_dict()[deep], before))
    # What the early head is to learn changes no layer above it.
    assert moved == [True, False, False]
    (tmp_path / "start").mkdir()
    word_tokens().save(str(tmp_path / "start" / "tokenizer.json"))
    save_reader(reader, tmp_path / "start", tmp_path / "saved")
    saved = load_reader(tmp_path / "saved")
    assert saved.early_head is None
    for layers in (-1, 2):
        with pytest.raises(ValueError, match=f"{layers}: name 1 to 1"):
            add_early_head(saved, layers)
    assert torch.equal(saved.state_dict()[deep], reader.state_dict()[deep])


def word_tokens(*, letters: bool = False) -> "Tokenizer":
    """A tokenizer of words with their spaces, or of letters."""
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers, processors

    pieces = list("abcdefghijklmnopqrstuvwxyz ?") if letters else ["who", " led", "anna", " led", " it", " then", "?"]
    vocabulary = {piece: i for i, piece in enumerate(dict.fromkeys(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *pieces]))}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex("." if letters else r" ?\w+|\?"), "isolated")
    ends = [("[CLS]", vocabulary["[CLS]"]), ("[SEP]", vocabulary["[SEP]"])]
    tokenizer.post_processor = processors.TemplateProcessing("[CLS] $A [SEP]", "[CLS] $A [SEP] $B [SEP]", ends)
    return tokenizer


def test_the_tokens_of_another_network_lie_where_ours_have_their_letters() -> None:
    pytest.importorskip("torch")
    from training.windows import make_rows, other_rows, places

    examples = [Example("who led?", "anna led it then", 0, 4)]
    words, letters = word_tokens(), word_tokens(letters=True)
    (ours,), (theirs,) = (make_rows(each, examples, random.Random(0)) for each in (words, letters))
    (same,) = other_rows(letters, examples, [ours])
    assert same.ids == theirs.ids
    # [CLS] who led ? [SEP] anna led it then [SEP] against [CLS], eight letters, [SEP], sixteen letters, [SEP]
    firsts, lasts = places(ours, same)
    assert firsts == [0] * 10 + [5] * 4 + [6] * 4 + [7] * 3 + [8] * 5 + [0]
    assert lasts == firsts
    firsts, lasts = places(theirs, *other_rows(words, examples, [theirs]))
    assert firsts == [0, 0, 0, 0, 0, 10, 14, 18, 21, 0]
    assert lasts == [0, 0, 0, 0, 0, 13, 17, 20, 25, 0]


def test_what_teachers_find_likely_is_their_mean_and_summed_by_our_tokens() -> None:
    torch = pytest.importorskip("torch")
    from training.taught import SOFTENED, wanted
    from training.windows import Batch, make_rows, other_rows

    examples = [Example("who led?", "anna led", 0, 4)]
    ours, letters = make_rows(word_tokens(), examples, random.Random(0)), word_tokens(letters=True)
    batch = Batch.of([ours], [other_rows(letters, examples, ours)])
    # [CLS] who led ? [SEP] anna led [SEP]
    same = (torch.tensor([[0.5, 0, 0, 0, 0, 0.5, 0, 0]]).log() * SOFTENED,) * 2
    other = torch.zeros(1, 19)
    other[0, [0, 10, 12, 15]] = torch.tensor([0.25, 0.125, 0.125, 0.5])
    found = wanted([same, (other.log() * SOFTENED,) * 2], [False, True], batch)
    for likely in found:
        assert likely.exp().tolist()[0] == pytest.approx([0.375, 0, 0, 0, 0, 0.375, 0.25, 0], abs=1e-6)


def test_a_reader_learns_from_a_teacher_with_other_tokens() -> None:
    torch = pytest.importorskip("torch")
    pytest.importorskip("onnx")
    from training.taught import Teacher, begin_like, taught_losses
    from training.windows import Batch, make_rows, other_rows

    examples = [Example("who led?", "anna led it then", 0, 4), Example("who?", "it led anna", -1, -1)]
    words, letters = word_tokens(), word_tokens(letters=True)
    rows = make_rows(words, examples, random.Random(0))
    others = other_rows(letters, examples, rows)
    assert [[rows[0].words, rows[1].words], [others[1].words]] == [
        [[-1, 0, 1, 1, -1, 2, 3, 4, 5, -1], [-1, 0, 0, -1, 1, 2, 3, -1]],
        [[-1, 0, 0, 0, 0, -1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 3, -1]],
    ]
    batch = Batch.of([[row] for row in rows], [[row] for row in others])
    reader, teacher = small_reader(0, layers=6), small_reader(1, layers=12, tokens=32).eval()
    teachers = [Teacher(teacher, other=True)]
    before = taught_losses(reader, teachers, batch, "cpu", alike=True).detach()
    start = small_reader(1, layers=12, tokens=32).body
    ours, new, old = reader.body.state_dict(), teacher.body.state_dict(), start.state_dict()
    learnt = "encoder.layer.{}.output.dense.weight"
    new[learnt.format(4)].add_(0.1)
    known = ours[learnt.format(2)].clone()
    begin_like(reader, teacher, start, batch, "cpu")
    assert torch.equal(reader.head.weight, teacher.head.weight)
    torch.testing.assert_close(ours[learnt.format(2)], known + new[learnt.format(4)] - old[learnt.format(4)])
    begun = taught_losses(reader, teachers, batch, "cpu", alike=True).detach()
    assert float(begun[2]) < float(before[2])
    first = {name: tensor.clone() for name, tensor in reader.state_dict().items()}
    for part, at_most in ((1, 0.2), (2, 0.9)):
        reader.load_state_dict(first)
        optimiser = torch.optim.Adam(reader.parameters(), lr=1e-3)
        for _ in range(100):
            losses = taught_losses(reader, teachers, batch, "cpu", alike=True)
            optimiser.zero_grad()
            losses[part].backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        assert float(losses.detach()[part]) < at_most * float(begun[part])
    assert len(taught_losses(reader, teachers, batch, "cpu")) == 2


def test_teachers_have_tokens_of_one_kind_beside_the_readers(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("onnx")
    from training.network import save_reader
    from training.reader import open_teachers

    words, letters, folders = word_tokens(), word_tokens(letters=True), []
    third = word_tokens()
    third.add_tokens(["more"])
    for i, tokenizer in enumerate((words, letters, third)):
        (tmp_path / f"start{i}").mkdir()
        tokenizer.save(str(tmp_path / f"start{i}" / "tokenizer.json"))
        folders.append(tmp_path / f"reader{i}")
        save_reader(small_reader(i, tokens=40), tmp_path / f"start{i}", folders[-1])
    teachers, other = open_teachers(folders[:2], words, "cpu", alike=False)
    assert [teacher.other for teacher in teachers] == [False, True]
    assert other is not None
    assert other.get_vocab() == letters.get_vocab()
    assert open_teachers([], words, "cpu", alike=False) == ([], None)
    with pytest.raises(ValueError, match="several kinds"):
        open_teachers(folders, words, "cpu", alike=False)
    for named in ([], folders[:2]):
        with pytest.raises(ValueError, match="name that one first"):
            open_teachers(named, words, "cpu", alike=True)


def test_the_loss_compares_the_texts_of_a_question_by_their_margins() -> None:
    torch = pytest.importorskip("torch")
    pytest.importorskip("onnx")
    from training.taught import TOGETHER, span_loss
    from training.windows import Batch, Row

    right, wrong = Row([2, 5, 3, 6, 7, 3], 3, 3, 3), Row([2, 5, 3, 8, 9, 3], 3, 0, 0)
    no = -1e4
    scores = torch.tensor([[0.0, no, no, 2.0, 1.0, no], [4.0, no, no, 3.0, 4.0, no]])
    each = [np.log(1 + np.exp(2) + np.exp(1)) - 2, np.log(np.exp(4) + np.exp(3) + np.exp(4)) - 4]
    # The wrong text's tokens are 1 and 0 below and at its "not answered here", the right one's 2 and 1 above.
    both = np.log(np.exp(2) + np.exp(1) + np.exp(-1) + np.exp(0)) - 2
    reader = cast("SpanReader", GivenScores(scores))
    found = float(span_loss(reader, Batch.of([[right, wrong]]), "cpu"))
    assert found == pytest.approx(np.mean(each) + TOGETHER * both, abs=1e-5)
    apart = float(span_loss(reader, Batch.of([[right], [wrong]]), "cpu"))
    assert apart == pytest.approx(np.mean(each), abs=1e-5)
    # A question with fewer texts than another counts them alone: the mean of two questions, of two texts and of three.
    more = cast("SpanReader", GivenScores(torch.cat([scores, scores, scores[1:]])))
    three = np.log(np.exp(2) + np.exp(1) + 2 * (np.exp(-1) + np.exp(0))) - 2
    found = float(span_loss(more, Batch.of([[right, wrong], [right, wrong, wrong]]), "cpu"))
    assert found == pytest.approx((2 * each[0] + 3 * each[1]) / 5 + TOGETHER * (both + three) / 2, abs=1e-5)


def test_a_batch_pads_windows_and_tells_text_from_question() -> None:
    pytest.importorskip("torch")
    from training.windows import Batch, Row

    short, long = Row([2, 5, 3, 6, 3], 3, 3, 3), Row([2, 5, 5, 3, 8, 9, 3], 4, 0, 0)
    batch = Batch.of([[short], [long, short]])
    ids, mask, types = (tensor.tolist() for tensor in batch.inputs("cpu"))
    assert ids == [[2, 5, 3, 6, 3, 0, 0], [2, 5, 5, 3, 8, 9, 3], [2, 5, 3, 6, 3, 0, 0]]
    assert mask == [[1, 1, 1, 1, 1, 0, 0], [1] * 7, [1, 1, 1, 1, 1, 0, 0]]
    assert types == [[0, 0, 0, 1, 1, 0, 0], [0, 0, 0, 0, 1, 1, 1], [0, 0, 0, 1, 1, 0, 0]]
    assert (batch.starts.tolist(), batch.together.tolist()) == ([3, 0, 3], [[1, 2]])


class GivenExamples:
    """The same groups of examples again and again."""

    def __init__(self, groups: list[list[Example]]) -> None:
        self.choose, self.groups = random.Random(0), groups

    def chunk(self, size: int) -> list[list[Example]]:
        return [self.groups[i % len(self.groups)] for i in range(size)]


def test_a_question_whose_answer_is_longer_than_a_window_is_left_out_with_its_near_misses() -> None:
    pytest.importorskip("torch")
    pytest.importorskip("onnx")
    from tokenizers import Tokenizer
    from training.reader import batches

    tokenizer = Tokenizer.from_file("src/rag/models/encoder/tokenizer.json")
    tokenizer.no_truncation()
    long = "lion " * 300
    missing = Example("Who?", ZEBRAS, -1, -1)
    groups = [[Example("Who?", long, 0, len(long)), missing], [Example("Who?", LIONS, 38, 47), missing]]
    made = batches(cast("Examples", GivenExamples(groups)), tokenizer, 3)
    for batch in (next(made) for _ in range(20)):
        assert len(batch.together) == 3
        assert (batch.starts[batch.together[:, 0]] > 0).all()


@pytest.mark.parametrize("workers", [0, 3])
def test_every_process_makes_its_part_of_the_batches(workers: int) -> None:
    from training.workers import produce

    def make(part: int, parts: int) -> Iterator[int]:
        yield from range(part, 12, parts)

    made = produce(make, workers)
    assert sorted(next(made) for _ in range(12)) == list(range(12))


def test_a_process_that_fails_ends_the_training_instead_of_letting_it_wait(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from training import workers

    def make(part: int, parts: int) -> Iterator[int]:
        yield part
        raise ValueError("no more")

    monkeypatch.setattr(workers, "LOOKED_AFTER", 0.2)
    made = workers.produce(make, 1)
    assert next(made) == 0
    with pytest.raises(RuntimeError, match="failed"):
        next(made)
    assert "no more" in capfd.readouterr().err


def test_the_same_dimensions_drop_at_all_tokens_of_a_window_and_only_in_training() -> None:
    torch = pytest.importorskip("torch")
    from training.network import WindowDropout

    dropout, states = WindowDropout(0.25), torch.ones(40, 3, 50)
    torch.manual_seed(0)
    dropped = dropout(states).numpy()
    np.testing.assert_allclose(np.unique(dropped), [0, 1 / 0.75], rtol=1e-6)
    assert (dropped == dropped[:, :1]).all()
    assert not (dropped == dropped[:1]).all()
    assert dropped.mean() == pytest.approx(1, abs=0.05)
    assert (dropout.eval()(states) == states).all()


def test_all_dropout_but_that_of_the_attention_is_by_window() -> None:
    torch = pytest.importorskip("torch")
    from training.network import SpanReader, WindowDropout
    from transformers import BertConfig, BertModel

    config = BertConfig(vocab_size=9, hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=8)
    reader = SpanReader(BertModel(config, add_pooling_layer=False))
    reader.drop(0.1)
    reader.drop(0.2)
    # One for the words, and two a layer.
    assert [each.chance for each in reader.modules() if isinstance(each, WindowDropout)] == [0.2] * 5
    assert [each.p for each in reader.modules() if isinstance(each, torch.nn.Dropout)] == [0.0] * 2


def test_averaged_networks_have_the_mean_of_their_weights() -> None:
    torch = pytest.importorskip("torch")
    from training.soup import average

    one = {"matrix": torch.tensor([[1.0, 2.0]]), "places": torch.tensor([0, 1])}
    other = {"matrix": torch.tensor([[5.0, -2.0]], dtype=torch.float16), "places": torch.tensor([7, 7])}
    found = average(one, other, 0.25)
    assert found["matrix"].tolist() == [[4.0, -1.0]]
    assert found["matrix"].dtype == torch.float32
    assert found["places"].tolist() == [0, 1]
    assert one["matrix"].tolist() == [[1.0, 2.0]]
    assert other["matrix"].tolist() == [[5.0, -2.0]]


@pytest.mark.parametrize("folder", [READER_FOLDER, SECOND_FOLDER], ids=lambda folder: folder.name)
def test_a_shipped_reader_is_restored_to_the_scores_it_gives(folder: Path) -> None:
    pytest.importorskip("onnx")
    import onnxruntime
    import torch
    from training.restore import restore_reader

    reader = restore_reader(folder)
    ids = np.array([[2, *range(1000, 1010), 3, *range(2000, 2030), 3]])
    types = (np.arange(ids.shape[1]) > 11).astype(np.int64)[None]
    inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": types}
    shipped = onnxruntime.InferenceSession(folder / "model_int8.onnx").run(["start", "end"], inputs)
    with torch.no_grad():
        restored = reader(*(torch.from_numpy(array) for array in inputs.values()))
    for ours, theirs in zip(restored, shipped, strict=True):
        # The shipped file may round what the restored network computes exactly.
        assert np.corrcoef(ours.numpy()[0, 12:], theirs[0, 12:])[0, 1] > 0.98


@pytest.mark.parametrize("folder", [READER_FOLDER, SECOND_FOLDER], ids=lambda folder: folder.name)
def test_a_bundled_reader_reads_alike_with_and_without_rounding_as_it_runs(folder: Path) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("onnx")
    from training.measure_reader import Measured

    text = "Maria Duarte runs the harbour of Port Ellis. It opened in June 2019 and employs 240 people."
    asked = [(f"{question}?", text) for question in ("Who runs the harbour", "When did it open", "How many work there")]
    rounded, exact = Measured(folder), Measured(folder, float32=True)
    for ours, theirs in zip(rounded.read(asked), exact.read(asked), strict=True):
        assert (ours.start, ours.end) == (theirs.start, theirs.end)
        assert ours.margin == pytest.approx(theirs.margin, abs=1.5)
        assert ours.margin != theirs.margin
    # A passage's numbers are rounded by its own range, whatever is read beside it.
    assert rounded.read(asked)[0] == rounded.read(asked[:1])[0]
