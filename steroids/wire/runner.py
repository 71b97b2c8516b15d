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
    SINGLE = "single"
    """Works through all sections, in order; the only runner of its project then."""
    REVIEW = "review"
    """Runs one attempt's checks."""
    SETUP = "setup"
    """Makes a snapshot, or migrates a template database."""


WORKERS = frozenset({Role.SECTION, Role.SINGLE})
"""Those that claim tasks; the others do the one thing that they were started for."""


class Port(Body):
    inside: int
    published: int
    """On 127.0.0.1 of the engine's host."""


class Runner(Body):
    id: str
    project: str
    """Its path."""
    role: Role
    section: str | None
    section_id: str | None
    status: RunnerStatus
    engine: str
    container: str | None
    """Its name at the engine."""
    container_id: str | None
    pid: int | None
    """Of the container's main process, on the engine's host."""
    host: str
    started_at: datetime
    heartbeat_at: datetime | None
    task_id: str | None
    task: str | None
    """Title of the task it works on."""
    waits_for: str | None
    ports: list[Port] = []
    database: str | None = None
    """Name of its test database."""
    unlimited: list[str] = []
    """Limits that were asked for and that its engine does not keep: `memory`."""


class Held(Body):
    """An approved task that does not get to its branch."""

    task_id: str
    task: str
    section: str
    refused: bool
    """By the remote, for good; else it is tried again by itself."""
    reason: str


class Runners(Body):
    runners: list[Runner]
    held: list[Held] = []


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


class Start(Body):
    """Start exactly one runner, or be refused."""

    section: str | None = None
    """None: one for all sections, in order, beside which there is no other."""
    engine: str | None = None
    keep: bool = False
    force: bool = False
    """Replace the runners that are in the way: stop them first, gracefully."""
    once: bool = False
    """It ends when one task is over: landed, or at an end of another kind."""
    loop: "LoopProcess | None" = None
    """What it lives and dies with; nobody starts another one when it has ended."""


class LoopProcess(Body):
    """A `steroids loop` on the controller's host."""

    pid: int
    created: float
    """When the process was created, in seconds since 1970."""


class Loop(Body):
    """What a `steroids loop` is about."""

    project_id: str
    section_id: str | None
    section: str | None
    """Its name, as it is written."""
    left: bool
    """Whether there is anything that its runner could go on with, or wait for."""
    enforce: bool
    """`enforce_single_daemon_process`."""


class Started(Body):
    runner: Runner
    replaced: list[Runner]
    since: int
    """Sequence number of the last event before it was started."""
    notes: list[str] = []


class Queued(Body):
    section: str
    reason: str
    """Why it has no runner yet, though one is wanted."""


class RunnersStatus(Body):
    runners: list[Runner]
    queued: list[Queued]
    max_parallel: int


class Stop(Body):
    """Which runners to stop; all of them when neither is named."""

    ids: list[str] = []
    sections: list[str] = []
    now: bool = False
    """Kill the agents at once; what they have committed is uploaded all the same."""


class Pushed(Body):
    tasks: list[str]
    """Ids of those that are tried now, the first approved first."""
    since: int
    """After this event comes what became of them."""


class Down(Body):
    sections: list[str] = []
    now: bool = False
    """Kill the agents at once; what they have committed is uploaded all the same."""


class Target(Body):
    """Where the program of an engine finds a section's container, for `exec` and `shell`."""

    engine: str
    address: str
    container: str
    user: str
    workdir: str
    env: dict[str, str] = {}
    """What its agent is told: the user's own, the port, the database."""
