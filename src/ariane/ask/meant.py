"""What a question is after, English and French, by its words alone: nothing in a post counts."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final
from unicodedata import category, normalize

from ariane.ask.nouns import Question
from ariane.steer import parse
from ariane.types import CallError, Wish


class Meant(StrEnum):
    """What is asked for."""

    WISH = "wish"
    WHY = "why"
    CONFIRMED = "confirmed"
    FEED = "feed"
    POSTS = "posts"


ASKING: Final = re.compile(
    r"""^(?: what | who | whom | whose | where | when | why | how | which | any
    | is | are | was | were | does | did | do | has | have
    | qu | que | quoi | qui | ou | quand | pourquoi | comment | quels? | quelles?
    | est-ce | c\ est | y | il\ y )\b""",
    re.VERBOSE,
)
"""How questions begin that are no wishes."""

WHY: Final = re.compile(r"\b(?:why|pourquoi|how come|comment se fait)\b")
SHOWN: Final = re.compile(
    r"\b(?:see|seeing|shown|show|here|this|vois|voit|montre|montrez|affiche|ici|ca|cela|ceci)\b"
)
CONFIRMED: Final = re.compile(
    r"\b(?:confirm\w*|true|real|reliable|rumou?rs?|source|sources|fact|facts|debunk\w*|fake|hoax"
    r"|vrai|vraie|fiables?|rumeurs?|avere\w*|dementi\w*|infox|intox|faux|fausse|verifie\w*)\b"
)
FEED: Final = re.compile(
    r"\b(?:miss|missed|my feed|feed|news|new|happened|happening|going on|latest|today|catch up"
    r"|rate|manque|mon fil|fil|nouvelles|nouveau|neuf|passe|aujourd hui|quoi de neuf|rattrape\w*)\b"
)

SCAFFOLD: Final = frozenset(
    re.findall(
        r"\w+",
        """
    a about am an and any are around as at be been by can could did do does for from give going
    had has have how i in into is it its latest me miss missed more my new news of on or our out
    people please post posts say said saying says see show summarise summarize tell than that the
    their them there they think this those to today up us was we were what when where which who
    she he her his him hers whom whose why will with would you your feed happened happening catch
    anyone anybody know account author thread
    ai au aux avec ce ces cet cette ca cela ceci c comme comment d dans de des dis dit disent
    donne du elle elles en est et etes etait eu fait fil fils ici il ils j je l la le les leur leurs
    ma mais mes moi mon montre manque n ne neuf nos notre nous nouveau nouvelles ont ou par parle
    parlent pas passe pense pensent peux plus pour pourquoi publication publications qu quand que
    quel quelle quelles quels qui quoi raconte rate resume s sa se ses si son sont sur t ta te tes
    toi ton tu un une vois vos votre vous y aujourd hui gens quelqu compte auteur
    """,
    )
)
"""Words that ask, and do not say about what."""


def meant(question: Question) -> tuple[Meant, tuple[Wish, ...]]:
    """What a question is after, and the wishes in it where it is one."""
    plain = folded(question.text)
    if not ASKING.match(plain):
        try:
            return Meant.WISH, parse(question.text, question.at)
        except CallError:
            pass
    about_post = question.post is not None
    if about_post and WHY.search(plain) and SHOWN.search(plain):
        return Meant.WHY, ()
    if about_post and CONFIRMED.search(plain):
        return Meant.CONFIRMED, ()
    if question.post is None and question.account is None and FEED.search(plain):
        return Meant.FEED, ()
    return Meant.POSTS, ()


def subject(text: str) -> str:
    """The words of a question that say what it is about; "" where none does."""
    parts = re.findall(r"[^\W_]+(?:-[^\W_]+)*", text)
    return " ".join(part for part in parts if not SCAFFOLD.issuperset(folded(part).split("-")))


def folded(text: str) -> str:
    """Lower case, without accents, apostrophes as spaces."""
    plain = normalize("NFKD", text.casefold().replace("’", " ").replace("'", " "))
    return "".join(sign for sign in plain if category(sign) != "Mn").strip()
