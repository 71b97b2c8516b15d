"""A Steroids of its own to measure: a home, a controller, the example as its project."""

import contextlib
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from steroids import proc
from steroids.client import Client
from steroids.engines.base import Engine
from steroids.engines.images import Image
from steroids.engines.spec import Owned
from steroids.errors import SteroidsError
from steroids.wire.event import Event, EventKind
from steroids.wire.runner import Down, Runners, Up, UpReply
from tests.benchmarks.monorepo import Monorepo, NotMeasured, push

READY_LIMIT_S = 300.0
LABEL = "io.steroids"
CHECKOUT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Ready:
    """How long it took until the last runner asked for had claimed."""

    asked_s: float
    """From the request to the controller."""
    created_s: float
    """From the moment its container was asked for."""


class House:
    def __init__(self, home: Path, repo: Monorepo) -> None:
        self.home = home
        self.repo = repo
        self.client = Client(home / "controller.sock", timeout_s=READY_LIMIT_S)

    def steroids(self, *args: str) -> str:
        """A command line to its end; raises `NotMeasured` when it fails."""
        argv = steroids_argv(*args)
        done = proc.run(argv, cwd=self.repo.path, env=environment(self.home), timeout_s=900)
        if not done.ok:
            words = done.err.strip()[-600:] or f"exited {done.returncode}"
            raise NotMeasured(f"`steroids {' '.join(args)}` failed: {words}")
        return done.out

    def ask(self, sections: Sequence[str], engine: str) -> UpReply:
        body = Up(sections=list(sections), keep=True, engine=engine)
        return self.client.post(self._url("up"), body, UpReply)

    def start(self, sections: Sequence[str], engine: str) -> Ready:
        """Ask for runners and wait for the last one's first claim. They are left running."""
        began = time.perf_counter()
        return self.await_ready(sections, self.ask(sections, engine).since, began)

    def await_ready(self, sections: Sequence[str], since: int, began: float) -> Ready:
        missing, created_s = set(sections), 0.0
        url = self._url("events", since=since, follow="true")
        for event in self.client.stream(url, Event):
            if event.kind is EventKind.FAILED:
                raise NotMeasured(f"no runner for {event.section}: {event.text}")
            if event.kind is EventKind.READY and event.section in missing:
                missing.discard(event.section)
                created_s = max(created_s, float(event.data["durationS"]))
            if not missing:
                return Ready(time.perf_counter() - began, created_s)
        raise NotMeasured("the controller ended while runners were starting")

    def stop(self) -> None:
        """End all runners."""
        self.client.post(self._url("down"), Down(now=True), Runners)

    def containers(self, engine: Engine) -> list[Owned]:
        """Our containers on that engine."""
        return engine.list_owned(self.labels())

    def labels(self) -> dict[str, str]:
        """What all of ours carries in an engine."""
        return {f"{LABEL}.controller": (self.home / "id").read_text().strip()}

    def snapshots(self, engine: Engine) -> list[Image]:
        """The snapshots of the example, newest first."""
        project = next((self.home / "projects").iterdir()).name
        return engine.images.list({f"{LABEL}.image": "snapshot", f"{LABEL}.project": project})

    def _url(self, path: str, **query: object) -> str:
        return f"/v1/{path}?{urlencode({'project': str(self.repo.path), **query})}"


def steroids_argv(*args: str) -> list[str]:
    """The installed program where there is one, as people have it."""
    program = Path(sys.executable).with_name("steroids")
    start = [str(program)] if program.exists() else [sys.executable, "-m", "steroids"]
    return [*start, *args]


def environment(home: Path) -> dict[str, str]:
    """The caller's, without its settings for Steroids, and with this home.

    Compiled modules are kept, as for every installed package, whatever a developer has set.
    """
    own = {key: value for key, value in os.environ.items() if not key.startswith("STEROIDS_")}
    own.pop("PYTHONDONTWRITEBYTECODE", None)
    return {
        **own,
        "STEROIDS_HOME": str(home),
        "PYTHONPATH": str(CHECKOUT),
        "PYTHONPYCACHEPREFIX": str(home / "compiled"),
        "NO_COLOR": "1",
    }


@contextmanager
def opened(folder: Path, repo: Monorepo, engines: Sequence[Engine]) -> Iterator[House]:
    """A house with images, the project and a section per app; nothing of it is left afterwards."""
    home = folder / "home"
    home.mkdir(mode=0o700)
    (home / "config.yaml").write_text(f"runners:\n  max_parallel: {len(repo.apps)}\n")
    house = House(home, repo)
    try:
        house.steroids("init", "--yes")
        push(repo.path, "settings")
        for engine in engines:
            house.steroids("images", "build", "--engine", engine.name)
        for app in repo.apps:
            house.steroids("sections", "add", app, "--path", f"apps/{app}/**")
        yield house
    finally:
        _close(house, engines)


def _close(house: House, engines: Sequence[Engine]) -> None:
    with contextlib.suppress(SteroidsError):
        house.stop()
    proc.run(steroids_argv("daemon", "stop"), env=environment(house.home), timeout_s=60)
    for engine in engines:
        for owned in house.containers(engine):
            engine.remove(owned.handle)
        for network in engine.networks.list_owned(house.labels()):
            engine.networks.remove(network)
        for volume in engine.volumes.list_owned(house.labels()):
            engine.volumes.remove(volume)
        for image in house.snapshots(engine):
            for ref in image.refs:
                engine.images.remove(ref)
