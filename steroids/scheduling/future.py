"""What will come about by itself. Pure."""

import contextlib
import graphlib
from collections.abc import Collection, Mapping
from typing import TypeVar

T = TypeVar("T")


def attainable(needs: Mapping[T, Collection[T]], lost: Collection[T]) -> set[T]:
    """Those that are not lost, and that need nothing but what is attainable.

    What goes round in a circle is not, nor what needs such a thing. Without recursion, since a
    chain may be thousands long.
    """
    sorter = graphlib.TopologicalSorter(needs)
    # It goes on all the same, up to where the circles begin.
    with contextlib.suppress(graphlib.CycleError):
        sorter.prepare()
    found: set[T] = set()
    while ready := sorter.get_ready():
        for each in ready:
            if each not in lost and found.issuperset(needs.get(each, ())):
                found.add(each)
        sorter.done(*ready)
    return found
