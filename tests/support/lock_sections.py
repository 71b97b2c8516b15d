"""Rules about what there is to work on: sections, their relations, tasks, settings."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from steroids.services.section_rules import Cycle
from steroids.setting_groups import Zone
from steroids.store import home_models as home
from steroids.wire.assignment import Outcome
from steroids.wire.section import Isolation, SectionAdd, SectionEdit
from steroids.wire.task import TaskStatus as S
from tests.support.lock_model import GLOBS, Job, Model, Sec
from tests.support.lock_world import World

MAX_SECTIONS, MAX_TASKS = 5, 12
NAMES = [f"S{number}" for number in range(MAX_SECTIONS)]
ZONES = (
    (),
    (Zone(name="pair", paths=["apps/*/package.json"], sections=NAMES[:4], max_runners=2),),
    (Zone(name="one", sections=["S1", "S2"], paths=["docs/*.md"]),),
    (
        Zone(name="pair", sections=NAMES, max_runners=2),
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


class SectionRules(RuleBasedStateMachine):
    def __init__(self, world: World) -> None:
        super().__init__()
        world.reset()
        self.world = world
        self.model = Model()
        self.workers: list[Worker] = []
        self.landed: list[str] = []
        self.handed: set[tuple[str, int, bool]] = set()
        """Tasks and attempts of which a result was taken in, and whether that was their end."""

    @precondition(lambda self: len(self.model.sections) < MAX_SECTIONS)
    @rule(exclusive=st.sampled_from([False, False, True]), reads=SOME, after=SOME, paths=PATHS)
    def add_section(
        self, exclusive: bool, reads: list[int], after: list[int], paths: list[str]
    ) -> None:
        name = NAMES[len(self.model.sections)]
        known = list(self.model.sections.values())
        dependencies = {known[i].id for i in reads if i < len(known)}
        later = {known[i].id for i in after[:1] if i < len(known)}
        body = SectionAdd(
            name=name,
            paths=paths or ["packages/shared-*"],
            isolation=Isolation.EXCLUSIVE if exclusive else Isolation.PARALLEL,
            dependencies=sorted(dependencies),
            after=sorted(later),
        )
        ident = self.world.add_section(body)
        self.model.sections[ident] = Sec(
            ident,
            name,
            len(known) + 1,
            exclusive,
            dependencies,
            later,
            body.paths,
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
        ids = [each for each in self.model.sections if each != section.id]
        dependencies = {ids[i] for i in reads if i < len(ids)}
        later = {ids[i] for i in after[:1] if i < len(ids)}
        body = SectionEdit(
            isolation=Isolation.EXCLUSIVE if exclusive else Isolation.PARALLEL,
            dependencies=sorted(dependencies),
            after=sorted(later),
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

    def _alive(self) -> list[Worker]:
        return [worker for worker in self.workers if worker.alive]

    def _with(self, *statuses: S) -> list[Job]:
        return [job for job in self.model.jobs.values() if job.status in statuses]

    def _section(self, n: int) -> Sec:
        return self._of(list(self.model.sections.values()), n)

    def _of(self, found: Sequence[T], n: int) -> T:
        return found[n % len(found)]
