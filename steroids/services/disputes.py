"""The end of a dispute: a person decides."""

from steroids.errors import WrongState
from steroids.services import human, task_ends, tasks
from steroids.services.host import Host, OpenProject
from steroids.wire.task import Task, TaskStatus
from steroids.wire.verdict import Judge, Resolution, Resolve


def resolve(host: Host, project: OpenProject, word: str, body: Resolve) -> Task:
    """Approve what there is, have another attempt made, or leave it out.

    Raises `WrongState` for a task that is not disputed, and what each of the three raises.
    """
    with project.store.read() as session:
        task = tasks.named(session, word)
    if task.status != TaskStatus.DISPUTED:
        raise WrongState(
            f"'{task.title}' is {task.status}, not disputed",
            hint="steroids tasks dispute list",
        )
    match body.how:
        case Resolution.APPROVE:
            return human.approve(host, project, task.id, Judge(reason=body.reason))
        case Resolution.RETRY:
            return task_ends.retry(host, project, task.id, body.reason)
        case Resolution.SKIP:
            return task_ends.skip(host, project, task.id, body.reason)
