"""Which questions ask for several things."""

import pytest

from rag.several import asks_for_several


@pytest.mark.parametrize(
    ("question", "language"),
    [
        ("Which companies build it?", "en"),
        ("what tools do they use", "en"),
        ("Which other streaming platforms use AI?", "en"),
        ("In which films was it used?", "en"),
        ("And which works are shown?", "en"),
        ("What changes does it bring?", "en"),
        ("What sales figures were announced?", "en"),
        ("What companies in Spain are building it?", "en"),
        ("Tell me which companies build it", "en"),
        ("According to the studio, which tools are used?", "en"),
        ("Which people lost their jobs?", "en"),
        ("Name the three partners", "en"),
        ("List the tools", "en"),
        ("Who are the founders?", "en"),
        ("¿Quiénes formaron el jurado?", "es"),
        ("¿Qué empresas construyen el puente?", "es"),
        ("¿Cuáles son las paradas?", "es"),
        ("que herramientas usan", "es"),
        ("¿En qué ciudades para el tren?", "es"),
        ("Dime qué empresas construyen el puente", "es"),
        ("Según el estudio, ¿qué otras empresas trabajan?", "es"),
        ("¿Qué cuatro actores trabajan?", "es"),
        ("Quelles entreprises construisent le pont ?", "fr"),
        ("Qui sont les fondateurs ?", "fr"),
        ("Dans quels pays travaille-t-il ?", "fr"),
        ("Quali strumenti usano?", "it"),
        ("Chi sono i fondatori?", "it"),
        ("Che strumenti usano?", "it"),
        ("In quali città si ferma?", "it"),
        # What is needed, and who was there.
        ("What do I need for the climb?", "en"),
        ("What should we bring?", "en"),
        ("Who attended the meeting?", "en"),
        ("Tell me the colours", "en"),
        ("¿Qué hay que llevar?", "es"),
        ("Dime los colores", "es"),
        ("Que faut-il apporter ?", "fr"),
        ("Cosa bisogna portare?", "it"),
        ("Dimmi gli orari", "it"),
    ],
)
def test_what_asks_for_several(question: str, language: str) -> None:
    assert asks_for_several(question, language)


@pytest.mark.parametrize(
    ("question", "language"),
    [
        ("Which director works with the studio?", "en"),
        ("Who leads AI Studio?", "en"),
        ("Which series did he direct?", "en"),
        ("What does the bridge cost?", "en"),
        ("What is it called?", "en"),
        ("What happens in May?", "en"),
        ("What makes it cheaper?", "en"),
        ("What confuses the actors?", "en"),
        ("What produces films for children?", "en"),
        ("What works with the camera?", "en"),
        ("Which costs more?", "en"),
        ("What happens next?", "en"),
        ("Which bus goes to Lenna?", "en"),
        ("What do I need to know?", "en"),
        ("A cosa serve il radar?", "it"),
        ("Who leads Tirso, which makes cables?", "en"),
        ("How many people who were fired came back?", "en"),
        ("Name the largest country", "en"),
        ("name of the director", "en"),
        ("¿Qué mes empieza?", "es"),
        ("¿Quién dirige el festival?", "es"),
        ("¿Quién anunció que las oficinas cerrarían?", "es"),
        ("¿Quién dijo que actores y guionistas volverían?", "es"),
        ("¿Qué las hace más baratas?", "es"),
        ("¿Qué más usan?", "es"),
        ("¿Qué usan los actores?", "es"),
        ("¿Por qué las empresas despiden?", "es"),
        ("¿Cuál es la ciudad en las cuales…?", "es"),
        ("¿Qué es el Halo?", "es"),
        ("Quel film a gagné ?", "fr"),
        ("Quel est le nombre d'acteurs qui sont partis ?", "fr"),
        ("Qui a fait les scènes pour lesquelles il paie ?", "fr"),
        ("Quale compagnia?", "it"),
        ("Chi guida Lunaria?", "it"),
        ("Chi è il regista che oggi guida lo studio?", "it"),
        ("Ha detto che attori e registi i quali tornano…?", "it"),
        ("which companies", "de"),
    ],
)
def test_what_asks_for_one(question: str, language: str) -> None:
    assert not asks_for_several(question, language)
