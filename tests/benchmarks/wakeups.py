"""A wakeup of a host with many projects of which few have work, in a controller that has just
been started: nothing is open yet. What starting a runner takes is not part of it, nor are the
remotes that it asks: `up` is stubbed.
"""

import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

from steroids.engines.fake import FakeEngine
from steroids.git.mirror import Mirror
from steroids.services import wanting
from steroids.services.host import Host
from steroids.services.jobs import Jobs
from steroids.services.reconcile import Reconciler
from steroids.services.wakeup import wakeup
from steroids.store import home_models as home
from steroids.store import project_models as db
from steroids.store.columns import new_id
from steroids.store.session import Store
from steroids.wire.wakeup import Action
from tests.benchmarks.monorepo import NotMeasured
from tests.benchmarks.report import Line, median
from tests.support.service import AtOnce

PROJECTS = 1000
WITH_WORK = 100
AT_MOST_S = 3.0
ROUNDS = 3


def wakeups(folder: Path, rounds: int = ROUNDS) -> list[Line]:
    """Of `PROJECTS`, each `PROJECTS / WITH_WORK`th has a task; room for all on the host."""
    _make(folder)
    took, rested = [], []
    for _ in range(rounds):
        with _controller(folder) as (host, jobs, reconciler):
            began = time.perf_counter()
            with mock.patch.object(wanting, "up"):
                answer = wakeup(host, jobs)
            took.append(time.perf_counter() - began)
            found = sum(each.action is Action.STARTED for each in answer.results)
            if len(answer.results) != PROJECTS or found != WITH_WORK:
                raise NotMeasured(f"{found} of {len(answer.results)} projects were started")
        with _controller(folder) as (_, _, reconciler):
            began = time.perf_counter()
            reconciler.tick()
            rested.append(1000 * (time.perf_counter() - began))
    what = f"of {PROJECTS} projects, {WITH_WORK} with work"
    return [
        Line(f"wakeup {what}", median(took), "s", at_most=AT_MOST_S),
        Line(f"a round {what} that nobody asks for", median(rested), "ms"),
    ]


def _make(folder: Path) -> None:
    """Registered projects as they are after `init`; copies, since to make a store takes long."""
    (folder / "home").mkdir(mode=0o700, parents=True)
    (folder / "home" / "config.yaml").write_text("{runners: {max_on_host: 1000}}")
    likes = {work: _store(folder / f"like-{work}.db", work=work) for work in (True, False)}
    mirror = Mirror.create(folder / "mirror.git").path
    rows = [_row(folder / "projects" / f"p{number:04}") for number in range(PROJECTS)]
    for number, row in enumerate(rows):
        own = Path(row.path, ".steroids")
        own.mkdir(parents=True)
        shutil.copy(likes[number % (PROJECTS // WITH_WORK) == 0], own / "steroids.db")
        shutil.copytree(mirror, folder / "home" / "projects" / row.id / "mirror.git")
    store = Store(folder / "home" / "steroids.db", "home")
    with store.write() as session:
        session.add_all(rows)
    store.close()


def _row(path: Path) -> home.Project:
    return home.Project(id=new_id(), path=str(path), name=path.name, target="main")


def _store(path: Path, *, work: bool) -> Path:
    store = Store(path, "project")
    section = db.Section(name="API", paths=["api/**"], position=0)
    status = "pending" if work else "completed"
    with store.write() as session:
        session.add(section)
        session.flush()
        session.add(db.Task(title="Work", section_id=section.id, position=0, status=status))
    store.close()
    return path


@contextmanager
def _controller(folder: Path) -> Iterator[tuple[Host, Jobs, Reconciler]]:
    """A new one, whose rounds go on beside; it has done its first."""
    engine = FakeEngine()
    rung, over = threading.Event(), threading.Event()
    host = Host(folder / "home", lambda name: engine, rung.set, lambda: None)
    jobs = Jobs(AtOnce(), lambda: None)
    reconciler = Reconciler(host, jobs)
    reconciler.adopt()
    reconciler.tick()

    def rounds() -> None:
        while not over.is_set():
            if rung.wait(0.01):
                rung.clear()
                reconciler.tick()

    thread = threading.Thread(target=rounds)
    thread.start()
    try:
        yield host, jobs, reconciler
    finally:
        over.set()
        thread.join()
        host.close()
        engine.close()
