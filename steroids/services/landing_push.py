"""The last steps of a landing, under the project's landing lock: written down, pushed, asked for,
completed."""

from sqlmodel import Session

from steroids.errors import GitError, PushRefused
from steroids.git import repository
from steroids.git.push import push, remote_contains
from steroids.services import commits, landing_complete, target
from steroids.services.host import Host, OpenProject
from steroids.services.landing_batch import Batch, Changed, Step, is_same
from steroids.services.target import Destination
from steroids.store import project_models as db


class Moved(GitError):
    """The branch went on while its new tip was being pushed; worth another round."""


def put(host: Host, project: OpenProject, batch: Batch, where: Destination) -> None:
    """Bring the batch to its branch and complete its tasks.

    May be cut off anywhere: what is pushed has been written down before, and the next landing
    asks the remote (`landing_complete.settle`). Raises `Changed` when a task was taken away since
    the batch was put together, `NonFastForward` and `Moved` when another push was faster,
    `PushRefused`, `RemoteUnreachable`.
    """
    # Nobody may take a task back while its commits are on their way.
    with project.landing:
        _write_down(project, batch, where)
        if batch.tip != batch.onto:
            _push(project, batch, where)
        landing_complete.complete(host, project, [step.task.id for step in batch.steps])


def _write_down(project: OpenProject, batch: Batch, where: Destination) -> None:
    with project.store.write() as session:
        for step in batch.steps:
            row = session.get_one(db.Task, step.task.id)
            if not is_same(row, step.task):
                raise Changed(
                    f"Task '{row.title}' was taken back while it was to be landed",
                    hint=f"steroids tasks show {row.id[:8]}",
                )
            row.landing_hash, row.landing_branch = step.tip, where.branch
            session.add(row)
            _note_commits(session, step)


def _note_commits(session: Session, step: Step) -> None:
    for commit in commits.of_task(session, step.task.id):
        commit.landed_hash = step.landed.get(commit.hash)
        session.add(commit)


def _push(project: OpenProject, batch: Batch, where: Destination) -> None:
    local = project.remote is None
    try:
        if local and repository.checked_out(project.path, where.branch):
            raise PushRefused(
                f"{where.branch} is checked out in {project.path}, and what is checked out is "
                "left alone",
                hint=f"git switch {project.target} in the work tree that has {where.branch}",
            )
        push(project.mirror, where.url, batch.tip, where.branch, local=local)
    except PushRefused:
        # It is not there, for certain: nobody has to ask the remote before it is taken back.
        landing_complete.unwrite(project, [step.task.id for step in batch.steps])
        raise
    if not remote_contains(project.mirror, where.url, where.branch, batch.tip):
        raise Moved(f"{where.display} does not show {batch.tip[:7]} after the push")
    if where.branch in (project.target, target.shelf(project)):
        target.advanced(project, batch.tip)
