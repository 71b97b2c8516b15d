"""What a runner is given to do, and what it gives back."""

from enum import StrEnum

import msgspec

from steroids.wire.agent import Agent
from steroids.wire.body import Body
from steroids.wire.database import Sqlite
from steroids.wire.verdict import Verdict


class Kind(StrEnum):
    CODE = "code"
    CHECK = "check"
    REVIEW = "review"
    SETUP = "setup"
    STOP = "stop"


class Limits(Body):
    """What holds inside the container, as the kernel tells; none: no limit that could be found."""

    memory_bytes: int | None = None
    cpus: float | None = None
    pids: int | None = None


class Claim(Body):
    wait_s: float = 20
    limits: Limits | None = None
    """With the first claim."""


class Sparse(Body):
    """The files to have in the workspace: those at its root, and these."""

    folders: list[str]
    """With all that is in them."""
    files: list[str] = []


class Checkout(Body):
    """The commit that the workspace has to be at before work starts."""

    commit: str
    sparse: Sparse | None = None
    """None: all files."""
    squash: str | None = None
    """An earlier tip to merge into it, uncommitted, conflicts and all: its landing conflicted."""
    setup: list[str] = []
    setup_key: str = ""
    """Set-up runs when the workspace was not set up under this key."""
    setup_timeout_s: float = 1800
    venv: str = ".venv"
    """A Python environment, once it is set up: its programs are found before all others."""


class TaskBrief(Body):
    id: str
    title: str
    spec: str
    attempt: int
    section: str
    feedback: str | None = None
    """The reason of the last rejection, word for word."""
    prompt: str = ""
    """All that its agent has to know, in words; a reviewer's has the changes too."""


class Leftovers(StrEnum):
    """What becomes of what an agent has left uncommitted."""

    COMMIT = "commit"
    DISCARD = "discard"
    FAIL = "fail"


class Author(Body):
    name: str
    email: str


class Assignment(Body):
    kind: Kind
    fence: int = 0
    """Of the leases that it works under; to be shown with what comes of it."""
    alone: bool = False
    """Set-up and checks use what others use too: ask for a turn before, give it back after."""
    checkout: Checkout | None = None
    database: bool = False
    """There is a test database for it: ask for it when the workspace is set up."""
    sqlite: Sqlite | None = None
    """Its test database is a file that the runner makes itself."""
    task: TaskBrief | None = None
    agent: Agent = msgspec.field(default_factory=Agent)
    leftovers: Leftovers = Leftovers.COMMIT
    author: Author | None = None
    commands: list[str] = []
    """What a check runs."""
    collect: list[str] = []
    """Files, relative to the workspace, whose content is to come with the result."""
    timeout_s: float = 3600
    env: dict[str, str] = {}
    reason: str | None = None
    """Why to stop."""


class Outcome(StrEnum):
    DONE = "done"
    """The agent came to its end; or every command succeeded."""
    FAILED = "failed"
    """The agent's program failed, a command failed, or it took too long."""
    UNUSABLE = "unusable"
    """The task cannot be worked on as it is written (no script in its spec)."""
    STOPPED = "stopped"
    """Interrupted by a stop; what there is goes on in the next run."""


class Submission(Body):
    """A coder's result. The bundle, when there are commits, was uploaded just before."""

    fence: int
    task_id: str
    attempt: int
    base: str
    tip: str
    outcome: Outcome
    reason: str | None = None


class Result(Body):
    """The result of a check, a review or a set-up."""

    outcome: Outcome
    command: str | None = None
    exit_code: int | None = None
    tail: str = ""
    verdict: Verdict | None = None
    """Of a review that came to one."""
    files: dict[str, str | None] = {}
    """Of the files that were asked for: their content; none: there is no such file."""
    duration_s: float = 0


class Heartbeat(Body):
    fence: int | None = None
    """Of the task that it works on; none: it has none."""


class Orders(Body):
    """The answer to a heartbeat."""

    cancel: bool = False
    """The task is no longer this runner's: stop the agent, upload nothing."""
    hurry: bool = False
    """Somebody wants it gone now: when it is told to stop, the agent gets no time to end."""
    over: str | None = None
    """Why what runs as the agent has to end: its container is over a limit that nobody else keeps.
    It is the run's failure, and the container is given up after it."""
