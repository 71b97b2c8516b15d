"""A machine that does to claims and locks whatever may happen to them, in any order.

Each rule does one thing to the real services and to the model, and compares what they answer;
after each, the stores have to be as the model says, and nobody may be where another is.
"""

import random
import sys

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from steroids.services.leases import LockHeld
from steroids.setting_groups import Zone
from steroids.wire.assignment import Outcome
from steroids.wire.task import TaskStatus as S
from tests.support import lock_books
from tests.support.lock_model import Job
from tests.support.lock_runners import RunnerRules
from tests.support.lock_sections import (
    MAX_SECTIONS,
    MAX_TASKS,
    NUMBERS,
    PATHS,
    PRIORITIES,
    SOME,
    ZONES,
)


class LockMachine(RunnerRules):
    """With the rules about the controller, and about time."""

    single = False
    """Whether it begins with one runner for all sections, and not with one for each."""

    @initialize(
        some=st.lists(
            st.tuples(st.sampled_from([False] * 3 + [True]), SOME, SOME, PATHS),
            min_size=2,
            max_size=MAX_SECTIONS,
        ),
        jobs=st.lists(st.tuples(NUMBERS, PRIORITIES, PATHS), min_size=3, max_size=MAX_TASKS),
        zones=st.sampled_from(ZONES),
        dependents_only=st.booleans(),
    )
    def begin(
        self,
        some: list[tuple[bool, list[int], list[int], list[str]]],
        jobs: list[tuple[int, int, list[str]]],
        zones: tuple[Zone, ...],
        dependents_only: bool,
    ) -> None:
        """Not from nothing: most of what is interesting takes several of each."""
        self.change_settings(zones, dependents_only)
        for one in some:
            self.add_section(*one)
        for job in jobs:
            self.add_task(*job)
        if self.single:
            self._start(None)
        self._start_missing()

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
        if chance.random() < 0.7:
            self._review([chance.random() < 0.8 for _ in self._with(S.REVIEW)][:2])
            ends = ["land"] * 4 + ["conflict", "refuse"]
            self._landing([chance.choice(ends) for _ in self._to_land()][:2])

    # What happens most has to be there most often.
    and_on = some_go_on
    and_further = some_go_on

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
        for job, end in zip(self._to_land(), ends, strict=False):
            if end == "land":
                self._land(job)
            elif end == "conflict":
                self.world.conflict(job.id)
                self.model.conflicted(job)
            else:
                self.world.refuse(job.id)
                job.refused = True

    def _to_land(self) -> list[Job]:
        return [job for job in self._with(S.APPROVED) if not job.refused]

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
        elif job.status is S.REVIEW:
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

    def teardown(self) -> None:
        """In the end everybody is honest and quick: what can be done is done, and soon."""
        if sys.exc_info()[0] is not None:
            return
        self._push_again()
        self._start_missing()
        chance = random.Random(len(self.model.jobs))
        for number in range(60 + 4 * len(self.model.jobs) + 4 * len(self.model.sections)):
            if not self._left():
                break
            if number % 10 == 9:
                self._all_beat()
            self._round(chance)
            self.the_books_are_right()
        assert not self._left(), f"T{self._left()[0].position} is never claimed"

    def _left(self) -> list[Job]:
        open_ = {each for each in self.model.sections if self.model.open_to(each)}
        pending = [job for each in sorted(open_) for job in self.model.pending(each)]
        return [*pending, *self.model.under_way()]

    def _round(self, chance: random.Random) -> None:
        self.world.passes(2)
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
