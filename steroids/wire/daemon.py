from datetime import datetime

from steroids.wire.body import Body


class Daemon(Body):
    pid: int
    version: str
    home: str
    since: datetime
    socket: str
    projects: int
    runners: int
    memory_bytes: int


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
