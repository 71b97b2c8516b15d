from enum import StrEnum

from steroids.wire.body import Body


class Isolation(StrEnum):
    PARALLEL = "parallel"
    EXCLUSIVE = "exclusive"


class SectionAdd(Body):
    name: str
    paths: list[str]
    isolation: Isolation = Isolation.PARALLEL
    dependencies: list[str] = []
    """Names or ids of sections whose code this one uses."""
    check: list[str] = []
    """Commands, each run by `sh -c` at the root of the workspace; all must succeed."""
    priority: int = 50


class Section(Body):
    id: str
    name: str
    paths: list[str]
    isolation: Isolation
    dependencies: list[str]
    check: list[str]
    priority: int
    position: int
    tasks: int = 0
    """How many are not at an end."""


class SectionOne(Body):
    section: Section


class Sections(Body):
    sections: list[Section]
