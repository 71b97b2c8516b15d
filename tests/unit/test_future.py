"""What will come about by itself: chains, circles, and what was lost on the way."""

from collections.abc import Collection

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steroids.scheduling.future import attainable

NODES = st.integers(0, 7)


@pytest.mark.parametrize(
    ("needs", "lost", "found"),
    [
        ({}, [], ""),
        ({"a": "", "b": "a", "c": "ab"}, [], "abc"),
        ({"a": "x"}, [], "ax"),
        ({"a": "x"}, ["x"], ""),
        ({"a": "", "b": "a", "c": "b", "d": ""}, ["b"], "ad"),
        ({"a": "a", "b": ""}, [], "b"),
        ({"a": "b", "b": "c", "c": "a", "d": "c", "e": ""}, [], "e"),
        ({"a": "b", "b": "a", "c": "de", "d": "", "e": "b"}, [], "d"),
    ],
)
def test_examples(needs: dict[str, str], lost: list[str], found: str) -> None:
    assert attainable(needs, lost) == set(found)


def test_a_chain_may_be_long() -> None:
    chain = {number: [number + 1] for number in range(20_000)}
    assert len(attainable(chain, [])) == 20_001
    assert attainable(chain, [20_000]) == set()


@given(st.dictionaries(NODES, st.sets(NODES)), st.sets(NODES))
def test_it_is_the_least_that_follows_step_by_step(
    needs: dict[int, set[int]], lost: Collection[int]
) -> None:
    every = {*needs, *(each for some in needs.values() for each in some)}
    found: set[int] = set()
    for _ in range(len(every) + 1):
        found = {n for n in every if n not in lost and needs.get(n, set()) <= found}
    assert attainable(needs, lost) == found
