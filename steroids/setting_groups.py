"""The groups of settings, each below a key of its own, and what may be in them."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator


class Group(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Zone(Group):
    """A part of the repository that bears only so many tasks at a time, across sections."""

    name: str = Field(pattern=r"^[\w][\w .-]*$")
    paths: list[str] = Field(default=[], description="globs")
    sections: list[str] = Field(default=[], description="names")
    max_runners: int = Field(default=1, ge=1, description="how many at once")
    exclusive: bool = Field(default=False, description="one at a time, whatever max_runners says")


class Runners(Group):
    max_parallel: int = Field(default=4, ge=1, description="runners of a project at once")
    heartbeat_timeout_s: float = Field(default=60, gt=0, description="then it counts as lost")
    memory: str | None = Field(
        default=None, pattern=r"^\d+[kmgKMG]?$", description="limit per runner"
    )
    cpus: float | None = Field(default=None, gt=0, description="limit per runner")
    pids: int = Field(default=1024, ge=16, description="limit of processes per runner")
    disk: str | None = Field(
        default=None, pattern=r"^\d+[kmgKMG]?$", description="limit of what a runner writes"
    )
    exclusive_scope: Literal["project", "dependents"] = Field(
        default="project", description="what a task of an exclusive section has for itself"
    )
    zones: list[Zone] = Field(default=[], description="parts that bear only so many tasks")

    @field_validator("zones")
    @classmethod
    def _one_of_a_name(cls, zones: list[Zone]) -> list[Zone]:
        names = [zone.name.casefold() for zone in zones]
        twice = [zone.name for zone in zones if names.count(zone.name.casefold()) > 1]
        if twice:
            raise ValueError(f"there are two zones of the name '{twice[0]}'")
        return zones


class Agent(Group):
    """A program that does a run's work, under a name of the user's."""

    use: Literal["script", "command"] = Field(description="script, command")
    run: str | None = Field(default=None, description="of a script: what sh runs")
    argv: list[str] = Field(default=[], description="of a command: program and arguments")

    @model_validator(mode="after")
    def _complete(self) -> "Agent":
        if self.use == "command" and (not self.argv or self.run is not None):
            raise ValueError("a command has `argv`, a list, and no `run`")
        if self.use == "script" and self.argv:
            raise ValueError("a script has `run`, and no `argv`")
        return self


CHECKS, HUMAN, NONE = "checks", "human", "none"
"""Reviewers that are no agents."""


class Review(Group):
    check_timeout_s: float = Field(default=1800, gt=0, description="then a check has failed")
    max_rejections: int = Field(default=15, ge=1, description="then a task is disputed")
    reviewer: str | None = Field(default=None, description="after the checks: none, human, agent")
    reviewers: list[str] | None = Field(
        default=None, description="all that must approve, in order: checks, human, agents"
    )
    reviewer_timeout_s: float = Field(default=1800, gt=0, description="then it gave no verdict")

    @model_validator(mode="after")
    def _one_way(self) -> "Review":
        if self.reviewer is not None and self.reviewers is not None:
            raise ValueError("give either `reviewer` or `reviewers`")
        twice = [name for name in self.reviewers or () if (self.reviewers or []).count(name) > 1]
        if twice:
            raise ValueError(f"'{twice[0]}' is named twice")
        return self


class Landing(Group):
    mode: Literal["direct", "branch"] = Field(
        default="direct", description="onto the target, or a branch each for a pull request"
    )
    merge: Literal["rebase", "squash", "merge"] = Field(
        default="rebase", description="how commits get onto the target"
    )
    batch: int = Field(default=8, ge=1, le=100, description="how many are verified together")
    max_failures: int = Field(default=5, ge=1, description="then a task is disputed")
    verify: Literal["always", "when_moved", "never"] = Field(
        default="when_moved", description="run the checks again on the rebased result"
    )


class Push(Group):
    attempts: int = Field(default=8, ge=1, description="tries before a push is put off")


class Snapshots(Group):
    keep: int = Field(default=3, ge=1, description="how many of a project are kept")


MANAGED = "managed"
"""The database server that Steroids itself runs in a container."""


class Database(Group):
    """The test database of each runner."""

    strategy: Literal["isolated", "shared", "none"] = Field(
        default="none", description="one for each runner, one for all of them, none"
    )
    kind: Literal["postgres", "mysql", "sqlite"] = Field(
        default="postgres", description="postgres, mysql (and MariaDB), sqlite"
    )
    prefix: str = Field(
        default="test_runner_", pattern=r"^[a-z_][a-z0-9_]{0,29}$", description="of their names"
    )
    migrate: str | None = Field(
        default=None, description="command that migrates and seeds an empty one"
    )
    migrations: list[str] = Field(
        default=[], description="globs of the files that it reads; none: found by itself"
    )
    template: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,62}$",
        description="a database of the server to copy, instead of migrating",
    )
    server: str = Field(default=MANAGED, description="managed, or the URL of a server of yours")
    image: str | None = Field(
        default=None, description="of the managed server; none: built from Debian's packages"
    )
    migrate_timeout_s: float = Field(default=600, gt=0, description="then a migration has failed")
