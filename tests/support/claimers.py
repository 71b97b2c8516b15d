"""Many runners that claim tasks of one project at once, as fast as they get them.

A claimer is a thread. It takes the next section that nobody works on, and asks for a task as that
section's runner does. What it got it hands to the one thread that lands: there the task is
completed and its locks are released, many at once, since a project has one landing queue too.
"""

import queue
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from sqlalchemy import delete, insert, update
from sqlmodel import Session, col, func, select

from steroids.services.asking import Answer, Asking
from steroids.services.claiming import Claims, claim
from steroids.services.clock import steady_now
from steroids.services.desk import Desk
from steroids.settings import Runners
from steroids.store import project_models as db
from steroids.store.session import Store
from steroids.wire.task import TaskStatus

BASE = "0123456789012345678901234567890123456789"
SHARED = "Shared"
"""A section without tasks, that all others depend on: a claim grants three locks."""
LIMIT_S = 300


def fill(store: Store, sections: int, tasks: int) -> None:
    """Pending tasks, spread over the sections."""
    with store.write() as session:
        shared = db.Section(name=SHARED, paths=["packages/**"], position=0)
        session.add(shared)
        rows = [
            db.Section(
                name=f"s{number}",
                paths=[f"apps/s{number}/**"],
                position=number,
                dependencies=[shared.id],
            )
            for number in range(1, sections + 1)
        ]
        session.add_all(rows)
        session.flush()
        fields = [
            db.Task(title=f"t{number}", section_id=rows[number % sections].id, position=number)
            for number in range(tasks)
        ]
        values = [each.model_dump() for each in fields]
        session.connection().execute(insert(db.Task), values)


@dataclass(frozen=True)
class Claimed:
    section_id: str
    task_id: str
    fence: int


@dataclass
class Fleet:
    """`claimers` threads on one store object, until no section has anything for them."""

    store: Store
    claimers: int
    name: str = ""
    claimed: list[Claimed] = field(default_factory=list)
    """In the order in which they were handed over."""
    desk: Desk[Asking, Answer] = field(default_factory=Desk)
    _idle: "queue.SimpleQueue[str | None]" = field(default_factory=queue.SimpleQueue)
    _done: "queue.SimpleQueue[Claimed | None]" = field(default_factory=queue.SimpleQueue)
    _left: int = 0
    _guard: threading.Lock = field(default_factory=threading.Lock)  # guards _left

    def run(self) -> None:
        with self.store.read() as session:
            query = select(db.Section.id).where(db.Section.name != SHARED)
            sections = session.exec(query).all()
        self._left = len(sections)
        for section_id in sections:
            self._idle.put(section_id)
        with ThreadPoolExecutor(self.claimers + 1) as pool:
            landing = pool.submit(self._land)
            claiming = [pool.submit(self._claim) for _ in range(self.claimers)]
            for each in claiming:
                each.result(LIMIT_S)
            self._done.put(None)
            landing.result(LIMIT_S)

    def _claim(self) -> None:
        while (section_id := self._idle.get(timeout=LIMIT_S)) is not None:
            answer = self.desk.ask(Asking(f"{self.name}{section_id}", section_id), self._serve)
            if answer.task_id is not None:
                self._done.put(Claimed(section_id, answer.task_id, answer.fence))
            elif answer.left:
                self._idle.put(section_id)
            else:
                self._drained()

    def _serve(self, asking: Sequence[Asking]) -> Sequence[Answer]:
        with self.store.write() as session:
            return claim(session, asking, Claims(Runners(), steady_now(), BASE))

    def _drained(self) -> None:
        with self._guard:
            self._left -= 1
            if self._left == 0:
                for _ in range(self.claimers):
                    self._idle.put(None)

    def _land(self) -> None:
        over = False
        while not over:
            batch = [self._done.get(timeout=LIMIT_S)]
            while not self._done.empty():
                batch.append(self._done.get())
            over = None in batch
            landed = [each for each in batch if each is not None]
            if landed:
                self.claimed += landed
                with self.store.write() as session:
                    land(session, landed)
                for each in landed:
                    self._idle.put(each.section_id)


def land(session: Session, landed: Sequence[Claimed]) -> None:
    """Complete the tasks and release their locks."""
    now = steady_now()
    ids = [each.task_id for each in landed]
    done = {"status": TaskStatus.COMPLETED, "completed_at": now}
    session.exec(update(db.Task).where(col(db.Task.id).in_(ids)).values(**done))
    session.exec(delete(db.Lease).where(col(db.Lease.task_id).in_(ids)))


def clashes(session: Session) -> list[str]:
    """Resources that two hold exclusively at this moment, or one beside others."""
    lease = db.Lease
    alone = select(lease.resource).where(col(lease.exclusive))
    query = (
        select(lease.resource)
        .where(col(lease.resource).in_(alone))
        .group_by(col(lease.resource))
        .having(func.count() > 1)
    )
    return list(session.exec(query))
