"""Which locks a task needs, and whether it can have them. Pure.

Write your section, read your dependencies: a task holds its own section exclusively and shares
every section that it depends on. The whole project is a resource too, shared by every task and
held exclusively by a task of an exclusive section. All locks of a task are granted at once, so
nobody waits while holding and no deadlock can arise.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

PROJECT = "project"


@dataclass(frozen=True)
class SectionView:
    id: str
    name: str
    exclusive: bool = False
    dependencies: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Lock:
    resource: str
    exclusive: bool

    def conflicts(self, other: "Lock") -> bool:
        return self.resource == other.resource and (self.exclusive or other.exclusive)


@dataclass(frozen=True)
class Held:
    """A lock that somebody has, and for which task."""

    lock: Lock
    task_id: str


def section_resource(section_id: str) -> str:
    return f"section:{section_id}"


def reads(section_id: str, sections: Mapping[str, SectionView]) -> frozenset[str]:
    """Ids of all sections that this one depends on, transitively; never its own."""
    seen: set[str] = set()
    todo = [section_id]
    while todo:
        current = sections.get(todo.pop())
        for dependency in (current.dependencies if current else frozenset()) - seen:
            seen.add(dependency)
            todo.append(dependency)
    return frozenset(seen - {section_id})


def needed(section_id: str, sections: Mapping[str, SectionView]) -> frozenset[Lock]:
    section = sections[section_id]
    shared = {Lock(section_resource(other), False) for other in reads(section_id, sections)}
    own = {Lock(section_resource(section_id), True), Lock(PROJECT, section.exclusive)}
    return frozenset(shared | own)


def blockers(wanted: Iterable[Lock], held: Iterable[Held]) -> list[Held]:
    """Those of the held locks that stand in the way, in the order given."""
    wanted = list(wanted)
    return [other for other in held if any(lock.conflicts(other.lock) for lock in wanted)]
