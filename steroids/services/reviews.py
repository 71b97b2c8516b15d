"""Reviewing a submitted attempt: the section's checks decide."""

from sqlmodel import select

from steroids.errors import EngineUnavailable, SteroidsError
from steroids.services import checks, verdicts
from steroids.services.events import record
from steroids.services.host import Host, OpenProject
from steroids.store import project_models as db
from steroids.wire.assignment import Outcome, Result
from steroids.wire.event import EventKind
from steroids.wire.task import TaskStatus

CHECKS = "checks"


def waiting(project: OpenProject) -> list[str]:
    """Ids of the tasks in review."""
    with project.store.read() as session:
        query = select(db.Task.id).where(db.Task.status == TaskStatus.REVIEW)
        return list(session.exec(query))


def review(host: Host, project: OpenProject, task_id: str, engine: str) -> None:
    """Judge one task in review; blocks while its checks run. Calling it again is harmless.

    Raises `EngineUnavailable` with the task unchanged: it is reviewed when the engine is back.
    """
    with project.store.read() as session:
        task = session.get_one(db.Task, task_id)
        section = session.get_one(db.Section, task.section_id)
    if task.status != TaskStatus.REVIEW:
        return
    assert task.latest_commit is not None
    try:
        result = (
            checks.run(
                host,
                project,
                section,
                task.latest_commit,
                engine,
                base=task.base_commit or task.latest_commit,
                task_id=task.id,
            )
            if section.check_commands
            else None
        )
    except EngineUnavailable:
        raise
    except SteroidsError as error:
        _broke(host, project, task_id, error)
        return
    _conclude(host, project, task_id, section, result)


def _conclude(
    host: Host, project: OpenProject, task_id: str, section: db.Section, result: Result | None
) -> None:
    settings = host.settings(project)
    with project.store.write() as session:
        task = session.get_one(db.Task, task_id)
        if task.status != TaskStatus.REVIEW:
            return
        assert task.latest_commit is not None
        tree = project.mirror.tree_hash(task.latest_commit)
        if result is None:
            verdicts.approve(
                session, task, section=section.name, actor="nobody: no checks", tree=tree
            )
        elif result.outcome is Outcome.DONE:
            text = f"checks passed  {result.duration_s:.1f} s"
            record(session, EventKind.CHECKED, text, section=section.name, task=task)
            verdicts.approve(session, task, section=section.name, actor=CHECKS, tree=tree)
        else:
            verdicts.reject(
                session,
                task,
                failure(result),
                section=section.name,
                actor=CHECKS,
                settings=settings,
            )
    host.changed()


def failure(result: Result) -> str:
    """A failed check as a reason: which command, how, and the end of what it printed."""
    how = f"exited {result.exit_code}" if result.exit_code is not None else "took too long"
    return f"`{result.command}` {how}\n{result.tail}".rstrip()


def _broke(host: Host, project: OpenProject, task_id: str, error: SteroidsError) -> None:
    """The review itself failed: no verdict, counted apart from rejections, bounded."""
    settings = host.settings(project)
    with project.store.write() as session:
        task = session.get_one(db.Task, task_id)
        section = session.get_one(db.Section, task.section_id)
        task.infrastructure_failures += 1
        record(
            session,
            EventKind.NOTICE,
            f"review broke: {error.message}",
            section=section.name,
            task=task,
        )
        if task.infrastructure_failures >= settings.max_attempts_lost:
            reason = f"its review broke {task.infrastructure_failures} times: {error.message}"
            verdicts.fail(session, task, reason, section=section.name, actor="reconcile")
        session.add(task)
    host.changed()
