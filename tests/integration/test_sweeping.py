"""What is nobody's is removed, and nothing else: with the engine in memory."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import timedelta

import pytest

from steroids.engines.fake_faults import MIDWAY
from steroids.engines.spec import ContainerSpec, Handle
from steroids.errors import EngineUnavailable
from steroids.provisioning.site import DATABASE, LABEL
from steroids.services import runners, sweeping
from steroids.services.containers import Containers
from steroids.services.host import Host
from steroids.services.jobs import Jobs
from steroids.store import home_models as home
from steroids.wire.runner import RunnerStatus
from tests.support.engines import BASE_IMAGE
from tests.support.service import AtOnce, Bench


class House:
    """The part of a controller that compares what is with what should be."""

    def __init__(self, project: Bench) -> None:
        self.project = project
        self.jobs = Jobs(AtOnce(), lambda: None)
        self.containers = Containers(project.host, self.jobs)
        project.engine.images.add(BASE_IMAGE)
        project.host.engine("fake")

    def container(self, name: str, *, runner: str, controller: str | None = None) -> Handle:
        labels = {
            f"{LABEL}.controller": controller or self.project.host.id,
            f"{LABEL}.runner": runner,
        }
        command = ("sleep", "60")
        spec = ContainerSpec(name=name, image=BASE_IMAGE, command=command, labels=labels)
        return self.project.engine.start(spec)

    def names(self) -> set[str]:
        return {each.handle.name for each in self.project.engine.list_owned({})}

    def status(self, runner: home.Runner) -> str:
        with self.project.host.store.read() as session:
            return session.get_one(home.Runner, runner.id).status

    def round(self) -> None:
        """One round, and what it began."""
        self.containers.compare()

    def adopt(self, runner: home.Runner, handle: Handle) -> None:
        with self.project.host.store.write() as session:
            row = session.get_one(home.Runner, runner.id)
            row.container, row.engine_address = asdict(handle), self.project.engine.address
            session.add(row)


@pytest.fixture
def house(project: Bench) -> Iterator[House]:
    yield House(project)


def test_a_container_that_no_runner_claims_goes_and_others_stay(house: House) -> None:
    house.project.section("API")
    runner = house.project.runner("API")
    house.adopt(runner, house.container("mine", runner=runner.id))
    house.container("orphan", runner="nobody")
    house.container("without-a-runner", runner="")
    house.container("another-homes", runner="nobody", controller="somebody-else")
    house.round()
    assert house.names() == {"mine", "another-homes"}


def test_a_container_that_was_never_started_goes_too(house: House) -> None:
    house.project.engine.faults.fail("start", MIDWAY)
    with pytest.raises(EngineUnavailable):
        house.container("half", runner="nobody")
    assert house.names() == {"half"}
    house.round()
    assert house.names() == set()


def test_a_network_that_no_runner_claims_goes_and_others_stay(house: House) -> None:
    house.project.section("API")
    runner = house.project.runner("API")
    networks = house.project.engine.networks
    ours = {f"{LABEL}.controller": house.project.host.id}
    networks.create("orphan", {**ours, f"{LABEL}.runner": "nobody"})
    networks.create("mine", {**ours, f"{LABEL}.runner": runner.id})
    networks.create("theirs", {f"{LABEL}.controller": "somebody-else"})
    house.round()
    assert {each.name for each in networks.list_owned({})} == {"mine", "theirs"}


def test_database_servers_and_their_networks_are_not_swept_with_runners(house: House) -> None:
    ours = {f"{LABEL}.controller": house.project.host.id, f"{LABEL}.role": DATABASE}
    spec = ContainerSpec(name="postgres", image=BASE_IMAGE, command=("sleep", "60"), labels=ours)
    server = house.project.engine.start(spec)
    networks = house.project.engine.networks
    networks.create("of-servers", ours)
    left = {f"{LABEL}.controller": house.project.host.id, f"{LABEL}.runner": "dead"}
    networks.connect(networks.create("left", left), server, ["database"])
    house.round()
    assert house.names() == {"postgres"}
    assert [each.name for each in networks.list_owned({})] == ["of-servers"]


def test_folders_and_uploads_of_the_dead_go(house: House) -> None:
    house.project.section("API")
    runner = house.project.runner("API")
    home_ = house.project.host.path
    for name in (runner.id, "dead"):
        (home_ / "runners" / name).mkdir(parents=True)
        (home_ / "incoming").mkdir(exist_ok=True)
        (home_ / "incoming" / f"{name}.bundle").touch()
    (home_ / "incoming" / "tmp-of-a-download").mkdir()
    house.round()
    assert [path.name for path in (home_ / "runners").iterdir()] == [runner.id]
    left = {path.name for path in (home_ / "incoming").iterdir()}
    assert left == {f"{runner.id}.bundle", "tmp-of-a-download"}
    sweeping.half_served(house.project.host)
    assert {path.name for path in (home_ / "incoming").iterdir()} == {f"{runner.id}.bundle"}


def test_nothing_is_forgotten_while_the_engine_is_away(house: House) -> None:
    house.project.section("API")
    runner = house.project.runner("API")
    house.adopt(runner, house.container("mine", runner=runner.id))
    house.container("orphan", runner="nobody")
    house.project.engine.faults.down = True
    house.round()
    assert house.status(runner) == RunnerStatus.STARTING
    house.project.engine.faults.down = False
    house.round()
    assert house.names() == {"mine"}


def test_a_controller_that_starts_looks_at_the_engines_of_earlier_runners(house: House) -> None:
    house.project.section("API")
    runner = house.project.runner("API")
    house.adopt(runner, house.container("left", runner=runner.id))
    labels = {f"{LABEL}.controller": house.project.host.id, f"{LABEL}.runner": runner.id}
    house.project.engine.networks.create("left", labels)
    runners.ended(house.project.host, runner.id, RunnerStatus.STOPPED)
    engine = house.project.engine
    later = Host(house.project.host.path, lambda name: engine, lambda: None, lambda: None)
    try:
        containers = Containers(later, house.jobs)
        containers.adopt()
        containers.compare()
        house.round()
        assert house.names() == set()
        assert house.project.engine.networks.list_owned({}) == []
    finally:
        later.close()


def test_one_on_the_books_that_nobody_brings_up_is_ended(house: House) -> None:
    house.project.section("API")
    runner = house.project.runner("API")
    house.round()
    assert house.status(runner) == RunnerStatus.STARTING, "its job may be about to begin"
    with house.project.host.store.write() as session:
        row = session.get_one(home.Runner, runner.id)
        row.started_at -= timedelta(minutes=1)
        session.add(row)
    house.round()
    assert house.status(runner) == RunnerStatus.LOST
