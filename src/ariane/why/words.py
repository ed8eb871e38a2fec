"""The words of reasons in each language; every language has every pattern."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

PATTERNS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "because": "{rank} because {because}.",
        "without one": "Without it: {then}.",
        "without many": "Without them: {then}.",
        "without it": "Without that: {then}.",
        "because follow": "you follow its author",
        "because said": "you wished: {said}",
        "because wish": "you wished for more of this: {name}",
        "history": "No single cause: removing all your {count} actions moves it {rank} → {then}.",
        "follow": "Here because you follow its author.",
        "exploration": "Not personal: this place is kept for fresh posts by other authors.",
        "fresh": "Not personal: it is among the newest posts.",
        "everyone": "Not personal: without all your actions it would be no lower than {rank}.",
        "anyone": "Not personal: it stands {rank} for anyone new.",
        "quote": "“{text}”",
        "and": " and ",
        "post": "a post",
        "posts": "{count} posts",
        "other": "1 other",
        "others": "{count} others",
        "same author": "same author",
    },
    "fr": {
        "because": "{rank} parce que {because}.",
        "without one": "Sans lui : {then}.",
        "without many": "Sans eux : {then}.",
        "without it": "Sans cela : {then}.",
        "because follow": "vous suivez son auteur",
        "because said": "vous avez souhaité : {said}",
        "because wish": "vous en avez souhaité davantage : {name}",
        "history": "Pas de cause unique : "
        "retirer l’ensemble de vos {count} actions le fait passer de {rank} à {then}.",
        "follow": "Ici parce que vous suivez son auteur.",
        "exploration": "Rien de personnel : "
        "cette place est réservée à des messages récents d’autres auteurs.",
        "fresh": "Rien de personnel : il est parmi les messages les plus récents.",
        "everyone": "Rien de personnel : "
        "sans aucune de vos actions il ne serait pas plus bas que {rank}.",
        "anyone": "Rien de personnel : il est {rank} pour toute personne qui arrive.",
        "quote": "« {text} »",
        "and": " et ",
        "post": "un message",
        "posts": "{count} messages",
        "other": "1 autre",
        "others": "{count} autres",
        "same author": "même auteur",
    },
}

VERBS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "impression": "you were shown {posts}",
        "dwell": "you spent time on {posts}",
        "click": "you opened {posts}",
        "like": "you liked {posts}",
        "reply": "you replied to {posts}",
        "repost": "you reposted {posts}",
        "quote": "you quoted {posts}",
        "bookmark": "you bookmarked {posts}",
        "share": "you shared {posts}",
        "follow": "you followed the author of {posts}",
        "profile": "you looked at the author of {posts}",
        "worth_my_time": "you found {posts} worth your time",
        "not_interested": "you were not interested in {posts}",
        "mute": "you muted the author of {posts}",
        "block": "you blocked the author of {posts}",
        "report": "you reported {posts}",
        "several": "you responded to {posts}",
        "turned away": "you turned away from {posts}",
    },
    "fr": {
        "impression": "vous avez vu passer {posts}",
        "dwell": "vous vous êtes attardé sur {posts}",
        "click": "vous avez ouvert {posts}",
        "like": "vous avez aimé {posts}",
        "reply": "vous avez répondu à {posts}",
        "repost": "vous avez republié {posts}",
        "quote": "vous avez cité {posts}",
        "bookmark": "vous avez enregistré {posts}",
        "share": "vous avez partagé {posts}",
        "follow": "vous vous êtes abonné à l’auteur de {posts}",
        "profile": "vous avez regardé l’auteur de {posts}",
        "worth_my_time": "vous avez jugé que {posts} en valait la peine",
        "not_interested": "vous n’avez pas été intéressé par {posts}",
        "mute": "vous avez masqué l’auteur de {posts}",
        "block": "vous avez bloqué l’auteur de {posts}",
        "report": "vous avez signalé {posts}",
        "several": "vous avez réagi à {posts}",
        "turned away": "vous avez écarté {posts}",
    },
}

ASPECTS: Final[Mapping[str, Mapping[str, str]]] = {"en": {}, "fr": {}}
"""How a topic, tone or format is called; those not listed are called by their own name."""
