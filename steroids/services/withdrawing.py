"""Taking a task away from landing: only while its commits are not on their way."""

from collections.abc import Iterator
from contextlib import contextmanager

from steroids.errors import Busy, WrongState
from steroids.services import landing_complete, target
from steroids.services.host import Host, OpenProject
from steroids.store import project_models as db
from steroids.wire.task import TaskStatus

PATIENCE_S = 2.0
"""For a push that is at its end; what takes longer than that is refused."""


@contextmanager
def withdrawing(host: Host, project: OpenProject, task_id: str) -> Iterator[None]:
    """Within it an approved task may be moved to another state, and nothing of it is pushed.

    To be entered outside of a transaction by whoever rejects, skips or edits a task; for one that
    is not approved it does nothing. Checks that landing has run may still run: they are told.
    Raises `Busy` while something is being pushed, `WrongState` when the task turns out to have
    landed (it is completed then), `RemoteUnreachable` and `RemoteRefused` when a push of it was
    cut off and the remote does not say whether it worked.
    """
    approved = _row(project, task_id).status == TaskStatus.APPROVED
    held = project.landing.acquire(timeout=PATIENCE_S if approved else 0)
    try:
        # Asked again: it may have landed while this one waited.
        row = _row(project, task_id)
        if row.status == TaskStatus.APPROVED and not held:
            raise Busy(
                f"'{row.title}' cannot be taken back now: commits are on their way to "
                f"{project.target}",
                hint=f"steroids tasks show {task_id[:8]}   (and try again, unless it has landed)",
            )
        if row.status == TaskStatus.APPROVED and row.landing_hash is not None:
            where = target.destination(project)
            tip = target.fetch(project, where.url)
            landing_complete.settle(host, project, [task_id], tip, where)
            row = _row(project, task_id)
            if row.status == TaskStatus.APPROVED:
                landing_complete.unwrite(project, [task_id])
        if approved and row.status == TaskStatus.COMPLETED:
            raise WrongState(
                f"'{row.title}' has landed already",
                hint=f"steroids tasks revert {task_id[:8]}",
            )
        yield
    finally:
        if held:
            project.landing.release()


def _row(project: OpenProject, task_id: str) -> db.Task:
    with project.store.read() as session:
        return session.get_one(db.Task, task_id)
