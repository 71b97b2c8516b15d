"""Sections as scheduling sees them, and what follows from how they are related. Pure.

Two kinds of relation are kept apart: `dependencies` (whose code a section reads) and `after`
(what has to be finished before it begins).
"""

import graphlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass

Related = Mapping[str, Collection[str]]
"""Ids of sections, each with those that it names."""


@dataclass(frozen=True)
class SectionView:
    id: str
    name: str
    exclusive: bool = False
    dependencies: frozenset[str] = frozenset()
    after: frozenset[str] = frozenset()
    paths: tuple[str, ...] = ()
    skipped: bool = False
    priority: int = 50
    position: int = 0


def reachable(start: str, related: Related) -> frozenset[str]:
    """All that `start` names, directly or through others; never itself."""
    seen: set[str] = set()
    todo = [start]
    while todo:
        for other in set(related.get(todo.pop(), ())) - seen:
            seen.add(other)
            todo.append(other)
    return frozenset(seen - {start})


def cycle(related: Related) -> list[str] | None:
    """A way that leads back to where it began, its first id repeated at the end; or none."""
    try:
        graphlib.TopologicalSorter(related).prepare()
    except graphlib.CycleError as error:
        # It is given from what is named to who names it.
        found = [str(each) for each in error.args[1]]
        return found[::-1]
    return None


def in_order(sections: Mapping[str, SectionView]) -> list[SectionView]:
    """As they are worked on: by priority, then position."""
    return sorted(sections.values(), key=lambda each: (each.priority, each.position))


def blocked_by(
    section: SectionView, sections: Mapping[str, SectionView], unfinished: Collection[str]
) -> list[SectionView]:
    """Those of the sections that it comes after, directly or not, that are `unfinished` (ids)."""
    related = {each.id: each.after for each in sections.values()}
    before = reachable(section.id, related)
    return [each for each in in_order(sections) if each.id in before and each.id in unfinished]
