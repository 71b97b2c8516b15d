"""A task that does not fit its target goes back, and is told what is in its way."""

from collections.abc import Sequence

from sqlmodel import Session, col, select

from steroids.git.commits import Commit
from steroids.git.land import Conflict
from steroids.services import verdicts
from steroids.services.host import Host, OpenProject
from steroids.services.signature import TRAILER
from steroids.settings import Settings
from steroids.store import project_models as db
from steroids.wire.task import TaskStatus

SHOWN = 10
"""Commits of each side."""


def send_back(
    host: Host,
    project: OpenProject,
    task_id: str,
    conflict: Conflict | str,
    settings: Settings,
) -> None:
    """To pending, for an attempt on top of the target; or disputed. `conflict` may be in words."""
    with project.store.write() as session:
        row = session.get_one(db.Task, task_id)
        if row.status != TaskStatus.APPROVED:
            return
        section = session.get_one(db.Section, row.section_id)
        reason = (
            f"conflict with {project.target}: {conflict}"
            if isinstance(conflict, str)
            else text(session, conflict, project.target)
        )
        verdicts.conflict(session, row, reason, section=section.name, settings=settings)
    host.changed()


def text(session: Session, conflict: Conflict, branch: str) -> str:
    """For the next attempt: the files, and the commits of both sides that touch them."""
    lines = [f"conflict with {branch} in {', '.join(conflict.paths)}"]
    lines += _side("changed by this task:", conflict.ours, {})
    lines += _side("changed there by:", conflict.theirs, _tasks(session, conflict.theirs))
    return "\n".join(lines)


def _side(heading: str, side: Sequence[Commit], tasks: dict[str, db.Task]) -> list[str]:
    if not side:
        return []
    shown = []
    for commit in side[-SHOWN:]:
        task = tasks.get(commit.hash)
        whose = f"   (task '{task.title}', {task.id[:8]})" if task else ""
        shown.append(f"  {commit.hash[:7]} {commit.subject}{whose}")
    more = len(side) - len(shown)
    return [heading, *([f"  ... and {more} before"] if more else []), *shown]


def _tasks(session: Session, side: Sequence[Commit]) -> dict[str, db.Task]:
    """Which task has landed which of these commits."""
    hashes = [commit.hash for commit in side]
    landed = select(db.TaskCommit.landed_hash, db.TaskCommit.task_id).where(
        col(db.TaskCommit.landed_hash).in_(hashes)
    )
    owners = {hash_: task_id for hash_, task_id in session.exec(landed) if hash_}
    for commit in side:
        named = trailer(commit.message)
        if named is not None:
            owners.setdefault(commit.hash, named)
    rows = {hash_: session.get(db.Task, task_id) for hash_, task_id in owners.items()}
    return {hash_: row for hash_, row in rows.items() if row is not None}


def trailer(message: str) -> str | None:
    """Id of the task that a commit's message names as its own."""
    for line in reversed(message.splitlines()):
        key, colon, value = line.partition(":")
        if colon and key.casefold() == TRAILER.casefold():
            return value.strip()
    return None
