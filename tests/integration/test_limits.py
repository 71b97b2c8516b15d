"""Limits that do not hold: found, kept, told once, and in `doctor`."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from steroids.engines.spec import Capabilities
from steroids.provisioning.limits import Asked, asked
from steroids.services import doctor, events, limits, runners
from steroids.setting_groups import Runners
from steroids.store import home_models as home
from steroids.wire.assignment import Limits
from steroids.wire.event import Event, EventKind
from tests.support.service import Bench

GIB = 1 << 30
ALL = frozenset({"memory", "cpus", "pids"})


def engine(**about: object) -> Capabilities:
    plain = Capabilities("podman", "4.3.1", rootless=False, address="x")
    return Capabilities(**{**vars(plain), **about})


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    bench.section("api")
    yield bench
    bench.host.close()


def set_up(project: Bench, text: str) -> None:
    (project.host.path / "config.yaml").write_text(f"runners: {{{text}}}\n")


def notices(project: Bench) -> list[Event]:
    found = events.since(project.project, 0)
    return [event for event in found if event.kind is EventKind.NOTICE]


def unlimited(project: Bench, runner: home.Runner) -> list[str]:
    return runners.one(project.host, project.project, runner.id).unlimited


def test_a_share_of_the_hosts_memory_leaves_room_for_a_build() -> None:
    def memory(setting: str, all_bytes: int | None) -> int | None:
        return asked(Runners(memory=setting), engine(memory_bytes=all_bytes)).memory_bytes

    assert memory("50%", 16 * GIB) == 8 * GIB
    assert memory("50%", 3 * GIB) == 2 * GIB
    assert memory("50%", GIB) == GIB
    assert memory("50%", None) is None
    assert memory("1g", 16 * GIB) == GIB
    assert memory("none", 16 * GIB) is None
    assert asked(Runners(), engine(memory_bytes=16 * GIB)) == Asked(8 * GIB, None, 1024, None)


def test_a_limit_counts_as_kept_when_it_is_no_larger_inside() -> None:
    want = Asked(GIB, 1.5, 1024, None)

    def names(memory: int | None, cpus: float | None, pids: int | None) -> list[str]:
        return limits.unkept(want, Limits(memory_bytes=memory, cpus=cpus, pids=pids), engine())

    assert names(GIB, 1.5, 1024) == []
    assert names(GIB // 2, 1.0, 1000) == []
    assert names(None, None, None) == ["memory", "cpus", "pids"]
    assert names(2 * GIB, 1.5, 4096) == ["memory", "pids"]
    assert limits.unkept(Asked(None, None, None, GIB), Limits(), engine()) == ["disk"]
    kept = engine(limits=ALL | {"disk"})
    assert limits.unkept(Asked(None, None, None, GIB), Limits(), kept) == []


@pytest.mark.parametrize(
    ("about", "told", "hint"),
    [
        (
            {"rootless": True, "limits": frozenset()},
            "it is rootless, and the host has control groups of version 1",
            "systemd.unified_cgroup_hierarchy=1",
        ),
        ({"rootless": True, "limits": ALL - {"memory"}}, "hands it no control groups", "Delegate="),
        ({"limits": ALL - {"memory"}}, "kernel has no control groups", "podman info"),
        ({}, "inside they are not there", "podman info"),
    ],
)
def test_why_a_limit_is_not_kept(about: dict[str, object], told: str, hint: str) -> None:
    what = engine(**about)
    want = Asked(2 * GIB, None, 1024, None)

    words = limits.words(["memory"], want, what)

    assert words.startswith("Podman does not keep the limit of memory (2g): ")
    assert told in words
    assert hint in limits.remedy(["memory"], what)


def test_what_does_not_hold_is_kept_and_told_once(project: Bench) -> None:
    set_up(project, "memory: 2g, cpus: 1.5")
    runner = project.runner("api")
    inside = Limits(memory_bytes=None, cpus=1.5, pids=None)

    limits.take(project.host, runner, inside)
    limits.take(project.host, runner, inside)

    assert unlimited(project, runner) == ["memory", "pids"]
    (told,) = notices(project)
    assert told.section == "api" and told.runner_id == runner.id
    assert told.text.startswith("Fake does not keep the limits of memory (2g) and pids (1024): ")
    assert told.data["limits"] == ["memory", "pids"] and told.data["hint"]


def test_where_all_holds_nothing_is_said(project: Bench) -> None:
    set_up(project, "memory: 2g, disk: 3g")
    project.engine.limits = ALL | {"disk"}
    runner = project.runner("api")

    limits.take(project.host, runner, Limits(memory_bytes=2 * GIB, pids=1000))

    assert unlimited(project, runner) == []
    assert notices(project) == []


def finding(project: Bench) -> tuple[bool, str]:
    project.host.engine("auto")
    all_of = doctor.examine(project.host, project.project)
    (found,) = (each for each in all_of if each.name == "limits")
    assert found.ok or found.hint
    return found.ok, found.detail


def test_doctor_says_what_the_engine_and_the_last_runner_know(project: Bench) -> None:
    set_up(project, "memory: 2g")
    assert finding(project) == (True, "memory (2g) and pids (1024)")

    project.engine.limits = ALL - {"memory"}
    ok, detail = finding(project)
    assert not ok and "limit of memory (2g)" in detail

    project.engine.limits = ALL
    runner = project.runner("api")
    with project.host.store.write() as session:
        row = session.get_one(home.Runner, runner.id)
        row.engine_address, row.heartbeat_at = project.engine.address, row.started_at
        session.add(row)
    limits.take(project.host, runner, Limits(memory_bytes=2 * GIB))
    ok, detail = finding(project)
    assert not ok and "limit of pids (1024)" in detail

    limits.take(project.host, runner, Limits(memory_bytes=2 * GIB, pids=1024))
    assert finding(project)[0]

    set_up(project, "memory: 2g, disk: 3g")
    ok, detail = finding(project)
    # It is looked at instead, so there is nothing to mend.
    assert ok and "disk (3g)" in detail and "no quotas" in detail


def test_an_engine_that_is_away_keeps_no_runner_from_its_work(project: Bench) -> None:
    set_up(project, "memory: 2g")
    runner = project.runner("api")
    project.engine.faults.down = True

    limits.take(project.host, runner, Limits())

    assert unlimited(project, runner) == []
