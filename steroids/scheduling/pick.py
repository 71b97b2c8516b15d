"""What a runner does next. Pure: data in, decision out."""

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
    """There is work, and `task_id` holds what it needs (or waits for it alone and comes first)."""

    task_id: str | None
    section_id: str | None = None
    """Set when it is an exclusive section's turn."""


def pick(
    section_id: str,
    pending: Sequence[TaskView],
    sections: Mapping[str, SectionView],
    held: Iterable[Held],
    exclusive_waiting: Iterable[str] = (),
) -> Grant | Wait | None:
    """The first task of the section, by priority and position, with its locks.

    None when the section has nothing pending. `exclusive_waiting` are the exclusive sections
    whose runner is waiting already: no other section is granted anything before they had their
    turn, so that a stream of small tasks cannot starve them.
    """
    own = [task for task in pending if task.section_id == section_id]
    if not own:
        return None
    task = min(own, key=lambda each: (each.priority, each.position))
    locks = needed(section_id, sections)
    in_the_way = blockers(locks, held)
    if in_the_way:
        return Wait(in_the_way[0].task_id)
    turn = next((other for other in exclusive_waiting if other != section_id), None)
    if turn is not None and not sections[section_id].exclusive:
        return Wait(None, turn)
    return Grant(task, locks)
