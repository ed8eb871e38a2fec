"""Material: what strangers wrote, made fit to be shown to a language model as data.

Nothing that is left can end the place where it stands, look like a turn of the conversation, or
say something that people who see the text do not see.
"""

from __future__ import annotations

import re
from typing import Final
from unicodedata import category, normalize

UNSEEN: Final = frozenset({"Cc", "Cf", "Cn", "Co", "Cs"})
"""Categories of signs that show nothing: controls, marks of direction, tags, what is unassigned."""

BLANK: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0e\uffa0\U000e0100-\U000e01ef]"
)
"""Letters and marks that show nothing either: fillers, joiners, selectors of a sign's variant."""

MARKUP: Final = re.compile(r"<(?=[^\s3…])|\[(?=/?(?:[a-z]?[A-Z_]{3}|(?i:inst|sys)))|(?<=[|｜])>")
"""Where marks of a chat template or of markup begin or end; a heart (<3) is none.

Among them <|im_end|>, <｜User｜> and </s>, [INST], [TOOL_CALLS] and [gMASK].
"""


def material(text: str, most: int) -> str:
    """At most `most` signs of a text, without what is unseen or looks like a template's marks."""
    lines = re.sub(r"\r\n?|[\v\f\x1c-\x1e\x85\u2028\u2029]", "\n", text[: 4 * most])
    seen = "".join(sign for sign in lines if sign in "\n\t" or category(sign) not in UNSEEN)
    plain = normalize("NFC", BLANK.sub("", seen))
    harmless = MARKUP.sub(lambda mark: {"<": "‹", "[": "⟦", ">": "›"}[mark[0]], plain)
    return harmless if len(harmless) <= most else harmless[: most - 1] + "…"


TO_MACHINES: Final = re.compile(
    r"""
    \b(?: ignore[zr]? | disregard | forget | override | oublie[zr]? | ne\ tiens\ pas\ compte ) \b
    | \b(?: instructions? | consignes? | prompts? | rules | regles | tool | outil | call ) \b
    | \b(?: system | systeme | developer | developpeur | maintainers | operateur | operator ) \b
    | \b(?: assistant | language\ model | modele\ de\ langue | summari[sz]er | ia | an\ ai ) \b
    | \b(?: you\ are\ now | from\ now\ on | tu\ es\ maintenant | desormais ) \b
    | \b(?: every | all | next | chaque | toutes\ les | publication\ suivante ) \b .{0,20} \b post
    | \b(?: anyone\ asks | reader | viewers | te\ demande | lecteurs | pour\ la\ suite ) \b
    | \b(?: cite | claims | label | etiquette | human ) \b
    | [{}`|‹] | --- | <!-- | !\[
    """,
    re.VERBOSE,
)
"""Signs that a text speaks to machines, in English and French; most texts that match do not."""

LOOKALIKES: Final = str.maketrans("аеіоруѕсх", "aeiopyscx")


def to_machines(text: str) -> bool:
    """Whether a text may speak to machines, so that it is not shown where it can be left out."""
    if any((category(sign) == "Cf" or BLANK.match(sign)) and sign not in JOINERS for sign in text):
        return True
    plain = normalize("NFKD", material(text, 10_000).casefold()).translate(LOOKALIKES)
    return TO_MACHINES.search("".join(s for s in plain if category(s) != "Mn")) is not None


JOINERS: Final = frozenset("\u180b\u180c\u180d\u200c\u200d\ufe0e")
"""Unseen signs that ordinary writing has: in Mongolian, Persian and Indic scripts, and in emoji."""
