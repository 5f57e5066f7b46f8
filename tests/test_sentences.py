"""A span -> its sentences."""

import time
from pathlib import Path

import pytest

from rag.sentences import sentences
from rag.spans import Document, Span

SEEDS = sorted((Path(__file__).parents[1] / "seeds").glob("*.txt"))


def split(text: str) -> list[str]:
    return [sentence.text for sentence in sentences(Span(Document("a.txt", "A", "und", text), 0, len(text)))]


# Each case is the sentences expected; the text is what they make, joined by a space.
JOINED = [
    # Italian
    ["Il sig. Rossi è arrivato alle 9.30.", "La dott.ssa Bianchi lo aspettava."],
    ["Vendono pane, latte, ecc. a prezzi bassi.", "La spesa media è di 12,50 euro."],
    ["Il prof. G. Verdi insegna a Pisa.", "È nato nel 1960."],
    ["Fiat S.p.A. ha chiuso l’anno in utile.", "Il titolo sale."],
    ["Giulio Cesare morì nel 44 a.C. a Roma.", "Augusto gli successe."],
    ["Si veda l’art. 3 del codice.", "Inoltre, a pag. 12, c’è una nota."],
    ["Costa 1.500,00 euro.", "Troppo?", "Forse sì!"],
    ["«Perché no?» chiese Anna.", "«Non lo so.»", "Poi uscì."],
    ["Alcuni animali, p. es. i gatti, dormono molto.", "Altri no."],
    ["Ha chiuso la fabbrica (la più grande d’Italia).", "Ora cerca un acquirente."],
    ["Non so… forse domani.", "Vedremo…", "Intanto riposa."],
    ["Parla l’On. Verdi.", "Rossi et al. (2019) dissentono."],
    # Spanish
    ["El Sr. García y la Sra. Pérez viven en EE. UU. desde 2010.", "Tienen dos hijos."],
    ["Invirtió 100.000 millones de dólares.", "El plan llega hasta 2030."],
    ["Véase el n.º 4, p. ej. la página 3.", "Es la más larga."],
    ["¿Quién lo dirige?", "¡Nadie!", "Así es."],
    ["—¿Vienes? —preguntó ella.", "—No."],
    ["Ud. decide.", "La empresa Telefónica S.A. no opina."],
    ["Dijo “esto es todo”.", "Luego se fue."],
    ["El 3.er capítulo dura 45 min.", "¿Y el 2.º?"],
    ["La ley entró en vigor en el s. XX.", "Nadie la aplica."],
    ["Comió pan, queso, etc.", "Después durmió."],
    # English
    ["Mr. Smith met Dr. J. K. Rowling at 5 p.m. on Friday.", "They talked."],
    ["J. R. R. Tolkien wrote it.", "He lived in Oxford."],
    ["Apple Inc. said so.", "Amazon.com Inc. did not."],
    ["The U.S. economy grew 3.5 percent.", "In the U.K. it shrank."],
    ["She uses cloud services (AWS).", "Next year she may not."],
    ['"Are you sure?" he asked.', '"I am."', "They left."],
    ["“It is done.”", "He closed the door."],
    ["Use a library, e.g. React or Node.js, for that.", "It helps."],
    ["See www.example.com/a.b?c=d for more.", "Or write to a.b@example.org."],
    ["See No. 5 in vol. 3.", "He said no.", "They agreed."],
    ["Yahoo! announced a deal.", "What now?!", "We wait."],
    ["The St. Louis team won vs. Chicago.", "The crowd cheered."],
    ["He waited... and waited.", "Then..."],
    ["As others showed.[12]", "That holds today."],
    ["Version 3.10 is out.", "30 people tested it."],
    # French
    ["M. Cheng dirige l’équipe.", "Mme Dupont l’assiste."],
    ["« Vraiment ? » demanda-t-il.", "« Oui. »", "Elle sortit."],
    ["Il déclare : « Nous y croyons ».", "La suite au prochain numéro !"],
    ["Environ 30 000 postes, soit 3,5 %, disparaissent.", "C’est énorme."],
    ["César est mort en 44 av. J.-C. à Rome.", "Son fils lui succéda."],
    ["Est-ce vrai ?", "Oui !", "L’IA progresse."],
    ["MM. Martin et J. Le Carré signent l’art. 4.", "L’accord est clos."],
    ["Il aime le thé, le café, etc.", "Elle, non."],
    ["Cf. l’annexe II, p. 4.", "Elle est longue."],
]
# A sentence may end where an abbreviation ends: the next word tells.
ENDING_IN_ABBREVIATION = [
    ["Trabaja en EE. UU.", "El gobierno le dio un visado."],
    ["He left the U.S.", "The visa had expired."],
    ["We have plan B.", "It is cheap."],
    ["Prices rose.", "iPhone sales fell."],
]


@pytest.mark.parametrize("expected", JOINED + ENDING_IN_ABBREVIATION, ids=" | ".join)
def test_prose(expected: list[str]) -> None:
    assert split(" ".join(expected)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # headings are not glued to prose, nor list items to each other
        (
            "Un titolo breve\nIl testo comincia qui. E continua.",
            ["Un titolo breve", "Il testo comincia qui.", "E continua."],
        ),
        (
            "# Titre\n\n- un point\n- un autre\n1. Premier\n2. Second",
            ["# Titre", "- un point", "- un autre", "1. Premier", "2. Second"],
        ),
        (
            "prima voce\n\nseconda voce\n\nPer farlo, serve tempo.",
            ["prima voce", "seconda voce", "Per farlo, serve tempo."],
        ),
        # hard-wrapped prose is joined, and the newline stays where it is
        (
            "The committee met on Tuesday to look at the whole of the budget\nand decided nothing. It will meet again.",
            [
                "The committee met on Tuesday to look at the whole of the budget\nand decided nothing.",
                "It will meet again.",
            ],
        ),
        (
            "El comité se reunió el martes para estudiar todo el presupuesto;\r\npero no decidió nada.",
            ["El comité se reunió el martes para estudiar todo el presupuesto;", "pero no decidió nada."],
        ),
        (
            "El comité se reunió el martes para estudiar todo el presupuesto\r\npero no decidió nada.",
            ["El comité se reunió el martes para estudiar todo el presupuesto\r\npero no decidió nada."],
        ),
        # a name or a number that had no room in its line does not begin a sentence
        (
            "The firm said on Monday that the new studio is led by somebody called\nCheng, who came to it seven "
            "years ago, and that it opens in the March of\n2026 in Rome, together with the partners that it has "
            "found by now\nand so forth. Nobody was asked.",
            [
                "The firm said on Monday that the new studio is led by somebody called\nCheng, who came to it seven "
                "years ago, and that it opens in the March of\n2026 in Rome, together with the partners that it has "
                "found by now\nand so forth.",
                "Nobody was asked.",
            ],
        ),
        (
            "A headline that is really quite long and has no full stop at its end\n"
            "Another headline that is also long and has no full stop at the end\nA third one",
            [
                "A headline that is really quite long and has no full stop at its end",
                "Another headline that is also long and has no full stop at the end",
                "A third one",
            ],
        ),
        ("He climbed Mt. Everest in 1953.", ["He climbed Mt. Everest in 1953."]),
        ("Present: Cllr. Ana Oakes. Apologies: none.", ["Present: Cllr. Ana Oakes.", "Apologies: none."]),
        ("She works for NBC. Bread is sold.", ["She works for NBC.", "Bread is sold."]),
        ("Ouvert jusqu'à 20 h. Entrée libre.", ["Ouvert jusqu'à 20 h.", "Entrée libre."]),
        ("Véase la p. 20 y a D. Pell.", ["Véase la p. 20 y a D. Pell."]),
        ("short line\nand another", ["short line", "and another"]),
        (
            "A line that is long enough to have been wrapped by some program\n- and a bullet",
            ["A line that is long enough to have been wrapped by some program", "- and a bullet"],
        ),
        # a date stamp before the first word
        (" date 2026-02-08 Le conseil a voté.", ["date 2026-02-08", "Le conseil a voté."]),
        # no space after the full stop
        ("È la fin.Nuevo texto aquí", ["È la fin.", "Nuevo texto aquí"]),
        ("lascia il segno.- Amazon crea uno studio", ["lascia il segno.", "- Amazon crea uno studio"]),
        ("C’est la fin.L’IA gagne", ["C’est la fin.", "L’IA gagne"]),
        ("They use Node.js and System.Text daily", ["They use Node.js and System.Text daily"]),
        ("See example.Com or https://a.example/Fin.Nuevo now", ["See example.Com or https://a.example/Fin.Nuevo now"]),
        # ellipses that open or stand for something left out
        ("... e poi uscì. Fine.", ["... e poi uscì.", "Fine."]),
        ("Il testo [...] Amazon dice (…) Basta.", ["Il testo [...] Amazon dice (…) Basta."]),
        # a chat without capitals still has sentences
        ("no lo creo. mañana lo vemos? claro.", ["no lo creo.", "mañana lo vemos?", "claro."]),
        ("这是第一句。这是第二句！", ["这是第一句。", "这是第二句！"]),
        ("", []),
        (" \n\t\u2028 ", []),
        ("...", ["..."]),
    ],
)
def test_layout(text: str, expected: list[str]) -> None:
    assert (split(text) if text else []) == expected


def test_only_the_given_span_is_read() -> None:
    text = "One is here. Two is there. Three."
    document = Document("a.txt", "A", "en", text)
    assert [(s.start, s.end) for s in sentences(Span(document, 4, 26))] == [(4, 12), (13, 26)]


def test_offsets_point_into_the_document() -> None:
    text = "\r\n  Un titre\r\n\r\nÀ la fin\u00a0? Oui.\r\n"
    document = Document("a.txt", "A", "fr", text)
    assert [(s.start, s.end, s.text) for s in sentences(Span(document, 0, len(text)))] == [
        (4, 12, "Un titre"),
        (16, 26, "À la fin\u00a0?"),
        (27, 31, "Oui."),
    ]


def test_endless_sentences_are_cut_at_clauses_then_spaces() -> None:
    clauses = "una parte della frase, " * 100
    assert all(len(piece) <= 1_000 and piece.endswith(",") for piece in split(clauses))
    words = "parola " * 400
    assert all(len(piece) <= 1_000 and set(piece.split()) == {"parola"} for piece in split(words))
    assert [len(piece) for piece in split("x" * 2_500)] == [1_000, 1_000, 500]
    assert split("a" + "e\u0301" * 800)[1].startswith("e")


@pytest.mark.parametrize(
    "piece",
    [
        "a",
        "ab ",
        ". ",
        "? ",
        "! a",
        "(",
        ".(",
        '"',
        "» ",
        "A. ",
        "a.B",
        "\n",
        " ",
        "M. ",
        "…",
        "1.",
        ".[1]",
        "'",
        "。",
        "a\n",
    ],
)
def test_time_is_linear(piece: str) -> None:
    size = 1_000_000 if piece in ("a", "ab ") else 200_000
    text = piece * (size // len(piece))
    started = time.process_time()
    split(text)
    assert time.process_time() - started < 2.0


@pytest.mark.parametrize("path", SEEDS, ids=lambda path: path.stem)
def test_the_articles(path: Path) -> None:
    found = split(path.read_text("utf-8"))
    assert all(len(sentence) < 500 and "\n" not in sentence for sentence in found)
    # A sentence of these articles ends in a mark, or is a heading or a list item on its own line.
    text = path.read_text("utf-8")
    lines = {line.strip() for line in text.splitlines()}
    unended = [s for s in found if s[-1] not in ".?!:" and s not in lines and s != "date 2026-02-08"]
    assert unended == []
    assert not [s for s in found if s.endswith((" M.", " Mme"))]


def test_endless_marks_on_a_letter_are_cut_as_seldom_as_letters() -> None:
    text = "a" + "\u0301" * 20_000
    parts = sentences(Span(Document("a.txt", "A", "en", text), 0, len(text)))
    assert "".join(part.text for part in parts) == text
    assert len(parts) == 21
