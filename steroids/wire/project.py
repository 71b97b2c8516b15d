from datetime import datetime

from steroids.wire.body import Body


class Project(Body):
    id: str
    path: str
    name: str
    target: str
    """The branch that tasks land on."""
    remote: str | None
    """The remote's name in the user's repository; none: land in that repository itself."""
    registered_at: datetime
    enabled: bool = True
    last_seen_at: datetime | None = None
    """When somebody last asked for something there, or a runner of its was heard of."""
    status: str | None = None
    """In listings: `enabled`, `disabled` or `missing`."""
    runners: int | None = None
    """In listings: those that live."""
    pending: int | None = None
    """In listings: tasks that wait to be worked on; none where the store cannot be read now."""


class Init(Body):
    path: str
    target: str | None = None
    add: bool = False
    """Register what is there, and write no file."""
    anew: bool = False
    """The store is a copy of another project's: set it aside, and begin with an empty one."""


class Initialised(Body):
    project: Project
    created: bool
    """False when the project was registered before, here or where it was moved from."""
    written: list[str] = []
    """Files written into `.steroids/`, relative to the project."""
    notes: list[str] = []
    moved_from: str | None = None


class Projects(Body):
    projects: list[Project]


class ProjectOne(Body):
    project: Project
    changed: bool = True
    """False when it was so before."""


class Removed(Body):
    project: Project
    kept: str
    """The folder in the Steroids home that `add` takes up again."""


class Named(Body):
    path: str


class Move(Body):
    old: str
    new: str


class PruneMissing(Body):
    """Which of the missing projects are to leave the registry."""

    older_than_s: float = 0
    """Only those that were last seen that long ago."""
    ids: list[str] | None = None
    """Only these, where somebody has been shown a list before."""
    dry_run: bool = False


class PrunedMissing(Body):
    removed: list[Project]
    kept: list[Project] = []
    """Missing too, but seen since, or with runners that live."""


class Found(Body):
    """A `.steroids` folder that is not registered."""

    path: str
    moved_from: str | None = None
    """A registered project's path, where that project is not any more."""
    copy_of: str | None = None
    """A registered project's path, where that project still is."""


class Scanned(Body):
    folder: str
    found: list[Found]
    registered: int = 0
    """How many were met that are registered."""
