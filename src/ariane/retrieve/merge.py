"""Lists of ids, best first, into one: turn and turn about, each id once, with all who found it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence


def merge(
    found: Mapping[str, Sequence[str]], limit: int, without: Collection[str] = ()
) -> dict[str, tuple[str, ...]]:
    """Id → the names that found it, best first; at most `limit` ids, none of them in `without`.

    An id stands at its best place in any list; among equal places the id that more lists hold
    comes first, then the order of `found`.
    """
    best: dict[str, int] = {}
    finders: dict[str, list[str]] = {}
    for name, ids in found.items():
        kept = [post for post in dict.fromkeys(ids) if post not in without]
        for place, post in enumerate(kept):
            best[post] = min(place, best.get(post, place))
            finders.setdefault(post, []).append(name)
    order = sorted(best, key=lambda post: (best[post], -len(finders[post])))
    return {post: tuple(finders[post]) for post in order[:limit]}
