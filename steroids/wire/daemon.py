from datetime import datetime

from steroids.wire.body import Body
from steroids.wire.error import ErrorBody


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


class ImageLine(Body):
    ref: str
    engine: str
    kind: str
    size_bytes: int
    created_at: datetime
    project: str | None = None


class ImageLines(Body):
    images: list[ImageLine]


class ImagesBuild(Body):
    engine: str | None = None
    base: str | None = None
    bootstrap: bool = False
    ca_bundle: str | None = None
    from_image: str | None = None
    rebuild: bool = False


class BuildLine(Body):
    """A line of a build's stream: one of the three."""

    progress: str | None = None
    image: ImageLine | None = None
    failure: ErrorBody | None = None


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
