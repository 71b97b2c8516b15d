"""Every setting, and where its value came from.

Precedence: command-line flag (applied by whoever has it), `STEROIDS_*` variable, the user's
`$STEROIDS_HOME/config.yaml`, the repo's `.steroids/config.yaml`, default. What touches the host
is read from the user's own file only: the repo's file can be changed by an agent's landed commit.
"""

import difflib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError
from pydantic_settings.sources import EnvSettingsSource
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from steroids.errors import BadConfig
from steroids.setting_groups import (
    CHECKS,
    HUMAN,
    NONE,
    Agent,
    Daemon,
    Database,
    Group,
    Landing,
    Proxy,
    Push,
    Review,
    Runners,
    Snapshots,
    Zone,
)

ImageName = r"^[A-Za-z0-9][A-Za-z0-9._/:@-]*$"


class Settings(BaseSettings):
    """All settings of one project on this host."""

    model_config = SettingsConfigDict(
        env_prefix="STEROIDS_", env_nested_delimiter="__", extra="ignore"
    )

    engine: str = Field(default="auto", description="auto, docker, podman, local, an address")
    ca_bundle: Path | None = Field(default=None, description="PEM file that containers trust")
    base_image: str | None = Field(default=None, description="what the runner image is built on")
    image: str | None = Field(
        None, pattern=ImageName, description="your own image, made a runner's; devcontainer"
    )
    packages: list[Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9+.-]+$")]] = Field(
        default=[], description="Debian packages that the runner image has besides"
    )
    proxy: Proxy = Proxy()
    env: dict[str, str] = Field(default={}, description="variables of agents and checks")
    network: Literal["open", "internal", "none"] = Field(
        default="open", description="what runners reach: the world, their database, nothing"
    )
    sparse: bool = Field(
        default=False, description="check out a section's paths and dependencies only"
    )
    setup: list[str] | None = Field(default=None, description="commands; none: found by itself")
    cache: bool = Field(
        default=True, description="keep what package managers download between set-ups"
    )
    setup_timeout_s: float = Field(default=1800, gt=0, description="then a set-up has failed")
    coder_timeout_s: float = Field(default=3600, gt=0, description="then an agent is stopped")
    shared_resources: list[str] = Field(
        default=[], description="what set-up and checks use one at a time: a simulator, a port"
    )
    agents: dict[str, Agent | str] = Field(
        default={}, description="names, each with `use`, or another one's name"
    )
    leftovers: Literal["commit", "discard", "fail"] = Field(
        default="commit", description="what an agent left uncommitted"
    )
    out_of_section: Literal["warn", "reject", "reroute"] = Field(
        default="warn", description="commits that change files outside the section"
    )
    max_bundle_bytes: int = Field(
        default=512 << 20, ge=1 << 16, description="of an upload, and of a file in it"
    )
    max_attempts_lost: int = Field(default=3, ge=1, description="then a task has failed")
    enforce_single_daemon_process: bool = Field(
        default=False, description="in a container: a starting daemon ends those before it"
    )
    daemon: Daemon = Daemon()
    runners: Runners = Runners()
    review: Review = Review()
    landing: Landing = Landing()
    push: Push = Push()
    snapshots: Snapshots = Snapshots()
    database: Database = Database()

    @field_validator("agents")
    @classmethod
    def _named(cls, agents: dict[str, Agent | str]) -> dict[str, Agent | str]:
        for name, agent in agents.items():
            if name in (CHECKS, HUMAN, NONE) or not re.fullmatch(r"[\w][\w.-]*", name):
                raise ValueError(f"'{name}' cannot be the name of an agent")
            known = agent in BUILT_IN or isinstance(agents.get(str(agent)), Agent)
            if isinstance(agent, str) and not known:
                raise ValueError(f"there is no agent '{agent}', which '{name}' is to be")
        return agents

    @model_validator(mode="after")
    def _reviewers_known(self) -> "Settings":
        for name in self.reviewers():
            if name not in (CHECKS, HUMAN, *self.agents):
                raise ValueError(f"review: there is no agent '{name}'")
        return self

    def reviewers(self) -> list[str]:
        """All that must approve an attempt, in their order."""
        if self.review.reviewers is not None:
            return [name for name in self.review.reviewers if name != NONE]
        default = "reviewer" if "reviewer" in self.agents else NONE
        second = self.review.reviewer or default
        return [CHECKS] if second == NONE else [CHECKS, second]


BUILT_IN = ("script",)
"""Agents that need no settings."""
HOST_ONLY = frozenset(
    {
        "engine",
        "ca_bundle",
        "base_image",
        "image",
        "packages",
        "proxy",
        "env",
        "daemon",
        "enforce_single_daemon_process",
        "runners.max_on_host",
        "database.server",
        "database.image",
        # Any that the account of the server may read.
        "database.template",
    }
)
"""Refused in the repo's file."""


class Resolved:
    """Settings together with the source of each key (`runners.max_parallel` and so on)."""

    def __init__(self, settings: Settings, sources: Mapping[str, str]) -> None:
        self.settings = settings
        self.sources = sources


def resolve(user_file: Path, repo_file: tuple[str, bytes] | None) -> Resolved:
    """Merge all sources. `repo_file` is a name for messages and the content at the target branch.

    Raises `BadConfig` with file, line and the nearest valid key.
    """
    layers: list[tuple[str, dict[str, Any]]] = []
    if repo_file is not None:
        name, content = repo_file
        layers.append((name, _load(name, content, repo=True)))
    if user_file.is_file():
        layers.append((str(user_file), _load(str(user_file), user_file.read_bytes(), repo=False)))
    layers.append(("environment", _from_environment()))
    merged: dict[str, Any] = {}
    sources = {key: "default" for key in flatten(Settings.model_construct().model_dump())}
    for name, layer in layers:
        _merge(merged, layer)
        sources.update({key: name for key in flatten(layer)})
    try:
        settings = Settings(**merged)
    except ValidationError as error:
        raise _invalid(error, sources) from None
    return Resolved(settings, sources)


def flatten(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """`{"a": {"b": 1}}` as `{"a.b": 1}`; `env` stays one value."""
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        nested = isinstance(value, Mapping) and key in _groups()
        flat.update(flatten(value, f"{prefix}{key}.") if nested else {f"{prefix}{key}": value})
    return flat


def _groups() -> dict[str, type[BaseModel]]:
    return {
        name: field.annotation
        for name, field in Settings.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, Group)
    }


def _from_environment() -> dict[str, Any]:
    try:
        return dict(EnvSettingsSource(Settings)())
    except SettingsError as error:
        raise BadConfig(f"environment: {error}", hint="steroids config show") from None


def _load(name: str, content: bytes, *, repo: bool) -> dict[str, Any]:
    try:
        tree = YAML(typ="rt").load(content)
    except MarkedYAMLError as error:
        line = (error.problem_mark.line + 1) if error.problem_mark else 1
        raise BadConfig(f"{name}:{line}: {error.problem or 'not YAML'}") from None
    except (YAMLError, ValueError) as error:
        raise BadConfig(f"{name}: not YAML ({error})") from None
    if tree is None:
        return {}
    if not isinstance(tree, CommentedMap):
        raise BadConfig(f"{name}:1: expected `key: value` lines")
    _check_keys(name, tree, Settings, repo=repo)
    return {str(key): value for key, value in tree.items() if value is not None}


def _check_keys(
    name: str, tree: CommentedMap, model: type[BaseModel], *, repo: bool, below: str = ""
) -> None:
    """`below` is the key of the group that this tree is in, with its dot."""
    for key, value in tree.items():
        line = tree.lc.key(key)[0] + 1
        if key not in model.model_fields:
            near = difflib.get_close_matches(str(key), model.model_fields, n=1, cutoff=0.4)
            known = ", ".join(sorted(model.model_fields))
            raise BadConfig(
                f"{name}:{line}: unknown key '{key}'",
                hint=f"did you mean '{near[0]}'?" if near else f"known keys: {known}",
            )
        if repo and f"{below}{key}" in HOST_ONLY:
            raise BadConfig(
                f"{name}:{line}: '{below}{key}' touches the host and cannot be set by a repository",
                hint="put it into config.yaml in your Steroids home (steroids config show)",
            )
        group = _groups().get(str(key)) if model is Settings else None
        if model is Runners and key == "zones":
            _check_zones(name, line, value, repo=repo)
        if model is Settings and key == "agents" and isinstance(value, CommentedMap):
            for each in value.values():
                if isinstance(each, CommentedMap):
                    _check_keys(name, each, Agent, repo=repo)
        if group is None or value is None:
            continue
        if not isinstance(value, CommentedMap):
            raise BadConfig(f"{name}:{line}: '{key}' has keys of its own below it")
        _check_keys(name, value, group, repo=repo, below=f"{key}.")


def _check_zones(name: str, line: int, zones: Any, *, repo: bool) -> None:
    for zone in zones if isinstance(zones, list) else [zones]:
        if not isinstance(zone, CommentedMap):
            raise BadConfig(
                f"{name}:{line}: 'zones' is a list of zones, each with a name",
                hint="steroids config show",
            )
        _check_keys(name, zone, Zone, repo=repo)


def _merge(into: dict[str, Any], layer: Mapping[str, Any]) -> None:
    for key, value in layer.items():
        if isinstance(value, Mapping) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = dict(value) if isinstance(value, Mapping) else value


def _invalid(error: ValidationError, sources: Mapping[str, str]) -> BadConfig:
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"])
    # What is wrong with a group as a whole is in the file that says something about it.
    within = (at for each, at in sources.items() if each.startswith(f"{key}.") and at != "default")
    source = sources.get(key) or sources.get(key.split(".")[0]) or next(within, "settings")
    words = first["msg"].removeprefix("Value error, ")
    return BadConfig(f"{source}: '{key}': {words}", hint="steroids config show")
