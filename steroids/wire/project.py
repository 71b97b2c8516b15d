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


class Init(Body):
    path: str
    target: str | None = None


class Initialised(Body):
    project: Project
    created: bool
    """False when the project was registered before; nothing was changed then."""
    written: list[str] = []
    """Files written into `.steroids/`, relative to the project."""
    notes: list[str] = []


class Projects(Body):
    projects: list[Project]
