"""Writing down what a round of claims has granted: tasks, attempts, leases, audit, events."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, text
from sqlmodel import Session, col

from steroids.scheduling.locks import Lock
from steroids.store import project_models as db
from steroids.store.bulk import Bulk
from steroids.store.columns import new_id, utc_now
from steroids.wire.event import EventKind
from steroids.wire.task import TaskStatus

INTERRUPTED = "interrupted"

ATTEMPT: tuple[Any, ...] = (
    col(db.Attempt.id).label("attempt_id"),
    col(db.Attempt.status).label("attempt_status"),
    col(db.Attempt.base_commit).label("attempt_base"),
)
"""Columns of the current attempt, joined by `IS_CURRENT`."""
IS_CURRENT = and_(
    col(db.Attempt.task_id) == col(db.Task.id),
    col(db.Attempt.number) == col(db.Task.current_attempt),
)


@dataclass
class Granted:
    runner_id: str
    task: Any
    """Columns of the task and of its current attempt."""
    section: str
    locks: frozenset[Lock]
    fence: int = 0
    """Set by `write`."""


def write(session: Session, granted: Sequence[Granted], *, base: str, expires_at: datetime) -> None:
    """Begin an attempt of each task, or go on with one that was interrupted, under new leases."""
    last = next_fences(session, len(granted))
    now = utc_now()
    bulk = Bulk(session)
    begun = []
    for number, each in enumerate(granted):
        each.fence = last - len(granted) + 1 + number
        begun.append(_begin(each, base, now))
    _attempts(bulk, begun)
    bulk.update(db.Task, [{name: each[name] for name in ("id", *_CHANGED)} for each in begun])
    bulk.insert(
        db.Lease,
        [
            {
                "resource": lock.resource,
                "exclusive": lock.exclusive,
                "task_id": each.task["id"],
                "runner_id": each.runner_id,
                "fence": each.fence,
                "granted_at": now,
                "expires_at": expires_at,
            }
            for each in granted
            for lock in sorted(each.locks, key=lambda lock: lock.resource)
        ],
    )
    bulk.insert(
        db.Audit,
        [
            {
                "task_id": each.task["id"],
                "at": now,
                "actor": f"runner {each.runner_id[:8]}",
                "from_status": TaskStatus.PENDING,
                "to_status": TaskStatus.IN_PROGRESS,
            }
            for each in granted
        ],
    )
    bulk.insert(
        db.Event,
        [
            {
                "at": now,
                "kind": EventKind.CLAIMED,
                "text": "",
                "section": each.section,
                "runner_id": each.runner_id,
                "task_id": each.task["id"],
                "task": each.task["title"],
                "attempt": new["current_attempt"],
                "data": {},
            }
            for each, new in zip(granted, begun, strict=True)
        ],
    )
    bulk.write()


_TAKE_FENCES = text(
    "INSERT INTO counters (name, value) VALUES ('fence', :count) "
    "ON CONFLICT (name) DO UPDATE SET value = counters.value + :count RETURNING value"
)


def next_fences(session: Session, count: int) -> int:
    """Take that many fences and return the last of them; they grow for as long as the store is."""
    return int(session.connection().execute(_TAKE_FENCES, {"count": count}).scalar_one())


_CHANGED = (
    "status",
    "base_commit",
    "latest_commit",
    "current_attempt",
    "attempt_base_commit",
    "updated_at",
)


def _begin(granted: Granted, base: str, now: datetime) -> dict[str, Any]:
    """The task's new columns, and its attempt's."""
    task = granted.task
    goes_on = task["attempt_status"] == INTERRUPTED
    # Its work did not go with the target, so it starts there and has that merged in.
    anew = task["squash_commit"] is not None and task["squash_commit"] == task["latest_commit"]
    start = base if anew else (task["latest_commit"] or task["base_commit"] or base)
    return {
        "id": task["id"],
        "status": TaskStatus.IN_PROGRESS,
        "base_commit": base if anew else (task["base_commit"] or base),
        "latest_commit": start,
        "current_attempt": task["current_attempt"] + (0 if goes_on else 1),
        "attempt_base_commit": task["attempt_base"] if goes_on else start,
        "updated_at": now,
        "attempt": task["attempt_id"] if goes_on else None,
        "section_id": task["section_id"],
        "runner_id": granted.runner_id,
    }


def _attempts(bulk: Bulk, begun: Sequence[dict[str, Any]]) -> None:
    again = [
        {"id": each["attempt"], "status": "running", "runner_id": each["runner_id"]}
        for each in begun
        if each["attempt"]
    ]
    if again:
        bulk.update(db.Attempt, again)
    bulk.insert(
        db.Attempt,
        [
            {
                "id": new_id(),
                "task_id": each["id"],
                "number": each["current_attempt"],
                "section_id": each["section_id"],
                "runner_id": each["runner_id"],
                "status": "running",
                "base_commit": each["attempt_base_commit"],
                "files": 0,
                "added": 0,
                "removed": 0,
                "outside": [],
                "started_at": each["updated_at"],
            }
            for each in begun
            if not each["attempt"]
        ],
    )
