"""Puts the controller together; the one place that names concrete engines."""

import contextlib
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from steroids.controller.bell import Bell
from steroids.controller.visits import Visits
from steroids.engines.base import Engine
from steroids.engines.discover import find_all, find_engine
from steroids.errors import BadConfig
from steroids.services.database_book import DATABASE_JOB, TEMPLATE_JOB
from steroids.services.disk import Disk
from steroids.services.host import Host
from steroids.services.jobs import Jobs
from steroids.services.reconcile import Reconciler
from steroids.wire.daemon import Finding

WORKERS = 32
"""Threads for what takes long: starts, reviews, landings. They wait most of the time."""


@dataclass
class Controller:
    """What routes and loops work with."""

    home: Path
    work: Bell
    """Rung when there may be something to do."""
    events: Bell
    """Rung when there is something to see; after each change of the other kind too."""
    host: Host
    jobs: Jobs
    reconciler: Reconciler
    pool: ThreadPoolExecutor
    disk: Disk
    since: datetime = field(default_factory=lambda: datetime.now(UTC))
    stopping: threading.Event = field(default_factory=threading.Event)
    visits: Visits = field(default_factory=Visits)
    listens_on: str | None = None
    """Address and port, when it listens on one."""
    listen_problem: str | None = None
    """Why it does not, though it should."""

    def engines_here(self) -> list[Finding]:
        """Every engine that answers on this host, for `doctor`."""
        found = []
        for place in find_all(os.environ):
            if place.engine is not None:
                with contextlib.closing(place.engine) as engine:
                    version = engine.capabilities().version
                    detail = f"{engine.name} {version}, {engine.address}"
                    found.append(Finding(name="found", ok=True, detail=detail))
        return found

    def ask_to_stop(self) -> None:
        """May be called from a signal handler, which must not wait for a lock that the thread it
        interrupts may hold: so another thread rings."""
        self.stopping.set()
        threading.Thread(target=self._wake, name="stop").start()

    def _wake(self) -> None:
        self.work.ring()
        self.events.ring()

    @property
    def asked_at(self) -> float:
        """When a user last asked something, by the monotonic clock."""
        return self.visits.last

    def idle_exit_s(self) -> float:
        """Without runners and users for so long, it ends; 0: never."""
        try:
            return self.host.settings(None).daemon.idle_exit_s
        except BadConfig:
            # To be told to whoever works, and no reason to leave him.
            return 0.0

    @property
    def log_path(self) -> Path:
        return self.home / "logs" / "controller.log"


def build(home: Path) -> Controller:
    work, events = Bell(), Bell()
    pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="work")

    def engine(name: str) -> Engine:
        return find_engine(name, os.environ)

    def changed() -> None:
        work.ring()
        events.ring()

    host = Host(home, engine, changed, events.ring)
    disk = Disk(home)
    # Reviews wait for databases, and those for the one that a template is made of.
    apart = {kind: ThreadPoolExecutor(WORKERS, kind) for kind in (DATABASE_JOB, TEMPLATE_JOB)}
    jobs = Jobs(pool, changed, disk, apart)
    return Controller(
        home=home,
        work=work,
        events=events,
        host=host,
        jobs=jobs,
        reconciler=Reconciler(host, jobs),
        pool=pool,
        disk=disk,
    )
