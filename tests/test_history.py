import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.history import in_context, leans


@pytest.mark.parametrize(
    ("question", "language", "expected"),
    [
        ("And who directed it?", "en", "plainly"),
        ("Who directed it?", "en", "plainly"),
        ("And in January?", "en", "plainly"),
        ("¿Y los resultados?", "es", "plainly"),
        ("Et à Lyon ?", "fr", "plainly"),
        ("E quanto costa?", "it", "plainly"),
        ("Since when?", "en", "plainly"),
        ("Quale alluvione ha ricordato?", "it", "perhaps"),
        ("Combien de postes Heliora va-t-elle supprimer ?", "fr", "perhaps"),
        # A name is asked about, so no turn before it is needed.
        ("Who is Bezos?", "en", "no"),
        ("What is Alexa?", "en", "no"),
        ("What does Bezos do?", "en", "no"),
        ("Qué es Alexa?", "es", "no"),
        ("Qui est Bezos ?", "fr", "no"),
        ("Qu'est-ce qu'Alexa ?", "fr", "no"),
        ("Cos'è Alexa?", "it", "no"),
        # Not so without a verb, of a measure, or of a noun that is an abbreviation.
        ("And who is Bezos?", "en", "plainly"),
        ("Bezos?", "en", "plainly"),
        ("Where in Lyon?", "en", "plainly"),
        ("Combien à Lyon ?", "fr", "plainly"),
        ("Who is the CEO?", "en", "plainly"),
        ("Who leads it?", "en", "plainly"),
        # "There is" points to nothing.
        ("Is there a sequel of the series?", "en", "perhaps"),
        ("Combien y a-t-il de salariés dans le studio ?", "fr", "perhaps"),
        ("Ci sono piani per un sequel della serie?", "it", "perhaps"),
        ("Who works there on the series?", "en", "plainly"),
        ("Who was there in the end for the series?", "en", "plainly"),
        ("Are there plans for its sequel?", "en", "plainly"),
        ("Combien de salariés y travaillent dans le studio ?", "fr", "plainly"),
        ("Chi ci lavora per la serie?", "it", "plainly"),
        ("Who directed House of David?", "en", "no"),
        ("¿Quién dirige AI Studio?", "es", "no"),
    ],
)
def test_whether_a_question_leans(question: str, language: str, expected: str) -> None:
    assert leans(question, language) == expected


@pytest.mark.parametrize(
    ("question", "turns", "language", "expected"),
    [
        (
            "Who directed it?",
            [("Which film won the festival of Ribera?", "La sal del norte")],
            "en",
            "Who directed it La sal del norte Ribera?",
        ),
        ("And in Lyon?", [("How many jobs is Heliora cutting?", "900 jobs")], "en", "How many jobs in Lyon Heliora?"),
        (
            "¿Y en Brno?",
            [("¿Cuántos empleos suprime Heliora?", "900 jobs")],
            "es",
            "Cuántos empleos suprime en Brno Heliora?",
        ),
        # No name was asked about, so the words of the question are its topic.
        ("E quanto è lungo?", [("Quando apre il ponte?", "a maggio")], "it", "quanto è lungo apre ponte?"),
        # Taken over with the interrogative, a word is not said again.
        (
            "¿Y los resultados?",
            [("¿Cuándo empezará la beta cerrada?", "a marzo 2026")],
            "es",
            "Cuándo empezará los resultados beta cerrada?",
        ),
        # The turn before leans itself, so the one before that counts too.
        (
            "And how heavy is it?",
            [("What is the battery of Heliora called?", "Halo"), ("What does it cost?", "3,400 euros")],
            "en",
            "how heavy is it cost Halo Heliora?",
        ),
        # The turn before was in another language.
        ("And how old is it?", [("¿Quién construyó el faro?", "en 1874")], "en", "how old is it construyó el faro?"),
        # A figure belongs to the name before it; a percentage does not.
        ("¿Y cuánto cuesta?", [("¿Cuánto pesa la Brasa 9?", "142 kg")], "es", "cuánto cuesta Brasa 9?"),
        ("And how old is it?", [("Did the Halo 20% tax pass?", "")], "en", "how old is it Halo?"),
        # A name behind the same preposition stands in the place of the one before, also in what comes after.
        (
            "And to Switzerland?",
            [("How much is delivery to Italy?", "9")],
            "en",
            "How much is delivery to Switzerland?",
        ),
        (
            "and express?",
            [("How much is delivery to Italy?", "9 euros"), ("And to Switzerland?", "14 euros")],
            "en",
            "How much express Switzerland?",
        ),
        ("E a Milano?", [("Quanto dura da Roma a Torino?", "2 ore")], "it", "Quanto dura da Roma a Milano?"),
        (
            "And Lyon?",
            [("How many jobs is Heliora cutting?", "900 jobs"), ("And Brno?", "300")],
            "en",
            "How many jobs Lyon Heliora?",
        ),
        # A place is none of a month, and a name alone none of what a whole question names.
        ("And in Lyon?", [("How many left in March?", "900")], "en", "How many left in Lyon March?"),
        ("And Lyon?", [("How many jobs is Heliora cutting?", "900")], "en", "How many jobs Lyon Heliora?"),
        ("Who directed it?", [("", "")], "en", ""),
        ("Who directed it?", [], "en", ""),
    ],
)
def test_the_topic_of_the_turns_before(
    question: str, turns: list[tuple[str, str]], language: str, expected: str
) -> None:
    assert in_context(question, turns, language) == expected


@given(st.text(max_size=40), st.lists(st.tuples(st.text(max_size=40), st.text(max_size=40)), max_size=4))
def test_any_history_can_be_read(question: str, turns: list[tuple[str, str]]) -> None:
    for language in ("en", "it", "zh"):
        assert leans(question, language) in ("plainly", "perhaps", "no")
        text = in_context(question, turns, language)
        assert text == "" or text.endswith("?")
