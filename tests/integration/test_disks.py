"""Containers that have written too much, where the storage has no quotas."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from steroids.engines.fake_faults import BEFORE
from steroids.engines.spec import ContainerSpec, Handle
from steroids.services import disks, reports, sections
from steroids.services.disks import Disks
from steroids.services.jobs import Jobs
from steroids.store import home_models as home
from steroids.wire.assignment import Kind
from steroids.wire.runner import RunnerStatus
from tests.support.engines import BASE_IMAGE
from tests.support.service import AtOnce, Bench

MIB = 1 << 20


class House:
    """A project with a runner in a container, and what looks at its size."""

    def __init__(self, root: Path) -> None:
        self.project = Bench(root)
        self.project.section("api")
        self.project.engine.images.add(BASE_IMAGE)
        self.project.host.engine("fake")
        self.jobs = Jobs(AtOnce(), lambda: None)
        self.runner = self.project.runner("api", keep=True)
        spec = ContainerSpec(name="one", image=BASE_IMAGE, command=("sleep", "60"))
        self.handle: Handle = self.project.engine.start(spec)
        with self.project.host.store.write() as session:
            row = session.get_one(home.Runner, self.runner.id)
            row.container, row.engine_address = asdict(self.handle), self.project.engine.address
            row.status = RunnerStatus.IDLE
            session.add(row)

    def allow(self, size: str) -> None:
        (self.project.host.path / "config.yaml").write_text(f"runners: {{disk: {size}}}\n")

    def look(self) -> str | None:
        """What is held against the runner after a look."""
        Disks(self.project.host, self.jobs).watch()
        return self.project.host.over.get(self.runner.id)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    house.project.engine.close()
    house.project.host.close()


def test_who_has_written_too_much_is_told_so_and_gets_another_container(house: House) -> None:
    project = house.project
    project.engine.sizes["one"] = 300 * MIB
    assert house.look() is None

    house.allow("300m")
    assert house.look() is None
    house.allow("200m")
    over = "wrote too much: 300m of files in its container, and runners.disk allows 200m"
    assert house.look() == over

    with project.project.store.write() as session:
        section = sections.named(session, "api")
        section.wanted = project.engine.address
        session.add(section)
    told = project.claim(house.runner)
    assert told is not None and (told.kind, told.reason) == (Kind.STOP, over)
    reports.assigned(project.host, house.jobs, house.runner, told)
    with project.host.store.read() as session:
        row = session.get_one(home.Runner, house.runner.id)
    assert row.status == RunnerStatus.STOPPED
    assert project.engine.list_owned({}) == []
    assert project.host.over == {}
    with project.project.store.read() as session:
        assert sections.named(session, "api").wanted


def test_it_is_not_looked_at_where_the_storage_keeps_it(house: House) -> None:
    house.allow("200m")
    house.project.engine.sizes["one"] = 300 * MIB
    house.project.engine.limits |= {"disk"}

    assert house.look() is None


def test_an_engine_that_is_away_is_asked_again_later(house: House) -> None:
    house.allow("200m")
    house.project.engine.sizes["one"] = 300 * MIB
    house.project.engine.faults.fail("written", BEFORE)

    assert house.look() is None
    assert house.look() is not None


def test_it_is_looked_at_only_now_and_then(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    house.allow("200m")
    one = Disks(house.project.host, house.jobs)
    one.watch()
    house.project.engine.sizes["one"] = 300 * MIB

    now += disks.EVERY_S - 1
    one.watch()
    assert house.project.host.over == {}
    now += 1
    one.watch()
    assert house.runner.id in house.project.host.over
