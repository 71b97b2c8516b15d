"""What holds inside a container, read from files as kernels write them."""

from pathlib import Path

import pytest

from steroids.agents.cgroups import Cgroups
from steroids.agents.memory import Watch
from steroids.runner import limits

MIB = 1 << 20
NEVER = "9223372036854771712"
SECOND = "30 28 0:26 / /sys/fs/cgroup ro,nosuid shared:4 - cgroup2 cgroup rw,nsdelegate"


def first(controller: str, base: str = "/") -> str:
    return f"40 28 0:30 {base} /sys/fs/cgroup/{controller} ro - cgroup cgroup rw,{controller}"


def groups(root: Path, mounts: list[str], own: list[str], files: dict[str, str]) -> Cgroups:
    put = {"proc/self/mountinfo": "\n".join(mounts), "proc/self/cgroup": "\n".join(own), **files}
    for name, content in put.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{content}\n")
    return Cgroups(root)


def all_of(found: Cgroups) -> tuple[int | None, float | None, int | None]:
    return found.memory_bytes(), found.cpus(), found.pids()


def test_version_2_in_a_namespace_of_its_own(tmp_path: Path) -> None:
    at = "sys/fs/cgroup/"
    found = groups(
        tmp_path,
        [SECOND],
        ["0::/"],
        {
            f"{at}memory.max": str(64 * MIB),
            f"{at}cpu.max": "50000 100000",
            f"{at}pids.max": "99",
            f"{at}memory.events": "low 0\nhigh 0\nmax 9\noom 2\noom_kill 3\noom_group_kill 0",
        },
    )

    assert all_of(found) == (64 * MIB, 0.5, 99)
    assert found.oom_kills() == 3


def test_version_2_as_the_host_sees_it(tmp_path: Path) -> None:
    at, own = "sys/fs/cgroup/", "sys/fs/cgroup/machine.slice/one.scope/"
    found = groups(
        tmp_path,
        [SECOND],
        ["0::/machine.slice/one.scope"],
        {
            f"{own}memory.max": "max",
            f"{own}cpu.max": "max 100000",
            f"{own}pids.max": "2048",
            f"{at}machine.slice/memory.max": str(512 * MIB),
            f"{at}machine.slice/pids.max": "100",
        },
    )

    # What is around it holds too.
    assert all_of(found) == (512 * MIB, None, 100)


def test_version_1_beside_an_empty_version_2(tmp_path: Path) -> None:
    base = "/docker/abc"
    mounts = [first(each, base) for each in ("memory", "pids", "cpu")]
    unified = SECOND.replace("/sys/fs/cgroup", "/sys/fs/cgroup/unified")
    found = groups(
        tmp_path,
        [unified, *mounts],
        [f"4:memory:{base}", f"8:pids:{base}", f"1:cpu,cpuacct:{base}", f"0::{base}"],
        {
            "sys/fs/cgroup/memory/memory.limit_in_bytes": str(256 * MIB),
            "sys/fs/cgroup/memory/memory.oom_control": "oom_kill_disable 0\noom_kill 1",
            "sys/fs/cgroup/pids/pids.max": "77",
            "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "150000",
            "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000",
        },
    )

    assert all_of(found) == (256 * MIB, 1.5, 77)
    assert found.oom_kills() == 1


def test_a_group_inside_of_what_is_mounted(tmp_path: Path) -> None:
    found = groups(
        tmp_path,
        [first("memory", "/docker/abc")],
        ["4:memory:/docker/abc/init"],
        {
            "sys/fs/cgroup/memory/memory.limit_in_bytes": NEVER,
            "sys/fs/cgroup/memory/init/memory.limit_in_bytes": str(32 * MIB),
        },
    )

    assert found.memory_bytes() == 32 * MIB


def test_version_1_of_a_rootless_engine_holds_nothing(tmp_path: Path) -> None:
    found = groups(
        tmp_path,
        [first("memory"), first("pids"), first("cpu")],
        ["4:memory:/user.slice", "8:pids:/user.slice", "1:cpu:/"],
        {
            "sys/fs/cgroup/memory/memory.limit_in_bytes": NEVER,
            "sys/fs/cgroup/memory/user.slice/memory.limit_in_bytes": NEVER,
            "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1",
            "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000",
        },
    )

    assert all_of(found) == (None, None, None)
    assert found.oom_kills() == 0


def test_where_nothing_can_be_read_nothing_is_known(tmp_path: Path) -> None:
    assert all_of(Cgroups(tmp_path)) == (None, None, None)
    assert all_of(groups(tmp_path, [SECOND], ["0::/../../.."], {})) == (None, None, None)
    assert Cgroups(tmp_path).oom_kills() == 0


def test_the_limit_of_a_users_processes_counts_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = groups(tmp_path, [SECOND], ["0::/"], {"sys/fs/cgroup/pids.max": "1024"})
    soft = -1
    monkeypatch.setattr("resource.getrlimit", lambda which: (soft, -1))
    assert limits.found(found).pids == 1024
    soft = 500
    assert limits.found(found).pids == 500
    assert limits.found(Cgroups(tmp_path / "none")).pids == 500


def test_what_ran_out_of_memory_is_told_with_the_limit(tmp_path: Path) -> None:
    at = "sys/fs/cgroup/"
    files = {f"{at}memory.max": str(1536 * MIB), f"{at}memory.events": "oom_kill 2"}
    found = groups(tmp_path, [SECOND], ["0::/"], files)
    watch = Watch(found)
    assert watch.ran_out() is None

    (tmp_path / f"{at}memory.events").write_text("oom_kill 3\n")
    assert watch.ran_out() == "ran out of memory (limit 1.5g)"
    (tmp_path / f"{at}memory.max").write_text("max\n")
    assert watch.ran_out() == "ran out of memory (all of the machine)"
