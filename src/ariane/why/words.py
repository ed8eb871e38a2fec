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
        "fresh": "Here because it is new, or drawn among recent posts "
        "so that every author has a chance.",
        "everyone": "Your actions together do not lift it: "
        "without all of them it would be no lower than {rank}.",
        "no action": "{rank}, and none of your actions went into its score.",
        "time": "{rank}: no model ranked this page; posts stand by time.",
        "anyone": "Not personal: it stands {rank}, and nothing about you was used.",
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
        "without one": "Sans elle : {then}.",
        "without many": "Sans elles : {then}.",
        "without it": "Sans cela : {then}.",
        "because follow": "vous suivez son auteur",
        "because said": "vous avez souhaité : {said}",
        "because wish": "vous en avez souhaité davantage : {name}",
        "history": "Pas de cause unique : "
        "retirer l’ensemble de vos {count} actions la fait passer de {rank} à {then}.",
        "follow": "Ici parce que vous suivez son auteur.",
        "exploration": "Rien de personnel : "
        "cette place est réservée à des publications récentes d’autres auteurs.",
        "fresh": "Ici parce qu’elle est nouvelle, ou tirée au sort parmi des publications récentes "
        "pour que chaque auteur ait sa chance.",
        "everyone": "Vos actions, ensemble, ne la font pas monter : "
        "sans aucune d’elles, elle ne serait pas plus bas que {rank}.",
        "no action": "{rank}, et aucune de vos actions n’a compté dans son score.",
        "time": "{rank} : aucun modèle n’a classé cette page ; les publications y sont par ordre "
        "de date.",
        "anyone": "Rien de personnel : elle est {rank}, sans rien qui vienne de vous.",
        "quote": "« {text} »",
        "and": " et ",
        "post": "une publication",
        "posts": "{count} publications",
        "other": "1 autre",
        "others": "{count} autres",
        "same author": "même auteur",
    },
}

EMPTY: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "no posts": "Nothing is here, since there are no posts yet: `ariane ingest` takes them in.",
        "follows nobody": "Nothing is here, since this feed shows only whom one follows, and "
        "{viewer} follows nobody.",
        "follows unknown": "Nothing is here, since this feed shows only whom one follows, and that "
        "is not read without a profile.",
        "seen": "Nothing new is here: all posts that were found ({count}) have been seen already.",
        "minors": "Nothing is here, since minors get only posts that were read, and none was yet: "
        "`ariane read` reads them.",
        "removed": "Nothing is here, since all posts that were found ({count}) were left out: "
        "{parts}.",
        "end": "Nothing more is here: that was the end of this feed.",
        "unfit": "Nothing is here, since none of the posts held ({count}) fits the languages or "
        "the age that the feed {feed} asks for.",
        "unread": "Nothing is here, since none of the posts held ({count}) was read yet: "
        "`ariane read` reads them.",
        "unfound": "Nothing is here, since none of the posts held ({count}) was found for this "
        "request.",
    },
    "fr": {
        "no posts": "Rien ici, car il n’y a pas encore de publications : `ariane ingest` en prend.",
        "follows nobody": "Rien ici, car ce fil ne montre que ceux que l’on suit, et {viewer} ne "
        "suit personne.",
        "follows unknown": "Rien ici, car ce fil ne montre que ceux que l’on suit, ce qui n’est "
        "pas lu sans profil.",
        "seen": "Rien de nouveau ici : toutes les publications trouvées ({count}) ont déjà été "
        "vues.",
        "minors": "Rien ici, car les mineurs ne reçoivent que des publications lues, et aucune ne "
        "l’est encore : `ariane read` les lit.",
        "removed": "Rien ici, car toutes les publications trouvées ({count}) ont été écartées : "
        "{parts}.",
        "end": "Plus rien ici : c’était la fin de ce fil.",
        "unfit": "Rien ici, car aucune des publications gardées ({count}) n’est dans les langues "
        "ou de l’âge que demande le fil {feed}.",
        "unread": "Rien ici, car aucune des publications gardées ({count}) n’est encore lue : "
        "`ariane read` les lit.",
        "unfound": "Rien ici, car aucune des publications gardées ({count}) n’a été trouvée pour "
        "cette demande.",
    },
}
"""Why a page holds nothing."""

REMOVED: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "seen": "{count} seen already",
        "own": "{count} of one’s own",
        "muted": "{count} by muted accounts",
        "blocked": "{count} by blocked accounts",
        "hides-from-algorithms": "{count} by authors who ask not to be recommended",
        "unwished": "{count} by a wish",
        "members-only": "{count} by authors who ask for signed-in readers",
        "policy": "{count} by the policy {policy}",
    },
    "fr": {
        "seen": "{count} vues déjà",
        "own": "{count} de soi-même",
        "muted": "{count} de comptes masqués",
        "blocked": "{count} de comptes bloqués",
        "hides-from-algorithms": "{count} d’auteurs qui ne veulent pas être recommandés",
        "unwished": "{count} selon un souhait",
        "members-only": "{count} d’auteurs qui veulent des lecteurs connectés",
        "policy": "{count} selon la règle {policy}",
    },
}
"""What a rule, or a policy, took out of a page."""

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

ASPECTS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "justice": "justice",
        "economy": "economy",
        "work": "work",
        "city": "housing and cities",
        "transport": "transport",
        "climate": "climate",
        "science": "science",
        "technology": "technology",
        "education": "education",
        "family": "family",
        "food": "food",
        "garden": "gardening",
        "making": "crafts",
        "animals": "animals",
        "travel": "travel",
        "sport": "sport",
        "games": "games",
        "music": "music",
        "screen": "films and series",
        "books": "books",
        "art": "art",
        "history": "history",
        "neutral": "matter-of-fact",
        "warm": "warm",
        "enthusiastic": "enthusiastic",
        "funny": "funny",
        "ironic": "ironic",
        "angry": "angry",
        "sad": "sad",
        "worried": "worried",
        "note": "short notes",
        "story": "stories",
        "list": "lists",
        "guide": "how-to",
        "review": "reviews",
        "news": "news",
        "quote": "quotations",
        "event": "events",
        "reported": "reports",
        "alleged": "allegations",
        "rumour": "rumours",
        "correction": "corrections",
    },
    "fr": {
        "justice": "justice",
        "economy": "économie",
        "work": "travail",
        "city": "logement et ville",
        "transport": "transports",
        "climate": "climat",
        "science": "science",
        "technology": "technologie",
        "education": "éducation",
        "family": "famille",
        "food": "cuisine",
        "garden": "jardin",
        "making": "bricolage",
        "animals": "animaux",
        "travel": "voyage",
        "sport": "sport",
        "games": "jeux",
        "music": "musique",
        "screen": "films et séries",
        "books": "livres",
        "art": "art",
        "history": "histoire",
        "neutral": "factuel",
        "warm": "chaleureux",
        "enthusiastic": "enthousiaste",
        "funny": "drôle",
        "ironic": "ironique",
        "angry": "en colère",
        "sad": "triste",
        "worried": "inquiet",
        "note": "publications courtes",
        "story": "récits",
        "list": "listes",
        "guide": "modes d’emploi",
        "review": "critiques",
        "news": "nouvelles",
        "quote": "citations",
        "event": "événements",
        "reported": "faits rapportés",
        "alleged": "allégations",
        "rumour": "rumeurs",
        "correction": "rectifications",
    },
}
"""How a topic, tone or format is called; those not listed are called by their own name."""
