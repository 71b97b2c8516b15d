"""What a runner does next. Pure: data in, decision out."""

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from steroids.scheduling.locks import Board, Held, Lock
from steroids.scheduling.rules import Rules, TaskView

_MINE = ""
"""In place of a task's id: what would be granted."""

TasksOf = Callable[[str], Iterable[TaskView]]
"""The pending tasks of a section, by priority and position; asked for one after the other."""


@dataclass(frozen=True)
class Grant:
    task: TaskView
    locks: frozenset[Lock]


@dataclass(frozen=True)
class Turn:
    """A section whose runner waits for these locks, and has waited long enough to go first."""

    section_id: str
    locks: frozenset[Lock]


@dataclass(frozen=True)
class Wait:
    """There is work, and one of three is in its way."""

    held: Held | None = None
    """A lock that another task has."""
    turn: str | None = None
    """A section that has waited for longer."""
    after: tuple[str, ...] = ()
    """Sections that have to be finished first."""


def pick(
    section_ids: Iterable[str],
    tasks_of: TasksOf,
    rules: Rules,
    board: Board,
    turns: Sequence[Turn] = (),
) -> Grant | Wait | None:
    """The first eligible task of the first of the sections that has one, with its locks.

    None when none of them has anything pending, `Wait` for the first of the reasons otherwise.
    `turns` are those who wait, the longest first: what one of them needs is not granted to a
    section that came later, as in a fair readers-writer lock, so that nobody is starved by a
    stream of others.
    """
    reason = None
    for section_id in section_ids:
        found = _pick_in(section_id, tasks_of, rules, board, turns)
        if isinstance(found, Grant):
            return found
        reason = reason or found
    return reason


def _pick_in(
    section_id: str, tasks_of: TasksOf, rules: Rules, board: Board, turns: Sequence[Turn]
) -> Grant | Wait | None:
    section = rules.sections.get(section_id)
    if section is None or section.skipped:
        return None
    tasks = iter(tasks_of(section_id))
    first = next(tasks, None)
    if first is None:
        return None
    before = rules.blocked_by(section_id)
    if before:
        return Wait(after=tuple(each.id for each in before))
    in_the_way = board.blockers(rules.locks_of_section(section_id))
    if in_the_way:
        return Wait(held=in_the_way[0])
    reason = None
    for task in itertools.chain([first], tasks):
        locks = rules.locks_of(task)
        in_the_way = board.blockers(locks)
        earlier = None if in_the_way else _whose_turn(section_id, locks, turns, board)
        if not in_the_way and earlier is None:
            return Grant(task, locks)
        # Another task of the section may touch other files: look on.
        reason = reason or (Wait(held=in_the_way[0]) if in_the_way else Wait(turn=earlier))
    return reason


def _whose_turn(
    section_id: str, locks: frozenset[Lock], turns: Sequence[Turn], board: Board
) -> str | None:
    """The section that waits for longer than this one, and that these locks would hold up."""
    earlier = list(itertools.takewhile(lambda each: each.section_id != section_id, turns))
    if not earlier:
        return None
    granted = board.and_also(Held(lock, _MINE) for lock in locks)
    for turn in earlier:
        if any(held.task_id == _MINE for held in granted.blockers(turn.locks)):
            return turn.section_id
    return None
