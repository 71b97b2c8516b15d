"""Bringing up a runner, and taking it away, with the engine in memory: what is there when."""

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest
from fastapi.routing import APIRoute

from steroids.controller.bell import Bell
from steroids.controller.routes import runner as routes
from steroids.controller.wiring import Controller
from steroids.engines.fake_faults import AFTER, BEFORE, MIDWAY
from steroids.engines.networks import Network
from steroids.engines.spec import ContainerSpec, Handle
from steroids.errors import EngineUnavailable, SteroidsError
from steroids.provisioning import container, networks, ports
from steroids.provisioning.site import DATABASE, LABEL
from steroids.services import (
    launching,
    places,
    registration,
    runners,
    section_edits,
    sections,
    stopping,
)
from steroids.services.containers import Containers
from steroids.services.jobs import Jobs
from steroids.store import home_models as home
from steroids.store import project_models as db
from steroids.wire.assignment import Claim
from steroids.wire.runner import RunnerStatus
from steroids.wire.section import SectionEdit
from tests.support.engines import BASE_IMAGE
from tests.support.service import AtOnce, Bench


class Launch:
    """One section's runner, from its registration on; everything before its container is there."""

    def __init__(self, project: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        self.project = project
        self.database_error: SteroidsError | None = None
        self.jobs = Jobs(AtOnce(), lambda: None)
        project.section("API")
        project.engine.images.add(BASE_IMAGE, command=("sleep", "60"))
        project.host.engine("fake")
        container.runner_socket(project.host.path).touch()
        monkeypatch.setattr(stopping, "HURRY_S", 0.0)
        monkeypatch.setattr(launching, "_prepare", self._prepare)
        monkeypatch.setattr(launching, "_database", self._database)
        section = own_section(project)
        self.row, self.token = registration.register(
            project.host, project.project, section, project.engine, keep=False
        )

    def _prepare(self, *_: object) -> launching._Ready:
        section = own_section(self.project)
        place = places.site(self.project.host, self.project.project, self.project.engine, section)
        published = ports.published(place, section.ports)
        network: Future[Network | None] = Future()
        network.set_result(networks.ensure(place, self.row))
        return launching._Ready(place, self.project.first, BASE_IMAGE, network, published)

    def _database(self, *_: object) -> None:
        if self.database_error is not None:
            raise self.database_error

    def provision(self) -> None:
        launching.provision(self.project.host, self.project.project, self.row, self.token)

    def now(self) -> home.Runner:
        with self.project.host.store.read() as session:
            return session.get_one(home.Runner, self.row.id)

    def left(self) -> tuple[list[str], list[str], list[str]]:
        """Names of containers and networks, and living runners."""
        engine, host = self.project.engine, self.project.host
        return (
            [each.handle.name for each in engine.list_owned({})],
            [each.name for each in engine.networks.list_owned({})],
            [each.id for each in runners.listing(host, self.project.project)],
        )


def own_section(project: Bench) -> db.Section:
    with project.project.store.read() as session:
        return sections.named(session, "API")


@pytest.fixture
def launch(project: Bench, monkeypatch: pytest.MonkeyPatch) -> Iterator[Launch]:
    yield Launch(project, monkeypatch)


@pytest.mark.parametrize("end", ["killed", "removed"])
def test_nothing_is_left_of_one_that_was_killed(launch: Launch, end: str) -> None:
    launch.provision()
    kept = launch.now().container
    assert kept is not None
    (launch.project.engine.die if end == "killed" else launch.project.engine.lose)(Handle(**kept))
    Containers(launch.project.host, launch.jobs).compare()
    assert launch.now().status == RunnerStatus.LOST
    assert launch.left() == ([], [], [])


def test_its_ports_are_known_in_the_order_in_which_they_were_declared(launch: Launch) -> None:
    edit(launch.project, ports=[8080, 3000])
    launch.provision()
    assert list(launch.now().ports) == ["8080", "3000"]
    (runner,) = runners.listing(launch.project.host, launch.project.project)
    assert [each.inside for each in runner.ports] == [8080, 3000]
    assert len({each.published for each in runner.ports}) == 2
    # What it was started with is what its agents are told.
    edit(launch.project, ports=[5000])
    launch.project.task("Work", "API")
    assignment = launch.project.claim(launch.row)
    assert assignment is not None and assignment.env["PORT"] == "8080"


@pytest.mark.parametrize("network", ["internal", "none"])
def test_without_a_way_in_no_port_is_published(launch: Launch, network: str) -> None:
    (launch.project.host.path / "config.yaml").write_text(f"network: {network}\n")
    edit(launch.project, ports=[3000])
    launch.provision()
    assert launch.now().ports == {}
    project, engine = launch.project, launch.project.engine
    found = runners.notes(project.host, project.project, None, engine.capabilities())
    assert f"API: 3000 not published: network is {network}" in found
    assert bool(engine.networks.list_owned({})) == (network == "internal")


def test_on_a_host_that_is_shared_a_free_port_stands_for_the_first(
    launch: Launch, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit(launch.project, ports=[3000, 9229])
    section = own_section(launch.project)
    host, project = launch.project.host, launch.project.project
    shared = replace(launch.project.engine.capabilities(), isolated=False)
    launch.project.engine.capabilities = lambda: shared  # type: ignore[method-assign]
    place = places.site(host, project, launch.project.engine, section)
    (free,) = ports.published(place, section.ports)
    assert free not in section.ports
    with socket.socket() as taken:
        taken.bind((ports.LOOPBACK, free))
    monkeypatch.setattr(ports, "_free", lambda number: 50_000 + number)
    assert ports.published(place, section.ports, taken={50_000}) == (50_001,)
    assert ports.published(place, []) == ()


def test_until_all_of_it_is_there_a_runner_gets_no_work(launch: Launch) -> None:
    """Its container runs, and its database is not there yet."""
    launch.project.task("Work", "API")
    launch.project.host.coming.add(launch.row.id)
    assert claimed(launch) is None and launch.now().status == RunnerStatus.STARTING
    launch.project.host.coming.clear()
    assert claimed(launch) is not None and launch.now().status == RunnerStatus.WORKING


def claimed(launch: Launch) -> dict[str, Any] | None:
    """What its claim is answered."""
    parts = SimpleNamespace(
        host=launch.project.host, jobs=launch.jobs, work=Bell(), stopping=threading.Event()
    )
    (claim,) = [
        each.endpoint
        for each in routes.router(cast(Controller, parts)).routes
        if isinstance(each, APIRoute) and each.path == "/claim"
    ]
    answer = asyncio.run(claim(Claim(wait_s=0), launch.now()))
    found: dict[str, Any] | None = json.loads(answer.body)
    return found


def edit(project: Bench, **changes: Any) -> None:
    section_edits.edit(project.host, project.project, "API", SectionEdit(**changes))


def server(launch: Launch) -> Handle:
    """A database server's container, which is on no network yet."""
    labels = {f"{LABEL}.controller": launch.project.host.id, f"{LABEL}.role": DATABASE}
    spec = ContainerSpec(name="postgres", image=BASE_IMAGE, labels=labels)
    return launch.project.engine.start(spec)


def test_a_runner_has_a_network_that_goes_with_it(launch: Launch) -> None:
    launch.provision()
    (network,) = launch.project.engine.networks.list_owned({f"{LABEL}.runner": launch.row.id})
    # Its database server is on it, and stays when it goes.
    postgres = server(launch)
    launch.project.engine.networks.connect(network, postgres, ["database"])
    stopping.stop(launch.project.host, launch.project.project, launch.now(), now=True)
    assert launch.left() == (["postgres"], [], [])
    assert launch.now().status == RunnerStatus.STOPPED


def test_a_network_of_the_dead_goes_though_their_database_server_is_on_it(launch: Launch) -> None:
    launch.provision()
    engine = launch.project.engine
    (network,) = engine.networks.list_owned({})
    engine.networks.connect(network, server(launch), ["database"])
    handle = launch.now().container
    assert handle is not None
    container.remove(engine, Handle(**handle), launch.row.id)
    assert launch.left()[:2] == (["postgres"], [])
    networks.release(engine, launch.row.id)


@pytest.mark.parametrize(
    ("call", "at"), [("networks.create", AFTER), ("start", BEFORE), ("inspect", BEFORE)]
)
def test_a_failed_start_leaves_nothing(launch: Launch, call: str, at: str) -> None:
    launch.project.engine.faults.fail(call, at)
    with pytest.raises(EngineUnavailable):
        launch.provision()
    assert launch.left() == ([], [], [])
    assert launch.project.host.coming == set()


def test_what_an_engine_that_went_away_has_is_left_for_the_sweeping(launch: Launch) -> None:
    launch.project.engine.faults.fail("start", MIDWAY)
    with pytest.raises(EngineUnavailable):
        launch.provision()
    containers, of_networks, living = launch.left()
    assert (len(containers), len(of_networks), living) == (1, 1, [])
    Containers(launch.project.host, launch.jobs).compare()
    assert launch.left() == ([], [], [])


def test_a_runner_without_its_database_is_no_runner(launch: Launch) -> None:
    launch.database_error = SteroidsError("no migrations today")
    with pytest.raises(SteroidsError, match="no migrations today"):
        launch.provision()
    assert launch.left() == ([], [], [])
    assert not container.socket_folder(launch.project.host.path, launch.row.id).exists()
