"""Finding the engine: what the user named, else what this machine has."""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from steroids.engines.base import Engine
from steroids.engines.container_connect import connect
from steroids.engines.local import LocalEngine
from steroids.engines.podman_service import OWN_SOCKET, ensure_podman_service
from steroids.errors import BadConfig, EngineUnavailable, NoEngine
from steroids.home import ensure_home

AUTO = "auto"
KINDS = ("docker", "podman")
LOCAL = "local"
"""Never found by `auto`: what it runs is not kept from the host, so it is for people to choose."""


@dataclass(frozen=True)
class Found:
    """A place that was looked at; `engine` (the caller closes it) is None when none answers."""

    place: str
    engine: Engine | None
    problem: str = ""


@dataclass(frozen=True)
class _Place:
    name: str
    kind: str
    """What is expected there; empty when it may be either."""
    open: Callable[[], Engine]


def find_engine(prefer: str, environ: Mapping[str, str]) -> Engine:
    """The first engine that answers; the caller closes it.

    `prefer` is `auto`, `docker`, `podman`, `local`, or an address (`unix:///...`, `tcp://...`,
    `local:/...`). With `DOCKER_HOST` set, `auto` looks nowhere else: who set it does not want
    another engine. May start a `podman system service` when there is only the program. Raises
    `NoEngine` saying what was tried, `BadConfig` for any other word.
    """
    if prefer.partition(":")[0] == LOCAL:
        return _local(prefer.partition(":")[2])
    tried = []
    for found in _look(prefer, environ):
        if found.engine is not None:
            return found.engine
        tried.append(found)
    wanted = "container engine" if prefer == AUTO or "://" in prefer else prefer.capitalize()
    places = "; ".join(f"{found.place}: {found.problem}" for found in tried)
    raise NoEngine(
        f"No {wanted} answers ({places})",
        hint=_hint(tried, prefer),
        details={"tried": [{"place": found.place, "problem": found.problem} for found in tried]},
    )


def find_all(environ: Mapping[str, str]) -> list[Found]:
    """Every place that `auto` may look at, and what is there; starts nothing."""
    seen: set[str] = set()
    founds = []
    for place in _places(environ, start_podman=False):
        socket = os.path.realpath(place.name.removeprefix("unix://"))
        if socket not in seen:
            seen.add(socket)
            founds.append(_try(place, AUTO))
    return founds


def _look(prefer: str, environ: Mapping[str, str]) -> Iterator[Found]:
    if prefer == f"unix://{ensure_home() / OWN_SOCKET}":
        # Started by us once; after a reboot nobody else starts it again.
        yield _try(_Place(prefer, "podman", lambda: _own_podman(environ)), AUTO)
        return
    if "://" in prefer:
        yield _try(_address(prefer, "", environ), AUTO)
        return
    if prefer not in (AUTO, *KINDS):
        raise BadConfig(
            f"There is no engine called {prefer}: auto, docker, podman, local, or an address",
            hint="steroids config show",
        )
    for place in _places(environ, start_podman=True):
        if prefer in (AUTO, place.kind) or not place.kind:
            yield _try(place, prefer)
            if prefer == AUTO and place.name == environ.get("DOCKER_HOST"):
                return


def _places(environ: Mapping[str, str], *, start_podman: bool) -> Iterator[_Place]:
    if host := environ.get("DOCKER_HOST"):
        yield _address(host, "", environ)
    home = Path(environ.get("HOME") or Path.home())
    runtime = environ.get("XDG_RUNTIME_DIR")
    yield _socket(Path("/var/run/docker.sock"), "docker", environ)
    if runtime:
        yield _socket(Path(runtime, "docker.sock"), "docker", environ)
    yield _socket(home / ".docker/run/docker.sock", "docker", environ)
    yield _socket(Path("/run/podman/podman.sock"), "podman", environ)
    if runtime:
        yield _socket(Path(runtime, "podman/podman.sock"), "podman", environ)
    if start_podman:
        yield _Place("the podman program", "podman", lambda: _own_podman(environ))


def _address(address: str, kind: str, environ: Mapping[str, str]) -> _Place:
    return _Place(address, kind, lambda: connect(address, environ))


def _socket(path: Path, kind: str, environ: Mapping[str, str]) -> _Place:
    def open_socket() -> Engine:
        try:
            if not path.exists():
                raise EngineUnavailable("no such socket")
        except PermissionError:
            raise EngineUnavailable("in a folder of another user") from None
        return connect(f"unix://{path}", environ)

    return _Place(f"unix://{path}", kind, open_socket)


def _own_podman(environ: Mapping[str, str]) -> Engine:
    program = shutil.which("podman", path=environ.get("PATH"))
    if program is None:
        raise EngineUnavailable("not installed")
    return ensure_podman_service(program, ensure_home(), environ)


def _local(home: str) -> Engine:
    if home and not Path(home).is_dir():
        raise NoEngine(
            f"The local engine's home {home} is not there", hint="steroids up --engine local"
        )
    return LocalEngine(Path(home) if home else ensure_home())


def _try(place: _Place, prefer: str) -> Found:
    try:
        engine = place.open()
    except EngineUnavailable as error:
        return Found(place.name, None, error.message)
    if prefer not in (AUTO, engine.name):
        engine.close()
        return Found(place.name, None, f"that is {engine.name.capitalize()}")
    return Found(place.name, engine)


def _hint(tried: list[Found], prefer: str) -> str:
    if any("permission denied" in found.problem for found in tried):
        return "sudo usermod -aG docker $USER (then log in again), or use Podman"
    if "://" in prefer or any(found.problem == "connection refused" for found in tried):
        return "start the engine (sudo systemctl start docker), then: steroids doctor"
    install = f"sudo apt-get install {'podman' if prefer != 'docker' else 'docker.io'}"
    return f"{install}   # or, without isolation: --engine local" if prefer == AUTO else install
