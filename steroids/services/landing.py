"""Putting approved attempts on the target branch, one at a time, in order of approval.

Safe to be killed at any point: what is about to be pushed is written down before the push, and
the remote is asked before anything is called done. Never `--force`.
"""

from sqlmodel import col, select
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from steroids.errors import GitError, PushRefused, RemoteUnreachable, SteroidsError
from steroids.git.land import Conflict, Identity, Replayed, replay
from steroids.git.push import NonFastForward, push, remote_contains
from steroids.services import checks, commits, reviews, target, verdicts
from steroids.services.events import record
from steroids.services.host import Host, OpenProject
from steroids.services.target import Destination
from steroids.services.transitions import move
from steroids.settings import Settings
from steroids.store import project_models as db
from steroids.store.columns import utc_now
from steroids.wire.assignment import Outcome
from steroids.wire.event import EventKind
from steroids.wire.task import TaskStatus

COMMITTER = Identity("Steroids", "steroids@localhost")
TRAILER = "Steroids-Task"


class Moved(GitError):
    """The target went on while its new tip was being pushed; worth another round."""


def queue(project: OpenProject) -> list[str]:
    """Ids of the tasks to land, the first approved first."""
    with project.store.read() as session:
        query = (
            select(db.Task.id)
            .where(db.Task.status == TaskStatus.APPROVED, col(db.Task.push_refused).is_(False))
            .order_by(col(db.Task.approved_at))
        )
        return list(session.exec(query))


def land(host: Host, project: OpenProject, task_id: str, engine: str) -> None:
    """Land one approved task; returns when it is completed, or no longer to be landed.

    Calling it again for a task that a crashed controller was landing finishes that landing.
    Raises `RemoteUnreachable` when the remote did not answer for long, `EngineUnavailable` from
    verification, each with the task still approved.
    """
    settings = host.settings(project)
    where = target.destination(project)
    tip = target.fetch(project)
    task, section = _load(project, task_id)
    if task.status != TaskStatus.APPROVED:
        return
    if task.landing_hash and project.mirror.is_ancestor(task.landing_hash, tip):
        _complete(host, project, task_id, task.landing_hash, where)
        return
    replayed = _replay(host, project, task, section, tip, settings)
    if replayed is None or not _verified(host, project, task, section, replayed, settings, engine):
        return
    try:
        _push_until_landed(host, project, task_id, where, settings, replayed)
    except PushRefused as error:
        _refused(host, project, task_id, error)


def _push_until_landed(
    host: Host,
    project: OpenProject,
    task_id: str,
    where: Destination,
    settings: Settings,
    first: Replayed,
) -> None:
    """Push; when the target moved, rebase again and push again; when the line is bad, wait."""
    replayed: Replayed | None = first
    rounds = Retrying(
        retry=retry_if_exception_type((NonFastForward, RemoteUnreachable, Moved)),
        wait=wait_random_exponential(multiplier=0.2, max=20),
        stop=stop_after_attempt(settings.push.attempts),
        reraise=True,
    )
    for round_ in rounds:
        with round_:
            if round_.retry_state.attempt_number > 1:
                task, section = _load(project, task_id)
                tip = target.fetch(project)
                if task.landing_hash and project.mirror.is_ancestor(task.landing_hash, tip):
                    _complete(host, project, task_id, task.landing_hash, where)
                    return
                replayed = _replay(host, project, task, section, tip, settings)
            if replayed is None:
                return
            push(project.mirror, where.url, replayed.tip, where.branch)
            if not remote_contains(project.mirror, where.url, where.branch, replayed.tip):
                raise Moved(f"{where.display} does not show {replayed.tip[:7]} after the push")
            target.advanced(project, replayed.tip)
            _complete(host, project, task_id, replayed.tip, where)


def _replay(
    host: Host,
    project: OpenProject,
    task: db.Task,
    section: db.Section,
    tip: str,
    settings: Settings,
) -> Replayed | None:
    """The task's commits on top of `tip`, written down as what is about to be pushed.

    None after a conflict, which has sent the task back.
    """
    assert task.base_commit and task.latest_commit and task.approved_at
    result = replay(
        project.mirror,
        base=task.base_commit,
        tip=task.latest_commit,
        onto=tip,
        trailer=(TRAILER, task.id),
        committer=COMMITTER,
        at=task.approved_at,
    )
    with project.store.write() as session:
        row = session.get_one(db.Task, task.id)
        if isinstance(result, Conflict):
            reason = conflict_text(result, project.target)
            verdicts.conflict(session, row, tip, reason, section=section.name, settings=settings)
        else:
            row.landing_hash = result.tip
            session.add(row)
            for commit in commits.of_task(session, row.id):
                commit.landed_hash = result.landed.get(commit.hash)
                session.add(commit)
    if isinstance(result, Conflict):
        host.changed()
        return None
    # A crash must not leave the commits to the garbage collector.
    project.mirror.set_ref(f"refs/steroids/landing/{task.id}", result.tip)
    return result


def conflict_text(conflict: Conflict, branch: str) -> str:
    """For the next attempt: the files, and the commits of the other side that touched them."""
    files = ", ".join(conflict.paths)
    theirs = "".join(
        f"\n  {commit.hash[:7]} {commit.message.splitlines()[0] if commit.message else ''}"
        for commit in conflict.theirs[:10]
    )
    return f"conflict with {branch} in {files}" + (f"\nchanged there by:{theirs}" if theirs else "")


def _verified(
    host: Host,
    project: OpenProject,
    task: db.Task,
    section: db.Section,
    replayed: Replayed,
    settings: Settings,
    engine: str,
) -> bool:
    """Whether the checks still pass on what will really be on the branch.

    They have been run on the attempt's tip; when the rebased result has another tree, somebody
    else's change is in it too.
    """
    mode = settings.landing.verify
    assert task.latest_commit is not None
    trees = [project.mirror.tree_hash(tip) for tip in (replayed.tip, task.latest_commit)]
    same = trees[0] == trees[1]
    if not section.check_commands or mode == "never" or (mode == "when_moved" and same):
        return True
    result = checks.run(
        host,
        project,
        section,
        replayed.tip,
        engine,
        base=task.base_commit or replayed.tip,
        task_id=task.id,
    )
    if result.outcome is Outcome.DONE:
        return True
    with project.store.write() as session:
        row = session.get_one(db.Task, task.id)
        if row.status == TaskStatus.APPROVED:
            verdicts.reject(
                session,
                row,
                f"passes alone, but not together with {project.target}:\n{reviews.failure(result)}",
                section=section.name,
                actor="landing",
                settings=settings,
            )
    host.changed()
    return False


def _complete(
    host: Host, project: OpenProject, task_id: str, landed: str, where: Destination
) -> None:
    with project.store.write() as session:
        task = session.get_one(db.Task, task_id)
        if task.status != TaskStatus.APPROVED:
            return
        section = session.get_one(db.Section, task.section_id)
        task.landed_hash = landed
        task.reason = None
        task.completed_at = utc_now()
        move(session, task, TaskStatus.COMPLETED, actor="landing")
        verdicts.release(session, task_id)
        verb = "pushed to" if project.remote else "in"
        text = f"landed on {where.branch} as {landed[:7]}, {verb} {project.remote or project.path}"
        record(session, EventKind.LANDED, text, section=section.name, task=task)
    project.mirror.delete_ref(f"refs/steroids/landing/{task_id}")
    host.changed()


def _refused(host: Host, project: OpenProject, task_id: str, error: SteroidsError) -> None:
    with project.store.write() as session:
        task = session.get_one(db.Task, task_id)
        section = session.get_one(db.Section, task.section_id)
        task.push_refused = True
        task.reason = error.message
        session.add(task)
        record(
            session,
            EventKind.PUSH_REFUSED,
            error.message,
            section=section.name,
            task=task,
            data={"hint": "steroids push", "code": error.code},
        )
    host.changed()


def broke(host: Host, project: OpenProject, task_id: str, error: SteroidsError) -> None:
    """Landing failed for a reason that is neither the task's nor the remote's: bounded."""
    settings = host.settings(project)
    with project.store.write() as session:
        task = session.get_one(db.Task, task_id)
        section = session.get_one(db.Section, task.section_id)
        task.infrastructure_failures += 1
        session.add(task)
        record(
            session,
            EventKind.NOTICE,
            f"landing broke: {error.message}",
            section=section.name,
            task=task,
        )
    if task.infrastructure_failures >= settings.max_attempts_lost:
        _refused(host, project, task_id, error)


def retry_refused(host: Host, project: OpenProject) -> int:
    """Try again what the remote refused; returns how many tasks that are."""
    with project.store.write() as session:
        query = select(db.Task).where(
            db.Task.status == TaskStatus.APPROVED, col(db.Task.push_refused).is_(True)
        )
        tasks = session.exec(query).all()
        for task in tasks:
            task.push_refused = False
            task.reason = None
            session.add(task)
    host.changed()
    return len(tasks)


def _load(project: OpenProject, task_id: str) -> tuple[db.Task, db.Section]:
    with project.store.read() as session:
        task = session.get_one(db.Task, task_id)
        return task, session.get_one(db.Section, task.section_id)
