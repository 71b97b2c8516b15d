"""Tasks of all projects of this host."""

from collections.abc import Sequence

from steroids.errors import NotFound, SteroidsError
from steroids.services import tasks
from steroids.services.host import Host
from steroids.wire.task import Task, Tasks, TaskStatus


def everywhere(
    host: Host,
    *,
    statuses: Sequence[TaskStatus] = (),
    section: str | None = None,
    search: str | None = None,
) -> Tasks:
    """What `tasks.listing` gives, of every project, each task with its project's path.

    A project that cannot be opened now is a note. `section` is one of any of them; raises
    `NotFound` when none has it.
    """
    found: list[Task] = []
    notes: list[str] = []
    missing: list[NotFound] = []
    rows = host.projects()
    for row in rows:
        try:
            project = host.open(row, wake=False)
            own = tasks.listing(project, statuses=statuses, section=section, search=search)
        except NotFound as error:
            missing.append(error)
            continue
        except SteroidsError as error:
            notes.append(f"{row.path}: {error.message}")
            continue
        for task in own:
            task.project = row.path
        found += own
    if missing and len(missing) + len(notes) == len(rows):
        raise missing[0]
    return Tasks(tasks=found, notes=notes)
