"""The words that carry a wish and do not name what it is about: directions, degrees, the rest.

Written as words are looked up: no capitals, no accents, elided articles apart ("j en ai marre").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

SLIGHT: Final = 0.3
PLAIN: Final = 0.5
STRONG: Final = 0.7
WHOLE: Final = 1.0


@dataclass(frozen=True, slots=True)
class Push:
    """More (+1) or less (−1), how much; a verb gives way to what is beside it ("show me less")."""

    sign: Literal[-1, 1]
    strength: float
    verb: bool = False


@dataclass(frozen=True, slots=True)
class Degree:
    """How much more or less; alone ("a bit of art") it asks for more."""

    strength: float


@dataclass(frozen=True, slots=True)
class Mark:
    """A word by its part in the sentence; a "noun" is one that says nothing, such as posts."""

    part: Literal[
        "not",
        "ne",
        "que",
        "and",
        "but",
        "please",
        "of",
        "filler",
        "noun",
        "from",
        "this",
        "refused",
    ]


Meaning = Push | Degree | Mark

MORE: Final = Push(1, PLAIN)
LESS: Final = Push(-1, PLAIN)
NONE: Final = Push(-1, WHOLE)
ONLY: Final = Push(1, WHOLE)
HATE: Final = Push(-1, STRONG)
LIKE: Final = Push(1, PLAIN, verb=True)
LOVE: Final = Push(1, STRONG, verb=True)
A_LITTLE_LESS: Final = Push(-1, SLIGHT)

_SAID: Final[tuple[tuple[Meaning, str], ...]] = (
    (
        MORE,
        "more|more than|yes|oui|additional|extra|increase|boost|turn up|+|not enough|too little"
        "|too few|add|isn't enough|aren't enough|doesn't have enough|never enough|more of"
        "|once more|davantage|encore|encore plus|plus|pas assez|pas suffisamment|trop peu"
        "|augmente|augmenter|augmentez|ajoute|ajouter|ajoutez|manque de|manque|pas moins"
        "|no less",
    ),
    (
        LESS,
        "less|less than|than|fewer|lesser|reduce|reducing|cut down on|cut back on|cut down"
        "|decrease|tone down|turn down|go easy on|limit|too much|too many|so much|so many"
        "|not so much|not so many|-|not much|instead of|rather than|plutot que|au lieu de"
        "|not many|not as much|not as many|not only|not just|dislike|lower|minimise|minimize"
        "|bored|moins|trop|tant|autant|pas tant|pas autant|reduis|reduire|reduisez|diminue"
        "|diminuer|diminuez|limite|limiter|limitez|baisse|baisser|baissez|pas que|pas seulement"
        "|pas uniquement|ennuie|ennuient|leve le pied sur|leve le pied",
    ),
    (
        A_LITTLE_LESS,
        "not too much|not too many|not that much|not that many|pas trop|pas tellement|pas beaucoup",
    ),
    (
        NONE,
        "no|no more|none|none of|nothing|nothing more|not any|not any more|not a single|hide"
        "|hiding|mute|block|remove|removing|get rid of|stop|stop showing|without|except"
        "|except for|anything but|everything but|everything except|anything except|all but|ban"
        "|exclude|excluding|zero|filter out|neither|nor|no longer|don't ever|delete|quit|cease"
        "|drop|apart from|other than|non|aucun|aucune|jamais|plus jamais|rien|plus rien"
        "|plus aucun|plus aucune|sans|sauf|hormis|excepte|tout sauf|stop|stoppe|stopper|arrete"
        "|arreter|arretez|cesse|cesser|cessez|supprime|supprimer|supprimez|enleve|enlever"
        "|enlevez|masque|masquer|masquez|cache|cacher|cachez|bloque|bloquer|bloquez|retire"
        "|retirer|retirez|vire|virer|virez|fini|finie|finis|basta|pas de|pas du tout de"
        "|pas un seul|pas une seule|ni|a bas|en dehors de|exclus|exclure|plus du tout"
        "|plus du tout de|plus un seul",
    ),
    (
        ONLY,
        "only|exclusively|solely|nothing but|nothing except|nothing other than|nothing else but"
        "|purely|uniquement|seulement|exclusivement|rien que|rien d autre que|juste|seul|seule",
    ),
    (
        HATE,
        "hate|take a break from|sick of|tired of|bored of|bored with|bored by|fed up with"
        "|fed up|can't stand|cannot stand|can not stand|cant stand|enough|enough of|enough with"
        "|despise|loathe|done with|spare me|annoyed by|annoyed with|had enough of|a break from"
        "|break from|avoid|sick and tired of|can't bear|detest|over it|get on my nerves"
        "|exhausted by|leave me alone with|no fan of|marre|en ai marre|ras le bol|ras-le-bol"
        "|deteste|detester|hais|horreur de|fatigue de|fatiguee de|las de|lasse de|lache|lachez"
        "|degoute|saoule|saoulent|soule|soulent|gonfle|gonflent|assez|ca suffit|suffit|evite"
        "|eviter|evitez|peux plus|en peux plus|enerve|enervent|epargne|epargnez|pause de"
        "|une pause de|une pause dans|plein le dos|ma claque|m en fiche|m en fiche de|m en fous"
        "|m en fous de|m en moque|bof",
    ),
    (
        LIKE,
        "want|miss|rather|like|likes|enjoy|interested in|interested|show|showing|see|seeing"
        "|give|giving|read|reading|prefer|need|wish|tell|get|getting|bring|hear|hearing|find"
        "|recommend|looking for|fan of|big fan of|fond of|in the mood for|curious about|into"
        "|feed me|send|put|care about|care for|wanna|explore|discover|learn about|follow|crave"
        "|keen on|veux|veut|voudrais|voudrai|aime|aimerais|aimerai|montre|montrer|montrez|donne"
        "|donner|donnez|voir|vois|voyais|lire|prefere|preferer|prefererais|interesse"
        "|interessent|interessee|envie|envie de|besoin de|besoin|fan de|mets|mettez|mettre"
        "|propose|proposez|proposer|affiche|affichez|afficher|parle|parlez|parler|raconte"
        "|racontez|souhaite|souhaiterais|cherche|decouvrir|apprecie|entendre|entendre parler"
        "|branche sur|curieux de|curieuse de|recommande|recommandez|apprendre sur|suivre",
    ),
    (
        LOVE,
        "love|adore|crazy about|obsessed with|passionate about|mad about|huge fan of|adorerais"
        "|kiffe|vive|raffole|passionne|passionnent|passionnee|grand fan de|dingue de|fou de",
    ),
    (Push(1, WHOLE, verb=True), "just"),
    (Degree(SLIGHT), "a bit|a little|a little bit|slightly|somewhat|a touch|a few|a tad"),
    (
        Degree(SLIGHT),
        "un peu|un petit peu|legerement|un poil|quelques|un chouia|un brin|un tantinet",
    ),
    (
        Degree(STRONG),
        "much|a lot|a lot of|lots|lots of|way|far|really|tons of|loads of|plenty of|heaps of"
        "|very|many|significantly|a great deal|drastically|definitely|seriously|a lot less of"
        "|beaucoup|bien|nettement|vraiment|carrement|enormement|tres|plein de|largement"
        "|clairement|tellement|franchement|fortement|grandement|massivement",
    ),
    (Degree(WHOLE), "at all|any|anymore|any more|ever|whatsoever|completely|entirely|absolutely"),
    (Degree(WHOLE), "du tout|totalement|completement|absolument|definitivement"),
    (
        Mark("not"),
        "not|don't|dont|do not|doesn't|isn't|aren't|won't|can't|cannot|never|didn't|wouldn't"
        "|shouldn't|pas",
    ),
    (Mark("ne"), "ne|n"),
    (Mark("que"), "que|qu"),
    (Mark("and"), "and|or|then|also|as well as|plus|et|ou|puis|ainsi que|et puis"),
    (Mark("but"), "but|yet|mais"),
    (Mark("please"), "please|pls|plz|kindly|s il te plait|s il vous plait|svp|stp|merci de"),
    (Mark("of"), "of|de|d|du|des"),
    (Mark("from"), "from|by|author|account|compte|auteur|auteure|autrice|user"),
    (
        Mark("this"),
        "this|that|these|those|them|it|one|ones|ca|cela|ceci|celui|celle|ceux|celles",
    ),
    (
        Mark("refused"),
        "variety|diversity|novelty|surprise|surprising|friends|popular|better|times|fois"
        "|percent|%|variete|diversite|nouveaute|amis|populaire|populaires|mieux|tout le reste"
        "|everyone else",
    ),
    (
        Mark("noun"),
        "post|posts|content|articles|article|videos|video|pictures|picture|photos|photo|images"
        "|image|messages|message|tweets|toots|feed|timeline|pieces|topics|topic|subjects"
        "|subject|talk|talking|discussion|discussions|discussing|people|anything|everything"
        "|something|stuff|things|updates|anything to do|everything to do|writing|threads"
        "|accounts|material|clips|words|word|language|languages|authors|billet|billets"
        "|publication|publications|contenu|contenus|choses|trucs|fil|sujets|sujet|gens|tout ce"
        "|textes|texte|fils|langue|mot|mots|posts en langue|comptes|auteurs",
    ),
    (
        Mark("filler"),
        "a|an|the|some|about|on|to|me|my|i|i'd|i'm|i've|id|im|we|us|our|you|your|thanks|thank"
        "|thank you|some of|all|which|who|are|is|am|be|been|being|there|there's|its|in|with|for"
        "|at|could|can|would|will|should|do|does|did|let|let's|have|has|had|lately|again"
        "|right now|now|so|very|related|regarding|concerning|kind|sort|type|types|kinds|sorts"
        "|too|as|as well|else|hello|hi|hey|ok|okay|today's|go|make|makes|making me|if|possible"
        "|because|when|where|how|what|come|coming|written|often|long|longer|lengthy|short"
        "|shorter|quick|good|great|interesting|best|quality|new|recent|latest|more or less"
        "|for me|for now|for a while|from now on|every|into my|already|always|around|well|were"
        "|was|it's|that's|that|this|it|them|those|these|to do|start|le|la|les|l|un|une|au|aux|a"
        "|en|dans|sur|avec|pour|par|ce|cet|cette|ces|mon|ma|mes|je|j|m|moi|nous|vous|tu|te|t"
        "|toi|il|elle|on|ils|elles|y|s|se|si|c|merci|tout|tous|toute|toutes|qui|quoi|dont"
        "|a propos de|a propos|concernant|autour de|autour|parlent|traite|traitent|lie|lies"
        "|liee|liees|rapport|est|sont|suis|ai|as|ont|avoir|etre|fait|fais|faire|peux|peut"
        "|pourrais|pourrait|pourriez|peux-tu|est-ce|est-ce que|bon|bons|bonne|bonnes|alors|donc"
        "|car|autres|ici|deja|aussi|en ce moment|pour l instant|pour le moment|maintenant|ecrit"
        "|ecrits|ecrites|longs|longues|longue|courts|court|courte|courtes|interessant"
        "|interessants|interessantes|beaux|belles|nouveaux|recents|recentes|meilleurs"
        "|meilleures|bonjour|salut|ca|cela|desormais|dorenavant|venant|vient"
        "|a partir de maintenant|souvent|au sujet de|y a|type de|genre de"
        "|des histoires de la part de|de la part de|provenant de|provenant|mon fil|dans mon fil"
        "|relatif a|relatifs a|genre|mentionne|mentionnent|mentionnant|mentions|mentioning"
        "|mention",
    ),
)


def _forms(phrase: list[str]) -> list[tuple[str, ...]]:
    """A phrase that ends in "de", with du, des and d' as well."""
    if len(phrase) > 1 and phrase[-1] == "de":
        return [(*phrase[:-1], link) for link in ("de", "d", "du", "des")]
    return [tuple(phrase)]


MEANINGS: Final[Mapping[tuple[str, ...], Meaning]] = {
    form: meaning
    for meaning, phrases in reversed(_SAID)
    for phrase in phrases.split("|")
    for form in _forms(phrase.split())
}
"""Phrase → what it does; where a phrase stands twice, its first meaning above holds."""

_ENGLISH = (
    "more less fewer the of about and or not no i me my show want like with from for only please"
    " don't stop to posts until much hide give love hate a"
)
_FRENCH = (
    "plus moins de la le les l d du des et ou pas je j ne n me en sur avec pour un une montre aime"
    " jusqu jusque cette ce marre davantage trop beaucoup rien que sans"
)
ENGLISH: Final = frozenset(_ENGLISH.split())
FRENCH: Final = frozenset(_FRENCH.split())
"""Words that tell the language of a sentence."""

OWN_LANGUAGE: Final = frozenset(
    ("chat", "pub", "fait", "info", "fun", "take", "rage", "pet", "offer")
)
"""Words that mean something else in the other language: looked up in their own only."""
