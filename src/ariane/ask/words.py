"""The words of answers that are put together by rule, in each language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "said": "{author}: “{quote}”",
        "found": "This is what posts say:",
        "found feed": "In your feed:",
        "nothing": "No post that you can see says anything about that.",
        "nothing about": "No post that you can see says anything about {subject}.",
        "nothing feed": "Your feed has nothing about {subject}.",
        "nothing feed then": "Your feed has nothing of that time about {subject}.",
        "nothing then": "No post of that time that you can see says anything about that.",
        "empty feed": "Your feed is empty.",
        "empty feed then": "Your feed has nothing of that time.",
        "no post": "There is no such post, or it is not shown to you.",
        "no account": "No post of this account is shown to you.",
        "no answer": "Ask something, in a few words.",
        "rumour": "It is told as a rumour: no source is named.",
        "alleged": "It accuses someone; the post names nothing that establishes it.",
        "reported": "It names a source; whether that says so was not looked up.",
        "correction": "It says that it sets right something that went round.",
        "unknown": "Whether it is true is not for this feed to say; this is what others wrote.",
        "corrected": "A post says that it sets it right:",
        "beside": "Other posts on the same:",
        "alone": "No other post that you can see speaks of it.",
        "wished": "Noted as a wish, which you can see and take back: {wish}",
        "who": "To keep a wish, sign in or let this feed remember you.",
        "not shown": "That post is on no page of yours, so that there is no reason to tell.",
        "withdrawn": "The evidence of that page is gone, and with it its reasons.",
        "cut short": "The answer was cut short here.",
        "by ai": "Written by AI ({model}), checked against its citations.",
        "by rule": "Quotes only; no AI wrote this.",
        "receipt": "The receipt of your page:",
    },
    "fr": {
        "said": "{author} : « {quote} »",
        "found": "Voici ce que disent des publications :",
        "found feed": "Dans votre fil :",
        "nothing": "Aucune publication que vous pouvez voir n’en parle.",
        "nothing about": "Aucune publication que vous pouvez voir ne parle de {subject}.",
        "nothing feed": "Votre fil n’a rien sur {subject}.",
        "nothing feed then": "Votre fil n’a rien de ce moment sur {subject}.",
        "nothing then": "Aucune publication de ce moment que vous pouvez voir n’en parle.",
        "empty feed": "Votre fil est vide.",
        "empty feed then": "Votre fil n’a rien de ce moment.",
        "no post": "Cette publication n’existe pas, ou elle ne vous est pas montrée.",
        "no account": "Aucune publication de ce compte ne vous est montrée.",
        "no answer": "Demandez quelque chose, en quelques mots.",
        "rumour": "C’est dit comme une rumeur : aucune source n’est nommée.",
        "alleged": "Cela accuse quelqu’un ; la publication ne nomme rien qui l’établisse.",
        "reported": "Une source est nommée ; on n’a pas vérifié qu’elle le dit.",
        "correction": "Cela dit rectifier quelque chose qui circulait.",
        "unknown": "Si c’est vrai, ce fil n’a pas à le dire ; voici ce que d’autres ont écrit.",
        "corrected": "Une publication dit le rectifier :",
        "beside": "D’autres publications en parlent :",
        "alone": "Aucune autre publication que vous pouvez voir n’en parle.",
        "wished": "Noté comme souhait, que vous pouvez voir et reprendre : {wish}",
        "who": "Pour garder un souhait, connectez-vous ou laissez ce fil se souvenir de vous.",
        "not shown": "Cette publication n’est sur aucune de vos pages : "
        "il n’y a pas de raison à dire.",
        "withdrawn": "Les preuves de cette page ont disparu, et ses raisons avec elles.",
        "cut short": "La réponse a été coupée ici.",
        "by ai": "Écrit par une IA ({model}), vérifié d’après ses citations.",
        "by rule": "Des citations seulement ; aucune IA n’a écrit ceci.",
        "receipt": "Le reçu de votre page :",
    },
}


def say(language: str, name: str, **values: str) -> str:
    """A sentence, in French for "fr" and in English for any other language."""
    return WORDS["fr" if language.partition("-")[0] == "fr" else "en"][name].format(**values)
