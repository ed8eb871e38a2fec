"""The words of the report on the algorithm, in English and in French."""

from __future__ import annotations

import re
from collections.abc import Mapping
from string import Formatter
from typing import Final, TypeAlias

Words: TypeAlias = Mapping[str, str]
"""Language → text; there are "en" and "fr"."""

_NARROW = re.compile(r" ([;:!?»%])|(«) ")


class _Numbers(Formatter):
    """Formats numbers with a true minus sign."""

    def format_field(self, value: object, format_spec: str) -> str:
        """One value; what is no number stays as it is."""
        text = str(super().format_field(value, format_spec))
        return text.replace("-", "\u2212") if isinstance(value, int | float) else text


class _French(_Numbers):
    """Formats numbers as French does: 49 907, 69,1 %."""

    def format_field(self, value: object, format_spec: str) -> str:
        """One value; what is no number stays as it is."""
        text = super().format_field(value, format_spec)
        if not isinstance(value, int | float):
            return text
        return text.replace(",", "\u202f").replace(".", ",").replace("%", "\u00a0%")


_FORMATTERS: Final = {"en": _Numbers(), "fr": _French()}


def words(english: str, french: str, **values: object) -> Words:
    """A text in both languages; the French one does not break before high punctuation."""
    kept = _NARROW.sub(lambda m: f"\u00a0{m[1]}" if m[1] else f"{m[2]}\u00a0", french)
    return {"en": numbered("en", english, **values), "fr": numbered("fr", kept, **values)}


def numbered(language: str, pattern: str, **values: object) -> str:
    """A pattern with its numbers as the language writes them."""
    return _FORMATTERS[language].vformat(pattern, (), values)


STAGES: Final[Mapping[str, tuple[tuple[str, str], tuple[str, str]]]] = {
    "retrieve": (
        ("Find", "Chercher"),
        (
            "Up to {limit} posts are gathered, from these places in turn.",
            "Jusqu’à {limit} publications sont rassemblées, tour à tour d’après :",
        ),
    ),
    "rules": (
        ("Leave out", "Écarter"),
        (
            "What you have seen or do not want is left out before anything is compared.",
            "Ce que vous avez vu ou ne voulez pas est écarté avant toute comparaison.",
        ),
    ),
    "rank": (
        ("Predict", "Prévoir"),
        (
            "The model {model} predicts, for each post by itself, how likely you are to do each of "
            "{kinds} things with it. It learned this from what people did; no rule on what is good "
            "was written into it.",
            "Le modèle {model} prévoit, pour chaque publication prise isolément, la probabilité "
            "que vous fassiez chacune de {kinds} choses. Il l’a appris de ce que les gens ont "
            "fait ; aucune règle sur ce qui est bon n’y a été écrite.",
        ),
    ),
    "recent": (
        ("Order by time", "Ordonner par date"),
        (
            "No trained model is live: newer posts simply come first, whoever you are.",
            "Aucun modèle entraîné n’est en service : les publications les plus récentes viennent "
            "en premier, qui que vous soyez.",
        ),
    ),
    "value": (
        ("Weigh", "Peser"),
        (
            "Each prediction is multiplied by what the operator of this feed says the action is "
            "worth, and the products are added up: that is the post’s score.",
            "Chaque prévision est multipliée par ce que vaut l’action selon l’opérateur de ce fil, "
            "et les produits s’additionnent : c’est le score de la publication.",
        ),
    ),
    "policies": (
        ("Protect", "Protéger"),
        (
            "These policies remove, lower or cover posts, each time with a statement of reasons. "
            "A check that fails withholds the post.",
            "Ces règles retirent, abaissent ou couvrent des publications, chaque fois avec un "
            "exposé des motifs. Un contrôle qui échoue retient la publication.",
        ),
    ),
    "terms": (
        ("Adjust", "Ajuster"),
        (
            "After the model, only these named terms move a post. Each is in the receipt, with "
            "the places that it gave or cost.",
            "Après le modèle, seuls ces termes nommés déplacent une publication. Chacun figure au "
            "reçu, avec les places qu’il a données ou coûtées.",
        ),
    ),
    "page": (
        ("Show", "Montrer"),
        (
            "The {pool} best can reach the page. A receipt is kept, from which every reason can "
            "be replayed.",
            "Les {pool} meilleurs peuvent atteindre la page. Un reçu est gardé, d’où chaque raison "
            "peut être rejouée.",
        ),
    ),
}
"""Stage → (title, what happens there)."""

WITHOUT: Final[Mapping[str, tuple[str, str]]] = {
    "value": (
        "Nothing is predicted: the values that the operator of this feed gave to actions are "
        "multiplied by how new the post is, the same for everyone, and added up.",
        "Rien n’est prévu : les valeurs que l’opérateur de ce fil a données aux actions sont "
        "multipliées par la nouveauté de la publication, la même pour tous, et additionnées.",
    ),
    "terms": (
        "After that, only these named terms move a post. Each is in the receipt, with the places "
        "that it gave or cost.",
        "Ensuite, seuls ces termes nommés déplacent une publication. Chacun figure au reçu, avec "
        "les places qu’il a données ou coûtées.",
    ),
    "following": (
        "Read only whom you follow, newest first.",
        "Ne lire que ceux que vous suivez, du plus récent au plus ancien.",
    ),
}
"""Stage or option → what is said of it instead where no trained model is live."""

PLACES: Final[Mapping[str, tuple[str, str]]] = {
    "following": (
        "recent posts of the accounts that you follow",
        "les publications récentes des comptes que vous suivez",
    ),
    "nearest": (
        "posts that read like what you liked, and unlike what you turned away from",
        "des publications proches de ce que vous avez aimé, et loin de ce que vous avez écarté",
    ),
    "towers": (
        "posts that a second model finds near what you did",
        "des publications qu’un second modèle trouve proches de ce que vous avez fait",
    ),
    "fresh": (
        "the newest posts, and a sample of them in which every author weighs the same",
        "les publications les plus récentes, dont un échantillon où chaque auteur pèse autant",
    ),
    "wished": ("posts that you wished for", "des publications que vous avez souhaitées"),
}
"""Where posts are found."""

RULES: Final[Mapping[str, tuple[str, str]]] = {
    "seen": ("posts that you have seen already", "les publications que vous avez déjà vues"),
    "own": ("your own posts", "vos propres publications"),
    "muted": ("posts by accounts that you muted", "les publications des comptes que vous masquez"),
    "blocked": (
        "posts by accounts that you blocked",
        "les publications des comptes que vous bloquez",
    ),
    "hides": (
        "posts by authors who ask not to be recommended, unless you follow them",
        "les publications d’auteurs qui demandent à ne pas être recommandés, sauf si vous les "
        "suivez",
    ),
    "members": (
        "posts by authors who ask not to be shown to readers without an account",
        "les publications d’auteurs qui demandent à ne pas être montrés sans compte",
    ),
    "unwished": (
        "posts that you want none of, by a wish",
        "les publications dont vous ne voulez pas du tout, selon un souhait",
    ),
}
"""Rules before the model, by the name of their function."""

TERMS: Final[Mapping[str, tuple[str, str]]] = {
    "wish": (
        "Your wishes, and those of the feed’s operator for everyone: a wish of middle strength "
        "moves a post as much as {scale:g}, the strongest decides alone.",
        "Vos souhaits, et ceux de l’opérateur du fil pour tous : un souhait de force moyenne "
        "déplace une publication de {scale:g}, le plus fort décide seul.",
    ),
    "demote": (
        "A policy that lowers a post takes {demotion:g} from its score.",
        "Une règle qui abaisse une publication retire {demotion:g} à son score.",
    ),
    "variety": (
        "A post that repeats the author or the topic of those above it gives way (strength "
        "{variety:g} of 1), and no more than {run} of one author come in a row.",
        "Une publication qui répète l’auteur ou le sujet de celles qui précèdent cède la place "
        "(force {variety:g} sur 1), et au plus {run} publications d’un même auteur se suivent.",
    ),
    "exploration": (
        "{exploration:.0%} of the places are kept for fresh posts of authors that the page does "
        "not show otherwise.",
        "{exploration:.0%} des places sont gardées pour des publications récentes d’auteurs que la "
        "page ne montrerait pas.",
    ),
}
"""The named terms."""

TOKENS: Final[Mapping[str, tuple[str, str]]] = {
    "history": (
        "Of each of your last actions, {window} at most",
        "De chacune de vos dernières actions, {window} au plus",
    ),
    "candidate": (
        "Of each post that could be shown",
        "De chaque publication qui pourrait être montrée",
    ),
    "context": ("Of the request", "De la demande"),
}
"""What an input is known of."""

INPUTS: Final[Mapping[str, tuple[str, str]]] = {
    "kind": (
        "what you did: like, reply, mute…",
        "ce que vous avez fait : aimer, répondre, masquer…",
    ),
    "sign": (
        "whether that was for the post, against it or neither",
        "si c’était pour la publication, contre elle, ou ni l’un ni l’autre",
    ),
    "dwell": ("how long you looked at it", "combien de temps vous l’avez regardé"),
    "gap": (
        "how long it was since your action before",
        "le temps écoulé depuis votre action précédente",
    ),
    "age": ("how old the post was at that moment", "l’âge de la publication à ce moment"),
    "vectors": (
        "what the post says, as numbers that a language model made of its text",
        "ce que dit la publication, en nombres tirés de son texte par un modèle de langue",
    ),
    "topic": ("its main topic", "son sujet principal"),
    "second": ("its second topic", "son second sujet"),
    "tone": ("its tone", "son ton"),
    "intent": ("what it is meant to do", "son intention"),
    "format": ("its form: a story, a list, a question…", "sa forme : récit, liste, question…"),
    "language": ("the language that it is written in", "la langue dans laquelle il est écrit"),
    "claim": (
        "on what footing it says that something happened: reported, alleged, rumour, correction",
        "à quel titre il dit que quelque chose s’est passé : "
        "rapporté, allégué, rumeur, rectification",
    ),
    "entity": ("the first name in it", "le premier nom qu’il cite"),
    "other": ("the second name in it", "le second nom qu’il cite"),
    "author": ("who wrote it", "qui l’a écrit"),
    "post": ("which post it is", "de quelle publication il s’agit"),
    "asked": (
        "the language that you read the page in (not known of past actions, so not learned yet)",
        "la langue de votre page (inconnue pour les actions passées, donc pas encore apprise)",
    ),
    "surface": (
        "where the feed is shown (not known of past actions, so not learned yet)",
        "où le fil est montré (inconnu pour les actions passées, donc pas encore appris)",
    ),
    "hour": ("the hour of the day, UTC", "l’heure de la journée, UTC"),
}
"""Every input of the ranker, by the names of `rank/batch.py`."""

GROUPS: Final[Mapping[str, tuple[tuple[str, str], tuple[str, str]]]] = {
    "history": (
        ("What you did before", "Ce que vous avez fait"),
        (
            "The only personal input: without it the model knows nobody’s taste, only what people "
            "like on the whole.",
            "La seule donnée personnelle : sans elle, le modèle ne connaît le goût de personne, "
            "seulement ce qui plaît en général.",
        ),
    ),
    "reading": (
        ("What the post says", "Ce que dit la publication"),
        (
            "Its text’s vector and its aspects together. They tell a post apart that nobody has "
            "reacted to yet.",
            "Le vecteur de son texte et ses aspects ensemble. Ils distinguent une publication à "
            "laquelle personne n’a encore réagi.",
        ),
    ),
    "vectors": (
        ("… its text as numbers", "… son texte en nombres"),
        (
            "What it says beyond its topic, tone, form and language, which the numbers hold too.",
            "Ce qu’il dit au-delà du sujet, du ton, de la forme et de la langue, que ces nombres "
            "contiennent aussi.",
        ),
    ),
    "aspects": (
        ("… topic, tone, form, language", "… sujet, ton, forme, langue"),
        (
            "A taste for a topic, and the languages that someone reads, show after few actions.",
            "Le goût d’un sujet et les langues lues se voient après peu d’actions.",
        ),
    ),
    "authors": (
        ("Who wrote it", "Qui l’a écrit"),
        (
            "What people made of the author’s earlier posts.",
            "Ce que les gens ont fait des publications précédentes de l’auteur.",
        ),
    ),
    "posts": (
        ("Which post it is", "De quelle publication il s’agit"),
        (
            "What people made of this very post before the model was trained; of a new post the "
            "model knows nothing by this.",
            "Ce que les gens ont fait de cette publication même avant l’entraînement ; d’une "
            "publication nouvelle, le modèle ne sait rien par là.",
        ),
    ),
    "ages": (
        ("How old the post is", "L’âge de la publication"),
        (
            "How much more, or less, people react to what is new.",
            "De combien les gens réagissent plus, ou moins, à ce qui est récent.",
        ),
    ),
    "context": (
        ("The hour, the page’s language", "L’heure, la langue de la page"),
        (
            "The same for all posts of one request, so that it can hardly change their order.",
            "Les mêmes pour toutes les publications d’une demande : l’ordre n’en change guère.",
        ),
    ),
}
"""Group of inputs → (title, why it weighs as it does)."""

ABSENT: Final[tuple[tuple[str, str], ...]] = (
    (
        "your age or date of birth (a year of birth, where given, only keeps posts from minors)",
        "votre âge (une année de naissance, si elle est donnée, ne fait qu’épargner des "
        "publications aux mineurs)",
    ),
    ("your sex or gender", "votre sexe ou votre genre"),
    (
        "your health, religion, origin, opinions or sexual orientation: neither asked nor inferred",
        "votre santé, religion, origine, vos opinions ou votre orientation sexuelle : ni demandées "
        "ni déduites",
    ),
    (
        "your place, country, IP address, device, browser or installed apps",
        "votre lieu, pays, adresse IP, appareil, navigateur ou applications installées",
    ),
    (
        "what you do on other sites, your contacts, your messages",
        "ce que vous faites ailleurs, vos contacts, vos messages privés",
    ),
    (
        "how many likes, reposts or followers a post or an author has",
        "le nombre de mentions j’aime, de partages ou d’abonnés",
    ),
    (
        "payments, advertising, or whether an account is the operator’s",
        "les paiements, la publicité, ou qu’un compte soit celui de l’opérateur",
    ),
)
"""What is not an input."""

OPTIONS: Final[Mapping[str, tuple[str, tuple[str, str]]]] = {
    "plain": (
        "/v1/feeds/for-you?profiled=false",
        (
            "Read without a profile: history and wishes are not read; mutes and blocks still hold.",
            "Lire sans profil : l’historique et les souhaits ne sont pas lus ; ce que vous masquez "
            "ou bloquez reste valable.",
        ),
    ),
    "following": (
        "/f/following",
        (
            "Read only whom you follow, newest first, without the model.",
            "Ne lire que ceux que vous suivez, du plus récent au plus ancien, sans le modèle.",
        ),
    ),
    "wishes": (
        "/wishes",
        (
            "Wish for more or less of a topic, a tone, an author, a word, in your own words.",
            "Souhaiter plus ou moins d’un sujet, d’un ton, d’un auteur, d’un mot, avec vos mots.",
        ),
    ),
    "avoid": (
        "/me",
        (
            "Mute or block an account at any of its posts, and undo it here.",
            "Masquer ou bloquer un compte depuis l’une de ses publications, et y revenir ici.",
        ),
    ),
    "erase": (
        "/me",
        (
            "See, download and erase what is held about you.",
            "Voir, télécharger et effacer ce qui est gardé sur vous.",
        ),
    ),
}
"""How to change what is shown: name → (address, what it does)."""

ACTIONS: Final[Mapping[str, tuple[str, str]]] = {
    "impression": ("Seen", "Vu"),
    "dwell": ("Looked at for a while", "Regardé un moment"),
    "click": ("Opened", "Ouvert"),
    "like": ("Liked", "Aimé"),
    "reply": ("Replied", "Réponse"),
    "repost": ("Reposted", "Republié"),
    "quote": ("Quoted", "Cité"),
    "bookmark": ("Bookmarked", "Enregistré"),
    "share": ("Shared", "Partagé"),
    "follow": ("Followed the author", "Auteur suivi"),
    "profile": ("Looked at the author", "Auteur consulté"),
    "worth_my_time": ("Worth the time", "Valait la peine"),
    "not_interested": ("Not interested", "Écarté"),
    "mute": ("Muted the author", "Auteur masqué"),
    "block": ("Blocked the author", "Auteur bloqué"),
    "report": ("Reported", "Signalé"),
}
"""Every kind of action, as what was done."""

HEADINGS: Final[Mapping[str, tuple[str, str]]] = {
    "title": ("How this feed works", "Comment marche ce fil"),
    "stages": ("From all posts to your page", "De toutes les publications à votre page"),
    "values": ("What each action is worth", "Ce que vaut chaque action"),
    "model": ("The model", "Le modèle"),
    "importances": ("What weighs most", "Ce qui pèse le plus"),
    "inputs": ("What the model is given", "Ce que reçoit le modèle"),
    "absent": ("What the ranking is not given", "Ce que le classement ne reçoit pas"),
    "options": ("What you can change", "Ce que vous pouvez changer"),
    "feeds": ("Feeds", "Fils"),
}
"""Headings of the document, on paper and on the page."""

SENTENCES: Final[Mapping[str, tuple[str, str]]] = {
    "model": (
        "{name}, of size {size} ({parameters:,} numbers), was trained on {exposures:,} exposures "
        "of {viewers:,} people to {posts:,} posts, up to {until}.",
        "{name}, de taille {size} ({parameters:,} nombres), a été entraîné sur {exposures:,} "
        "expositions de {viewers:,} personnes à {posts:,} publications, jusqu’au {until}.",
    ),
    "until_now": ("its training", "jour de son entraînement"),
    "quality": (
        "On {exposures:,} later exposures of {viewers:,} people it put what they liked above what "
        "they did not in {auc:.1%} of the pairs; chance is 50%.",
        "Sur {exposures:,} expositions ultérieures de {viewers:,} personnes, il a placé ce "
        "qu’elles ont aimé au-dessus du reste dans {auc:.1%} des paires ; le hasard en donne 50 %.",
    ),
    "signed": (
        "These figures are from the report that was signed for exactly these weights, key {key}.",
        "Ces chiffres viennent du rapport signé pour exactement ces poids, clé {key}.",
    ),
    "unsigned": (
        "There is no valid signed report for these weights, so no figures are shown.",
        "Il n’y a pas de rapport signé valable pour ces poids : aucun chiffre n’est montré.",
    ),
    "importances": (
        "Take two posts that someone saw, of which they liked one: how many more of 100 such pairs "
        "does the model put in the wrong order when one kind of input says nothing? Measured on "
        "{exposures:,} exposures of {viewers:,} people; in brackets, the interval of 95%. Inputs "
        "repeat one another in part, so that the losses do not add up. Nobody set these weights: "
        "they are what predicted people’s actions best.",
        "Soit deux publications vues par une personne, dont elle a aimé l’une : sur 100 paires de "
        "ce genre, combien de plus le modèle met-il dans le mauvais ordre quand une sorte de "
        "donnée se tait ? Mesuré sur {exposures:,} expositions de {viewers:,} personnes ; entre "
        "parenthèses, l’intervalle à 95 %. Les données se répètent en partie : les pertes ne "
        "s’additionnent pas. Personne n’a fixé ces poids : ce sont ceux qui prévoyaient le mieux "
        "les actions.",
    ),
    "unweighed": (
        "No trained model is live, so that there are no inputs to weigh: only how new a post is "
        "counts.",
        "Aucun modèle entraîné n’est en service : il n’y a pas de données à peser, seule compte la "
        "nouveauté de la publication.",
    ),
    "unmeasured": (
        "It was not measured for the model that is live.",
        "Cela n’a pas été mesuré pour le modèle en service.",
    ),
    "values": (
        "Set by the operator of this feed, in the table [values] of its settings.",
        "Fixé par l’opérateur de ce fil, dans la table [values] de ses réglages.",
    ),
    "values_by_time": (
        "Without a trained model, these values are multiplied by how new a post is.",
        "Sans modèle entraîné, ces valeurs sont multipliées par la nouveauté de la publication.",
    ),
}
"""Sentences around the figures."""
