"""What there is to know about a kind of database server that runs in a container."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from steroids.engines.base import Engine
from steroids.engines.spec import ExecResult, File, Handle
from steroids.provisioning.databases.base import Server
from steroids.provisioning.site import DATABASE, LABEL, Site

Exec = Callable[[Sequence[str]], ExecResult]
"""Run a program in the server's container, as the user that the server runs as."""


@dataclass(frozen=True)
class Recipe:
    kind: str
    """`postgres`; its own image is built from the folder of this name in `images/`."""
    port: int
    data: str
    """Where its volume is; empty at first, unless the image has something there."""
    user: str
    """Whom programs are run as in its container: one that administers the server."""
    command: Sequence[str]
    ready: Sequence[str]
    """Exits with 0 once the server answers, and not while an image's entrypoint prepares it."""
    server: Callable[[Exec], Server]
    client: Sequence[str] = ()
    """A program for people, in its container, that goes by the variables of `Server.env`."""
    settle: Callable[[Exec], None] = lambda run: None
    """Called whenever it came up, before anybody uses it."""
    env: Mapping[str, str] = field(default_factory=dict)
    files: Sequence[File] = ()
    pulled_capabilities: Sequence[str] = ("CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID")
    """What the entrypoints of public images need, which begin as root; our own needs none."""


def execute(engine: Engine, handle: Handle, recipe: Recipe) -> Exec:
    return lambda argv: engine.exec(handle, argv, user=recipe.user, workdir="/")


def name(site: Site, kind: str) -> str:
    """Of container and network."""
    return f"steroids-{kind}-{site.controller[:12]}"


def labels(controller: str, kind: str) -> dict[str, str]:
    return {
        f"{LABEL}.controller": controller,
        f"{LABEL}.role": DATABASE,
        f"{LABEL}.kind": kind,
    }
