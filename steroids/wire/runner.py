from datetime import datetime
from enum import StrEnum

from steroids.wire.body import Body


class RunnerStatus(StrEnum):
    STARTING = "starting"
    IDLE = "idle"
    WORKING = "working"
    WAITING = "waiting"
    PAUSED = "paused"
    STOPPING = "stopping"
    STOPPED = "stopped"
    LOST = "lost"


ACTIVE = frozenset(set(RunnerStatus) - {RunnerStatus.STOPPED, RunnerStatus.LOST})


class Role(StrEnum):
    SECTION = "section"
    """Works through a section's tasks."""
    REVIEW = "review"
    """Runs one attempt's checks."""
    SETUP = "setup"
    """Makes a snapshot."""


class Runner(Body):
    id: str
    role: Role
    section: str | None
    status: RunnerStatus
    engine: str
    container: str | None
    """Its name at the engine."""
    started_at: datetime
    heartbeat_at: datetime | None
    task_id: str | None
    task: str | None
    """Title of the task it works on."""
    waits_for: str | None


class Runners(Body):
    runners: list[Runner]


class Up(Body):
    sections: list[str] = []
    """Names or ids; none: every section with pending tasks."""
    engine: str | None = None
    keep: bool = False
    """Leave runners idle when their sections are drained."""


class UpReply(Body):
    sections: list[str]
    """Names of the sections that have, or will get, a runner."""
    since: int
    """Sequence number of the last event before anything was started."""
    starting: list[str] = []
    """Those of them that get one now; the others have one, or wait for a place."""
    notes: list[str] = []


class Pushed(Body):
    tasks: int
    """How many are tried again."""


class Down(Body):
    sections: list[str] = []
    now: bool = False
    """Kill instead of asking; what was not uploaded is lost."""


class Target(Body):
    """Where the program of an engine finds a section's container, for `exec` and `shell`."""

    engine: str
    address: str
    container: str
    user: str
    workdir: str
