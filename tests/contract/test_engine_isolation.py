"""What a container may not do, on the engines that isolate."""

from pathlib import Path

import pytest

from steroids.engines.spec import File, Mount, Status
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


RUNNERS = ("SETUID", "SETGID", "KILL")
"""What root keeps in a runner's container."""


def test_the_agent_has_no_capability_and_cannot_get_one(real_lab: Lab) -> None:
    lab = real_lab
    handle = lab.start(capabilities=RUNNERS)
    status = lab.engine.exec(handle, ["cat", "/proc/self/status"], user="1000").output.decode()
    facts = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)

    # CapBnd is what a program with capabilities of its own could have, were there one.
    assert [int(facts[key], 16) for key in ("CapInh", "CapPrm", "CapEff", "CapAmb")] == [0] * 4
    assert int(facts["CapBnd"], 16) == 0b11100000
    assert facts["NoNewPrivs"].strip() == "1"
    # A filter, which is the engine's own.
    assert facts["Seccomp"].strip() == "2"


def test_the_agent_sees_nothing_of_what_runs_as_root(real_lab: Lab) -> None:
    lab = real_lab
    token = File("/etc/token", b"hush")
    handle = lab.start(capabilities=RUNNERS, files=(token,))

    def agent(script: str) -> str:
        argv = ["sh", "-c", script]
        return lab.engine.exec(handle, argv, user="1000").output.decode()

    for path in ("environ", "mem", "maps", "auxv", "io", "stack", "syscall"):
        assert "Permission denied" in agent(f"cat /proc/1/{path}"), path
    for link in ("cwd", "exe", "root", "fd", "ns/net"):
        assert "Permission denied" in agent(f"ls -l /proc/1/{link}/ /proc/1/{link}"), link
    assert "Permission denied" in agent("cat /etc/token")
    assert "ermitted" in agent("kill -KILL 1")
    assert lab.engine.inspect(handle).status is Status.RUNNING


def test_no_engine_no_device_and_no_host_is_inside(real_lab: Lab) -> None:
    lab = real_lab
    handle = lab.start(capabilities=RUNNERS)

    def root(script: str) -> str:
        return lab.engine.exec(handle, ["sh", "-c", script]).output.decode()

    # Even its root makes no device, and mounts nothing over what is there.
    assert "ermitted" in root("mknod /tmp/disk b 8 0")
    sockets = "/run/docker.sock /var/run/docker.sock /run/podman/podman.sock"
    assert root(f"ls {sockets} 2>/dev/null") == ""
    devices = set(root("ls /dev").split())
    assert not {each for each in devices if each.startswith(("sd", "vd", "nvme", "kmsg", "mem"))}
    assert "cannot create" in root("echo 1 > /proc/sys/kernel/panic")
    assert "ead-only" in root("mkdir /sys/fs/cgroup/pids/mine 2>&1 || mkdir /sys/fs/cgroup/mine")


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
