"""The end of a landing: the remote shows it, so the task is completed."""

from collections.abc import Sequence

from sqlmodel import Session

from steroids.git.commits import read_commits
from steroids.git.push import remote_contains
from steroids.services import commits, task_order, verdicts
from steroids.services.events import record
from steroids.services.host import Host, OpenProject
from steroids.services.landing_conflict import trailer
from steroids.services.target import Destination, shelf
from steroids.services.transitions import move
from steroids.store import project_models as db
from steroids.store.columns import utc_now
from steroids.wire.event import EventKind
from steroids.wire.task import TaskStatus


def settle(
    host: Host, project: OpenProject, task_ids: Sequence[str], tip: str, where: Destination
) -> None:
    """Complete those whose push had worked before somebody could say so: a crash, a lost answer.

    `tip` is the target's, as just fetched. Raises `RemoteUnreachable`, `RemoteRefused` where a
    branch of a task's own has to be asked for.
    """
    with project.store.read() as session:
        tasks = [session.get_one(db.Task, task_id) for task_id in task_ids]
    written = [each for each in tasks if each.status == TaskStatus.APPROVED and each.landing_hash]
    there = [each.id for each in written if _is_there(project, each, tip, where)]
    if there:
        complete(host, project, there)


def _is_there(project: OpenProject, task: db.Task, tip: str, where: Destination) -> bool:
    hash_, branch, mirror = task.landing_hash, task.landing_branch, project.mirror
    assert hash_ is not None and branch is not None
    if mirror.resolve(hash_) is not None and mirror.is_ancestor(hash_, tip):
        return True
    if branch in (project.target, shelf(project)):
        return False
    return remote_contains(mirror, where.url, branch, hash_)


def unwrite(project: OpenProject, task_ids: Sequence[str]) -> None:
    """Take back what is written down of a landing that is known not to have worked."""
    with project.store.write() as session:
        for task_id in task_ids:
            row = session.get_one(db.Task, task_id)
            row.landing_hash = row.landing_branch = None
            session.add(row)
            for commit in commits.of_task(session, task_id):
                commit.landed_hash = None
                session.add(commit)


def complete(host: Host, project: OpenProject, task_ids: Sequence[str]) -> None:
    """Tasks whose `landing_hash` the remote shows. All or none of them; again is harmless."""
    with project.store.write() as session:
        rows = [session.get_one(db.Task, task_id) for task_id in task_ids]
        mine = [row for row in rows if row.status == TaskStatus.APPROVED and row.landing_hash]
        hashes = sorted({row.landing_hash for row in mine if row.landing_hash})
        messages = {raw.hash: raw.text() for raw in read_commits(project.mirror.git, hashes)}
        for row in mine:
            assert row.landing_hash is not None
            own = trailer(messages[row.landing_hash]) == row.id
            _complete(session, project, row, row.landing_hash if own else None)
    host.changed()


def _complete(session: Session, project: OpenProject, task: db.Task, own: str | None) -> None:
    """`own` is its newest commit, unless that is one that was on the branch before."""
    before = [row.landed_hash for row in commits.of_task(session, task.id) if row.landed_hash]
    section = session.get_one(db.Section, task.section_id)
    task.landed_hash = own or (before[-1] if before else None)
    task.landed_branch, task.landing_hash, task.landing_branch = task.landing_branch, None, None
    task.reason = None
    task.completed_at = utc_now()
    move(session, task, TaskStatus.COMPLETED, actor="landing")
    verdicts.release(session, task.id)
    task_order.completed(session, task)
    text, data = _words(project, task)
    record(session, EventKind.LANDED, text, section=section.name, task=task, data=data)


def _words(project: OpenProject, task: db.Task) -> tuple[str, dict[str, str | None]]:
    branch, hash_ = task.landed_branch, task.landed_hash
    data = {"branch": branch, "hash": hash_}
    if hash_ is None:
        return f"nothing (more) to land on {branch}: completed", data
    verb = "pushed to" if project.remote else "in"
    text = f"landed on {branch} as {hash_[:7]}, {verb} {project.remote or project.path}"
    if project.remote is None and branch == shelf(project):
        hint = f"git merge {branch}"
        text, data = f"{text}   (bring it into {project.target}: {hint})", {**data, "hint": hint}
    return text, data
