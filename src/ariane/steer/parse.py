"""Plain words, English and French → wishes; nothing is guessed: what is not understood is refused.

A sentence is read once from left to right. Words become pushes (more, less), degrees (a bit),
aspects (topics, tones, …), ends (until Sunday) or plain words; marks and conjunctions part it. A
push holds for what it stands before, and for what is listed after that, until the next push.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NoReturn

from ariane.steer.clauses import Clause, Said
from ariane.steer.phrases import (
    ENGLISH,
    FRENCH,
    MEANINGS,
    PLAIN,
    STRONG,
    WHOLE,
    Degree,
    Mark,
    Push,
)
from ariane.steer.targets import LONGEST, Named, aspect, targets, word_target
from ariane.steer.until import Unclear, ending
from ariane.steer.words import Word, cleaned, words
from ariane.types import CallError, Wish

LIMIT: Final = 500
"""The most characters of one sentence of wishes."""

_PHRASE: Final = max(map(len, MEANINGS))

_LINKS: Final = ("l", "le", "la", "les", "the")
_ARTICLES: Final = ("de", "du", "des", "d", "l", "la", "le", "les")
_PAUSES: Final = frozenset(",;:.!?()/…")


def parse(said: str, at: int) -> tuple[Wish, ...]:
    """The wishes in a sentence of English or French, as said at `at` (UTC milliseconds).

    A wish's id is its target, so that asking again replaces it; `said` is its part of the sentence.
    Raises CallError, which quotes what was not understood.
    """
    if len(said) > LIMIT:
        raise CallError(f"A wish of {len(said)} characters is too long; say it in {LIMIT}.")
    text = cleaned(said)
    return _Reading(text, words(text), at).wishes()


class _Reading:
    """One pass over the words of a sentence."""

    def __init__(self, text: str, said: Sequence[Word], at: int) -> None:
        self.text, self.said, self.at = text, said, at
        flat = [word.folded for word in said]
        self.french = sum(w in FRENCH for w in flat) > sum(w in ENGLISH for w in flat)
        self.place = 0
        self.pending: Said | None = None
        self.clauses: list[Clause] = []
        self.clause: Clause | None = None  # the one that what is named now belongs to
        self.run: list[Named] = []  # aspects and plain words that stand side by side
        self.group: list[str] = []  # targets of one noun phrase
        self.fresh = True  # nothing was named since the last mark or conjunction
        self.soft = False  # the last part was ended by a conjunction
        self.contrast = False  # this part begins with "but"
        self.listed: int | None = None  # where the clause ended before this part went on with it
        self.opened = 0  # where this part begins
        self.leading: int | None = None
        self.polite = False

    def wishes(self) -> tuple[Wish, ...]:
        """Read every word, then settle what was left open."""
        while self.place < len(self.said):
            self._step()
        self._part(len(self.said), soft=False)
        self._settle()
        found: dict[str, Wish] = {}
        for clause in self.clauses:
            for group in clause.about:
                for target in group:
                    found.pop(target, None)
                    found[target] = self._wish(clause, target, len(set(group)))
        if not found:
            self._refuse(0, len(self.said))
        return tuple(found.values())

    def _wish(self, clause: Clause, target: str, beside: int) -> Wish:
        sign, strength = clause.direction or (1, PLAIN)
        if sign < 0 and beside > 1:
            strength = min(strength, STRONG)  # "no angry posts about art" asks for no end of art
        said = self.text[self.said[clause.start].start : self.said[clause.end - 1].end]
        return Wish(target, target, sign, strength, clause.until, said)

    # ----- one word or phrase -----

    def _step(self) -> None:
        word = self.said[self.place]
        if word.kind == "quoted":
            self._name([word_target(word.folded)])
        elif word.kind == "author":
            self._name([f"author:{word.folded}"])
        elif word.kind == "mark":
            self.place += 1
            if word.folded in _PAUSES:
                self._part(self.place - 1, soft=False)
        elif not (self._time() or self._phrase()):
            self.run.append(Named(self.place, self.place + 1, ""))
            self.place += 1

    def _time(self) -> bool:
        try:
            found = ending(self.said[self.place :], self.at)
        except Unclear as unclear:
            self._refuse(self.place, self.place + int(unclear.args[0]))
        if found is None:
            return False
        until, count = found
        self._flush()
        start, self.place = self.place, self.place + count
        if self.clause is not None and not self.fresh and self.pending is None:
            self._ends(self.clause, until)
        elif self.clauses and self.pending is None and self._last():
            for clause in self.clauses:
                clause.until = clause.until or until
        else:
            self.leading = until
        if self.clause is not None and not self.fresh and self.clause.end <= start:
            self.clause.end = self.place
        return True

    def _last(self) -> bool:
        """Whether only marks and courtesies follow."""
        rest = self.said[self.place :]
        return all(
            word.kind == "mark" or isinstance(MEANINGS.get((word.folded,)), Mark) for word in rest
        )

    def _ends(self, clause: Clause, until: int) -> None:
        """An end closes its clause, and those of the same direction that "and" joins to it."""
        clause.until = until
        for earlier, later in zip(self.clauses[-2::-1], self.clauses[::-1], strict=False):
            if not (later.softly and earlier.direction == later.direction and not earlier.until):
                break
            earlier.until = until

    def _phrase(self) -> bool:
        meant, length = self._meaning()
        known = aspect(self.said, self.place, self.french)
        if known and known.after - known.first >= length:
            self.run.append(known)
            self.place = known.after
            return True
        if meant is None:
            return False
        start, self.place = self.place, self.place + length
        if isinstance(meant, Mark):
            self._mark(meant, start)
        else:
            self._flush()
            self._push(meant, start)
        return True

    def _meaning(self) -> tuple[Push | Degree | Mark | None, int]:
        for length in range(min(_PHRASE, len(self.said) - self.place), 0, -1):
            part = self.said[self.place : self.place + length]
            if all(word.kind == "word" for word in part):
                meant = MEANINGS.get(tuple(word.folded for word in part))
                if meant is not None and not (isinstance(meant, Mark) and self._initials(part)):
                    return self._in_context(meant, part), length
        return None, 0

    def _initials(self, part: Sequence[Word]) -> bool:
        """AI and US are names where ai and us are not, unless the whole sentence is in capitals."""
        raw = self.text[part[0].start : part[0].end]
        return len(part) == 1 and len(raw) > 1 and raw.isupper() and not self.text.isupper()

    def _in_context(
        self, meant: Push | Degree | Mark, part: Sequence[Word]
    ) -> Push | Degree | Mark:
        """Words that mean one thing in one place: plus, que, or."""
        word = part[0].folded
        ne = self.pending is not None and self.pending.ne
        if word == "plus" and ne and not (self.pending and self.pending.negated):
            next_one = self.said[self.place + 1 : self.place + 2]
            return Push(1 if next_one and next_one[0].folded in ("que", "qu") else -1, WHOLE)
        if word == "plus" and len(part) == 1 and not self.french:
            return Mark("and") if self.run or self.group else Push(1, PLAIN)
        if word == "or" and self.french:
            return Mark("noun")
        if isinstance(meant, Mark) and meant.part == "que":
            after = self.place + 1
            follows = self.said[after].folded if after < len(self.said) else ""
            opens = self.pending is None and self.clause is None and follows in _ARTICLES
            return Push(1, WHOLE) if ne or opens else Mark("filler")
        return meant

    def _mark(self, mark: Mark, start: int) -> None:
        if mark.part in ("of", "filler") and self.run and self._linked(mark):
            return
        self._flush()
        if mark.part in ("and", "but"):
            self._part(start, soft=True)
            self.contrast = mark.part == "but"
        elif mark.part == "please":
            self.polite = True
        elif mark.part in ("not", "ne"):
            self._open(start)
            if self.pending is not None:
                self.pending.negated += mark.part == "not"
                self.pending.ne |= mark.part == "ne"
        elif mark.part == "this" and self.pending is not None:
            self.pending.pointing = True
        elif mark.part == "refused":
            self._refuse(self.pending.start if self.pending else start, self.place)
        elif mark.part == "from":
            self._author()

    def _linked(self, mark: Mark) -> bool:
        """Whether "of" or an article goes on with a phrase, as in droits de l'homme."""
        before, after = self.said[self.place - 1], self.place
        linking = mark.part == "of" or (
            before.folded in _LINKS and self.said[self.place - 2].folded in ("de", "of")
        )
        if not linking or self.run[-1].target.partition(":")[0] in ("tone", "intent", "format"):
            return False
        while after < len(self.said) and self.said[after].folded in _LINKS:
            after += 1
        if after >= len(self.said) or self.said[after].kind != "word":
            return False
        place, self.place = self.place, after
        meant = self._meaning()[0]
        known = aspect(self.said, after, self.french)
        self.place = place
        plain = meant is None and known is None
        topic = known is not None and known.target.startswith("topic:")
        return (plain or topic) and not (topic and self.run[-1].target)

    def _author(self) -> None:
        """A handle after "from" or "by": one word in small letters, or with digits and dots."""
        if self.place >= len(self.said):
            return
        word = self.said[self.place]
        raw = self.text[word.start : word.end]
        named = (word.folded,) in MEANINGS or aspect(self.said, self.place, self.french)
        follows = self.said[self.place + 1] if self.place + 1 < len(self.said) else None
        alone = follows is None or follows.kind == "mark" or (follows.folded,) in MEANINGS
        if word.kind == "word" and not named and alone and raw == raw.lower() and raw[0].isalpha():
            self._name([f"author:{raw}"])

    # ----- what the words make -----

    def _open(self, start: int) -> None:
        if self.pending is None:
            self.pending = Said(start)

    def _push(self, meant: Push | Degree, start: int) -> None:
        held = self.pending
        verb = isinstance(meant, Push) and meant.verb
        if verb and not self.fresh and held is None and self.clause and self.clause.direction:
            return  # "posts that show …" goes on with what is being named
        if held and held.earlier and isinstance(meant, Push) and not meant.verb:
            if held.pointing:
                self._refuse(held.start, self.opened)
            self.pending = None  # "no, more science"
        if isinstance(meant, Push) and not self.fresh and self._after(meant, start):
            return
        self._open(start)
        if self.pending is None:
            return
        if isinstance(meant, Degree):
            self.pending.degree = meant.strength
        elif self.pending.push is None or not meant.verb:
            double = self.pending.push and not self.pending.push.verb
            if double and self.pending.degree is None and meant.sign == 1:
                return  # "stop showing me more"
            self.pending.push = meant

    def _after(self, meant: Push, start: int) -> bool:
        """A direction said after what it is about, at the end of its part: "politics: less"."""
        if any(word.kind != "mark" for word in self._rest()) or self.clause is None:
            return False
        clause, self.pending = self.clause, self.pending or Said(start)
        if clause.direction is None:
            return False
        if clause.verbal:
            self.pending.push = meant
            clause.direction, self.pending = self.pending.settled(), None
            clause.end = self.place
            return True
        if clause.direction[0] == meant.sign:
            self.pending = None
            clause.end = self.place
            return True
        if self.listed is None:
            return False
        clause.end, self.pending.push = self.listed, meant  # "more art, sport I hate"
        self.clause = Clause(self.opened, self.place, self.pending.settled())
        self.clauses.append(self.clause)
        self.pending = self.listed = None
        return True

    def _rest(self) -> Sequence[Word]:
        """What is left of this part of the sentence, fillers aside."""
        rest = []
        for word in self.said[self.place :]:
            meant = MEANINGS.get((word.folded,))
            if word.kind == "mark" or (isinstance(meant, Mark) and meant.part in ("and", "but")):
                break
            if not (isinstance(meant, Mark) and meant.part in ("filler", "please")):
                rest.append(word)
        return rest

    def _name(self, found: list[str]) -> None:
        self._flush()
        self._belong(self.place)
        self.group += found
        self.place += 1
        if self.clause is not None:
            self.clause.end = self.place

    def _flush(self) -> None:
        """Make targets of what stands side by side."""
        if not self.run:
            return
        first, after = self.run[0].first, self.run[-1].after
        plain = [one for one in self.run if not one.target]
        if len(plain) > LONGEST:
            self._refuse(first, after)
        run, self.run = self.run, []
        self._belong(first)
        self.group += targets(self.text, self.said, run)
        if self.clause is not None:
            self.clause.end = after

    def _belong(self, first: int) -> None:
        """Begin a clause where a new direction was said; else go on with the last one."""
        direction = self.pending.settled() if self.pending else None
        old = self.clause
        if direction is not None and self.pending is not None:
            start = min(self.opened, self.pending.start) if self.fresh else self.pending.start
            new = Clause(start, first, direction, softly=self.soft)
            new.verbal = self.pending.push is not None and self.pending.push.verb
            new.negation = self.pending.push is None or self.pending.push.strength == WHOLE
        elif old is not None and self.contrast and old.direction and self.fresh:
            new = Clause(first, first, (1, PLAIN) if old.direction[0] < 0 else None)
        elif old is None or (old.until is not None and old.until != self.leading):
            new = Clause(first, first, old.direction if old else None, softly=self.soft)
        else:
            self.listed = old.end if self.fresh else self.listed
            self.fresh = False
            return
        self._close()
        new.until = self.leading
        self.clause, self.pending, self.fresh = new, None, False
        self.clauses.append(new)

    def _close(self) -> None:
        if self.clause is not None and self.group:
            self.clause.about.append(self.group)
        self.group = []

    def _part(self, end: int, *, soft: bool) -> None:
        """A mark or a conjunction: what follows is a new part of the sentence."""
        self._flush()
        self._late()
        if self.pending is not None:
            self.pending.earlier = True
        if self.clause is not None and not self.fresh:
            while self.said[end - 1].kind == "mark":
                end -= 1
            self.clause.end = max(self.clause.end, end)
        self._close()
        if not self.fresh or not soft:
            self.soft = soft
        self.fresh, self.opened, self.contrast, self.listed = True, self.place, False, None

    def _late(self) -> bool:
        """A part that is only a direction settles what was named before without one."""
        if self.pending is None:
            return False
        direction = self.pending.settled()
        open_ones = [clause for clause in self.clauses if clause.direction is None]
        if direction is None or not open_ones:
            return False
        for clause in open_ones:
            clause.direction, clause.end = direction, self.place
        self.pending = None
        return True

    def _settle(self) -> None:
        """Refuse what was named without a direction, and a direction of nothing."""
        for clause, after in zip(self.clauses, (*self.clauses[1:], None), strict=False):
            if clause.direction is None:
                denied = after is not None and after.negation and after.direction
                if not (self.polite or (denied and denied[0] < 0)):  # "guides, not opinions"
                    self._refuse(clause.start, clause.end)
                clause.direction = (1, PLAIN)
        if self.pending is not None and self.pending.push is not None:
            self._refuse(self.pending.start, len(self.said))

    def _refuse(self, start: int, after: int) -> NoReturn:
        part = self.said[start:after]
        quoted = self.text[part[0].start : part[-1].end] if part else self.text
        raise CallError(
            f"“{quoted}” is not understood as a wish; say it as in “less politics until Sunday” or "
            "« plus de sciences, moins de sport »."
        )
