"""What a question is after, English and French, by its words alone: nothing in a post counts."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final
from unicodedata import category, normalize

from ariane.ask.nouns import Question
from ariane.steer import parse
from ariane.steer.phrases import STRONG, Mark, Push
from ariane.steer.sentence import Sentence
from ariane.types import CallError, Wish


class Meant(StrEnum):
    """What is asked for."""

    WISH = "wish"
    WHY = "why"
    CONFIRMED = "confirmed"
    FEED = "feed"
    POSTS = "posts"


def _any(*phrases: str) -> re.Pattern[str]:
    """What finds any of some phrases, as whole words."""
    return re.compile("|".join(rf"\b(?:{phrase})\b" for phrase in phrases))


ASKING: Final = re.compile(
    r"""^(?: what | who | whom | whose | where | when | why | how | which | any
    | (?: is | are | was | were | does | did | has | have | could | would | should )(?:\ ?n\ t)?
    | do(?!\ not)
    | qu | que | quoi | qui | ou | quand | pourquoi | comment | quels? | quelles?
    | est-ce | c\ est | y | il\ y )\b""",
    re.VERBOSE,
)
"""How questions begin that are no wishes."""

WONDERING: Final = re.compile(r"\b(?:what|when|whether|why|pourquoi|quand)\b")
"""What questions have that begin as something else: "no idea what happened"."""

REQUEST: Final = re.compile(
    r"^(?:please |hi |hello |hey |bonjour |salut )?(?:(?:can|could|would|will|may) (?:you|i)"
    r"|(?:peux|pourrais)[- ]tu|tu (?:peux|pourrais)|(?:pouvez|pourriez)[- ]vous"
    r"|vous (?:pouvez|pourriez)|(?:puis|pourrais)-je|je (?:peux|pourrais))\b"
)
"""How wishes begin that are put as a question."""

LIKING: Final = re.compile(r"^(?:i (?:really )?(?:like|enjoy|prefer)|j aime|je prefere)\b")

INFORMED: Final = re.compile(
    r"\b(?:more|plus) (?:d[eu]? |des? )?(?:about|on|sur|a propos|details?|info\w*|news|nouvelles"
    r"|explications?|sources?)\b"
)
"""More that is to be known, not shown: "more about the mayor"."""

TELLING: Final = frozenset(
    re.findall(
        r"\w+",
        "tell hear hearing find get learn looking parle parlez parler raconte racontez entendre "
        "cherche apprendre",
    )
)
"""Verbs that ask for an answer: "tell me more" is a question, "tell me less" is a wish."""

ASKED: Final = frozenset(
    re.findall(r"\w+", "what who how where when why which if quoi qui dont si ce")
)
"""Words that no wish has before its direction, though they fill one elsewhere."""

WHY: Final = re.compile(r"\b(?:why|pourquoi|how come|comment se fait)\b")
SHOWN: Final = _any(
    r"i(?: \w+)? (?:see|seeing|shown|given|(?:get|getting) (?:this|it))",
    r"(?:show|showing|shown|recommend\w*|suggest\w*)(?: \w+){0,2} me",
    "(?:this|it|that|post)(?: being)? (?:shown|recommended|suggested)",
    "my (?:feed|page|timeline)",
    "je (?:l[ae]? )?(?:vois|recois)|vois-je",
    r"me? (?:l[ae]? )?(?:(?:a|est|as|avez)(?:-\w+)* )?(?:montr|affich|propos|recommand|sugger)\w*",
    r"(?:ca|cela|ceci|publication) (?:s|est) (?:montr|affich|propos|recommand|sugger)\w*",
    "mon (?:fil|flux)|ma page",
)
"""What asks for the reasons of a page, beside a word for why."""

THIS: Final = _any(
    "this|these|here|ca|cela|ceci|c est|ici|cette publication|ce post|cel(?:le|ui)-ci"
)
"""What asks for them where nothing else is named: "why this?", not "why is this road closed?"."""

SHOWING: Final = _any(
    "show(?:s|n|ed|ing)|appear\\w*|display\\w*|recommend\\w*|suggest\\w*|top|first|ones?",
    r"(?<!cette )(?:affiche\w*|propose\w*|recommande\w*)|montr(?:e[rsz]?|ees?|ent|ons)|suggere\w*",
    r"appara\w+|apparu\w*|(?:tout en )?haut|premiere?|cel(?:le|ui)-ci",
)
"""What a page does with a post and where it stands, which names nothing else."""

OTHERS: Final = re.compile(r"\b(?:he|she|they|ils|elles)\b|(?<!-)\b(?:il|elle)\b(?! est)")
"""Who does something else with it: "why does she say this?"."""

CONFIRMED: Final = re.compile(
    r"\b(?:confirm\w*|true|real|reliable|rumou?rs?|source|sources|fact|facts|debunk\w*|fake|hoax"
    r"|vrai|vraie|fiables?|rumeurs?|avere\w*|dementi\w*|infox|intox|faux|fausse|verifie\w*)\b"
)
PART: Final = r"(?:morning|afternoon|evening|night|day|week-?end|week|month|hour)s?"
PARTIE: Final = (
    r"(?:matin|apr\S+s-midi|soir|soir\S+e|nuit|jour|journ\S+e|week-?end|semaine|mois|heure)s?"
)
MOMENT: Final = re.compile(
    rf"\b(?:(?:this|last|yesterday|over the|during the|of the) {PART}"
    rf"|(?:in |over |during )?(?:the|these) (?:last|past)(?: \w+)? {PART}|tonight|overnight"
    r"|(?:while|since) (?:i|we)\b[^,;?]*"
    rf"|(?:de )?(?:ce|cet|cette|ces|hier|du|de la|dans la)(?: derni\S+)? {PARTIE}(?:-ci)?"
    rf"|(?:de )?l[ae] {PARTIE} derni\w*"
    r"|(?:pendant|depuis) (?:mon|ma|mes|notre|nos|que|qu[’' ]on)\b[^,;?]*)\b",
    re.IGNORECASE,
)
"""Times by their names: no bound of what is found, and not what is asked about either."""

ENDS: Final = (
    r"\W*$| (?:today|yesterday|this|lately|recently|now|here|since|while|(?:d )?aujourd|(?:d )?hier"
    rf"|cette|ces|ce|en ce|depuis|pendant|recemment|ici|{MOMENT.pattern})\b"
)
ABOUT: Final = (
    r"| (?:on|about|with|in|from|for|of|around|at|sur|dans|a|en|d[eu]s?|cote|chez|avec|pour"
    r"|aux?|concernant)\b"
)
"""What follows a phrase that ends there, or before a time; and before what it is about."""

FEED: Final = _any(
    "(?:did|have|had) (?:i|we) miss(?:ed)?",
    "(?:what|all|(?:any|some|every)thing) (?:that )?(?:i|we) "
    "(?:(?:ve|(?:may |might )?have) )?miss(?:ed)?",
    f"(?:what(?: ?s| is)?|(?:any|some)thing) new(?={ENDS}{ABOUT})",
    f"what(?: ?s| is| has)?(?: been)? (?:happened|happening|going on)(?={ENDS})",
    f"(?:^|(?:any|the|latest|today s) )(?:news|latest)(?={ENDS})",
    "(?:my|our) (?:feed|timeline)|catch (?:me|us) up|(?:me|us) catch up",
    "qu[ei]? (?:est-ce que )?(?:j ai|on a|nous avons) (?:bien )?(?:pu )?(?:rat|manqu|loup)er?",
    "(?:ai-je|avons-nous|a-t-on|est-ce que (?:j ai|on a|nous avons)) (?:rate|manque|loupe)",
    "(?:j ai|on a|nous avons) (?:rate|manque|loupe) (?:quoi|quelque chose)",
    f"(?:(?:quoi|rien|chose|y a(?:-t-il)?) de|(?:^|(?:et|alors|y a|t-il|tu|vous|a-t-on)\\W+)du)"
    f" (?:neuf|nouveau)(?={ENDS}{ABOUT})",
    f"s(?:e| est(?:-il)?) passe(?:-t-il)?(?: quoi)?(?={ENDS})",
    f"(?:des|les|quelles)(?: dernieres)? nouvelles(?={ENDS})",
    "(?:mon|notre) (?:fil|flux)|(?:me|nous) rattraper|rattrape(?:z-nous|z?-moi)",
)
"""What asks for one's own feed: phrases, since a new park or a birth rate (« raté ») is none."""

SCAFFOLD: Final = frozenset(
    re.findall(
        r"\w+",
        """
    a about am an and any are around as at be been by can could did do does for from give going
    had has have here how i in into is it its latest me miss missed more my new news of on or our
    out people please post posts say said saying says see show summarise summarize tell than that
    the their them there they think this those to today up us was we were what when where which who
    she he her his him hers whom whose why will with would you your feed happened happening catch
    anyone anybody anything everything something know account author thread timeline ve whats
    ai au aux avec ce ces cet cette ca cela ceci c comme comment d dans de des dis dit disent
    donne du elle elles en est et etes etait eu fait fil fils ici il ils j je l la le les leur leurs
    ma mais mes moi mon montre manque n ne neuf nos notre nous nouveau nouvelles ont ou par parle
    parlent pas passe pense pensent peux plus pour pourquoi publication publications qu quand que
    quel quelle quelles quels qui quoi raconte rate resume s sa se ses si son sont sur t ta te tes
    toi ton tu un une vois vos votre vous y aujourd hui gens quelqu quelque chose compte auteur
    flux bien pu rater manquer loupe louper rattrape rattrapez rattraper
    since while lately recently now yesterday these depuis pendant recemment maintenant hier rien
    alors dernieres
    """,
    )
)
"""Words that ask, and do not say about what."""


def meant(question: Question) -> tuple[Meant, tuple[Wish, ...]]:
    """What a question is after, and the wishes in it where it is one."""
    plain = folded(question.text)
    about_post = question.post is not None
    if about_post and WHY.search(plain) and _of_page(plain):
        return Meant.WHY, ()
    if about_post and CONFIRMED.search(plain):
        return Meant.CONFIRMED, ()
    if question.wishing and _directed(question.text, plain):
        try:
            return Meant.WISH, parse(question.text, question.at)
        except CallError:
            pass
    if question.post is None and question.account is None and FEED.search(plain):
        return Meant.FEED, ()
    return Meant.POSTS, ()


def _of_page(plain: str) -> bool:
    """Whether a *why* asks why a post is shown, and not about what it says."""
    if SHOWN.search(plain):
        return True
    named = subject(SHOWING.sub(" ", plain)) or OTHERS.search(plain)
    return THIS.search(plain) is not None and not named


def _directed(text: str, plain: str) -> bool:
    """Whether a sentence says more or less of something, and does not only ask to be told.

    A wish moves the feed and a question moves nothing, so that what may be either is a question.
    """
    asks = ASKING.match(plain) or WONDERING.search(plain) or "?" in plain
    if asks and not REQUEST.match(plain):
        return False
    sentence, told = Sentence.of(text), INFORMED.search(plain) is not None
    parts = [place + 1 for place, word in enumerate(sentence.said) if word.kind == "mark"]
    return (
        LIKING.match(plain) is not None
        or _leads(sentence, 0, told)
        or any(_leads(sentence, start, told, alone=True) for start in parts)
    )


def _leads(sentence: Sentence, place: int, told: bool, *, alone: bool = False) -> bool:
    """Whether a direction stands at a place, or after words that name nothing.

    `told` is whether more would only be more to know, `alone` whether nothing may follow it, as in
    "politics: less".
    """
    while place < len(sentence.said):
        word = sentence.said[place]
        if word.kind == "mark":
            place += 1
            continue
        meaning, length = sentence.meaning(place, None, named=False, begun=False)
        known = sentence.aspect(place)
        named = known is not None and known.after - known.first >= length
        if meaning is None or named or word.folded in ASKED:
            return False
        if isinstance(meaning, Mark) and meaning.part in ("not", "ne"):
            return not alone
        if isinstance(meaning, Push) and (not meaning.verb or meaning.strength >= STRONG):
            whole = not alone or sentence.ends(place + length)
            return whole and (meaning.sign < 0 or not told)
        told = told or word.folded in TELLING
        place += length
    return False


def subject(text: str) -> str:
    """The words of a question that say what it is about; "" where none does."""
    parts = re.findall(r"[^\W_]+(?:-[^\W_]+)*", text)
    return " ".join(part for part in parts if not SCAFFOLD.issuperset(folded(part).split("-")))


def folded(text: str) -> str:
    """Lower case, without accents, apostrophes as spaces."""
    plain = normalize("NFKD", text.casefold().replace("’", " ").replace("'", " "))
    return "".join(sign for sign in plain if category(sign) != "Mn").strip()
