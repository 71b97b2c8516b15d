"""Whatever happens in whatever order: nobody is in another's way, and nothing is lost."""

import os
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import run_state_machine_as_test

from steroids.services.asking import Asking
from steroids.setting_groups import Zone
from steroids.store.session import Store
from steroids.wire.assignment import Outcome
from steroids.wire.section import Isolation, SectionAdd
from tests.support.lock_machine import LockMachine
from tests.support.lock_model import PATIENCE_S
from tests.support.lock_sections import NAMES, ZONES
from tests.support.lock_world import World
from tests.support.postgres import Server

MORE = int(os.environ.get("STEROIDS_TEST_EXAMPLES", "0"))
"""How many random examples instead of the few that are always the same; a thousand take minutes."""
pytestmark = pytest.mark.timeout(0 if MORE else 600)


def profile(examples: int, steps: int = 50) -> settings:
    return settings(
        max_examples=MORE or examples,
        stateful_step_count=steps,
        derandomize=not MORE,
        database=None,
        deadline=None,
        print_blob=False,
        suppress_health_check=list(HealthCheck),
        # Shrinking finds the short way; explaining takes as long again and says little here.
        phases=[Phase.explicit, Phase.generate, Phase.shrink],
    )


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    made = World(tmp_path, monkeypatch)
    yield made
    made.close()


def run_in(world: World, how: settings, *, single: bool = False) -> None:
    class Here(LockMachine):
        def __init__(self) -> None:
            super().__init__(world)

    Here.single = single
    run_state_machine_as_test(Here, settings=how)


def test_nobody_is_in_anothers_way_whatever_happens(world: World) -> None:
    run_in(world, profile(30))


def test_nothing_is_lost_by_a_single_runner_whatever_happens(world: World) -> None:
    run_in(world, profile(12), single=True)


@pytest.mark.postgres
def test_nor_in_postgresql(world: World, postgres: Server) -> None:
    with postgres.database() as name:
        url = postgres.url(name)
        world.use(Store(url, "home", "home"), Store(url, "project", "project"))
        # Without shrinking, which is slow there: what is of claims shrinks in SQLite above.
        run_in(world, settings(profile(4, 40), phases=[Phase.generate]))
        world.close()


def test_what_a_stop_handed_over_is_no_end_of_the_attempt(world: World) -> None:
    section_id = world.add_section(SectionAdd(name="S0", paths=["apps/a/**"]))
    task_id = world.add_task("One", "S0", 50, [])
    row = world.start(section_id)
    fences = []
    for _ in range(2):
        (answer,) = world.ask([Asking(row.id, section_id)])
        fences.append(answer.fence)
        if len(fences) == 1:
            assert world.submit(row, task_id, 1, answer.fence, Outcome.STOPPED)
    world.passes(61)
    assert world.sweep() == 1
    assert not world.submit(row, task_id, 1, fences[1], Outcome.DONE), "it was fenced off"
    assert world.submit(row, task_id, 1, fences[0], Outcome.STOPPED), "an answer that got lost"


def test_who_waits_has_its_turn_though_the_clock_was_set_back_before_a_restart(
    world: World,
) -> None:
    ids = {"S0": world.add_section(SectionAdd(name="S0", paths=["docs/**"]))}
    for name in ("S1", "S2"):
        ids[name] = world.add_section(SectionAdd(name=name, paths=["apps/**"], dependencies=["S0"]))
    asking = []
    for name in ("S1", "S0", "S2"):
        world.add_task(f"Work in {name}", name, 50, [])
        asking.append(Asking(world.start(ids[name]).id, ids[name]))
    reader, writer, other = asking
    assert world.ask([reader])[0].task_id
    assert world.ask([writer])[0].waits_for == "S1 to finish 'Work in S1'"
    world.steps(-86_400)
    world.restarts()
    world.passes(PATIENCE_S)
    assert world.ask([other])[0].waits_for == "S0, which waits longer"


def test_what_is_in_review_stays_there_when_its_runner_is_lost(world: World) -> None:
    ids = [
        world.add_task(
            f"In {name}", world.add_section(SectionAdd(name=name, paths=["docs/**"])), 50, []
        )
        for name in NAMES[:2]
    ]
    row = world.start(None)
    for number in range(2):
        (answer,) = world.ask([Asking(row.id, None)])
        assert answer.task_id == ids[number]
        if number == 0:
            assert world.submit(row, ids[0], 1, answer.fence, Outcome.DONE)
    world.dies(row.id)
    assert world.sweep() == 1
    assert {each.task_id for each in world.leases()} == {ids[0]}


@dataclass(frozen=True)
class Shape:
    """Sections that always have something pending."""

    exclusive: tuple[bool, ...]
    reads: tuple[tuple[int, ...], ...] = ()
    """Of each section, which of those before it."""
    zones: tuple[Zone, ...] = ()


SHAPES = st.builds(
    Shape,
    exclusive=st.tuples(*[st.booleans()] * 4),
    reads=st.tuples(*[st.lists(st.integers(0, 2), max_size=2).map(tuple)] * 4),
    zones=st.sampled_from(ZONES),
)
STEP_S, LONGEST_STEPS, STEPS = 4.0, 4, 45
EVERYBODY = Zone(name="all", sections=["S0", "S1", "S2", "S3"], max_runners=2)
ALONE = Zone(name="alone", sections=["S0", "S3"])


def test_nobody_is_starved_by_the_others(world: World) -> None:
    """With endless work everywhere, each gets its turn after all others at the latest."""

    @profile(4)
    @given(SHAPES, st.integers(0, 9))
    @example(Shape((True, False, False, False)), 0)
    @example(Shape((False, False, False, False), ((), (0,), (0,), (0,))), 0)
    @example(Shape((False, False, False, False), zones=(EVERYBODY, ALONE)), 0)
    @example(Shape((True, True, False, False)), 0)
    def everybody_has_work(shape: Shape, seed: int) -> None:
        world.reset()
        world.configure(shape.zones, dependents_only=bool(seed % 2))
        Streams(world, shape, seed).run()

    everybody_has_work()


class Streams:
    def __init__(self, world: World, shape: Shape, seed: int) -> None:
        self.world, self.chance, self.zones = world, random.Random(seed), shape.zones
        self.runners: dict[str, str] = {}
        """Ids of runners, each with the name of its section."""
        self.sections: dict[str, str] = {}
        self.ends_in: dict[str, int] = {}
        self.tasks: dict[str, str] = {}
        self.waited: Counter[str] = Counter()
        for number, exclusive in enumerate(shape.exclusive):
            reads = {NAMES[n] for each in shape.reads[number : number + 1] for n in each}
            body = SectionAdd(
                name=NAMES[number],
                paths=["apps/a/**"],
                isolation=Isolation.EXCLUSIVE if exclusive else Isolation.PARALLEL,
                dependencies=sorted(reads & set(NAMES[:number])),
            )
            section_id = world.add_section(body)
            row = world.start(section_id)
            self.runners[row.id], self.sections[row.id] = body.name, section_id
            self._more(row.id)

    def run(self) -> None:
        others_s = len(self.runners) * (LONGEST_STEPS + 1) * STEP_S
        for _ in range(STEPS):
            self.world.passes(STEP_S)
            self._some_end()
            asking = [each for each in self.runners if each not in self.ends_in]
            self.chance.shuffle(asking)
            answers = self.world.ask([Asking(each, self.sections[each]) for each in asking])
            for runner, answer in zip(asking, answers, strict=True):
                assert answer.left
                if answer.task_id is None:
                    self.waited[runner] += 1
                    waits_s = self.waited[runner] * STEP_S
                    assert waits_s <= PATIENCE_S + others_s, f"{self.runners[runner]} is starved"
                else:
                    self.waited[runner] = 0
                    self.ends_in[runner] = self.chance.randint(2, LONGEST_STEPS)
                    self.tasks[runner] = answer.task_id
                    self._more(runner)
            for zone in self.zones:
                inside = [each for each in self.tasks if self.runners[each] in zone.sections]
                assert zone.exclusive or len(inside) <= zone.max_runners, f"{zone.name} is too full"

    def _some_end(self) -> None:
        self.ends_in = {runner: left - 1 for runner, left in self.ends_in.items()}
        for runner in [each for each, left in self.ends_in.items() if left == 0]:
            del self.ends_in[runner]
            self.world.finish(self.tasks.pop(runner))

    def _more(self, runner: str) -> None:
        self.world.add_task("More", self.runners[runner], 50, [])
