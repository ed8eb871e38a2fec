"""Words of questions and answers; those of the answers themselves are in `ariane.ask.words`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

ASK: Final[Mapping[str, tuple[str, str]]] = {
    "ask.title": ("Ask", "Demander"),
    "ask.label": ("Your question", "Votre question"),
    "ask.example": ("what did I miss on energy?", "qu’est-ce que j’ai raté sur l’énergie ?"),
    "ask.next": ("and yesterday?", "et hier ?"),
    "ask.anew": ("Begin anew", "Recommencer"),
    "ask.send": ("Ask", "Demander"),
    "ask.waiting": ("Looking through the posts…", "Recherche dans les publications…"),
    "ask.help": (
        "Ask about the posts that you can see or about your feed, in English or French: “what did "
        "I miss?”, “is this confirmed?”. Every sentence of an answer names the posts that it rests "
        "on. What you ask is not kept; a wish, such as “less politics”, is.",
        "Posez une question sur les publications que vous pouvez voir ou sur votre fil, en "
        "français ou en anglais : « qu’est-ce que j’ai raté ? », « c’est confirmé ? ». Chaque "
        "phrase d’une réponse nomme les publications sur lesquelles elle repose. Votre question "
        "n’est pas gardée ; un souhait, comme « moins de politique », l’est.",
    ),
    "ask.post": ("Ask about this post", "Poser une question sur cette publication"),
    "ask.account": ("Ask about their posts", "Poser une question sur ses publications"),
    "ask.about.post": ("About a post by {name}", "Sur une publication de {name}"),
    "ask.about.account": ("About the posts of {name}", "Sur les publications de {name}"),
    "ask.about.someone": ("About the posts of one account", "Sur les publications d’un compte"),
    "ask.about.all": ("Ask about everything instead", "Demander plutôt sur tout"),
    "ask.answer": ("Answer", "Réponse"),
    "ask.source": ("Source {number}: {name}", "Source {number} : {name}"),
    "ask.receipt": (
        "Source {number}: the receipt of your page",
        "Source {number} : le reçu de votre page",
    ),
    "ask.sources": ("What this rests on", "Ce sur quoi cela repose"),
    "ask.receipt.text": (
        "The receipt of your page, which can be replayed",
        "Le reçu de votre page, qui peut être rejoué",
    ),
    "ask.length": (
        "A question has 1 to {most} characters.",
        "Une question a de 1 à {most} caractères.",
    ),
}
