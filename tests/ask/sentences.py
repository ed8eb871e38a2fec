"""Sentences that a model may write about one post: such as the post bears out, and such as not."""

from __future__ import annotations

FAITHFUL = (
    ("The tram isn't late today.", "The tram isn't late today.", "The tram isn't late today."),
    ("The tram isn’t late today.", "The tram isn't late.", "tram isn’t late"),
    ("The tram can't stop. The bus can stop.", "The bus can stop.", "The bus can stop"),
    ("The court will not close, says the judge.", "The court will not close.", "will not close"),
    ("No tram on Sunday!\n\nThe bus runs.", "The bus runs on Sunday.", "The bus runs"),
    ("The council’s school opens in May.", "The school opens in May.", "school opens in May"),
    ("The budget is 1,200 euros a year.", "The budget is 1,200 euros.", "is 1,200 euros"),
    ("Rents rise by 3.5 % in the city.", "Rents rise by 3.5 %.", "Rents rise by 3.5 %"),
    ("Lines 3, 4 and 5 stop here.", "Line 4 stops here.", "Lines 3, 4 and 5 stop"),
    ("In 2026 it opens.", "It opens in 2026.", "In 2026 it opens."),
    ("It was −5 at dawn, said Ann.", "It was −5 at dawn.", "−5 at dawn"),
    ("Il n’y a plus de tram.", "Il n'y a plus de tram.", "n’y a plus de tram"),
    (
        "À l'école de la ville, la cantine ouvre.",
        "La cantine de l'école ouvre.",
        "la cantine ouvre",
    ),
    ("La ligne 3, dont on parle, ouvre.", "La ligne 3 ouvre.", "La ligne 3, dont on parle"),
    ("Le budget est de 1 200 euros.", "Le budget est de 1\u202f200 euros.", "de 1 200 euros"),
    ("On ouvre à 12 h 30, on ferme à 18 h 45.", "On ferme à 18 h 45.", "on ferme à 18 h 45"),
)
"""A post, a sentence that goes out, and its quotation."""

AGAINST = (
    ("The tram isn't late today.", "The tram is late today.", "The tram is"),
    ("The tram isn’t late today.", "The tram is late today.", "late today."),
    ("The tram can’t stop here.", "The tram can stop here.", "The tram can"),
    ("The tram isnʼt late today.", "The tram is late today.", "late today."),
    ("The tram can´t stop here.", "The tram can stop here.", "The tram can"),
    ("The tram isnt late today.", "The tram is late today.", "late today"),
    ("The tram will not stop at the school.", "The tram will stop.", "stop at the school"),
    ("The tram will not,\nsays the mayor, stop.", "The tram will stop.", "the mayor, stop"),
    ("The bus doesn't, says Mr. Roe, stop.", "The bus stops, says Mr. Roe.", "Roe, stop."),
    ("The tram stops here. The bus won't.", "The tram will not stop.", "The tram stops here"),
    ("The bus will not run. It will stop.", "It will not stop.", "It will stop"),
    ("The budget is 1,200 euros.", "The budget is 200 euros.", "The budget is"),
    ("The budget is 1,200 euros.", "The budget is 1,200 euros.", "200 euros."),
    ("Rents rise by 3.5 % in the city.", "Rents rise by 5 %.", "in the city"),
    ("Rents rise by 3.5 € in the city.", "Rents rise by 3.5 %.", "in the city"),
    ("At 12:30 the hall opens, doors at 18:45.", "It opens at 18:30.", "the hall opens"),
    ("The hall opens at 7 p.m. today.", "The hall opens at 7 a.m.", "The hall opens"),
    ("It was -5 at dawn, said Ann.", "It was 5 at dawn.", "at dawn, said Ann"),
    ("Il n’y a plus de tram le dimanche.", "Il y a plus de tram.", "plus de tram le dimanche"),
    ("Il n'y a plus de tram le dimanche.", "Il y a plus de tram.", "y a plus de tram"),
    ("Le tram ne passe pas à l'école.", "Le tram passe à l'école.", "à l'école."),
    ("Le maire n'a pas, dit M. Roy, fermé l'école.", "Le maire a fermé l'école.", "fermé l'école"),
    ("Plus personne ne croit le maire.", "Le maire croit.", "croit le maire"),
    ("Le budget est de 1 200 euros.", "Le budget est de 200 euros.", "Le budget est"),
    ("Le budget est de 1\u202f200 euros.", "Le budget est de 200 euros.", "Le budget est"),
    ("Les loyers montent de 3,5 % ici.", "Les loyers montent de 5 %.", "Les loyers montent"),
    ("On ouvre à 12h30, on ferme à 18h45.", "On ferme à 18h30.", "on ferme à 18h45"),
    ("On ouvre à 12 h 30, on ferme à 18 h 45.", "On ferme à 18 h 30.", "on ferme à 18 h 45"),
)
"""A post, a sentence that says something else in its words, and its quotation."""
