"""Merging keeps every source, repeats nothing, and gives every source its turn."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ariane.retrieve.merge import merge

lists = st.dictionaries(
    st.sampled_from(["following", "nearest", "towers", "fresh"]),
    st.lists(st.integers(0, 30).map(str), max_size=25),
)


@given(lists, st.integers(0, 40), st.frozensets(st.integers(0, 30).map(str)))
def test_merged_ids_keep_every_source_that_found_them(
    found: dict[str, list[str]], limit: int, without: frozenset[str]
) -> None:
    merged = merge(found, limit, without)
    every = {post for ids in found.values() for post in ids} - without
    assert len(merged) == min(limit, len(every))
    for post, names in merged.items():
        assert names == tuple(name for name, ids in found.items() if post in ids)
        assert post not in without


@given(lists)
def test_a_better_place_in_some_list_comes_first(found: dict[str, list[str]]) -> None:
    best: dict[str, int] = {}
    for ids in found.values():
        for place, post in enumerate(dict.fromkeys(ids)):
            best[post] = min(place, best.get(post, place))
    places = [best[post] for post in merge(found, 100)]
    assert places == sorted(places)


def test_found_by_more_comes_first_among_equals_then_the_earlier_source() -> None:
    found = {"a": ["1", "2", "3"], "b": ["4", "3", "2"], "c": ["4"]}
    assert list(merge(found, 10)) == ["4", "1", "2", "3"]
