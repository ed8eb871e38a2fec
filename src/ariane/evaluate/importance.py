"""What the ranker's order rests on: how much AUC falls when one group of inputs says nothing.

The history is taken away whole, as from someone new. Every other group keeps its values and loses
whom they belong to: among the measured exposures they are dealt out anew (permutation importance;
Breiman 2001, section 10), so that the model sees nothing that it was not trained on. Of groups that
say the same (a post's topic is in its vector too) each alone costs little, and the losses of groups
do not add up: `reading` takes both away at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ariane.metrics import auc, paired_bootstrap
from ariane.rank.batch import CANDIDATE_NAMES, POST_NAMES
from ariane.rank.model import RankerModel
from ariane.train.examples import Bools, Examples, Ints
from ariane.train.packed import predict

Reals = NDArray[np.float64]

MOST: Final = 8000
"""Exposures that are measured on, of viewers drawn until there are as many."""

GROUPS: Final = (
    "history",
    "reading",
    "vectors",
    "aspects",
    "authors",
    "posts",
    "ages",
    "context",
)
"""The groups of inputs; `reading` is `vectors` and `aspects` together."""

_ASPECTS: Final = 2 * len(POST_NAMES)
_AGE: Final = 2 * CANDIDATE_NAMES.index("age")


def importances(
    model: RankerModel,
    examples: Examples,
    chosen: Bools,
    head: int,
    *,
    most: int = MOST,
    draws: int = 2000,
    seed: int = 0,
) -> dict[str, Any]:
    """The AUC of a head on the chosen exposures, and what it loses without each group.

    JSON values: `exposures`, `viewers`, `auc`, and `loss`: for each of GROUPS `[low, mid, high]`,
    paired by viewer. `auc` and losses are None where no viewer tells them.
    """
    some = drawn(examples, chosen, most, seed)
    liked, viewers = examples.labels[some, head], examples.viewer[some]

    def measured(given: Examples) -> tuple[Reals, Reals]:
        return areas(liked, predict(model, given, some)[:, head], viewers)

    whole, weights = measured(examples)
    loss: dict[str, list[float] | None] = dict.fromkeys(GROUPS)
    for group in GROUPS if len(whole) else ():
        without, _ = measured(deprived(examples, group, some, seed))
        fall = paired_bootstrap(whole, without, weights, draws=draws, seed=seed)
        loss[group] = fall.rounded()
    return {
        "exposures": int(some.sum()),
        "viewers": len(whole),
        "auc": round(float(np.average(whole, weights=weights)), 4) if len(whole) else None,
        "loss": loss,
    }


def areas(liked: Bools, scores: NDArray[Any], viewers: Ints) -> tuple[Reals, Reals]:
    """AUC and number of exposures of each viewer with both outcomes; `viewers` (n,) ascend."""
    groups = np.split(np.arange(len(liked)), np.flatnonzero(np.diff(viewers)) + 1)
    both = [some for some in groups if 0 < liked[some].sum() < len(some)]
    return (
        np.array([auc(liked[some], scores[some]) for some in both]),
        np.array([len(some) for some in both], np.float64),
    )


def drawn(examples: Examples, chosen: Bools, most: int, seed: int) -> Bools:
    """The chosen exposures of viewers drawn in turn, up to `most` but for the last viewer's."""
    counts = np.bincount(examples.viewer[chosen], minlength=len(examples.viewers))
    order = np.random.default_rng(seed).permutation(np.flatnonzero(counts))
    before = np.cumsum(counts[order]) - counts[order]
    return chosen & np.isin(examples.viewer, order[before < most])


def deprived(examples: Examples, group: str, some: Bools, seed: int) -> Examples:
    """The same examples where, for these exposures, a group of inputs says nothing."""
    if group == "history":
        return replace(examples, visible=np.where(some, 0, examples.visible))
    rows = np.flatnonzero(some)
    dealt = rows[np.random.default_rng(seed).permutation(len(rows))]
    for change in _CHANGES[group]:
        examples = change(examples, rows, dealt)
    return examples


_Change = Callable[[Examples, Ints, Ints], Examples]


def _vectors(examples: Examples, rows: Ints, dealt: Ints) -> Examples:
    """Of an exposure's post, `packed.pack` takes the vector alone."""
    return replace(examples, post=_moved(examples.post, rows, dealt))


def _names(columns: slice) -> _Change:
    def change(examples: Examples, rows: Ints, dealt: Ints) -> Examples:
        names = examples.candidates.names.copy()
        names[rows, columns] = examples.candidates.names[dealt, columns]
        return replace(examples, candidates=replace(examples.candidates, names=names))

    return change


def _authors(examples: Examples, rows: Ints, dealt: Ints) -> Examples:
    author = _moved(examples.candidates.author, rows, dealt)
    return replace(examples, candidates=replace(examples.candidates, author=author))


def _posts(examples: Examples, rows: Ints, dealt: Ints) -> Examples:
    post = _moved(examples.candidates.post, rows, dealt)
    return replace(examples, candidates=replace(examples.candidates, post=post))


def _context(examples: Examples, rows: Ints, dealt: Ints) -> Examples:
    names = _moved(examples.context.names, rows, dealt)
    return replace(examples, context=replace(examples.context, names=names))


def _moved(values: NDArray[Any], rows: Ints, dealt: Ints) -> NDArray[Any]:
    """The values with those of `dealt` at `rows`."""
    found = values.copy()
    found[rows] = values[dealt]
    return found


_CHANGES: Final[dict[str, Sequence[_Change]]] = {
    "reading": (_vectors, _names(slice(-_ASPECTS, None))),
    "vectors": (_vectors,),
    "aspects": (_names(slice(-_ASPECTS, None)),),
    "authors": (_authors,),
    "posts": (_posts,),
    "ages": (_names(slice(_AGE, _AGE + 2)),),
    "context": (_context,),
}
