"""Which locks a task needs, and who stands in the way of having them. Pure.

Write your section, read your dependencies: a task holds its own section exclusively and shares
every section that it depends on. The whole project is a resource too, shared by every task and
held exclusively by a task of an exclusive section. To these come the files that a task says it
will change, and a place in each zone that it touches. All locks of a task are granted at once, so
nobody waits while holding and no deadlock can arise.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from steroids.scheduling.globs import intersect

PROJECT = "project"
FILES = "files:"


@dataclass(frozen=True)
class Lock:
    resource: str
    exclusive: bool
    places: int | None = None
    """How many may share it at once; none: any number."""


@dataclass(frozen=True)
class Held:
    """A lock that somebody has, and for which task."""

    lock: Lock
    task_id: str


def section_resource(section_id: str) -> str:
    return f"section:{section_id}"


def files_resource(glob: str) -> str:
    return f"{FILES}{glob}"


def zone_resource(name: str) -> str:
    return f"zone:{name}"


class Board:
    """The locks that are held; `add` when one is granted."""

    def __init__(self, held: Iterable[Held] = ()) -> None:
        self._by_resource: dict[str, list[Held]] = defaultdict(list)
        self._files: list[Held] = []
        for each in held:
            self.add(each)

    def add(self, held: Held) -> None:
        if held.lock.resource.startswith(FILES):
            self._files.append(held)
        else:
            self._by_resource[held.lock.resource].append(held)

    def and_also(self, more: Iterable[Held]) -> "Board":
        """Another board, with these on it too."""
        held = [each for row in self._by_resource.values() for each in row]
        return Board([*held, *self._files, *more])

    def blockers(self, wanted: Iterable[Lock]) -> list[Held]:
        """Those of the held locks that stand in the way of these."""
        return [held for lock in wanted for held in self._against(lock)]

    def _against(self, lock: Lock) -> list[Held]:
        if lock.resource.startswith(FILES):
            glob = lock.resource.removeprefix(FILES)
            return [h for h in self._files if intersect(glob, h.lock.resource.removeprefix(FILES))]
        holders = self._by_resource.get(lock.resource, [])
        if lock.places is not None and len(holders) >= lock.places:
            return holders
        return [held for held in holders if lock.exclusive or held.lock.exclusive]
