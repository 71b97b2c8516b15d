"""Landings: tasks that are approved, until the remote has them; beside a plain loop.

Ours is the service behind the controller: fetch, replay each task's commit without a work tree,
write down what is to be pushed, push, ask the remote what it has, complete the task. Nothing is to
be checked, so no container is in it. Theirs lands as many commits like these from one clone: for
each `git pull --rebase && git push`, which asks nobody and writes nothing down; checking out the
branch that each is on is not counted. The remote is a path for both.
"""

import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from steroids.services import landing, reviews
from steroids.wire.task import TaskStatus
from tests.benchmarks.history import long_history
from tests.benchmarks.monorepo import NotMeasured, disk_bytes, git
from tests.benchmarks.report import Line, median
from tests.support.repos import Repo
from tests.support.service import Bench

TASKS = 16
ROUNDS = 3
BATCHES = (1, 8)
"""The second is the default."""
THEIRS = "pull --rebase; push"
LARGE_AT_MOST_S = 1.0
NOBODY = "fake"
"""The engine, which nothing is to be checked with."""


def landings(folder: Path, rounds: int = ROUNDS) -> list[Line]:
    """Landings per second on a small repository."""
    ours: dict[int, list[float]] = {batch: [] for batch in BATCHES}
    theirs: list[float] = []
    bench = Bench(_made(folder / "small"))
    try:
        sections = [f"S{number}" for number in range(TASKS)]
        for name in sections:
            bench.section(name)
        loop = Loop(bench, folder / "small" / "clone")
        for number in range(rounds):
            for batch in BATCHES:
                _approved(bench, sections, f"{number}.{batch}")
                ours[batch].append(TASKS / _land(bench, batch).wall_s)
            loop.commits(TASKS, f"loop{number}")
            theirs.append(TASKS / loop.land().wall_s)
    finally:
        bench.close()
    wanted = {BATCHES[-1]: 1.0}
    return [
        Line(
            f"landings, batch {batch}",
            median(rates),
            "/s",
            median(theirs),
            THEIRS,
            rate_at_least=wanted.get(batch),
        )
        for batch, rates in ours.items()
    ]


def large(folder: Path, rounds: int = ROUNDS) -> tuple[list[Line], str]:
    """One task on a repository with a long history and many files; and what repository that is."""
    root = _made(folder / "large")
    repo = long_history(root / "app")
    bench = Bench(root, repo=repo)
    ours, theirs, grown = [], [], []
    try:
        bench.section("S0")
        about = (
            f"landing on {repo.git('rev-list', '--count', 'main')} commits, {_files(repo)} files"
        )
        loop = Loop(bench, root / "clone")
        for number in range(rounds):
            _approved(bench, ["S0"], f"large{number}")
            # So that there is something to be rebased onto.
            _meanwhile(bench, number)
            before = disk_bytes(bench.host.path)
            ours.append(_land(bench, 1))
            grown.append((disk_bytes(bench.host.path) - before) / 1000)
            loop.commits(1, f"large-loop{number}")
            _meanwhile(bench, rounds + number)
            theirs.append(loop.land())
        trees = [*bench.host.path.rglob("index"), *bench.host.path.rglob(".git")]
        if trees:
            raise NotMeasured(f"there is a work tree: {trees[0]}")
    finally:
        bench.close()
    wall_s, cpu_s = _median(ours)
    their_s, their_cpu_s = _median(theirs)
    lines = [
        Line("landing one there", wall_s, "s", at_most=LARGE_AT_MOST_S),
        Line("landing one there", wall_s, "s", their_s, THEIRS),
        Line("landing one there, CPU", cpu_s, "s", their_cpu_s, THEIRS),
        Line("landing one there, disk", median(grown), "kB", at_most=1000),
    ]
    return lines, about


@dataclass(frozen=True)
class Took:
    wall_s: float
    cpu_s: float
    """Of this process and of all that it has waited for."""


def _median(measured: Sequence[Took]) -> tuple[float, float]:
    """Wall and CPU."""
    return median([each.wall_s for each in measured]), median([each.cpu_s for each in measured])


class Loop:
    """Who lands by hand, from a clone with a branch per commit."""

    def __init__(self, bench: Bench, clone: Path) -> None:
        assert bench.origin is not None
        self._clone = clone
        self._origin = bench.origin
        self._branches: list[str] = []
        git(clone.parent, "clone", "-q", str(bench.origin.path), str(clone))

    def commits(self, count: int, name: str) -> None:
        """As many branches, each with a commit on top of the same main."""
        git(self._clone, "fetch", "-q", "origin")
        self._branches = [f"{name}-{number}" for number in range(count)]
        for branch in self._branches:
            git(self._clone, "checkout", "-q", "--no-track", "-b", branch, "origin/main")
            file = self._clone / "theirs" / branch
            file.parent.mkdir(exist_ok=True)
            file.write_text(f"{branch}\n")
            git(self._clone, "add", "theirs")
            git(self._clone, "commit", "-q", "-m", branch)

    def land(self) -> Took:
        """All of them, one after the other."""
        wall_s = cpu_s = 0.0
        for branch in self._branches:
            git(self._clone, "checkout", "-q", branch)
            took = _timed(self._land_one)
            wall_s, cpu_s = wall_s + took.wall_s, cpu_s + took.cpu_s
        log = self._origin.git("log", "--format=%s", f"-{2 * len(self._branches)}", "main")
        if missing := set(self._branches) - set(log.splitlines()):
            raise NotMeasured(f"the loop has not landed {min(missing)}")
        return Took(wall_s, cpu_s)

    def _land_one(self) -> None:
        git(self._clone, "pull", "-q", "--rebase", "origin", "main")
        git(self._clone, "push", "-q", "origin", "HEAD:main")


def _approved(bench: Bench, sections: list[str], word: str) -> None:
    """A task per section, each with one commit on top of the same main."""
    for section in sections:
        task = bench.task(f"{section} {word}", section)
        runner = bench.runner(section)
        assignment = bench.claim(runner)
        if assignment is None:
            raise NotMeasured(f"nothing to claim in {section}")
        files = {f"apps/{section}/{word}": f"{word}\n"}
        bench.submit(runner, assignment, bench.work(assignment, task.title, files))
        reviews.review(bench.host, bench.project, task.id, NOBODY)
        if bench.look(task).status is not TaskStatus.APPROVED:
            raise NotMeasured(f"{task.title} was not approved")


def _land(bench: Bench, batch: int) -> Took:
    """All that is approved, so many at a time."""

    def all_of_them() -> None:
        while queue := landing.queue(bench.project):
            landing.land_all(bench.host, bench.project, queue[:batch], lambda _: NOBODY)

    approved = landing.queue(bench.project)
    took = _timed(all_of_them)
    assert bench.origin is not None
    log = bench.origin.git("log", "--format=%(trailers:key=Steroids-Task,valueonly)", "main")
    if missing := set(approved) - set(log.split()):
        raise NotMeasured(f"{min(missing)} has not landed")
    return took


def _meanwhile(bench: Bench, number: int) -> None:
    """A commit that somebody else has pushed."""
    assert bench.origin is not None
    bench.repo.git("fetch", "-q", "origin")
    bench.repo.git("checkout", "-q", "--detach", "origin/main")
    bench.repo.commit(f"meanwhile {number}", {f"meanwhile/{number}": "x\n"})
    bench.repo.git("push", "-q", "origin", "HEAD:main")


def _timed(work: Callable[[], None]) -> Took:
    cpu_s, began = _cpu_s(), time.perf_counter()
    work()
    return Took(time.perf_counter() - began, _cpu_s() - cpu_s)


def _cpu_s() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _files(repo: Repo) -> int:
    return len(repo.git("ls-files").splitlines())
