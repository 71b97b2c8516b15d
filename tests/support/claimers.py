"""Many runners that claim tasks of one project at once, as fast as they get them.

A claimer is a thread. It takes the next section that nobody works on, and asks for a task as that
section's runner does. What it got it hands to the one thread that lands: there the task is
completed and its locks are released, many at once, since a project has one landing queue too.
"""

import os
import queue
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import delete, insert, update
from sqlmodel import Session, col, func, select

from steroids.services.asking import Answer, Asking
from steroids.services.claiming import Claims, answer, look
from steroids.services.clock import steady_now
from steroids.services.desk import Desk
from steroids.setting_groups import Runners
from steroids.store import project_models as db
from steroids.store.session import Store
from steroids.wire.task import TaskStatus

BASE = "0123456789012345678901234567890123456789"
SHARED = "Shared"
"""A section without tasks, that all others depend on: a claim grants three locks."""
LIMIT_S = 120


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
    asking: Asking
    task_id: str
    fence: int


@dataclass
class Fleet:
    """`claimers` threads on one store object, until there is nothing left for them.

    They ask as the runners of all sections, or with `anywhere` as so many that work on every one.
    `watched`: each transaction makes sure that nobody holds what another one has.
    """

    store: Store
    claimers: int
    anywhere: str | None = None
    """What their ids begin with."""
    watched: bool = False
    claimed: list[Claimed] = field(default_factory=list)
    """In the order in which they were handed over."""
    desk: Desk[Asking, Answer] = field(default_factory=Desk)
    _idle: "queue.SimpleQueue[Asking | None]" = field(default_factory=queue.SimpleQueue)
    _done: "queue.SimpleQueue[Claimed | None]" = field(default_factory=queue.SimpleQueue)
    _left: int = 0
    _guard: threading.Lock = field(default_factory=threading.Lock)  # guards _left

    def run(self) -> None:
        runners = self._runners()
        self._left = len(runners)
        for asking in runners:
            self._idle.put(asking)
        with ThreadPoolExecutor(self.claimers + 1) as pool:
            work = [pool.submit(self._land)]
            work += [pool.submit(self._claim) for _ in range(self.claimers)]
            for each in work:
                # One that fails must not leave the others waiting for it.
                each.add_done_callback(lambda done: self._end() if done.exception() else None)
            for each in work:
                each.result(LIMIT_S)

    def rounds(self) -> float:
        """The same, but landing has its own time: each round, all claimers ask at once, and when
        all have been answered what they got is landed. Returns the seconds that claiming took."""
        idle = deque(self._runners())
        took_s = 0.0
        with ThreadPoolExecutor(self.claimers) as pool:
            while idle:
                asking = [idle.popleft() for _ in range(min(self.claimers, len(idle)))]
                answers = list(pool.map(self._timed, asking))
                took_s += max(end for _, end, _ in answers) - min(begun for begun, _, _ in answers)
                landed = [
                    Claimed(asked, found.task_id, found.fence)
                    for asked, (_, _, found) in zip(asking, answers, strict=True)
                    if found.task_id is not None
                ]
                self._landed(landed)
                idle.extend(each.asking for each in landed)
        return took_s

    def _timed(self, asking: Asking) -> tuple[float, float, Answer]:
        begun = time.perf_counter()
        found = self.desk.ask(asking, self._serve)
        return begun, time.perf_counter(), found

    def _runners(self) -> Sequence[Asking]:
        if self.anywhere is not None:
            return [Asking(f"{self.anywhere}-{number}", None) for number in range(self.claimers)]
        with self.store.read() as session:
            ids = session.exec(select(db.Section.id).where(db.Section.name != SHARED))
            return [Asking(f"of {each}", each) for each in ids]

    def _claim(self) -> None:
        while (asking := self._idle.get(timeout=LIMIT_S)) is not None:
            found = self.desk.ask(asking, self._serve)
            if found.task_id is not None:
                self._done.put(Claimed(asking, found.task_id, found.fence))
            else:
                # What is pending yet is in a section that another one has, who will ask again.
                self._drained()

    def _serve(self, asking: Sequence[Asking]) -> Sequence[Answer]:
        with self.store.write() as session:
            round_ = look(session, Claims(Runners(), steady_now(), BASE))
            asking = [*asking, *self.desk.latecomers()]
            answers = answer(round_, asking)
            assert not (self.watched and clashes(session))
            return answers

    def _drained(self) -> None:
        with self._guard:
            self._left -= 1
            over = self._left == 0
        if over:
            self._end()

    def _end(self) -> None:
        self._done.put(None)
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
            self._landed(landed)
            for each in landed:
                self._idle.put(each.asking)

    def _landed(self, claimed: Sequence[Claimed]) -> None:
        self.claimed += claimed
        if claimed:
            with self.store.write() as session:
                land(session, claimed)


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


if __name__ == "__main__":
    url, report, count = sys.argv[1:]
    opened = Store(url, "project")
    fleet = Fleet(opened, int(count), anywhere=str(os.getpid()), watched=True)
    print("up", flush=True)
    sys.stdin.readline()
    fleet.run()
    Path(report).write_text("".join(f"{each.task_id} {each.fence}\n" for each in fleet.claimed))
    opened.close()
