"""Plain words, English and French → wishes; nothing is guessed: what is not understood is refused.

A sentence is read once from left to right. Words become pushes (more, less), degrees (a bit),
aspects (topics, tones, …), ends (until Sunday) or plain words; marks and conjunctions part it. A
push holds for what it stands before, and for what is listed after that, until the next push.
"""

from __future__ import annotations

from typing import Final, NoReturn

from ariane.steer.clauses import Clause, Said
from ariane.steer.phrases import PLAIN, STRONG, WHOLE, Degree, Mark, Push
from ariane.steer.sentence import Sentence
from ariane.steer.targets import LONGEST, Named, targets, word_target
from ariane.steer.until import Unclear, ending
from ariane.types import CallError, Wish

LIMIT: Final = 500
"""The most characters of one sentence of wishes."""

NOT_UNDERSTOOD: Final = {
    "en": "“{said}” is not understood as a wish; say it as in “less politics until Sunday” or "
    "« plus de sciences, moins de sport ».",
    "fr": "« {said} » n’est pas compris comme un souhait ; dites-le comme dans "
    "« moins de politique jusqu’à dimanche » ou “more science, less sport”.",
}

_PAUSES: Final = frozenset(",;:.!?()/…")


class NotUnderstoodError(CallError):
    """Words that make no wish; `said` are those that were not understood."""

    def __init__(self, said: str) -> None:
        super().__init__(NOT_UNDERSTOOD["en"].format(said=said))
        self.said = said

    def sentence(self, language: str) -> str:
        """The error in French for "fr", in English for any other language."""
        return NOT_UNDERSTOOD["fr" if language == "fr" else "en"].format(said=self.said)


def parse(said: str, at: int) -> tuple[Wish, ...]:
    """The wishes in a sentence of English or French, as said at `at` (UTC milliseconds).

    A wish's id is its target, so that asking again replaces it; `said` is its part of the sentence.
    Raises NotUnderstoodError, which quotes what was not understood, and CallError where it is too
    long.
    """
    if len(said) > LIMIT:
        raise CallError(f"A wish of {len(said)} characters is too long; say it in {LIMIT}.")
    return _Reading(Sentence.of(said), at).wishes()


class _Reading:
    """One pass over the words of a sentence."""

    def __init__(self, sentence: Sentence, at: int) -> None:
        self.sentence, self.said, self.at = sentence, sentence.said, at
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
        said = self.sentence.quoted(clause.start, clause.end)
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
        elif self.clauses and self.pending is None and self.sentence.ends(self.place):
            for clause in self.clauses:
                clause.until = clause.until or until
        else:
            self.leading = until
        if self.clause is not None and not self.fresh and self.clause.end <= start:
            self.clause.end = self.place
        return True

    def _ends(self, clause: Clause, until: int) -> None:
        """An end closes its clause, and those of the same direction that "and" joins to it."""
        clause.until = until
        for earlier, later in zip(self.clauses[-2::-1], self.clauses[::-1], strict=False):
            if not (later.softly and earlier.direction == later.direction and not earlier.until):
                break
            earlier.until = until

    def _phrase(self) -> bool:
        named, begun = bool(self.run or self.group), self.clause is not None
        meant, length = self.sentence.meaning(self.place, self.pending, named=named, begun=begun)
        known = self.sentence.aspect(self.place)
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

    def _mark(self, mark: Mark, start: int) -> None:
        named = self.run[-1].target if self.run else None
        if mark.part in ("of", "filler") and self.sentence.linked(self.place, mark, named):
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
        elif mark.part == "from" and (handle := self.sentence.handle(self.place)):
            self._name([f"author:{handle}"])

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
        if self.clause is None or self.sentence.goes_on(self.place):
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
        self.group += targets(self.sentence.text, self.said, run)
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
        raise NotUnderstoodError(self.sentence.quoted(start, after))
