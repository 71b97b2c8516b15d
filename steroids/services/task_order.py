"""Which tasks come after which: what one waits for, and what goes on when that is completed."""

from collections.abc import Iterable, Sequence

from sqlmodel import Session, col, select

from steroids.errors import SteroidsError
from steroids.services.events import record
from steroids.services.section_rules import Cycle
from steroids.services.transitions import move
from steroids.store import project_models as db
from steroids.wire.event import EventKind
from steroids.wire.task import TaskStatus as S

LOST = {S.FAILED: "failed", S.DISPUTED: "is disputed", S.SKIPPED: "is skipped"}
"""States that a task does not leave without a person, in words."""
LISTED = 3
"""How many titles are named before the others are only counted."""


class WaitedFor(SteroidsError):
    """Other tasks wait for it; `details["followers"]` has their ids."""

    code, exit_code, http_status = "TASK_IN_USE", 6, 409


def begins_as(session: Session, after: Sequence[str]) -> S:
    """`blocked` while one of these (ids) is not completed, else `pending`."""
    return S.BLOCKED if _unfinished(session, after) else S.PENDING


def refuse_cycle(session: Session, task: db.Task, after: Sequence[str]) -> None:
    """Raises `Cycle` when the task would wait for itself, directly or through others."""
    way = _way(session, task.id, after)
    if way is None:
        return
    titles = [task.title, *(session.get_one(db.Task, each).title for each in way)]
    raise Cycle(
        "Tasks would wait for each other in a circle: " + " -> ".join(f"'{t}'" for t in titles),
        hint=f"steroids tasks show {(way[0] if way else task.id)[:8]}",
        details={"cycle": [task.id, *way]},
    )


def _way(session: Session, start: str, after: Sequence[str]) -> list[str] | None:
    """The ids on the way from what it waits for back to itself; none: there is no such way."""
    came_from: dict[str, str] = {}
    todo = list(after)
    for each in after:
        came_from.setdefault(each, start)
    while todo:
        here = todo.pop()
        if here == start:
            way = [start]
            while came_from[way[0]] != start:
                way.insert(0, came_from[way[0]])
            return way
        for each in session.get_one(db.Task, here).after:
            if each not in came_from:
                came_from[each] = here
                todo.append(each)
    return None


def completed(session: Session, task: db.Task) -> None:
    """Move on what waited for this task and for nothing else; to be called in the transaction
    that completes it, after its state has changed."""
    for follower_id in _followers(session, task.id, (S.BLOCKED,)):
        follower = session.get_one(db.Task, follower_id)
        if _unfinished(session, [each for each in follower.after if each != task.id]):
            continue
        section = session.get_one(db.Section, follower.section_id)
        text = f"'{task.title}' is completed"
        move(session, follower, S.PENDING, actor="order", reason=text)
        said = f"'{follower.title}' can be begun: {text}"
        record(session, EventKind.NOTICE, said, section=section.name, task=follower)


def refuse_waited_for(session: Session, task: db.Task) -> None:
    """Raises `WaitedFor` while tasks that are not at their end wait for it."""
    if task.status == S.COMPLETED:
        return
    found = _followers(session, task.id, set(S) - {S.COMPLETED})
    if found:
        first = session.get_one(db.Task, found[0])
        more = f" and {len(found) - 1} more" if len(found) > 1 else ""
        raise WaitedFor(
            f"'{first.title}'{more} come{'' if more else 's'} after '{task.title}'",
            hint=f"steroids tasks edit {first.id[:8]} --no-after",
            details={"followers": found},
        )


def waiting(session: Session, rows: Iterable[db.Task]) -> dict[str, list[db.Task]]:
    """Of those that are blocked: the tasks that each waits for, by its id."""
    blocked = [row for row in rows if row.status == S.BLOCKED]
    wanted = {each for row in blocked for each in row.after}
    query = select(db.Task).where(col(db.Task.id).in_(wanted), db.Task.status != S.COMPLETED)
    found = {row.id: row for row in session.exec(query)} if wanted else {}
    return {row.id: [found[each] for each in row.after if each in found] for row in blocked}


def words(before: Sequence[db.Task]) -> str:
    """What a task waits for: `'X'`, or `'X', which failed`."""
    lost = [row for row in before if row.status in LOST]
    if lost:
        return f"'{lost[0].title}', which {LOST[S(lost[0].status)]}"
    named = ", ".join(f"'{row.title}'" for row in before[:LISTED])
    return named + (f" and {len(before) - LISTED} more" if len(before) > LISTED else "")


def way_out(task: db.Task, before: Sequence[db.Task]) -> str | None:
    """The commands that end the waiting, when nothing else will."""
    lost = next((row for row in before if row.status in LOST), None)
    if lost is None:
        return None
    return f"steroids tasks retry {lost.id[:8]}, or: steroids tasks edit {task.id[:8]} --no-after"


def _unfinished(session: Session, ids: Sequence[str]) -> bool:
    if not ids:
        return False
    query = select(db.Task.id).where(col(db.Task.id).in_(ids), db.Task.status != S.COMPLETED)
    return session.exec(query.limit(1)).first() is not None


def _followers(session: Session, task_id: str, statuses: Iterable[S]) -> list[str]:
    """Ids, in their order. Columns, since a project may have many and specs are long."""
    query = select(db.Task.id, db.Task.after).where(
        col(db.Task.status).in_(list(statuses)), col(db.Task.removed_at).is_(None)
    )
    rows = session.exec(query.order_by(col(db.Task.position)))
    return [follower for follower, after in rows if task_id in after]
