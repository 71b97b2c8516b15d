from datetime import datetime

from steroids.wire.body import Body


class EngineState(Body):
    """An engine that is in use, or else that is here."""

    name: str
    address: str
    version: str | None = None
    """None when it does not answer soon."""


class Daemon(Body):
    """What came after the first version has a default: who asks may be of another version."""

    pid: int
    version: str
    home: str
    since: datetime
    socket: str
    projects: int
    runners: int
    memory_bytes: int
    engines: list[EngineState] = []
    container: list[str] = []
    """What says that this is a container, whether it is enough for that or not."""
    in_container: bool | None = None
    """None when nobody has looked."""
    listen: str | None = None
    """Address and port, when it listens on one besides the socket."""
    listen_problem: str | None = None
    idle_exit_s: float = 0
    """0: it never ends by itself."""


class DaemonOne(Body):
    daemon: Daemon


class Setting(Body):
    key: str
    value: object
    source: str


class Settings(Body):
    settings: list[Setting]


class Finding(Body):
    """One check of `doctor`."""

    name: str
    ok: bool
    detail: str
    hint: str | None = None


class Findings(Body):
    findings: list[Finding]
