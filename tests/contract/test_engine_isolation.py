"""What a container may not do, on the engines that isolate."""

from pathlib import Path

import pytest

from steroids.engines.spec import File, Mount
from steroids.errors import EngineError
from tests.support.engines import Lab

MIB = 1024 * 1024


def status_line(lab: Lab, key: str, *capabilities: str) -> str:
    handle = lab.start(f"grep {key}: /proc/self/status", capabilities=capabilities)
    assert lab.ended(handle) == 0
    return lab.output(handle).split()[1].decode()


def test_root_has_no_capability_that_was_not_asked_for(real_lab: Lab) -> None:
    assert int(status_line(real_lab, "CapBnd"), 16) == 0
    # CAP_KILL is 5, CAP_SETGID 6, CAP_SETUID 7.
    assert int(status_line(real_lab, "CapBnd", "SETUID", "SETGID", "KILL"), 16) == 0b11100000


def test_no_program_can_gain_privileges(real_lab: Lab) -> None:
    assert status_line(real_lab, "NoNewPrivs") == "1"


def test_root_can_neither_chown_nor_read_what_is_not_its_own(real_lab: Lab) -> None:
    handle = real_lab.start(files=(File("/etc/secret", b"hush"),))

    chown = real_lab.engine.exec(handle, ["chown", "1000", "/etc/secret"])
    read = real_lab.engine.exec(handle, ["cat", "/etc/secret"], user="1000")
    environ = real_lab.engine.exec(handle, ["cat", "/proc/1/environ"], user="1000")

    assert b"not permitted" in chown.output
    assert read.exit_code != 0 and b"hush" not in read.output
    assert environ.exit_code != 0


def test_a_mounted_folder_is_seen_inside(real_lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "note").write_text("from outside")
    mount = Mount(str(tmp_path), "/mnt", read_only=True)
    handle = real_lab.start("cat /mnt/note; touch /mnt/other", mounts=(mount,))

    assert real_lab.ended(handle) != 0
    assert b"from outside" in real_lab.output(handle)
    assert [path.name for path in tmp_path.iterdir()] == ["note"]


def test_a_mount_of_what_is_not_there_is_refused_and_not_made(
    real_lab: Lab, tmp_path: Path
) -> None:
    missing = tmp_path / "missing"
    case = {"case": real_lab.name()}

    with pytest.raises(EngineError, match="missing"):
        real_lab.start(mounts=(Mount(str(missing), "/mnt"),), labels=case)

    assert not missing.exists()
    assert real_lab.engine.list_owned(case) == []


def test_limits_hold(real_lab: Lab) -> None:
    if real_lab.engine.capabilities().rootless:
        pytest.skip("rootless engines may ignore limits")
    script = (
        "for path in /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes "
        "/sys/fs/cgroup/pids.max /sys/fs/cgroup/pids/pids.max; do "
        "if [ -f $path ]; then cat $path; fi; done"
    )
    handle = real_lab.start(script, memory_bytes=64 * MIB, pids=99, cpus=0.5)

    assert real_lab.ended(handle) == 0
    assert real_lab.output(handle).split() == [str(64 * MIB).encode(), b"99"]
