"""Taking back what a task has landed: a task of its own, approved at once, that lands like any."""

from shlex import quote
from typing import NoReturn

from sqlmodel import Session

from steroids.errors import GitError, UsageError, WrongState
from steroids.git import repository
from steroids.git.commits import Identity
from steroids.git.land import Conflict, replay
from steroids.git.revert import inverse
from steroids.provisioning.lockfiles import REGENERATED
from steroids.services import commits, human, target, tasks, transitions, verdicts
from steroids.services.host import Host, OpenProject
from steroids.services.landed import landed_commits
from steroids.services.reverted import reverted_by
from steroids.services.signature import COMMITTER, TRAILER
from steroids.services.task_rules import MAX_TITLE_CHARS
from steroids.store import project_models as db
from steroids.store.columns import new_id, utc_now
from steroids.wire.revert import Revert
from steroids.wire.task import Task, TaskStatus

SHOWN = 5


class RevertConflict(GitError):
    """What landed later builds on it; nothing was changed."""

    code, http_status = "REVERT_CONFLICT", 409


def revert(host: Host, project: OpenProject, word: str, body: Revert) -> Task:
    """Make the task that takes back exactly the commits that task `word` has landed; the landing
    queue does the rest. Returns the new task.

    Raises `WrongState` when there is nothing (more) to take back, `RevertConflict` when later
    commits changed the same, `NotFound`, `Ambiguous`, and what fetching raises.
    """
    reason = _checked(body.reason)
    tip = target.fetch(project)
    with project.store.read() as session:
        task = tasks.named(session, word)
        _check(session, project, task)
        landed = landed_commits(project.mirror, session, task)
        section = session.get_one(db.Section, task.section_id).name
    _check_there(project, task, landed, tip)
    row = db.Task(
        id=new_id(),
        title=_title(task.title),
        spec=_spec(task, landed, project.target, reason),
        section_id=task.section_id,
        priority=task.priority,
        affected_paths=task.affected_paths,
        position=0,
        reverts=task.id,
        current_attempt=1,
    )
    base, new = _commits(project, task, section, row, landed, tip, reason)
    row.base_commit = row.attempt_base_commit = base
    row.latest_commit = new
    project.mirror.set_ref(commits.attempt_ref(row.id, 1), new)
    with project.store.write() as session:
        # Somebody else may have been as fast.
        _check(session, project, session.get_one(db.Task, task.id))
        _add(session, project, row, reason)
        session.flush()
        made = tasks.shown(session, row)
    host.changed()
    return made


def _checked(reason: str | None) -> str | None:
    text = (reason or "").replace("\0", "").strip()
    if len(text) > human.MAX_REASON_CHARS:
        raise UsageError(
            f"The reason has over {human.MAX_REASON_CHARS} characters", hint="make it shorter"
        )
    return text or None


def _check(session: Session, project: OpenProject, task: db.Task) -> None:
    short = task.id[:8]
    if task.status != TaskStatus.COMPLETED:
        raise WrongState(
            f"Task '{task.title}' is {task.status}: only what has landed can be reverted",
            hint=f"steroids tasks show {short}",
        )
    other = reverted_by(session, task.id)
    if other is not None:
        done = "was reverted" if other.status == TaskStatus.COMPLETED else "is being reverted"
        hint = f"steroids tasks show {other.id[:8]}"
        if other.status == TaskStatus.COMPLETED:
            hint += f"   (to have it back: steroids tasks revert {other.id[:8]})"
        raise WrongState(f"Task '{task.title}' {done} by task {other.id[:8]}", hint=hint)
    branch = task.landed_branch
    if branch not in (None, project.target, target.shelf(project)):
        raise WrongState(
            f"Task '{task.title}' landed on a branch of its own, {branch}",
            hint=f"close its pull request, or revert that where it was merged: git log {branch}",
        )


def _check_there(project: OpenProject, task: db.Task, landed: list[str], tip: str) -> None:
    if not landed:
        raise WrongState(
            f"Task '{task.title}' landed no commits: there is nothing to revert",
            hint=f"steroids tasks commits {task.id[:8]}",
        )
    if not project.mirror.is_ancestor(landed[0], tip):
        raise WrongState(
            f"The commits of task '{task.title}' are not on {project.target} any more",
            hint=f"git log --grep 'Steroids-Task: {task.id}' {project.target}",
            details={"commits": landed},
        )


def _commits(
    project: OpenProject,
    task: db.Task,
    section: str,
    row: db.Task,
    landed: list[str],
    tip: str,
    reason: str | None,
) -> tuple[str, str]:
    """Base and tip of the attempt that takes these commits back."""
    at = utc_now()
    name, email = repository.identity(project.path)
    author = Identity(name or COMMITTER.name, email or COMMITTER.email)
    back = inverse(project.mirror, landed, author=author, committer=COMMITTER, at=at, reason=reason)
    found = replay(
        project.mirror,
        base=landed[0],
        tip=back,
        onto=tip,
        trailer=(TRAILER, row.id),
        committer=COMMITTER,
        at=at,
        regenerated=REGENERATED,
    )
    if isinstance(found, Conflict):
        _refuse(project, task, section, found)
    if found.tip == tip:
        raise WrongState(
            f"Nothing of task '{task.title}' is left on {project.target}",
            hint=f"steroids tasks diff {task.id[:8]}",
        )
    # Lockfiles that have to be written again are landing's, which meets them from there.
    return (landed[0], back) if found.stale else (tip, found.tip)


def _refuse(project: OpenProject, task: db.Task, section: str, found: Conflict) -> NoReturn:
    since = [f"{commit.hash[:7]} {commit.subject}" for commit in found.theirs]
    more = f" and {len(since) - SHOWN} more" if len(since) > SHOWN else ""
    by = f" by {', '.join(since[-SHOWN:])}{more}" if since else ""
    raise RevertConflict(
        f"Task '{task.title}' cannot be reverted: on {project.target} "
        f"{', '.join(found.paths)} changed since{by}",
        hint=f"steroids tasks add {quote(_title(task.title))} --section {quote(section)}",
        details={
            "paths": found.paths,
            "commits": [commit.hash for commit in found.theirs],
        },
    )


def _add(session: Session, project: OpenProject, row: db.Task, reason: str | None) -> None:
    assert row.base_commit is not None and row.latest_commit is not None
    row.position = tasks.last_position(session) + 1
    session.add(row)
    session.flush()
    who = human.actor(project)
    transitions.added(session, row, actor=who)
    files, plus, minus = project.mirror.counts(row.base_commit, row.latest_commit)
    session.add(
        db.Attempt(
            task_id=row.id,
            section_id=row.section_id,
            number=1,
            status="review",
            base_commit=row.base_commit,
            tip=row.latest_commit,
            files=files,
            added=plus,
            removed=minus,
        )
    )
    commits.register(session, project, row, row.base_commit, row.latest_commit)
    session.flush()
    section = session.get_one(db.Section, row.section_id).name
    # No reviewer has seen its content: it is checked before it lands.
    verdicts.approve(session, row, section=section, actor=who, tree=None, reason=reason)


def _title(title: str) -> str:
    whole = f'Revert "{title}"'
    return whole if len(whole) <= MAX_TITLE_CHARS else f'{whole[: MAX_TITLE_CHARS - 4]}..."'


def _spec(task: db.Task, landed: list[str], branch: str, reason: str | None) -> str:
    lines = [f"Take back what task '{task.title}' ({task.id}) has put on {branch}:", ""]
    lines += [f"- {hash}" for hash in landed]
    if reason:
        lines += ["", f"Reason: {reason}"]
    return "\n".join(lines) + "\n"
