"""Running a section's checks on a commit, in a fresh container that no agent has touched."""

from collections.abc import Callable

from steroids.services import fresh
from steroids.services.fresh import Spot
from steroids.services.host import Host, OpenProject
from steroids.store import project_models as db
from steroids.wire.assignment import Assignment, Kind, Result


def run(
    host: Host,
    project: OpenProject,
    section: db.Section,
    commit: str,
    engine: str,
    *,
    base: str,
    task_id: str | None,
    wanted: Callable[[], bool] = lambda: True,
) -> Result:
    """Run the section's checks on `commit`; blocks until there is a result.

    The container comes from the snapshot of `base`, and not of `commit`: what an attempt changed
    about set-up is set up in the container, as it was for the agent. `task_id` is whose it is, for
    those who look. Raises `ContainerLost`, `oneshot.Unwanted` once `wanted` says no, and what the
    engine raises.
    """
    timeout_s = host.settings(project).review.check_timeout_s
    assignment = Assignment(kind=Kind.CHECK, commands=section.check_commands, timeout_s=timeout_s)
    spot = Spot(section, commit, base, engine, task_id, wanted)
    return fresh.run(host, project, spot, assignment, timeout_s=timeout_s)


def failure(result: Result) -> str:
    """A failed check as a reason: which command, how, and the end of what it printed."""
    how = f"exited {result.exit_code}" if result.exit_code is not None else "took too long"
    return f"`{result.command}` {how}\n{result.tail}".rstrip()
