"""A machine that does to claims and locks whatever may happen to them, in any order.

Each rule does one thing to the real services and to the model, and compares what they answer;
after each, the stores have to be as the model says, and nobody may be where another is.
"""

import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from steroids.errors import Busy
from steroids.services.asking import Answer, Asking
from steroids.services.leases import LockHeld
from steroids.services.section_rules import Cycle
from steroids.settings import Zone
from steroids.store import home_models as home
from steroids.wire.assignment import Outcome
from steroids.wire.section import Isolation, SectionAdd, SectionEdit
from steroids.wire.task import TaskStatus as S
from tests.support import lock_books
from tests.support.lock_model import GLOBS, Job, Model, Sec, collide
from tests.support.lock_world import World

MAX_SECTIONS, MAX_TASKS = 5, 12
NAMES = [f"S{number}" for number in range(MAX_SECTIONS)]
ZONES = (
    (),
    (Zone(name="pair", paths=["apps/*/package.json"], sections=["S0"], max_runners=2),),
    (Zone(name="one", sections=["S1", "S2"], paths=["docs/*.md"]),),
    (
        Zone(name="pair", sections=["S0", "S1", "S2", "S3"], max_runners=2),
        Zone(name="one", paths=["apps/a/**"], max_runners=3, exclusive=True),
    ),
)
PRIORITIES = st.sampled_from([50, 50, 10, 90])
NUMBERS = st.integers(0, 59)
"""To choose one of what there is: its remainder counts."""
SOME = st.lists(st.integers(0, MAX_SECTIONS - 1), max_size=2)
PATHS = st.lists(st.sampled_from(GLOBS), max_size=2, unique=True)


T = TypeVar("T")


@dataclass
class Worker:
    row: home.Runner
    section: str | None
    alive: bool = True
    waits_since: datetime | None = None
    had: list[tuple[str, int, int]] = field(default_factory=list)
    """Task, attempt and fence of all that it was ever given."""
    handed: dict[tuple[str, int, int], Outcome] = field(default_factory=dict)
    """What it has said of these; saying it again is no other word."""

    @property
    def id(self) -> str:
        return self.row.id


class LockMachine(RuleBasedStateMachine):
    def __init__(self, world: World) -> None:
        super().__init__()
        world.reset()
        self.world = world
        self.model = Model()
        self.workers: list[Worker] = []
        self.landed: list[str] = []
        self.handed: set[tuple[str, int, bool]] = set()
        """Tasks and attempts of which a result was taken in, and whether that was their end."""

    # Sections, tasks, settings.

    @initialize(
        some=st.lists(
            st.tuples(st.sampled_from([False] * 3 + [True]), SOME, SOME, PATHS),
            min_size=2,
            max_size=MAX_SECTIONS,
        ),
        jobs=st.lists(st.tuples(NUMBERS, PRIORITIES, PATHS), min_size=3, max_size=MAX_TASKS),
        single=st.sampled_from([False] * 4 + [True]),
    )
    def begin(
        self,
        some: list[tuple[bool, list[int], list[int], list[str]]],
        jobs: list[tuple[int, int, list[str]]],
        single: bool,
    ) -> None:
        """Not from nothing: most of what is interesting takes several of each."""
        for one in some:
            self.add_section(*one)
        for job in jobs:
            self.add_task(*job)
        if single:
            self._start(None)
        self._start_missing()

    @precondition(lambda self: len(self.model.sections) < MAX_SECTIONS)
    @rule(exclusive=st.sampled_from([False, False, True]), reads=SOME, after=SOME, paths=PATHS)
    def add_section(
        self, exclusive: bool, reads: list[int], after: list[int], paths: list[str]
    ) -> None:
        name = NAMES[len(self.model.sections)]
        known = list(self.model.sections.values())
        related = [sorted({each.name for i, each in enumerate(known) if i in n}) for n in (reads,)]
        later = sorted({each.name for i, each in enumerate(known) if i in after[:1]})
        body = SectionAdd(
            name=name,
            paths=paths or ["packages/shared-*"],
            isolation=Isolation.EXCLUSIVE if exclusive else Isolation.PARALLEL,
            dependencies=related[0],
            after=later,
        )
        ident = self.world.add_section(body)
        ids = {each.name: each.id for each in known}
        self.model.sections[ident] = Sec(
            ident,
            name,
            len(known) + 1,
            exclusive,
            {ids[each] for each in body.dependencies},
            {ids[each] for each in later},
            body.paths,
            50,
        )

    @precondition(lambda self: self.model.sections)
    @rule(
        n=NUMBERS,
        exclusive=st.booleans(),
        reads=SOME,
        after=SOME,
        priority=PRIORITIES,
        skipped=st.sampled_from([False, False, True]),
    )
    def edit_section(
        self,
        n: int,
        exclusive: bool,
        reads: list[int],
        after: list[int],
        priority: int,
        skipped: bool,
    ) -> None:
        section = self._section(n)
        names = {each.id: each.name for each in self.model.sections.values()}
        ids = [each for each in names if each != section.id]
        dependencies = {ids[i] for i in reads if i < len(ids)}
        later = {ids[i] for i in after[:1] if i < len(ids)}
        body = SectionEdit(
            isolation=Isolation.EXCLUSIVE if exclusive else Isolation.PARALLEL,
            dependencies=[names[each] for each in dependencies],
            after=[names[each] for each in later],
            priority=priority,
            skipped=skipped,
        )
        try:
            self.world.edit_section(section.id, body)
        except Cycle:
            return
        section.exclusive, section.priority = exclusive, priority
        section.reads, section.after, section.skipped = dependencies, later, skipped

    @precondition(lambda self: self.model.sections and len(self.model.jobs) < MAX_TASKS)
    @rule(n=NUMBERS, priority=PRIORITIES, paths=PATHS)
    def add_task(self, n: int, priority: int, paths: list[str]) -> None:
        section, number = self._section(n), len(self.model.jobs) + 1
        ident = self.world.add_task(f"T{number}", section.name, priority, paths)
        self.model.jobs[ident] = Job(ident, section.id, number, priority, paths)

    @rule(zones=st.sampled_from(ZONES), dependents_only=st.booleans())
    def change_settings(self, zones: tuple[Zone, ...], dependents_only: bool) -> None:
        self.world.configure(zones, dependents_only=dependents_only)
        self.model.zones, self.model.dependents_only = zones, dependents_only

    # Runners.

    @rule(n=NUMBERS, which=st.sampled_from(["one", "missing", "single"]))
    def start(self, n: int, which: str) -> None:
        if which == "missing":
            self._start_missing()
        else:
            self._start(self._section(n).id if which == "one" else None)

    def _start_missing(self) -> None:
        there = {worker.section for worker in self._alive()}
        for each in () if None in there else sorted(self.model.sections.keys() - there):
            self._start(each)

    def _start(self, section: str | None) -> None:
        alive = self._alive()
        in_the_way = [w for w in alive if section is None or w.section in (None, section)]
        try:
            row = self.world.start(section)
        except Busy:
            assert in_the_way, "refused without a reason"
            return
        assert not in_the_way, "two runners of one section"
        self.workers.append(Worker(row, section))

    @precondition(lambda self: self.workers)
    @rule(ns=st.lists(NUMBERS, min_size=1, max_size=4))
    def ask(self, ns: list[int]) -> None:
        """Several at once, one perhaps twice, and sometimes one that died while it asked."""
        self._ask([self._of(self.workers, n) for n in ns])

    @precondition(lambda self: self._alive())
    @rule(seed=NUMBERS)
    def all_ask(self, seed: int) -> None:
        alive = self._alive()
        random.Random(seed).shuffle(alive)
        self._ask(alive)

    def _ask(self, asking: list[Worker]) -> None:
        now = self.world.now()
        waiting = [(w.waits_since, w.section) for w in self._alive() if w.waits_since and w.section]
        turns = self.model.turns(((s, i) for s, i in waiting if s and i), now)
        answers = self.world.ask([Asking(w.id, w.section) for w in asking])
        fresh: list[int] = []
        for worker, answer in zip(asking, answers, strict=True):
            had = self.model.of_runner(worker.id)
            if had is not None:
                assert (answer.task_id, answer.fence) == (had.id, had.fence), "a lost answer"
            else:
                self._answered(worker, answer, self.model.first(worker.section, turns), now)
                fresh += [answer.fence] if answer.task_id else []
            if worker.alive:
                waits = answer.task_id is None and answer.left and answer.waits_for
                worker.waits_since = (worker.waits_since or now) if waits else None
        if fresh:
            assert fresh == sorted(set(fresh)) and fresh[0] > self.model.last_fence, "fences grow"
            self.model.last_fence = fresh[-1]

    def _answered(
        self, worker: Worker, answer: Answer, expected: Job | None, now: datetime
    ) -> None:
        given = self.model.jobs.get(answer.task_id or "")
        if given is not None:
            need = self.model.need(given)
            for other in self.model.under_way():
                assert other is not given, "a task that somebody has already"
                why = collide(need, other.need) if other.need else None
                assert why is None, f"{why}: T{given.position} beside T{other.position}"
        name = f"T{expected.position}" if expected else "nothing"
        got = f"T{given.position}" if given else f"nothing: {answer.waits_for}"
        assert given is expected, f"{name} is first, and it was given {got}"
        if given is not None:
            self.model.claimed(given, worker.id, answer.fence, now)
            worker.had.append((given.id, given.attempts, answer.fence))
        elif not any(job.refused for job in self.model.jobs.values()):
            sections = [worker.section] if worker.section else list(self.model.sections)
            work = [s for s in sections if self.model.open_to(s) and self.model.pending(s)]
            assert answer.left or not work, "drained, and there is work"

    @precondition(lambda self: self._alive())
    @rule(n=NUMBERS, which=st.sampled_from(["all", "one", "of old"]))
    def heartbeat(self, n: int, which: str) -> None:
        worker = self._of(self._alive(), n)
        if which == "all":
            self._all_beat()
        else:
            self._beat(worker, worker.had[0][2] if which == "of old" and worker.had else None)

    def _all_beat(self) -> None:
        for worker in self._alive():
            if self.model.of_runner(worker.id) is not None:
                self._beat(worker, None)

    def _beat(self, worker: Worker, fence: int | None) -> None:
        """By default with what it was given last, whether it still has that or not."""
        fence = fence if fence is not None or not worker.had else worker.had[-1][2]
        mine = [job for job in self.model.under_way() if job.runner == worker.id]
        expected = fence is None or any(job.fence == fence for job in mine)
        assert self.world.heartbeat(worker.row, fence) == expected, "told wrong whose the task is"
        self.model.renewed(mine, self.world.now())

    @precondition(lambda self: any(worker.had for worker in self.workers))
    @rule(
        n=NUMBERS,
        back=st.sampled_from([0, 0, 1, 2, 3]),
        outcome=st.sampled_from([Outcome.DONE] * 4 + list(Outcome)),
    )
    def submit(self, n: int, back: int, outcome: Outcome) -> None:
        """Its newest task, or one of earlier: an upload that is late, or sent twice."""
        worker = self._of([each for each in self.workers if each.had], n)
        self._submit(worker, worker.had[-1 - back % len(worker.had)], outcome)

    def _submit(self, worker: Worker, what: tuple[str, int, int], outcome: Outcome) -> None:
        task_id, attempt, fence = what
        job = self.model.jobs[task_id]
        outcome = worker.handed.get(what, outcome)
        taken = self.world.submit(worker.row, task_id, attempt, fence, outcome)
        holds = (job.status, job.fence, job.runner) == (S.IN_PROGRESS, fence, worker.id)
        ended = outcome is not Outcome.STOPPED
        again = (task_id, attempt, ended) in self.handed
        assert taken or not holds, "refused, though it had the lease"
        if not holds:
            assert again or not taken, "taken in from a runner that was fenced off"
            return
        worker.handed[what] = outcome
        self.handed.add((task_id, attempt, ended))
        match outcome:
            case Outcome.DONE:
                job.status, job.expires_at = S.REVIEW, None
            case Outcome.FAILED:
                self.model.rejected(job)
            case Outcome.UNUSABLE:
                job.ends(S.FAILED)
            case Outcome.STOPPED:
                job.ends(S.PENDING, interrupted=True)

    @precondition(lambda self: self._alive())
    @rule(seed=NUMBERS)
    def some_go_on(self, seed: int) -> None:
        """A step of everybody's usual way, for some: claim, submit, review, landing."""
        chance = random.Random(seed)
        for worker in self.workers:
            if worker.had and chance.random() < 0.2:
                self._comes_back(worker, chance.choice(worker.had))
        self.all_ask(seed)
        for worker in self._alive():
            if self.model.of_runner(worker.id) is not None and chance.random() < 0.6:
                outcomes = [Outcome.DONE] * 5 + [Outcome.FAILED, Outcome.STOPPED]
                self._submit(worker, worker.had[-1], chance.choice(outcomes))
        self._review([chance.random() < 0.8 for _ in self._with(S.REVIEW)][:2])
        ends = ["land"] * 4 + ["conflict", "refuse"]
        self._landing([chance.choice(ends) for _ in self._with(S.APPROVED)][:2])

    @precondition(lambda self: self._alive())
    @rule(n=NUMBERS, crashed=st.booleans())
    def runner_ends(self, n: int, crashed: bool) -> None:
        """What one that crashed held is found by the next sweep."""
        worker = self._of(self._alive(), n)
        job = self.model.of_runner(worker.id)
        if crashed:
            self.world.dies(worker.id)
        else:
            self.world.stops(worker.row)
            if job is not None:
                job.ends(S.PENDING, interrupted=True)
        worker.alive, worker.waits_since = False, None

    def _comes_back(self, worker: Worker, what: tuple[str, int, int]) -> None:
        """It was frozen, and goes on with what it had then as if nothing had happened since."""
        current = self.model.of_runner(worker.id)
        if current is not None and current.fence == what[2]:
            return
        if worker.alive:
            self._beat(worker, what[2])
        self._submit(worker, what, Outcome.DONE)

    # What happens most has to be there most often.
    and_on = some_go_on
    and_further = some_go_on

    # The controller, and time.

    @rule(seconds=st.sampled_from([0.0, 1.0, 10.0, 21.0, 59.0, 61.0]), sweep=st.booleans())
    def time_passes(self, seconds: float, sweep: bool) -> None:
        self.world.passes(seconds)
        if sweep:
            self._sweep()

    def _sweep(self) -> None:
        expected = self.model.swept(self.world.now(), [w.id for w in self._alive()])
        assert self.world.sweep() == expected, "tasks that nobody works on"

    def _review(self, good: list[bool]) -> None:
        for job, passed in zip(self._with(S.REVIEW), good, strict=False):
            if passed:
                self.world.approve(job.id)
                job.status = S.APPROVED
            else:
                self.world.reject(job.id)
                self.model.rejected(job)

    def _landing(self, ends: list[str]) -> None:
        for job, end in zip(self._with(S.APPROVED), ends, strict=False):
            if end == "land":
                self._land(job)
            elif end == "conflict":
                self.world.conflict(job.id)
                self.model.conflicted(job)
            else:
                self.world.refuse(job.id)
                job.refused = True

    def _land(self, job: Job) -> None:
        self.world.land(job.id)
        job.ends(S.COMPLETED)
        self.landed.append(job.id)

    @precondition(lambda self: self.model.under_way())
    @rule(n=NUMBERS, what=st.sampled_from(["release", "release --force", "push", "fail"]))
    def by_hand(self, n: int, what: str) -> None:
        job = self._of(self.model.under_way(), n)
        if what == "push":
            self._push_again()
        elif what != "fail":
            self._release(job, force=what.endswith("--force"))
        elif job.status is not S.IN_PROGRESS:
            self.world.fail(job.id)
            job.ends(S.FAILED)

    def _push_again(self) -> None:
        refused = [job for job in self.model.jobs.values() if job.refused]
        assert self.world.retry_refused() == len(refused)
        for job in refused:
            job.refused = False

    def _release(self, job: Job, *, force: bool) -> None:
        alive = any(worker.id == job.runner for worker in self._alive())
        refused = job.status is not S.IN_PROGRESS or (alive and not force)
        try:
            self.world.release(job.id, force=force)
        except LockHeld:
            assert refused, "a lock of nobody's was kept"
            return
        assert not refused, "a lock was taken from who has it"
        job.ends(S.PENDING, interrupted=True)

    @rule(
        seconds=st.sampled_from([-86_400.0, -3_600.0, -30.0, 30.0, 3_600.0, 86_400.0]),
        restart=st.booleans(),
    )
    def clock_is_set(self, seconds: float, restart: bool) -> None:
        """And the controller may be another process from then on."""
        self.world.steps(seconds)
        if not restart:
            return
        self.world.restarts()
        now = self.world.now()
        self.model.renewed(self.model.running(), now)
        for worker in self._alive():
            if worker.waits_since is not None:
                worker.waits_since = min(worker.waits_since, now)

    # What has to be true at any time, and what has to come true in the end.

    def teardown(self) -> None:
        """In the end everybody is honest and quick: what can be done is done, and soon."""
        if sys.exc_info()[0] is not None:
            return
        self._push_again()
        self._start_missing()
        chance = random.Random(len(self.model.jobs))
        for _ in range(60 + 4 * len(self.model.jobs) + 4 * len(self.model.sections)):
            if not self._left():
                break
            self._round(chance)
            self.the_books_are_right()
        assert not self._left(), f"T{self._left()[0].position} is never claimed"

    def _left(self) -> list[Job]:
        open_ = {each for each in self.model.sections if self.model.open_to(each)}
        pending = [job for each in sorted(open_) for job in self.model.pending(each)]
        return [*pending, *self.model.under_way()]

    def _round(self, chance: random.Random) -> None:
        self.world.passes(2)
        self._all_beat()
        self._sweep()
        self.all_ask(chance.randrange(1000))
        for worker in self._alive():
            job = self.model.of_runner(worker.id)
            if job is not None and chance.random() < 0.7:
                self._submit(worker, worker.had[-1], Outcome.DONE)
        self._review([True] * len(self.model.jobs))
        self._landing(["land"] * len(self.model.jobs))

    @invariant()
    def the_books_are_right(self) -> None:
        lock_books.check(self.world, self.model, self.landed)

    def _alive(self) -> list[Worker]:
        return [worker for worker in self.workers if worker.alive]

    def _with(self, *statuses: S) -> list[Job]:
        return [job for job in self.model.jobs.values() if job.status in statuses]

    def _section(self, n: int) -> Sec:
        return self._of(list(self.model.sections.values()), n)

    def _of(self, found: Sequence[T], n: int) -> T:
        return found[n % len(found)]
