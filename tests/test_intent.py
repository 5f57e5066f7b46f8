import json
from pathlib import Path

import pytest

from rag.intent import asks_nothing, asks_of_documents

TESTS = Path(__file__).parent


@pytest.mark.parametrize(
    "text",
    [
        "Hello", "hi!", "Good morning.", "thanks a lot", "¡Hola!", "buenos días", "Gracias", "Bonjour !",
        "merci beaucoup", "Ciao", "Buongiorno!", "grazie mille", "I like pizza.", "my name is Ada", "Me llamo Ana.",
        "Je suis fatigué", "Je suis journaliste", "Estoy cansada", "Yo soy periodista", "Io sono stanco",
        "Mi piace la pizza", "asdfasdf", "qwertqwert zxcvbn", "aaaaaaa", "xkcdqrtz hjklhjkl", "asdf?",
    ],
)  # fmt: skip
def test_what_asks_nothing(text: str) -> None:
    assert asks_nothing(text)


@pytest.mark.parametrize(
    "text",
    [
        "AI Studio head", "AWS", "budget", "Hello, who leads AI Studio?", "thanks, and who directed it",
        "I am looking for the head of AI Studio", "I'd like the date of the beta", "ciao chi guida",
        "Mi piace sapere chi guida AI Studio", "capo AI Studio", "NVIDIA HTTP", "350", "谁管理港口",
        "tell me the date.", "je cherche la date", "House of David", "ok google?", "hi?", "Amazon is cutting jobs",
        "Je suis intéressé par le budget du film", "Estoy interesado en el presupuesto de la serie",
        "Io sono interessato al budget del film", "Yo soy periodista y necesito el presupuesto",
        "Mi chiamo Ada e ho bisogno del budget", "Je suis journaliste et je voudrais le budget",
        "I am Ada, I need the budget", "谁领导人工智能工作室？", "谁领导人工智能工作室", "Почему сокращают персонал",
    ],
)  # fmt: skip
def test_what_may_ask_something(text: str) -> None:
    assert not asks_nothing(text)


def test_no_question_of_the_development_chats_asks_nothing() -> None:
    for name in ("follow_ups/questions.jsonl", "follow_ups/chats.jsonl"):
        for line in (TESTS / name).read_text("utf-8").splitlines():
            row = json.loads(line)
            for turn in row.get("turns", [row]):
                assert not asks_nothing(turn["question"])


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("When was the article published?", True),
        ("¿En qué fecha se escribió?", True),
        ("Quand l'article a-t-il été écrit ?", True),
        ("Quando è stato scritto il documento?", True),
        ("¿Cuándo publicó el estudio la noticia?", True),
        ("¿Cuándo se publico?", True),
        ("Quand a-t-il été publié ?", True),
        ("Chi lo ha pubblicato?", True),
        ("When was the documentary published?", True),
        ("When was the documentary released?", False),
        ("When does it open to the public?", False),
        ("What is the public budget?", False),
        ("¿Cuándo abrió el parque al público?", False),
        ("¿Cuándo se abren las oficinas públicas?", False),
        ("¿Cuándo nació el escritor?", False),
        ("¿Cuándo se estrena el documental?", False),
        ("Quand le film est-il sorti pour le public ?", False),
        ("Quand sort la publicité ?", False),
        ("Où habite l'écrivain ?", False),
        ("Quando apre al pubblico?", False),
        ("Quando esce il documentario dello scrittore?", False),
        ("According to the article, when does the beta start?", False),
        ("According to the article, when was the novel published?", True),
        ("Según el artículo, ¿cuándo empieza la beta?", False),
        ("Selon l’article, quand commence la bêta ?", False),
        ("Secondo l'articolo, quando inizia la beta?", False),
        ("When was the studio founded?", False),
        ("¿Desde cuándo existe el estudio?", False),
        ("Depuis quand le studio existe-t-il ?", False),
        ("In che data apre lo studio?", False),
    ],
)
def test_what_may_be_about_a_document(text: str, asks: bool) -> None:
    assert asks_of_documents(text) is asks
