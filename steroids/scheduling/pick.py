"""What a runner does next. Pure: data in, decision out."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from steroids.scheduling.locks import Held, Lock, SectionView, blockers, needed


@dataclass(frozen=True)
class TaskView:
    id: str
    section_id: str
    priority: int
    position: int


@dataclass(frozen=True)
class Grant:
    task: TaskView
    locks: frozenset[Lock]


@dataclass(frozen=True)
class Wait:
    """There is work; `task_id` holds what it needs, or `section_id` has waited for it longer."""

    task_id: str | None
    section_id: str | None = None
    """Whose turn it is first."""


def pick(
    section_id: str,
    pending: Sequence[TaskView],
    sections: Mapping[str, SectionView],
    held: Iterable[Held],
    waiting: Sequence[str] = (),
) -> Grant | Wait | None:
    """The first task of the section, by priority and position, with its locks.

    None when the section has nothing pending. `waiting` are the sections whose runners wait for
    locks, the longest first: what one of them needs is not granted to a section that came later,
    as in a fair readers-writer lock, so that nobody is starved by a stream of others.
    """
    own = [task for task in pending if task.section_id == section_id]
    if not own:
        return None
    task = min(own, key=lambda each: (each.priority, each.position))
    locks = needed(section_id, sections)
    in_the_way = blockers(locks, held)
    if in_the_way:
        return Wait(in_the_way[0].task_id)
    for other in itertools.takewhile(lambda each: each != section_id, waiting):
        in_its_way = [Held(lock, "") for lock in locks]
        if blockers(needed(other, sections), in_its_way):
            return Wait(None, other)
    return Grant(task, locks)
