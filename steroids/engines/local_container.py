"""One local container: a folder with what it was started with, its files, its output, its end."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from steroids.engines.local_folders import get
from steroids.engines.local_process import Life
from steroids.engines.spec import Handle, State, Status

ENGINE = "local"
ROOT = "STEROIDS_ROOT"
"""In the environment of all that runs in a container: the folder that stands for `/`."""

WORKSPACE = "/workspace"
HOME = "/home/agent"

FACTS, OUTPUT, RUN, EXIT, FAILED = "container.json", "output", "run.json", "exit.json", "failed"
"""What it was made with; what it prints; its processes; its exit code; why it did not start."""

_KILLED = 137
_POLL_S = 0.02


@dataclass(frozen=True)
class Facts:
    id: str
    name: str
    image: str
    spec: str
    """The spec's digest."""
    labels: Mapping[str, str]
    argv: Sequence[str]
    env: Mapping[str, str]
    """The whole environment."""
    mounts: Sequence[str]
    """Paths inside, where a link leads to a folder of the host."""
    ports: Sequence[int] = ()

    @property
    def handle(self) -> Handle:
        return Handle(ENGINE, self.id, self.name)


class Container:
    """Everything is read anew at each call: other processes change it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.id = folder.name
        self.root = folder / "root"

    def facts(self) -> Facts | None:
        """None: it is gone."""
        found = get(self.folder / FACTS)
        return Facts(**found) if found is not None else None

    def state(self) -> State:
        if not (self.folder / FACTS).exists():
            return State(Status.GONE)
        if (ended := self._ended()) is not None:
            return ended
        run = get(self.folder / RUN)
        if run is None:
            return self._ended() or State(Status.CREATED)
        main, shim = (Life(**run[who]) for who in ("main", "shim"))
        if main.process() is not None:
            return State(Status.RUNNING, pid=main.pid)
        if shim.process() is not None:
            # It clears up behind the main process, and then says how that ended.
            return State(Status.RUNNING)
        return self._ended() or State(Status.EXITED, exit_code=_KILLED)

    def _ended(self) -> State | None:
        code = get(self.folder / EXIT)
        return State(Status.EXITED, exit_code=code) if code is not None else None

    def signal(self, signum: int) -> None:
        """To its main process, if that lives."""
        run = get(self.folder / RUN)
        if run is not None:
            Life(**run["main"]).send(signum)

    def wait_end(self, timeout_s: float) -> bool:
        deadline = time.monotonic() + timeout_s
        while self.state().status is Status.RUNNING:
            if time.monotonic() >= deadline:
                return False
            time.sleep(_POLL_S)
        return True

    def program(self, argv: Sequence[str]) -> list[str]:
        """A program that is among the container's files is meant before one of the host."""
        inside = self.path(argv[0])
        if argv[0].startswith("/") and inside.is_file():
            return [str(inside), *argv[1:]]
        return list(argv)

    def path(self, inside: str) -> Path:
        """Where a path inside is on the host."""
        return self.root / inside.lstrip("/")


def named(containers: Path, name: str) -> Container | None:
    """The container of that name, of those in a folder."""
    for folder in containers.iterdir():
        container = Container(folder)
        facts = container.facts()
        if facts is not None and facts.name == name:
            return container
    return None
