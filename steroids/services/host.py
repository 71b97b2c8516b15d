"""What all services share: the home, the engines, the projects that are open."""

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from sqlmodel import select

from steroids.engines.base import Engine
from steroids.errors import BadConfig, NotAProject, NotFound
from steroids.git.mirror import Mirror
from steroids.home import MARKER, private
from steroids.services import identity, ownership
from steroids.services.asking import Answer, Asking
from steroids.services.awake import Awake
from steroids.services.desk import Desk
from steroids.services.presence import is_there
from steroids.services.rounds import Rounds
from steroids.settings import Resolved, Settings, resolve
from steroids.store import home_models as home
from steroids.store.columns import new_id
from steroids.store.session import Store

CONFIG = ".steroids/config.yaml"


@dataclass
class Target:
    """What is known of the target branch. Kept in memory, since no other process writes the
    mirror, and a git process per question is what claims would spend their time on."""

    tip: str | None
    """None: never fetched."""
    fetched_at: float = float("-inf")
    """By the monotonic clock."""
    pushes: int = 0
    """How often this controller has moved it."""
    guard: threading.Lock = field(default_factory=threading.Lock)
    """Guards all of the above: what a fetch brings may be older than what was pushed meanwhile."""


@dataclass(frozen=True)
class OpenProject:
    """A registered project with its store and mirror."""

    id: str
    name: str
    path: Path
    target: str
    remote: str | None
    store: Store
    mirror: Mirror
    known: Target
    ownership: IO[str]
    """The lock that keeps other controllers away."""
    desk: Desk[Asking, Answer]
    """Where its runners ask for work."""
    landing: threading.Lock
    """Held while commits are on their way to the target: what they belong to must not be taken
    back meanwhile."""

    @property
    def target_ref(self) -> str:
        return target_ref(self.target)


def target_ref(branch: str) -> str:
    return f"refs/steroids/target/{branch}"


class Host:
    """One per controller. `find_engine` maps a name (`auto`, `docker`, an address) to a live
    engine; `changed` is called after each change that a runner or the reconciler may wait for,
    `spoke` after events that only those who follow want to see."""

    def __init__(
        self,
        home_path: Path,
        find_engine: Callable[[str], Engine],
        changed: Callable[[], None],
        spoke: Callable[[], None],
    ) -> None:
        self.path = home_path
        self.id = _home_id(home_path)
        private(home_path / "steroids.db")
        self.store = Store(home_path / "steroids.db", "home")
        self.changed = changed
        self.spoke = spoke
        self.heard: dict[str, float] = {}
        """When each living runner was last heard of, by the monotonic clock."""
        self.hurried: set[str] = set()
        """Runners that are being stopped, and whose agents get no time to end."""
        self.over: dict[str, str] = {}
        """Runners whose containers are over a limit that is only looked at, and over which."""
        self.coming: set[str] = set()
        """Runners that are being brought up: their containers may run, and get no work yet."""
        self.eager: set[str] = set()
        """Projects whose landing is to be tried now, though it was put off."""
        self.awake = Awake()
        """Those that each round looks at."""
        self.rounds = Rounds()
        self.waking = threading.Lock()
        """Held by the wakeup that is at it."""
        self._find_engine = find_engine
        self._engines: dict[str, Engine] = {}
        self._projects: dict[str, OpenProject] = {}
        self._resolved: dict[tuple[str, object, object], Resolved] = {}
        self.registering = threading.Lock()
        """Keeps what is found out about a folder true until it is registered."""
        self._finding = threading.Lock()  # guards _engines; two clients of one engine are waste
        self._guarding = threading.Lock()  # guards _guards
        self._guards: dict[str, threading.Lock] = {}
        self._opening = threading.Lock()  # guards _projects

    def engine(self, name: str) -> Engine:
        """The engine of that name or address, found once. Raises `NoEngine`."""
        with self._finding:
            if name not in self._engines:
                engine = self._find_engine(name)
                engine = self._engines.setdefault(engine.address, engine)
                self._engines[name] = engine
            return self._engines[name]

    @contextlib.contextmanager
    def guard(self, runner_id: str) -> Iterator[None]:
        """Keeps starting a runner's container and taking it away apart: neither may miss what
        the other one does."""
        with self._guarding:
            lock = self._guards.setdefault(runner_id, threading.Lock())
        with lock:
            yield

    def forget(self, runner_id: str) -> None:
        """Of a runner that is at its end."""
        self.heard.pop(runner_id, None)
        self.hurried.discard(runner_id)
        self.over.pop(runner_id, None)
        with self._guarding:
            self._guards.pop(runner_id, None)

    def known_engines(self) -> list[Engine]:
        with self._finding:
            return list({engine.address: engine for engine in self._engines.values()}.values())

    def projects(self) -> list[home.Project]:
        with self.store.read() as session:
            return list(session.exec(select(home.Project).order_by(home.Project.path)))

    def project(self, project_id: str) -> OpenProject:
        """Raises `NotFound` for an unknown id, `NotAProject` when its folder is not there now."""
        with self.store.read() as session:
            row = session.get(home.Project, project_id)
        if row is None:
            raise NotFound(f"No project {project_id}", hint="steroids init")
        return self.open(row)

    def open(self, row: home.Project, *, wake: bool = True) -> OpenProject:
        """It is awake from then on, so that no change of it is missed; without `wake` for who only
        looks at it, or would keep it awake for ever.

        Raises `NotAProject` when its folder is not there, or has the store of another project;
        `Busy` when another controller serves it."""
        if wake:
            self.awake.touch(row.id)
        with self._opening:
            known = self._projects.get(row.id)
            if known and (known.path, known.target, known.remote) == (
                Path(row.path),
                row.target,
                row.remote,
            ):
                return known
            if not is_there(row.path):
                raise NotAProject(
                    f"Project {row.name} is not at {row.path} any more",
                    hint=f"steroids projects move {row.path} NEW   (NEW: where it is now)",
                )
            if known and known.path != Path(row.path):
                self._let_go(known)
            mirror = Mirror.create(self.path / "projects" / row.id / "mirror.git")
            stays = known if known and row.id in self._projects else None
            held, store = (stays.ownership, stays.store) if stays else identity.take(row, self.path)
            opened = OpenProject(
                id=row.id,
                name=row.name,
                path=Path(row.path),
                target=row.target,
                remote=row.remote,
                ownership=held,
                store=store,
                mirror=mirror,
                known=Target(mirror.resolve(target_ref(row.target))),
                desk=known.desk if known else Desk(),
                landing=known.landing if known else threading.Lock(),
            )
            self._projects[row.id] = opened
            return opened

    def opened(self, project_id: str) -> OpenProject | None:
        """The project if it is open now."""
        with self._opening:
            return self._projects.get(project_id)

    def reopen_if_replaced(self, row: home.Project) -> None:
        """Close the project when its folder is not the one any more that was opened, so that it
        is looked at anew. One that is not there now stays open: it may come back."""
        with self._opening:
            known = self._projects.get(row.id)
            if known is None or known.path != Path(row.path):
                return
            try:
                now = (known.path / MARKER / ownership.LOCK).stat()
            except OSError:
                return
            if not os.path.samestat(now, os.fstat(known.ownership.fileno())):
                self._let_go(known)

    def release(self, project_id: str) -> None:
        """Close a project, so that others may serve it; nothing happens to one that is not open."""
        with self._opening:
            if project_id in self._projects:
                self._let_go(self._projects[project_id])

    def _let_go(self, project: OpenProject) -> None:
        del self._projects[project.id]
        project.store.close()
        project.ownership.close()

    def close_stores(self) -> None:
        """For the end: SQLite then has all in its one file, as those expect who copy it. Nobody
        else may serve the projects before the process has ended."""
        for project in list(self._projects.values()):
            project.store.close()
        self.store.close()

    def close(self) -> None:
        """Close every store and let go of the projects; for tests, which outlive a host."""
        self.close_stores()
        for project in self._projects.values():
            project.ownership.close()

    def resolved(self, project: OpenProject | None) -> Resolved:
        """Settings now: the repo's file is read at the target branch, as last fetched.

        Raises `BadConfig`, naming file and line.
        """
        tip = project.known.tip if project is not None else None
        user_file = self.path / "config.yaml"
        stat = user_file.stat() if user_file.exists() else None
        now = (project.id if project else "", tip, stat and (stat.st_mtime_ns, stat.st_size))
        if now not in self._resolved:
            repo_file = None
            if project is not None and tip is not None:
                content = project.mirror.read_file(tip, CONFIG)
                if content is not None:
                    repo_file = (f"{CONFIG} on {project.target}", content)
            if project is not None and repo_file is None:
                # The same for all of these, and a hundredth of a second each.
                found = self.resolved(None)
            else:
                found = resolve(user_file, repo_file)
            # One entry per project: what was true before does not come back.
            others = {key: each for key, each in self._resolved.items() if key[0] != now[0]}
            self._resolved = {**others, now: found}
        return self._resolved[now]

    def settings(self, project: OpenProject | None) -> Settings:
        """What to work with now. A repo's file that is bad counts as none: it may have landed
        while runners work, and must not keep their work from being taken in.

        Raises `BadConfig` for the user's own file only. `up` is stricter: it uses `resolved`.
        """
        try:
            return self.resolved(project).settings
        except BadConfig:
            if project is None:
                raise
            return self.resolved(None).settings


def _home_id(home_path: Path) -> str:
    """What marks containers as this home's, whatever its path; made once."""
    path = home_path / "id"
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        path.write_text(new_id())
        return path.read_text().strip()
