"""Rules about runners: they come, ask, are heard of, hand over, freeze, and go."""

import random
from datetime import datetime

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from steroids.errors import Busy
from steroids.services.asking import Answer, Asking
from steroids.wire.assignment import Outcome
from steroids.wire.task import TaskStatus as S
from tests.support.lock_model import Job, collide
from tests.support.lock_sections import NUMBERS, SectionRules, Worker


class RunnerRules(SectionRules):
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
        """At the same time; or each twice, as one that did not get the answer."""
        alive = self._alive() * (2 if seed % 4 == 3 else 1)
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
