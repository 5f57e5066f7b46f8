import pytest

from rag.expect import Kind, Told, asks_for_a_year, asks_to_be_told, bare, dated, expected, holds, holds_a_year, tells


@pytest.mark.parametrize(
    ("language", "question", "kind"),
    [
        ("en", "Who leads AI Studio?", "name"),
        ("en", "with whom did they work", "name"),
        ("en", "When does the beta start?", "time"),
        ("en", "In which year was it built?", "time"),
        ("en", "how many shots", "number"),
        ("en", "How old is the mill?", "number"),
        ("en", "Where is it?", "place"),
        ("en", "in which country is the harbour?", "place"),
        ("en", "Why so?", "other"),
        ("en", "What is the whole thing called?", "other"),
        ("en", "What happens when the river freezes?", "other"),
        ("en", "Which company bought the ship?", "name"),
        ("en", "What is the price of a ticket?", "number"),
        ("en", "What is the author doing?", "other"),
        ("en", "How long does the crossing take?", "time"),
        ("es", "¿Qué directivo lo anunció?", "name"),
        ("es", "¿Cuál es el sueldo del director?", "number"),
        ("es", "¿Cuánto tiempo dura?", "time"),
        ("es", "¿Qué ocurre cuando se hiela el río?", "other"),
        ("fr", "Quel est le salaire du meunier ?", "number"),
        ("fr", "Quelle entreprise l'a acheté ?", "name"),
        ("fr", "Combien de temps dure la traversée ?", "time"),
        ("it", "Qual è il prezzo del biglietto?", "number"),
        ("it", "Quale azienda ha comprato la nave?", "name"),
        ("it", "Che cosa succede quando gela il fiume?", "other"),
        ("es", "¿Quién dirige el estudio?", "name"),
        ("es", "quienes son", "name"),
        ("es", "¿Cuándo empieza?", "time"),
        ("es", "¿En qué año se construyó?", "time"),
        ("es", "¿Cuántas personas lo visitan?", "number"),
        ("es", "¿Adónde va?", "place"),
        ("es", "¿Por qué?", "other"),
        ("fr", "Qui dirige le studio ?", "name"),
        ("fr", "Par qui est-il dirigé ?", "name"),
        ("fr", "Quand commence la bêta ?", "time"),
        ("fr", "En quelle année ?", "time"),
        ("fr", "Combien de plans ?", "number"),
        ("fr", "Où est le moulin ?", "place"),
        ("fr", "D’où vient-il ?", "place"),
        ("fr", "Où Amazon a-t-elle ouvert un bureau ?", "place"),
        ("fr", "Où s'est déroulé le tournage ?", "place"),
        ("fr", "Et où le port finit-il ?", "place"),
        ("fr", "Le port finit où ?", "place"),
        ("fr", "Est-ce le port ou la mer ?", "other"),
        ("fr", "Quel sera le prix ?", "number"),
        ("fr", "Pourquoi ?", "other"),
        ("it", "Chi dirige lo studio?", "name"),
        ("it", "Quando comincia?", "time"),
        ("it", "In che anno?", "time"),
        ("it", "Quante persone?", "number"),
        ("it", "Quant’è il budget?", "number"),
        ("it", "Quale sarà il prezzo?", "number"),
        ("it", "Dov’è la biblioteca?", "place"),
        ("it", "Perché?", "other"),
        ("en", "How often do they meet?", "time"),
        ("es", "¿Cada cuánto se reúnen?", "time"),
        ("es", "¿Cada cuántos días se reúnen?", "time"),
        ("es", "¿Cada cuántas caras se equivoca?", "number"),
        ("es", "¿Con qué frecuencia se reúnen?", "time"),
        ("fr", "Tous les combien se réunissent-ils ?", "time"),
        ("fr", "À quelle fréquence se réunissent-ils ?", "time"),
        ("it", "Ogni quanto si riuniscono?", "time"),
        ("it", "Ogni quanti volti sbaglia?", "number"),
        ("en", "How long is the bridge?", "other"),
        ("en", "How long are blades?", "other"),
        ("en", "How long was he away?", "time"),
        ("en", "How long did the crossing take?", "time"),
        ("it", "Quanto è lungo il ponte?", "number"),
        ("es", "¿Cuánto mide el puente?", "number"),
        ("es", "¿Cuánto dura la travesía?", "number"),
        ("fr", "Quelle longueur fait le pont ?", "number"),
        ("en", "At what time does it open?", "time"),
        ("es", "¿A qué hora abre?", "time"),
        ("fr", "À quelle heure ouvre-t-il ?", "time"),
        ("fr", "Quels sont les horaires ?", "time"),
        ("it", "A che ora apre?", "time"),
        ("fr", "La fête, où aura-t-elle lieu ?", "place"),
        ("fr", "Dans cette ville, où puis-je manger ?", "place"),
        ("en", "What is the name of the ship?", "name"),
        ("en", "What's the harbour master's full name?", "name"),
        ("es", "¿Cómo se llama el barco?", "other"),
        ("es", "¿Cuál es el nombre del barco?", "name"),
        ("es", "¿Cómo se construyó el barco?", "other"),
        ("fr", "Comment s’appelle le bateau ?", "other"),
        ("fr", "Quel est le nom du bateau ?", "other"),
        ("fr", "Comment est le bateau ?", "other"),
        ("it", "Come si chiamava la nave?", "name"),
        ("it", "Qual è il nome della nave?", "name"),
        ("it", "Come si arriva?", "other"),
        ("de", "Wer leitet das Studio?", "other"),
        ("und", "", "other"),
    ],
)
def test_what_a_question_expects(language: str, question: str, kind: Kind) -> None:
    assert expected(question, language) == kind
    assert expected(question.upper(), language) == kind
    assert expected(bare(question), language) == kind


@pytest.mark.parametrize(
    ("language", "text", "kind"),
    [
        ("en", "It opened in August.", "time"),
        ("en", "on 5 May", "time"),
        ("en", "by May at the latest", "time"),
        ("en", "since 1790", "time"),
        ("en", "May", "time"),
        ("en", "early May", "time"),
        ("en", "mid-May", "time"),
        ("en", "from May", "time"),
        ("en", "in march", "time"),
        ("fr", "Été", "time"),
        ("fr", "« été »", "time"),
        ("en", "two dozen people", "number"),
        ("en", "42 metres", "number"),
        ("es", "fue construido en mayo", "time"),
        ("es", "mil personas", "number"),
        ("fr", "l’été dernier", "time"),
        ("fr", "En été, la rivière gèle.", "time"),
        ("fr", "il y a un an", "time"),
        ("fr", "aujourd’hui", "time"),
        ("fr", "trois personnes, deux chiens", "number"),
        ("it", "la scorsa estate", "time"),
        ("it", "ogni lunedì", "time"),
        ("en", "in the 1960s", "time"),
        ("en", "eighteen", "number"),
        ("fr", "une", "number"),
        ("it", "quattordici punti", "number"),
        ("it", "due volte", "number"),
        ("en", "10:30", "time"),
        ("en", "at 9 p.m.", "time"),
        ("en", "at 6.30pm", "time"),
        ("fr", "dès 20h30", "time"),
        ("fr", "à 20 h", "time"),
        ("es", "a las 22:00", "time"),
        ("es", "a las 9 de la noche", "time"),
        ("it", "alle 18.30", "time"),
        ("it", "dalle 6 alle 8", "time"),
        ("en", "weekly", "time"),
        ("en", "three times a season", "time"),
        ("es", "una vez por semana", "time"),
        ("fr", "deux fois par saison", "time"),
        ("it", "ogni sera", "time"),
        ("de", "um 10:30", "time"),
        ("de", "im Jahr 2019", "time"),
        ("de", "42 Meter", "number"),
    ],
)
def test_a_text_that_holds_it(language: str, text: str, kind: Kind) -> None:
    assert holds(text, kind, language=language) == 1.0


@pytest.mark.parametrize(
    ("language", "text", "kind"),
    [
        ("en", "An estate agent may sell it.", "time"),
        ("en", "They march on.", "time"),
        ("en", "Theresa May", "time"),
        ("fr", "une œuvre d'art", "name"),
        ("es", "šefčovič", "name"),
        ("en", "It is due to be seen once, at no cent.", "number"),
        ("en", "There are 35 of them.", "time"),
        ("en", "by 3:2", "time"),
        ("en", "10:305", "time"),
        ("en", "35 amps", "time"),
        ("es", "a las 9 familias", "time"),
        ("it", "alle 18,50", "time"),
        ("it", "18.30", "time"),
        ("fr", "Il a été mené par mes amis.", "time"),
        ("es", "Se generaron muchos planos.", "number"),
        ("it", "La biblioteca è aperta.", "time"),
        ("de", "Das Studio ist klein.", "number"),
    ],
)
def test_a_text_that_does_not(language: str, text: str, kind: Kind) -> None:
    assert holds(text, kind, language=language) == -1.0


def test_a_name_counts_when_the_question_does_not_say_it() -> None:
    asked = "Who leads AI Studio?"
    assert holds("AI Studio is led by Albert Cheng.", "name", language="en", besides=asked) == 1.0
    assert holds("Albert Cheng leads AI Studio.", "name", language="en", besides=asked) == 1.0
    assert holds("AI Studio is led by a former captain.", "name", language="en", besides=asked) == -1.0
    assert holds("The studio is small.", "place", language="en", besides=asked, opens=True) == 0.0
    assert holds("the studio is small", "place", language="en", besides=asked) == -1.0
    assert holds("Lyon", "place", language="fr", besides="Où est le moulin ?") == 1.0


@pytest.mark.parametrize("text", ["Łukasz Šefčovič", "l'Élysée", "Ōsaka", "Œuvre", "山田"])
def test_a_name_begins_with_a_capital_of_any_alphabet_or_with_a_letter_that_has_none(text: str) -> None:
    assert holds(text, "name", language="fr") == 1.0


@pytest.mark.parametrize(
    ("language", "text", "found"),
    [
        ("en", "In May Amazon cut jobs", ["month5"]),
        ("en", "May 2026", ["month5"]),
        ("en", "Is May warmer than June?", ["month5", "month6"]),
        ("en", "On Monday Amazon said so", ["day1"]),
        ("en", "AMAZON CUTS JOBS IN MAY", ["month5"]),
        ("en", "Amazon's May report", ["month5"]),
        ("en", "who resigned in may", ["month5"]),
        ("en", "5 may", ["month5"]),
        ("en", "they may cut jobs in June", ["month6"]),
        ("en", "Mrs. May", []),
        ("en", "Norrie May-Welby", []),
        ("en", "songs by June Carter", []),
        ("en", "Black Friday", []),
        ("es", "Julio Iglesias", []),
        ("es", "Plácido Domingo", []),
        ("es", "Julio dirige el puerto", []),
        ("es", "Julio", ["month7"]),
        ("es", "5 de Julio", ["month7"]),
        ("es", "a finales de Julio", ["month7"]),
        ("es", "Lunes a viernes, en setiembre", ["day1", "day5", "month9"]),
        ("fr", "la vie sur Mars", []),
        ("fr", "Avril Lavigne", []),
        ("fr", "FÉVRIER 2026, fe\u0301vrier, fevrier", ["month2"] * 3),
        ("fr", "Mercredi matin", ["day3"]),
        ("it", "Marzo 2026", ["month3"]),
        ("it", "all'inizio di Luglio", ["month7"]),
        ("de", "Ende Mai", ["month5"]),
    ],
)
def test_months_and_days_are_no_names_and_no_verbs(language: str, text: str, found: list[str]) -> None:
    assert [what for what, *_ in dated(text, language)] == found


def test_of_other_questions_a_text_says_nothing() -> None:
    assert holds("In 2019 Maria Duarte paid 35 pounds.", "other", language="en") == 0.0


def test_bare_folds_case_and_accents() -> None:
    assert bare("ÉTÉ Straße Año") == "ete strasse ano"


@pytest.mark.parametrize(
    ("language", "question"),
    [
        ("en", "In which year was it built?"),
        ("en", "In what month and year does it open?"),
        ("es", "¿En qué mes y de qué año empieza?"),
        ("es", "¿Cuál fue el año de su muerte?"),
        ("fr", "En quelle année ?"),
        ("fr", "Quel jour et quelle année est-il né ?"),
        ("it", "In che mese e anno comincia?"),
        ("it", "In quale anno?"),
        ("en", "When does it open, month and year?"),
        ("es", "¿Cuándo empieza, mes y año?"),
        ("fr", "À quelle date commence la bêta, mois et année ?"),
        ("it", "Quando comincia? Mese ed anno."),
    ],
)
def test_a_year_is_asked_for(language: str, question: str) -> None:
    assert asks_for_a_year(question, language)


@pytest.mark.parametrize(
    ("language", "question"),
    [
        ("en", "What happened that year?"),
        ("en", "When did it open?"),
        ("en", "Which film of the year won?"),
        ("es", "¿Qué pasó ese año?"),
        ("fr", "Quel film sort cette année ?"),
        ("it", "Che cosa è successo quell’anno?"),
        ("de", "In welchem Jahr?"),
    ],
)
def test_a_year_is_named_but_not_asked_for(language: str, question: str) -> None:
    assert not asks_for_a_year(question, language)


def test_a_year_is_four_figures_of_a_usual_century() -> None:
    assert holds_a_year("a marzo 2026")
    assert holds_a_year("in the 1990s")
    assert not holds_a_year("350 scenes of 12026")
    assert not holds_a_year("March")


@pytest.mark.parametrize(
    ("language", "question", "told"),
    [
        ("en", "What is Ana Duarte's salary?", "money"),
        ("en", "How much does a ticket for the ferry cost?", "money"),
        ("en", "How much of the budget was spent?", "amount"),
        ("en", "How much more does it cost?", "amount"),
        ("en", "How many tickets were paid for?", "amount"),
        ("en", "What share of the budget is that?", "amount"),
        ("es", "¿Cuánto le costó el faro a la ciudad?", "money"),
        ("es", "¿Cuánto tiempo pagó?", None),
        ("es", "¿Cuántas grúas pagó?", "amount"),
        ("fr", "Combien la ville a-t-elle payé le port ?", "money"),
        ("fr", "Combien de grues coûtent trop ?", "amount"),
        ("it", "Quanto è costato il porto?", "money"),
        ("it", "Quanto costa di più?", "money"),
        ("it", "Quante gru ha pagato?", "amount"),
        ("en", "What is the harbour master’s age?", "amount"),
        ("en", "What is the harbour master's name?", None),
        ("en", "How old is the harbour?", "amount"),
        ("es", "¿Cuál es el precio?", "money"),
        ("fr", "Quel âge a le port ?", "amount"),
        ("it", "In che anno ha aperto?", "date"),
        ("it", "In che secolo ha aperto?", None),
        ("en", "On what day did it open?", "date"),
        ("en", "When did it open?", None),
        ("es", "¿Cada cuánto paga?", None),
        ("it", "Ogni quanto paga?", None),
        ("it", "A che ora apre?", None),
        ("en", "How long is the bridge?", None),
        ("it", "Quanto è lungo il ponte?", "amount"),
        ("es", "¿Cuánto dura?", "amount"),
        ("de", "Wie viele?", None),
        ("en", "How much will it cost?", "money"),
        ("en", "How much is the budget?", "money"),
        ("it", "Quanto costerà il film?", "money"),
        ("it", "A quale prezzo è venduto?", "money"),
        ("it", "Quant'è il budget?", "money"),
        ("it", "Quant'è grande?", "amount"),
        ("es", "¿Cuánto costará?", "money"),
        ("es", "¿Cuánto mide la costa?", "amount"),
        ("fr", "Combien coûtera ce film ?", "money"),
        ("fr", "Combien ont coûté les grues ?", "money"),
        ("fr", "Quel sera le prix ?", "money"),
    ],
)
def test_an_amount_or_a_date_is_asked_for(language: str, question: str, told: Told | None) -> None:
    assert asks_to_be_told(question, language) == told


@pytest.mark.parametrize(
    ("language", "text", "told", "does"),
    [
        ("en", "240 cranes", "amount", True),
        ("fr", "une", "amount", True),
        ("it", "un terzo del porto", "amount", True),
        ("es", "ingenieros y un núcleo más reducido de perfiles creativos", "amount", False),
        ("es", "en marzo de 2026", "amount", False),
        ("es", "en marzo de 2026", "date", True),
        ("en", "the second of two piers", "date", False),
        ("en", "769", "date", True),
        ("en", "May", "date", True),
        ("en", "Theresa May", "date", False),
        ("fr", "Été", "date", True),
        ("en", "35 million pounds", "money", True),
        ("es", "240 grúas", "money", False),
        ("fr", "aucun euro de plus", "money", True),
        ("it", "gli euro di domani", "money", False),
        # Hundreds are no cents, nor brands marks.
        ("fr", "deux cents grues", "money", False),
        ("it", "40 marchi noti", "money", False),
        ("it", "gratuito", "money", True),
        ("fr", "1587", "amount", False),
        ("fr", "en 1587", "amount", False),
        ("fr", "Solène (1587)", "amount", False),
        ("es", "en 1987, con 12 años", "amount", True),
        ("en", "1500 jobs", "amount", True),
        ("es", "1500 empleos", "amount", True),
        ("en", "in 1500 places", "amount", True),
        ("en", "1,587", "amount", True),
        ("fr", "1 587", "amount", True),
        ("en", "587", "amount", True),
        ("en", "3500", "amount", True),
        ("fr", "1500 €", "money", True),
        ("fr", "1500 F", "money", True),
        ("en", "CHF 40", "money", True),
        ("en", "40 kr", "money", True),
        ("it", "fr. 40", "money", True),
        ("fr", "40 livres", "money", True),
        ("es", "40 libras esterlinas", "money", True),
        ("it", "40 sterline", "money", True),
        ("it", "40 franchi", "money", True),
        ("en", "40 Frenchmen", "money", False),
        ("fr", "40 Français", "money", False),
    ],
)
def test_an_amount_or_a_date_is_told(language: str, text: str, told: Told, does: bool) -> None:
    assert tells(text, told, language) is does


def test_a_currency_may_stand_right_behind_an_amount() -> None:
    assert tells("35 million", "money", "en", behind=" US dollars a year")
    assert not tells("35 million", "money", "en", behind=" people, who have paid in dollars")
    assert not tells("Ana Duarte", "money", "en", behind=" paid $35")


def test_what_stands_behind_a_figure_tells_whether_it_is_a_year() -> None:
    assert tells("1500", "amount", "en", behind=" jobs went")
    assert tells("1500", "amount", "en", behind=" of them went")
    assert tells("1500", "amount", "fr", behind=" F par mois")
    assert not tells("1500", "amount", "en", behind=", the port was built")
    assert not tells("1500", "amount", "en", behind=" and 1503")
