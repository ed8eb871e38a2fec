"""Words of the pages about authors, the feed and oneself: how it works, my data, the operator's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

ACCOUNT: Final[Mapping[str, tuple[str, str]]] = {
    "author.about": ("About {name}", "À propos de {name}"),
    "author.posts": ("Posts by {name}", "Publications de {name}"),
    "author.hidden": ("An author", "Un auteur"),
    "author.end": (
        "That is all of this author that can be shown to you.",
        "C’est tout ce qui peut vous être montré de cet auteur.",
    ),
    "author.empty": (
        "What they publish comes here, newest first.",
        "Ce que cette personne publie viendra ici, le plus récent d’abord.",
    ),
    "author.do.follow": ("Follow", "Suivre"),
    "author.do.follow.on": ("Unfollow", "Ne plus suivre"),
    "author.do.mute": ("Mute", "Masquer"),
    "author.do.mute.on": ("Unmute", "Ne plus masquer"),
    "author.do.block": ("Block", "Bloquer"),
    "author.do.block.on": ("Unblock", "Débloquer"),
    "author.mute": (
        "You muted {name}, so none of their posts are shown to you.",
        "Vous avez masqué {name} : aucune de ses publications ne vous est montrée.",
    ),
    "author.block": (
        "You blocked {name}, so none of their posts are shown to you.",
        "Vous avez bloqué {name} : aucune de ses publications ne vous est montrée.",
    ),
    "how.lead": (
        "Everything on this page is written by the program from what is running now.",
        "Tout ce qui figure ici est écrit par le programme, d’après ce qui tourne à l’instant.",
    ),
    "how.contents": ("On this page", "Sur cette page"),
    "how.loss": ("{value} of 100 pairs", "{value} paires sur 100"),
    "how.go": ("Go there", "Y aller"),
    "how.plain.already": (
        "You are reading without a profile now.",
        "Vous lisez en ce moment sans profil.",
    ),
    "how.plain.do": ("Turn personalisation off", "Désactiver la personnalisation"),
    "how.file": ("As data (JSON)", "Sous forme de données (JSON)"),
    "how.feeds.latest": ("newest first", "du plus récent au plus ancien"),
    "how.feeds.ranked": ("by score", "par score"),
    "me.lead.viewer": (
        "This is all that is held about you. History, wishes and receipts are encrypted with a "
        "key of your own; erasing destroys the key.",
        "Voici tout ce qui est gardé sur vous. Historique, souhaits et reçus sont chiffrés avec "
        "une clé qui n’est qu’à vous ; effacer détruit cette clé.",
    ),
    "me.lead.anonymous": (
        "You read without an account. One cookie names you by a random number; what is below is "
        "held under it.",
        "Vous lisez sans compte. Un cookie vous désigne par un nombre au hasard ; ce qui suit est "
        "gardé sous ce nombre.",
    ),
    "me.lead.nobody": ("Nothing is held about you.", "Rien n’est gardé sur vous."),
    "me.nobody.detail": (
        "You are not signed in and not remembered: no history, no wishes, no profile. The pages "
        "that you are shown are kept for a while without any trace of who saw them, so that "
        "their reasons can be replayed. Language and personalisation are kept in cookies on your "
        "device.",
        "Vous n’êtes ni connecté ni reconnu : pas d’historique, pas de souhaits, pas de profil. "
        "Les pages montrées sont gardées quelque temps sans trace de qui les a vues, afin que "
        "leurs raisons puissent être rejouées. La langue et la personnalisation sont dans des "
        "cookies sur votre appareil.",
    ),
    "me.lead.operator": (
        "The operator has no feed, no history and no profile here.",
        "L’opérateur n’a ici ni fil, ni historique, ni profil.",
    ),
    "me.held": ("What is held", "Ce qui est gardé"),
    "me.account": ("Name", "Nom"),
    "me.id": ("Identifier", "Identifiant"),
    "me.birth": ("Year of birth", "Année de naissance"),
    "me.birth.none": ("not given", "non donnée"),
    "me.country": ("Country", "Pays"),
    "me.kind.actions": ("Things that you did", "Ce que vous avez fait"),
    "me.kind.receipts": ("Pages that you were shown", "Pages qui vous ont été montrées"),
    "me.kind.wishes": ("Wishes, ended ones too", "Souhaits, même échus"),
    "me.kind.posts": ("Posts that you wrote", "Publications que vous avez écrites"),
    "me.kind.labels": (
        "Labels on you and your posts",
        "Étiquettes sur vous et sur vos publications",
    ),
    "me.keep.always": ("kept until you erase it", "gardé jusqu’à effacement"),
    "me.keep.days": ("kept for {days} days", "gardé {days} jours"),
    "me.use": (
        "It is used to arrange your feed and to say why, and to train the model of this feed. It "
        "is sent to nobody.",
        "Cela sert à composer votre fil, à dire pourquoi, et à entraîner le modèle de ce fil. "
        "Rien n’est envoyé à personne.",
    ),
    "me.accounts": ("Accounts", "Comptes"),
    "me.follow": ("You follow", "Vous suivez"),
    "me.mute": ("You muted", "Vous masquez"),
    "me.block": ("You blocked", "Vous bloquez"),
    "me.none": ("nobody", "personne"),
    "me.undo": ("Undo", "Annuler"),
    "me.undo.account": ("Undo: {name}", "Annuler : {name}"),
    "me.undo.action": ("Undo: {what}", "Annuler : {what}"),
    "me.undo.gone": (
        "This was not found any more, so nothing was undone.",
        "C’était déjà introuvable : rien n’a été annulé.",
    ),
    "me.recent": ("What you did last", "Vos dernières actions"),
    "me.recent.detail": (
        "Undone, it was never done: neither your feed nor its reasons rest on it any more.",
        "Une fois annulée, une action n’a jamais eu lieu : ni votre fil ni ses raisons ne "
        "s’appuient plus dessus.",
    ),
    "me.shown": ("Posts that you only saw", "Publications seulement vues"),
    "me.recent.none": ("Nothing yet.", "Rien pour l’instant."),
    "me.post.gone": ("a post that is gone", "une publication disparue"),
    "me.post.hidden": (
        "a post that is not shown here",
        "une publication qui n’est pas montrée ici",
    ),
    "me.export": ("Download everything (JSON)", "Tout télécharger (JSON)"),
    "me.take": ("Take it with you, or end it", "L’emporter, ou y mettre fin"),
    "me.erase": ("Erase everything…", "Tout effacer…"),
    "me.erase.title": ("Erase everything?", "Tout effacer ?"),
    "me.erase.what": (
        "Your history, your wishes, whom you follow, mute and block, your account and your posts, "
        "and the receipts of your pages are destroyed, for good. You are signed out.",
        "Votre historique, vos souhaits, vos abonnements, ce que vous masquez ou bloquez, votre "
        "compte, vos publications et les reçus de vos pages sont détruits, pour de bon. Vous êtes "
        "déconnecté.",
    ),
    "me.erase.not": (
        "A model that was trained on it is not changed; the next one is trained without you.",
        "Un modèle déjà entraîné n’en est pas changé ; le prochain est entraîné sans vous.",
    ),
    "me.erase.do": ("Erase for good", "Effacer pour de bon"),
    "me.erase.keep": ("Keep it", "Garder"),
    "me.erase.confirm": (
        "Yes, erase all that is held about me",
        "Oui, effacer tout ce qui est gardé sur moi",
    ),
    "me.erased": (
        "All that was held about you is erased.",
        "Tout ce qui était gardé sur vous est effacé.",
    ),
    "me.wishes.many": ("{count} wishes are in force.", "{count} souhaits sont en vigueur."),
    "me.wishes.one": ("{count} wish is in force.", "{count} souhait est en vigueur."),
    "op.lead": (
        "Since this server started; only what is held is older.",
        "Depuis le démarrage de ce serveur ; seul ce qui est gardé est plus ancien.",
    ),
    "op.posts": ("Posts", "Publications"),
    "op.read": ("read", "lues"),
    "op.unread": ("unread", "non lues"),
    "op.accounts": ("Accounts", "Comptes"),
    "op.viewers": ("Readers", "Lecteurs"),
    "op.actions": ("Actions", "Actions"),
    "op.served": ("Pages held", "Pages gardées"),
    "op.held": ("In the store", "Dans la mémoire"),
    "op.latency": ("How long answers take", "Durée des réponses"),
    "op.route": ("Route", "Route"),
    "op.requests": ("Requests", "Demandes"),
    "op.ms": ("{value} ms", "{value} ms"),
    "op.errors": ("Answers with an error of the server: {count}.", "Erreurs du serveur : {count}."),
    "op.removed": ("What was taken out of feeds", "Ce qui a été retiré des fils"),
    "op.removed.none": ("Nothing so far.", "Rien jusqu’ici."),
    "op.rule": ("a reader’s own rule", "règle propre au lecteur"),
    "op.policy": ("policy", "règle du fil"),
    "op.model": ("The live model", "Le modèle en service"),
    "op.model.none": (
        "No trained ranker is live: train one, evaluate it and promote it.",
        "Aucun modèle entraîné n’est en service : entraînez-en un, évaluez-le, promouvez-le.",
    ),
    "op.ahead": ("Ahead of", "Devance"),
    "op.ahead.by": ("by (AUC)", "de (AUC)"),
    "op.base.random": ("Chance", "Le hasard"),
    "op.base.popularity": ("What is popular", "Ce qui est populaire"),
    "op.base.recency": ("Newest first", "Le plus récent d’abord"),
    "op.base.knn": ("Neighbours’ votes (kNN)", "Les votes des voisins (kNN)"),
    "op.base.logistic": ("Logistic regression", "Régression logistique"),
    "op.base.logistic_live": (
        "Logistic regression that goes on learning",
        "Régression logistique qui continue d’apprendre",
    ),
    "op.retriever": ("Retriever: {name}.", "Recherche : {name}."),
    "op.report": ("How this feed works", "Comment marche ce fil"),
    "op.feeds": ("Feeds", "Fils"),
    "op.feed.served": ("Pages served", "Pages servies"),
    "op.refresh": ("Refresh", "Actualiser"),
    "op.refreshed": ("As of {time}", "État à {time}"),
    "op.still": ("Stop updating by itself", "Ne plus mettre à jour tout seul"),
    "op.live": ("Update by itself", "Mettre à jour tout seul"),
    "op.metrics": ("All metrics (Prometheus)", "Toutes les mesures (Prometheus)"),
    "op.only": (
        "This page is for the operator of this feed.",
        "Cette page est pour l’opérateur de ce fil.",
    ),
}
"""Key → (English, French)."""
