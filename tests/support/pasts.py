"""Histories made up, as they come over the wire."""

from datetime import UTC, datetime
from typing import Any

from steroids.wire.commit import Commit
from steroids.wire.history import History, Past
from steroids.wire.task import Task, TaskStatus
from steroids.wire.verdict import Decision, Given

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
BASE = "ba5e" * 10


def a_task(status: TaskStatus = TaskStatus.REVIEW, **facts: Any) -> Task:
    known: dict[str, Any] = {
        "id": "1a2b3c4d" + "0" * 24,
        "title": "Add user authentication",
        "section": "API",
        "section_id": "s",
        "priority": 50,
        "position": 1,
        "spec": "",
        "affected_paths": [],
        "base_commit": BASE,
        "latest_commit": None,
        "current_attempt": 1,
        "attempt_base_commit": BASE,
        "rejection_count": 0,
        "landing_failures": 0,
        "infrastructure_failures": 0,
        "reason": None,
        "landed_hash": None,
        "created_at": NOON,
        "updated_at": NOON,
        "completed_at": None,
    }
    return Task(status=status, **{**known, **facts})


def commit(hash: str, message: str, landed: str | None = None) -> Commit:
    return Commit(
        hash=hash.ljust(40, "0"),
        task_id="t",
        attempt=1,
        message=message,
        author="Ann Author <ann@example.org>",
        created_at=NOON,
        status="pending",
        landed_hash=landed,
    )


def given(reviewer: str, decision: Decision, *reasons: str, actor: str | None = None) -> Given:
    return Given(
        attempt=1,
        tip="t",
        reviewer=reviewer,
        decision=decision,
        reasons=list(reasons),
        files=[],
        actor=actor,
        at=NOON,
        duration_s=1,
    )


def attempt(number: int, status: str, *commits: Commit, **facts: Any) -> Past:
    known: dict[str, Any] = {
        "base_commit": BASE,
        "tip": commits[-1].hash if commits else None,
        "reason": None,
        "files": len(commits),
        "added": 0,
        "removed": 0,
        "outside": [],
        "verdicts": [],
        "started_at": NOON,
        "finished_at": None,
    }
    return Past(number=number, status=status, commits=list(commits), **{**known, **facts})


def a_history(*attempts: Past, status: TaskStatus = TaskStatus.REVIEW, **facts: Any) -> History:
    task = a_task(status, **{"current_attempt": len(attempts), **facts})
    return History(task=task, attempts=list(attempts))
