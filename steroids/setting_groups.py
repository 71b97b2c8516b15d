"""The groups of settings, each below a key of its own, and what may be in them."""

from typing import Literal
from urllib.parse import SplitResult, urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator


class Group(BaseModel):
    model_config = ConfigDict(extra="forbid")


UNLIMITED = "none"


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
    # One that runs wild is to be ended, and not the host; half of it is more than builds take.
    memory: str = Field(
        default="50%",
        pattern=r"^(\d+[kmgKMG]?|[1-9]\d?%|100%|none)$",
        description="of a runner: 2g, or a share of the host's (of 2g at least), or none",
    )
    # Who has work takes what others leave, and all get the same when there is not enough.
    cpus: float | None = Field(
        default=None, gt=0, description="of a runner; none: what the others leave"
    )
    pids: int = Field(default=1024, ge=16, description="processes and threads of a runner")
    disk: str | None = Field(
        default=None, pattern=r"^\d+[kmgKMG]?$", description="what a runner may write: 20g"
    )
    exclusive_scope: Literal["project", "dependents"] = Field(
        default="project", description="what a task of an exclusive section has for itself"
    )
    zones: list[Zone] = Field(default=[], description="parts that bear only so many tasks")
    max_on_host: int = Field(
        default=16, ge=1, description="of all projects, up to which a wakeup starts some"
    )

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


class Daemon(Group):
    """The controller itself."""

    idle_exit_s: float = Field(
        default=1800, ge=0, description="without runners and clients, then it ends; 0: never"
    )
    listen: str | None = Field(
        default=None,
        pattern=r"^(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+):\d{1,5}$",
        description="host:port besides the socket, for those who have the token",
    )


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


PROXY_URL = r"^((https?|socks5h?)://\S+)?$"


class Proxy(Group):
    """How containers reach the world. What is left out is taken from the environment of the
    controller (`http_proxy` and so on)."""

    http: str | None = Field(default=None, pattern=PROXY_URL, description="URL; empty: none")
    https: str | None = Field(default=None, pattern=PROXY_URL, description="URL; empty: none")
    no_proxy: str | None = Field(default=None, description="hosts reached without, with commas")
    passwords: bool = Field(
        default=False, description="hand out a URL with a password, which agents can read then"
    )


class Snapshots(Group):
    keep: int = Field(default=3, ge=1, description="how many of a project are kept")


MANAGED = "managed"
"""The database server that Steroids itself runs in a container."""


SERVER_SCHEMES = {
    "postgresql": "postgres",
    "postgres": "postgres",
    "mysql": "mysql",
    "mariadb": "mysql",
}
"""Of a server's URL, with the kind that it is."""


def server_url(url: str) -> SplitResult:
    """Its parts. Raises `ValueError`, without the URL in it: there is a password in that."""
    parts = urlsplit(url)
    if parts.scheme not in SERVER_SCHEMES:
        raise ValueError(
            f"`server` is `{MANAGED}` or a URL, as postgresql://USER:PASSWORD@HOST:PORT/ "
            "or mysql://USER:PASSWORD@HOST:PORT/"
        )
    try:
        wrong = parts.port == 0 or "@" in parts.path
    except ValueError:
        wrong = True
    if wrong:
        raise ValueError(
            "the URL of `server` has no port there; in a password `@`, `/` and `:` are written "
            "%40, %2F and %3A"
        )
    if not parts.hostname:
        raise ValueError("the URL of `server` has no host; runners cannot use a unix socket")
    if not parts.username:
        raise ValueError("the URL of `server` has no user")
    return parts


def shown_server(server: str) -> str:
    """For people: a URL without its password and options."""
    if server == MANAGED:
        return server
    parts = server_url(server)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    port = f":{parts.port}" if parts.port is not None else ""
    return f"{parts.scheme}://{parts.username}@{host}{port}/"


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

    @model_validator(mode="after")
    def _fitting(self) -> "Database":
        if self.kind == "sqlite":
            self._only_a_file()
        elif self.server != MANAGED:
            scheme = server_url(self.server).scheme
            if SERVER_SCHEMES[scheme] != self.kind:
                raise ValueError(f"`server` is a {scheme}:// URL, and `kind` is {self.kind}")
        return self

    def _only_a_file(self) -> None:
        named = {"server": self.server != MANAGED, "image": self.image, "template": self.template}
        given = next((key for key, value in named.items() if value), None)
        if given is not None:
            raise ValueError(f"sqlite is a file in each runner, and has no `{given}`")
        if self.strategy == "shared":
            raise ValueError("sqlite is a file in each runner, and cannot be `shared`")
