import json
import re
from dataclasses import replace

from rag.conversation import Turn
from rag.export import to_json, to_markdown
from rag.labels import ENGLISH, ITALIAN
from rag.spans import Alternative, Document, Hit
from tests.page_parts import DIRIGE, HOSTILE, LEADS, LETTER, TRAPPED, citation, found, refused

ASKED = Turn("1", "who leads it?", found(LEADS, DIRIGE))


def test_an_answer_is_a_quotation_with_its_place_and_its_confidence() -> None:
    assert to_markdown([ASKED], ENGLISH) == (
        "# Verbatim\n\n"
        "## who leads it?\n\n"
        "> **Albert Cheng** leads it.\n\n"
        "\\[1\\] A letter (en, 2026-02-08), `a.txt`, 11–23\n\n"
        "High confidence, 97%: at least nine of ten such answers are right.\n\n"
        "Also said by:\n\n"
        "> Le studio est dirigé par **M. Cheng**.\n\n"
        "\\[2\\] Une lettre (fr), `b.txt`, 25–33\n"
    )


def test_other_answers_refusals_notices_and_passages_are_kept() -> None:
    text = to_markdown(
        [
            replace(ASKED, answer=replace(found(LEADS), others=(Alternative((DIRIGE,)),))),
            Turn("2", "why?", replace(refused("nothing_relevant"), unmentioned=("Napoli", "2012"))),
            Turn("3", "too long", notice="Shorten it!"),
            Turn("4", "where?", replace(found(LEADS), passages=(Hit(LEADS.sentence, 0.5),)), passages_only=True),
        ],
        ITALIAN,
    )
    assert "Altri documenti dicono altro:\n\n> Le studio est dirigé par **M. Cheng**.\n\n\\[2\\] Une lettre" in text
    assert "## why?\n\nNessuna risposta: Nei documenti non c’è nulla su questo argomento." in text
    assert "argomento.\n\nNessun documento nomina «Napoli», «2012»." in text
    assert "## too long\n\nShorten it\\!" in text
    assert "## where?\n\n> Albert Cheng leads it.\n\n\\[1\\] A letter (en), `a.txt`, 11–33" in text


def test_what_was_written_is_text_and_not_markdown() -> None:
    text = to_markdown([Turn("1", "# <b> *why* $x$", found(TRAPPED))], ENGLISH)
    assert "## \\# \\<b\\> \\*why\\* \\$x\\$" in text
    bare = re.sub(r"(?<!\\)`[^`]*`", "", text.replace("\\\\", ""))  # a file's name stands as code
    for mark in ("<", "$", "`", "["):
        assert all(bare[at - 1] == "\\" for at in range(len(bare)) if bare.startswith(mark, at)), mark
    assert HOSTILE.split()[-1] in text


def test_a_list_or_heading_in_a_quotation_stays_a_quotation() -> None:
    document = Document("d.txt", "D", "en", "1. First of all. - Then. + More.")
    quoted = citation(document, "First", "1. First of all.")
    assert "> 1\\. **First** of all." in to_markdown([Turn("1", "q", found(quoted))], ENGLISH).replace("\\1.", "1\\.")


def test_json_holds_the_answers_of_every_interface() -> None:
    answer = json.loads(json.dumps(found(LEADS, DIRIGE).to_dict()))
    text = to_json([ASKED, Turn("2", "too long", notice="Shorten it.")])
    assert json.loads(text) == {
        "turns": [
            {
                "question": "who leads it?",
                "answer": answer,
                "passages_only": False,
            },
            {"question": "too long", "answer": None, "passages_only": False},
        ]
    }
    assert LETTER.title in text
