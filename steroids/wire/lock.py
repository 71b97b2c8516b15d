from datetime import datetime

from steroids.wire.body import Body


class Lock(Body):
    """A lease on a resource. Those of one task have one fence, and stand and fall together."""

    id: int
    resource: str
    """`project`, `section:<id>`, `files:<glob>`, `zone:<name>`, `resource:<name>`,
    `package:<id>`."""
    name: str
    """The resource for people: `section API`, `files apps/api/**`."""
    exclusive: bool
    task_id: str | None
    task: str | None
    """Title."""
    runner_id: str
    alive: bool
    """Whether that runner lives."""
    fence: int
    granted_at: datetime
    expires_at: datetime | None
    """None: the controller holds it itself, until the task has landed or goes back."""


class Locks(Body):
    locks: list[Lock]


class Release(Body):
    lock: str
    """The lock's id, its resource, or the resource's name."""
    force: bool = False
    """Also when the runner that has it lives; it is told, and stops that task."""


class Cleanup(Body):
    dry_run: bool = False
    """Only say which."""


class Build(Body):
    """A runner's wish to run set-up and checks alone with what they share with others."""

    wait_s: float = 20


class BuildTurn(Body):
    granted: bool
    """False: ask again; others build."""
