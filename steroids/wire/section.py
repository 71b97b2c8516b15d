from datetime import datetime
from enum import StrEnum

import msgspec

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
    after: list[str] = []
    """Names or ids of sections that have to be finished first."""
    check: list[str] = []
    """Commands, each run by `sh -c` at the root of the workspace; all must succeed."""
    setup: list[str] | None = None
    """Commands in place of the project's set-up."""
    image: str | None = None
    """The user's own image in place of the project's."""
    resources: list[str] | None = None
    """Which of the declared shared resources it uses; none: all of them."""
    ports: list[int] = []
    """What its dev servers listen on, to be published."""
    priority: int = 50


class SectionEdit(Body):
    """What is unset stays as it is; null takes an override away."""

    name: str | msgspec.UnsetType = msgspec.UNSET
    paths: list[str] | msgspec.UnsetType = msgspec.UNSET
    isolation: Isolation | msgspec.UnsetType = msgspec.UNSET
    dependencies: list[str] | msgspec.UnsetType = msgspec.UNSET
    add_dependencies: list[str] = []
    drop_dependencies: list[str] = []
    after: list[str] | msgspec.UnsetType = msgspec.UNSET
    add_after: list[str] = []
    drop_after: list[str] = []
    check: list[str] | msgspec.UnsetType = msgspec.UNSET
    setup: list[str] | msgspec.UnsetType | None = msgspec.UNSET
    image: str | msgspec.UnsetType | None = msgspec.UNSET
    resources: list[str] | msgspec.UnsetType | None = msgspec.UNSET
    ports: list[int] | msgspec.UnsetType = msgspec.UNSET
    priority: int | msgspec.UnsetType = msgspec.UNSET
    skipped: bool | msgspec.UnsetType = msgspec.UNSET


class Section(Body):
    id: str
    name: str
    paths: list[str]
    isolation: Isolation
    dependencies: list[str]
    """Names."""
    after: list[str]
    """Names."""
    check: list[str]
    setup: list[str] | None
    image: str | None
    resources: list[str] | None
    ports: list[int]
    priority: int
    position: int
    skipped: bool
    blocked_by: list[str]
    """Names of the sections that it comes after and that have unfinished tasks."""
    tasks: int = 0
    """How many are not at an end."""
    removed_at: datetime | None = None


class SectionOne(Body):
    section: Section


class Sections(Body):
    sections: list[Section]
