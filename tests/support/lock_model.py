"""What claims and locks should come to, kept beside the real thing and without its rules.

Small and slow on purpose: a task that is worked on is remembered with what it wrote and read when
it was claimed, and every question is answered by looking at all of them.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pathspec import GitIgnoreSpec

from steroids.setting_groups import Zone
from steroids.wire.task import TaskStatus as S

UNDER_WAY = (S.IN_PROGRESS, S.REVIEW, S.APPROVED)
UNFINISHED = (S.PENDING, *UNDER_WAY, S.FAILED, S.DISPUTED)
PATIENCE_S = 20.0
MAX_LOST, MAX_REJECTED, MAX_CONFLICTS = 3, 3, 2

PATHS = (
    "apps/a/package.json",
    "apps/a/package.json/is/a/folder.py",
    "apps/a/src/x.py",
    "apps/b/package.json",
    "apps/b/y.py",
    "docs/read.md",
    "docs/folder.md/x.py",
    "packages/shared-ui/i.ts",
    "packages/shared-ui/i.py",
)
GLOBS = (
    "apps/a/**",
    "apps/a/src/x.py",
    "apps/*/package.json",
    "apps/b/",
    "docs/*.md",
    "packages/shared-*",
    "**/*.py",
)
"""Two of them overlap only where both match one of the paths above."""
MATCHED = {
    glob: {path for path in PATHS if GitIgnoreSpec.from_lines([glob]).match_file(path)}
    for glob in GLOBS
}


def overlap(some: Iterable[str], others: Iterable[str]) -> bool:
    others = list(others)
    return any(MATCHED[a] & MATCHED[b] for a in some for b in others)


@dataclass
class Sec:
    id: str
    name: str
    position: int
    exclusive: bool
    reads: set[str]
    after: set[str]
    paths: list[str]
    priority: int = 50
    skipped: bool = False


@dataclass(frozen=True)
class Need:
    """What a task has for itself and what it shares with others of its kind."""

    writes: frozenset[str]
    reads: frozenset[str]
    alone: bool
    files: tuple[str, ...]
    zones: tuple[tuple[str, int], ...]
    """Each with how many places it had then."""

    def rows(self) -> set[tuple[str, bool]]:
        """How the table of leases has to show it."""
        return {
            ("project", self.alone),
            *((f"section:{each}", True) for each in self.writes),
            *((f"section:{each}", False) for each in self.reads),
            *((f"files:{each}", True) for each in self.files),
            *((f"zone:{name}", places == 1) for name, places in self.zones),
        }


def collide(a: Need, b: Need) -> str | None:
    """Why the two must not be worked on at the same time; zones with several places apart."""
    if a.alone or b.alone:
        return "something beside an exclusive task"
    if a.writes & b.writes:
        return "two writers of a section"
    if a.writes & b.reads or a.reads & b.writes:
        return "a writer of a section with a reader of it"
    if overlap(a.files, b.files):
        return "two tasks with one file"
    singles = [{name for name, places in each.zones if places == 1} for each in (a, b)]
    names = [{name for name, _ in each.zones} for each in (a, b)]
    if singles[0] & names[1] or singles[1] & names[0]:
        return "somebody in a zone that another has for itself"
    return None


def _full(zone: tuple[str, int], taken: Iterable[Need]) -> bool:
    name, places = zone
    return sum(name in dict(each.zones) for each in taken) >= places


@dataclass
class Job:
    id: str
    section: str
    position: int
    priority: int
    paths: list[str]
    status: S = S.PENDING
    attempts: int = 0
    interrupted: bool = False
    lost: int = 0
    rejected: int = 0
    conflicts: int = 0
    refused: bool = False
    need: Need | None = None
    runner: str = ""
    fence: int = 0
    expires_at: datetime | None = None

    def ends(self, status: S, *, interrupted: bool = False) -> None:
        self.status, self.interrupted = status, interrupted
        self.need, self.expires_at, self.refused = None, None, False


@dataclass
class Turn:
    section: str
    need: Need


@dataclass
class Model:
    timeout_s: float = 60.0
    sections: dict[str, Sec] = field(default_factory=dict)
    jobs: dict[str, Job] = field(default_factory=dict)
    zones: Sequence[Zone] = ()
    dependents_only: bool = False
    last_fence: int = 0

    def order(self) -> list[Sec]:
        return sorted(self.sections.values(), key=lambda each: (each.priority, each.position))

    def under_way(self) -> list[Job]:
        return [job for job in self.jobs.values() if job.status in UNDER_WAY]

    def pending(self, section: str) -> list[Job]:
        found = [j for j in self.jobs.values() if (j.section, j.status) == (section, S.PENDING)]
        return sorted(found, key=lambda job: (job.priority, job.position))

    def reads(self, section: str) -> set[str]:
        """What it reads, directly or not."""
        found: set[str] = set()
        new = set(self.sections[section].reads)
        while new - found:
            found |= new
            new = {far for near in found for far in self.sections[near].reads}
        return found

    def blocked(self, section: str) -> bool:
        """Whether something that it comes after, directly or not, is unfinished."""
        before = self.sections[section].after
        return any(
            any(job.section == each and job.status in UNFINISHED for job in self.jobs.values())
            or self.blocked(each)
            for each in before
        )

    def need(self, job: Job) -> Need:
        section = self.sections[job.section]
        writes, reads = {section.id}, self.reads(section.id)
        if section.exclusive and self.dependents_only:
            writes |= {each for each in self.sections if section.id in self.reads(each)}
        zones = (
            (zone.name, 1 if zone.exclusive else zone.max_runners)
            for zone in self.zones
            if section.name in zone.sections or overlap(job.paths or section.paths, zone.paths)
        )
        return Need(
            frozenset(writes),
            frozenset(reads),
            section.exclusive and not self.dependents_only,
            tuple(job.paths),
            tuple(zones),
        )

    def free(self, need: Need, taken: Sequence[Need]) -> bool:
        """Whether it can be had beside those."""
        if any(collide(need, each) for each in taken):
            return False
        return not any(_full(zone, taken) for zone in need.zones)

    def turns(self, waiting: Iterable[tuple[datetime, str]], now: datetime) -> list[Turn]:
        """Those of the sections that wait (since when) and go first now."""
        found = []
        for since, section in sorted(waiting):
            patient = (now - since).total_seconds() < PATIENCE_S
            if patient and not self.sections[section].exclusive:
                continue
            if not self.open_to(section) or not self.pending(section):
                continue
            found.append(Turn(section, self.need(self.pending(section)[0])))
        return found

    def open_to(self, section: str) -> bool:
        """Whether its tasks may be begun at all."""
        return not self.sections[section].skipped and not self.blocked(section)

    def first(self, section: str | None, turns: Sequence[Turn]) -> Job | None:
        """What a runner of this section (none: of all) has to be given."""
        taken = [job.need for job in self.under_way() if job.need]
        for each in [section] if section else [each.id for each in self.order()]:
            for job in self.pending(each) if self.open_to(each) else ():
                need = self.need(job)
                if self.free(need, taken) and not self._holds_up(each, need, taken, turns):
                    return job
        return None

    def _holds_up(
        self, section: str, need: Need, taken: Sequence[Need], turns: Sequence[Turn]
    ) -> bool:
        """Whether it would take what a section that goes first is waiting for."""
        beside = [*taken, need]
        for turn in turns:
            if turn.section == section:
                return False
            shared = [each for each in turn.need.zones if each[0] in dict(need.zones)]
            if not self.free(turn.need, [need]) or any(_full(each, beside) for each in shared):
                return True
        return False

    def claimed(self, job: Job, runner: str, fence: int, now: datetime) -> None:
        job.need = self.need(job)
        job.attempts += 0 if job.interrupted else 1
        job.status, job.interrupted = S.IN_PROGRESS, False
        job.runner, job.fence = runner, fence
        job.expires_at = now + timedelta(seconds=self.timeout_s)

    def of_runner(self, runner: str) -> Job | None:
        found = [j for j in self.jobs.values() if (j.runner, j.status) == (runner, S.IN_PROGRESS)]
        assert len(found) <= 1
        return found[0] if found else None

    def renewed(self, jobs: Iterable[Job], now: datetime) -> None:
        for job in jobs:
            if job.status is S.IN_PROGRESS:
                job.expires_at = now + timedelta(seconds=self.timeout_s)

    def swept(self, now: datetime, alive: Iterable[str]) -> int:
        """What was left behind goes back; how many those are."""
        alive, count = set(alive), 0
        for job in list(self.running()):
            assert job.expires_at is not None
            if job.expires_at < now or job.runner not in alive:
                job.lost += 1
                count += 1
                gave_up = job.lost >= MAX_LOST
                job.ends(S.FAILED if gave_up else S.PENDING, interrupted=not gave_up)
        return count

    def running(self) -> Iterator[Job]:
        return (job for job in self.jobs.values() if job.status is S.IN_PROGRESS)

    def rejected(self, job: Job) -> None:
        job.rejected += 1
        job.ends(S.DISPUTED if job.rejected >= MAX_REJECTED else S.PENDING)

    def conflicted(self, job: Job) -> None:
        job.conflicts += 1
        job.ends(S.DISPUTED if job.conflicts >= MAX_CONFLICTS else S.PENDING)
