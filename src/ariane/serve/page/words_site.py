"""Words of the frame around every page: navigation, sign-in, modes, errors, times."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

SITE: Final[Mapping[str, tuple[str, str]]] = {
    "site.tagline": ("The feed that gives its reasons", "Le fil qui donne ses raisons"),
    "site.skip": ("Skip to the posts", "Aller aux publications"),
    "site.menu": ("More", "Plus"),
    "site.feeds": ("Feeds", "Fils"),
    "site.back": ("Back to the feed", "Retour au fil"),
    "site.here": ("Ariane", "Ariane"),
    "site.main": ("Main navigation", "Navigation principale"),
    "site.side": ("Steer your feed", "Orienter votre fil"),
    "site.notice": ("Notice", "Avis"),
    "site.simulated": ("Simulated town.", "Ville simulée."),
    "site.close": ("Close", "Fermer"),
    "nav.how": ("How this feed works", "Comment marche ce fil"),
    "nav.me": ("My data", "Mes données"),
    "nav.operator": ("Operator", "Opérateur"),
    "nav.routes": ("Every route of the API", "Toutes les routes de l’API"),
    "nav.wishes": ("Wishes", "Souhaits"),
    "nav.sign_in": ("Sign in", "Se connecter"),
    "nav.sign_out": ("Sign out", "Se déconnecter"),
    "nav.switch": ("Change person", "Changer de personne"),
    "nav.language": ("Français", "English"),
    "nav.language.label": ("Lire cette page en français", "Read this page in English"),
    "who.nobody": ("Not signed in", "Sans compte"),
    "who.anonymous": ("A reader without an account", "Lecture sans compte"),
    "who.operator": ("The operator", "L’opérateur"),
    "who.nobody.detail": (
        "Nothing about you is remembered: these posts depend on nothing that you did.",
        "Rien de vous n’est retenu : ces publications ne dépendent de rien que vous ayez fait.",
    ),
    "who.operator.detail": (
        "You see what a reader without an account sees.",
        "Vous voyez ce que voit un lecteur sans compte.",
    ),
    "remember.do": ("Remember me on this device", "Me reconnaître sur cet appareil"),
    "remember.detail": (
        "One cookie, so that the feed can learn from what you do here. "
        "My data ends it at any time.",
        "Un seul cookie, pour que le fil apprenne de ce que vous faites ici. "
        "Mes données y met fin à tout moment.",
    ),
    "mode.plain": ("Not personalised", "Non personnalisé"),
    "mode.personal": ("Personalised", "Personnalisé"),
    "mode.to_plain": ("Turn personalisation off", "Désactiver la personnalisation"),
    "mode.to_personal": ("Turn personalisation on", "Activer la personnalisation"),
    "mode.plain.detail": (
        "Your history and wishes are not read. What you mute and block still holds.",
        "Votre historique et vos souhaits ne sont pas lus. "
        "Ce que vous masquez ou bloquez reste valable.",
    ),
    "mode.personal.detail": (
        "Arranged for you, from what you did and what you wished.",
        "Composé pour vous, d’après ce que vous avez fait et souhaité.",
    ),
    "sign.title": ("Sign in", "Se connecter"),
    "sign.lead": ("Who reads?", "Qui lit ?"),
    "sign.open": (
        "This is a demonstration on one machine: anyone may read as anyone, without a proof.",
        "Ceci est une démonstration sur une seule machine : "
        "chacun peut lire sous n’importe quel nom, sans preuve.",
    ),
    "sign.people": ("As someone of the town", "Comme une personne de la ville"),
    "sign.others.one": ("{count} other person", "{count} autre personne"),
    "sign.others.many": ("{count} other people", "{count} autres personnes"),
    "sign.new": ("As someone new", "Comme une nouvelle personne"),
    "sign.name": ("Your name", "Votre nom"),
    "sign.birth": ("Year of birth (optional)", "Année de naissance (facultative)"),
    "sign.birth.hint": (
        "Posts that are not for minors are withheld from them.",
        "Ce qui n’est pas destiné aux mineurs leur est épargné.",
    ),
    "sign.create": ("Begin with an empty history", "Commencer avec un historique vide"),
    "sign.account": ("As any account", "Comme un compte quelconque"),
    "sign.account.id": ("The account’s id", "L’identifiant du compte"),
    "sign.as": ("Read as {name}", "Lire comme {name}"),
    "sign.operator": ("As the operator", "Comme l’opérateur"),
    "sign.operator.detail": (
        "Sees how the feed fares; has no feed of its own.",
        "Voit comment se porte le fil ; n’en a pas à lui.",
    ),
    "sign.token": ("With a token", "Avec un jeton"),
    "sign.token.label": ("Token", "Jeton"),
    "sign.token.hint": (
        "The operator of this feed gives it to you.",
        "L’opérateur de ce fil vous le donne.",
    ),
    "sign.token.bad": (
        "This token is not valid here; ask the operator for a new one.",
        "Ce jeton n’est pas valable ici ; demandez-en un autre à l’opérateur.",
    ),
    "sign.none": ("There is no account {account} here.", "Il n’y a pas de compte {account} ici."),
    "sign.closed": (
        "Accounts are not open here; sign in with a token.",
        "Les comptes ne sont pas ouverts ici ; connectez-vous avec un jeton.",
    ),
    "sign.no_name": ("Write a name of 1 to 80 letters.", "Écrivez un nom de 1 à 80 lettres."),
    "sign.bad_year": (
        "The year of birth lies between {first} and {last}.",
        "L’année de naissance se situe entre {first} et {last}.",
    ),
    "sign.nothing": (
        "Choose who reads, or give a token.",
        "Choisissez qui lit, ou donnez un jeton.",
    ),
    "sign.anonymous": ("Without an account", "Sans compte"),
    "sign.stay": ("Go on without being remembered", "Continuer sans être reconnu"),
    "error.title": ("This did not work", "Cela n’a pas marché"),
    "error.401": (
        "This needs someone who is signed in or remembered.",
        "Il faut pour cela être connecté ou reconnu.",
    ),
    "error.403": (
        "This was sent from another site, or is not yours to do.",
        "Cela vient d’un autre site, ou ne vous appartient pas.",
    ),
    "error.404": (
        "There is nothing at this address, or it is not yours to see.",
        "Il n’y a rien à cette adresse, ou cela ne vous est pas destiné.",
    ),
    "error.405": (
        "This address is for a button, not for a visit.",
        "Cette adresse est celle d’un bouton, pas d’une visite.",
    ),
    "error.408": (
        "What you sent took too long to arrive; try again.",
        "Votre envoi a mis trop de temps à arriver ; réessayez.",
    ),
    "error.410": (
        "What this rested on was erased or changed, so it is withdrawn.",
        "Ce sur quoi cela reposait a été effacé ou modifié : c’est retiré.",
    ),
    "error.413": ("What you sent is too large.", "Votre envoi est trop grand."),
    "error.415": ("This form was not sent as one.", "Ce formulaire n’a pas été envoyé comme tel."),
    "error.421": (
        "This server does not answer to {host}; open it by its address, or let its operator add "
        "that name to hosts under [serve] in ariane.toml.",
        "Ce serveur ne répond pas au nom de {host} ; ouvrez-le par son adresse, ou demandez à "
        "l’opérateur d’ajouter ce nom à hosts, sous [serve], dans ariane.toml.",
    ),
    "error.422": (
        "Something in what you sent does not fit; go back and try again.",
        "Quelque chose dans votre envoi ne convient pas ; revenez en arrière et réessayez.",
    ),
    "error.429": (
        "That was a lot at once; wait a few seconds and try again.",
        "C’était beaucoup à la fois ; attendez quelques secondes et réessayez.",
    ),
    "error.500": (
        "The server failed; its log says why.",
        "Le serveur a échoué ; son journal dit pourquoi.",
    ),
    "error.503": (
        "The server has too much to do; try again in a few seconds.",
        "Le serveur a trop à faire ; réessayez dans quelques secondes.",
    ),
    "error.id": ("In the log under {id}.", "Dans le journal sous {id}."),
    "time.now": ("now", "à l’instant"),
    "time.minutes": ("{count} min", "{count} min"),
    "time.hours": ("{count} h", "{count} h"),
    "time.days": ("{count} d", "{count} j"),
    "time.day": ("{day} {month}", "{day} {month}"),
    "time.date": ("{day} {month} {year}", "{day} {month} {year}"),
    "time.full": ("{day} {month} {year}, {clock} UTC", "{day} {month} {year}, {clock} UTC"),
    "time.months": (
        "Jan Feb Mar Apr May June July Aug Sept Oct Nov Dec",
        "janv. févr. mars avr. mai juin juill. août sept. oct. nov. déc.",
    ),
    "routes.title": ("Every route", "Toutes les routes"),
    "routes.machine": ("Machine-readable:", "Pour les machines :"),
    "routes.takes": ("Takes:", "Prend :"),
    "routes.answers": ("Answers:", "Répond :"),
    "routes.nothing": ("nothing", "rien"),
}
