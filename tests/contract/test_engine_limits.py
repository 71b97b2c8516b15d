"""Which limits engines say they keep, and how much a container has written."""

from dataclasses import replace
from typing import Any

import pytest

from steroids.engines import container_facts
from steroids.engines.container import ContainerEngine
from steroids.engines.spec import Handle, State, Status
from tests.support.engines import REAL, Lab, open_engine

MIB = 1024 * 1024
ALL = frozenset({"memory", "cpus", "pids"})


@pytest.mark.parametrize("lab", ["fake", *REAL], indirect=True, scope="session")
def test_what_is_gone_has_written_nothing(lab: Lab) -> None:
    handle = lab.start()
    assert lab.engine.written(handle) is not None
    lab.engine.remove(handle)

    assert lab.engine.written(handle) is None
    assert lab.engine.written(Handle(lab.engine.name, "deadbeef" * 8, "gone")) is None


def test_what_a_container_has_written_is_counted_running_or_not(real_lab: Lab) -> None:
    lab = real_lab
    handle = lab.start()
    before = lab.engine.written(handle)
    assert before is not None and before < MIB

    lab.engine.exec(handle, ["sh", "-c", f"head -c {5 * MIB} /dev/zero > /tmp/much"])
    running = lab.engine.written(handle)
    lab.engine.stop(handle, 0)

    assert running is not None and 5 * MIB <= running < 6 * MIB
    assert lab.engine.written(handle) == running


def test_an_engine_says_which_limits_it_keeps(real_lab: Lab) -> None:
    capabilities = real_lab.engine.capabilities()

    assert capabilities.rootless or capabilities.limits >= ALL
    assert capabilities.memory_bytes is not None and capabilities.memory_bytes > 100 * MIB


def test_a_quota_that_the_storage_cannot_keep_is_no_reason_not_to_start(real_lab: Lab) -> None:
    engine = open_engine(real_lab.engine.name)
    assert isinstance(engine, ContainerEngine)
    try:
        # As it is on xfs, where nobody knows before a start.
        capabilities = engine.capabilities()
        assert engine._known is not None
        engine._known = replace(engine._known, limits=capabilities.limits | {"disk"})

        spec = real_lab.spec(disk_bytes=64 * MIB)
        handle = engine.start(spec)

        assert engine.inspect(handle) == State(Status.RUNNING)
        assert engine.start(spec) == handle
        assert ("disk" in engine.capabilities().limits) == ("disk" in capabilities.limits)
    finally:
        engine.close()


class Says:
    """A client that is told what the engine answers."""

    base_url, timeout = "http://engine", 5

    def __init__(self, info: dict[str, Any], controllers: tuple[str, ...] = ()) -> None:
        flags = {"MemoryLimit": True, "CpuCfsQuota": True, "PidsLimit": True, "MemTotal": 8 * MIB}
        self._info = {**flags, "CgroupVersion": "2", "Driver": "overlay2", **info}
        self._controllers = list(controllers)

    def info(self) -> dict[str, Any]:
        return self._info

    def get(self, url: str, timeout: float) -> "Says":
        assert url.endswith("/libpod/info")
        return self

    def raise_for_status(self) -> None:
        pass

    def json(self) -> dict[str, Any]:
        return {"host": {"cgroupControllers": self._controllers}}


XFS = {"DriverStatus": [["Backing Filesystem", "xfs"]]}
EXT = {"DriverStatus": [["Backing Filesystem", "extfs"]]}


@pytest.mark.parametrize(
    ("name", "info", "controllers", "limits"),
    [
        ("docker", EXT, (), ALL),
        ("docker", XFS, (), ALL | {"disk"}),
        ("docker", {"Driver": "btrfs"}, (), ALL | {"disk"}),
        ("docker", {"CgroupVersion": "1", "MemoryLimit": False}, (), ALL - {"memory"}),
        ("docker", {"SecurityOptions": ["name=rootless"], "CgroupVersion": "1"}, (), frozenset()),
        (
            "docker",
            {"SecurityOptions": ["name=rootless"], "CpuCfsQuota": False},
            (),
            ALL - {"cpus"},
        ),
        ("podman", {"Rootless": True, "CgroupVersion": "1"}, ("memory", "pids"), frozenset()),
        ("podman", {"Rootless": True, **XFS}, ("memory", "pids"), ALL - {"cpus"} | {"disk"}),
        ("podman", {"Rootless": False, "CgroupVersion": "1"}, (), ALL),
    ],
)
def test_limits_by_what_the_engine_says_of_itself(
    name: str, info: dict[str, Any], controllers: tuple[str, ...], limits: frozenset[str]
) -> None:
    facts = container_facts.ask(Says(info, controllers), name)

    assert facts.limits == limits
    assert facts.rootless == (bool(info.get("Rootless")) or "SecurityOptions" in info)
    assert facts.memory_bytes == 8 * MIB
