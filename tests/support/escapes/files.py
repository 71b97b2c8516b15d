"""Files of the host and of other runners, devices, and the kernel's own files."""

import ctypes
import os
import stat
from functools import partial
from pathlib import Path

from tests.support.escapes.attempts import (
    GotOut,
    Targets,
    attempt,
    reads,
    refused,
    strangers,
    system,
    writes,
)
from tests.support.escapes.running import run


@attempt("read files of the host and of another runner, by their paths and through /proc")
def host_paths(targets: Targets) -> str:
    assert len(targets.paths) >= 2
    roots = ["", "/proc/self/root", *(f"/proc/{pid}/root" for pid in strangers())]
    roots += [f"/proc/{pid}/cwd/../../../.." for pid in strangers()]
    return refused(*(reads(f"{root}{path}") for root in roots for path in targets.paths))


HARMLESS = ("null", "zero", "full", "random", "urandom", "tty")


@attempt("find a file system of the host's mounted, beside what every container has")
def mounts(targets: Targets) -> str:
    own = {"overlay", "proc", "sysfs", "tmpfs", "devpts", "mqueue", "cgroup", "cgroup2"}
    given = {
        *("/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/run/.containerenv"),
        *("/run/steroids", "/var/cache/steroids"),
    }
    found = {}
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        before, _, after = line.partition(" - ")
        kind = after.split()[0]
        source, at, options = before.split()[3:6]
        # Who cannot make devices is given those of the host that do nothing to it.
        harmless = kind == "devtmpfs" and Path(source).name in HARMLESS
        if at in given or not (kind in own or harmless):
            found[at] = (source, options)
    strange = {at: what for at, what in found.items() if at not in given}
    if strange:
        raise GotOut(f"{strange}")
    cache = found.get("/var/cache/steroids")
    if cache and "ro" not in cache[1].split(","):
        raise GotOut("it can write the cache, which others read")
    assert len(targets.runner) > 10
    if targets.runner not in found["/run/steroids"][0]:
        raise GotOut(f"/run/steroids is {found['/run/steroids'][0]}")
    return ", ".join(sorted(found))


@attempt("open the host's root folder by its handle, from a file of the host's that is mounted")
def by_handle(targets: Targets) -> str:
    # `struct file_handle`: the root of ext4 and its like is inode 2, of generation 0.
    root = (8).to_bytes(4, "little") + (1).to_bytes(4, "little")
    handle = ctypes.create_string_buffer(root + (2).to_bytes(4, "little") + bytes(4))
    calls = []
    for place in ("/etc/hosts", "/etc/resolv.conf", "/run/steroids"):
        mount = os.open(place, os.O_PATH)
        calls.append(system("open_by_handle_at", mount, handle, os.O_RDONLY))
    return refused(*calls)


@attempt("write into the folder that the host has mounted, and change what is in it")
def socket_folder(targets: Targets) -> str:
    folder = "/run/steroids"
    return refused(
        partial(os.open, f"{folder}/planted", os.O_WRONLY | os.O_CREAT),
        partial(os.symlink, "/etc/passwd", f"{folder}/planted"),
        partial(os.unlink, f"{folder}/controller.sock"),
        partial(os.chmod, folder, 0o777),
        partial(os.link, f"{folder}/controller.sock", "/tmp/mine"),
    )


@attempt("change the programs and settings that the runner itself goes by")
def runners_programs(targets: Targets) -> str:
    names = (
        *("/usr/local/bin/steroids-runner", "/opt/steroids/lib/steroids/runner/__main__.py"),
        *("/usr/bin/python3", "/usr/bin/tini", "/usr/bin/git", "/usr/bin/node", "/etc/passwd"),
        *("/etc/gitconfig", "/etc/hosts", "/etc/resolv.conf", "/etc/ld.so.cache"),
    )
    for name in names:
        assert Path(name).exists(), f"there is no {name} to try"
    folders = ("/usr/local/bin", "/opt/steroids/lib", "/usr/lib/python3/dist-packages", "/etc")
    return refused(
        *(writes(name) for name in names),
        *(partial(os.open, f"{at}/planted", os.O_WRONLY | os.O_CREAT) for at in folders),
    )


@attempt("find a device of the host's, open it, or make one")
def devices(targets: Targets) -> str:
    paths = [path for path in Path("/dev").rglob("*") if not path.is_symlink()]
    blocks = [str(path) for path in paths if stat.S_ISBLK(path.lstat().st_mode)]
    if blocks:
        raise GotOut(f"block devices: {blocks}")
    names = "mem kmem port kmsg fuse kvm net/tun loop-control vsock vhost-vsock sda vda nvme0n1"
    numbers = [os.makedev(*map(int, line.split()[:2])) for line in _partitions()]
    made = [
        partial(os.mknod, at, stat.S_IFBLK | 0o600, number)
        for at in ("/tmp/disk", "/workspace/disk", "/dev/disk")
        for number in [*numbers, os.makedev(8, 0)]
    ]
    memory = partial(os.mknod, "/tmp/mem", stat.S_IFCHR | 0o600, os.makedev(1, 1))
    return refused(*(reads(f"/dev/{name}") for name in names.split()), *made, memory)


def _partitions() -> list[str]:
    return [line for line in Path("/proc/partitions").read_text().splitlines()[2:] if line]


@attempt("find anything that can be written below /sys, /proc/sys and their like")
def kernels_files(targets: Targets) -> str:
    places = ("/sys", "/proc/sys", "/proc/irq", "/proc/bus", "/proc/fs", "/proc/sysrq-trigger")
    found = run("find", *places, "-not", "-type", "l", "-writable").out.splitlines()
    if found:
        raise GotOut(f"{len(found)} of them, such as {found[:5]}")
    return f"nothing in {', '.join(places)}"


@attempt("write where the kernel is told what to run on the host, and to restart")
def kernels_settings(targets: Targets) -> str:
    groups = [str(path) for path in Path("/sys/fs/cgroup").glob("*/")] + ["/sys/fs/cgroup"]
    names = ("release_agent", "notify_on_release", "cgroup.procs", "memory.limit_in_bytes")
    more = ("memory.max", "pids.max", "devices.allow")
    return refused(
        writes("/proc/sys/kernel/core_pattern", b"|/tmp/evil"),
        writes("/proc/sys/kernel/modprobe", b"/tmp/evil"),
        writes("/proc/sys/vm/overcommit_memory", b"1"),
        writes("/proc/sys/net/ipv4/ip_forward", b"1"),
        # Prints a help to the kernel's log, and does nothing else.
        writes("/proc/sysrq-trigger", b"h"),
        writes("/proc/sys/fs/binfmt_misc/register", b":x:M::x::/tmp/evil:"),
        writes("/sys/kernel/uevent_helper", b"/tmp/evil"),
        writes("/sys/power/state", b"mem"),
        *(writes(f"{group}/{name}", b"1") for group in groups for name in (*names, *more)),
        *(partial(os.mkdir, f"{at}/planted") for at in groups),
    )


@attempt("read the kernel's memory, log and tables of keys and timers")
def kernels_memory(targets: Targets) -> str:
    def log() -> object:
        text = ctypes.create_string_buffer(1000)
        return system("syslog", 3, text, 1000)() and text.value

    masked = [path for path in ("/proc/keys", "/proc/timer_list", "/proc/sched_debug")]
    for path in masked:
        if Path(path).exists() and Path(path).read_bytes():
            raise GotOut(f"{path} has something in it")
    return refused(reads("/proc/kcore"), reads("/dev/mem"), reads("/dev/kmsg"), log)


@attempt("find a socket of an engine, or any other than the runner's own")
def engines_socket(targets: Targets) -> str:
    skip = ["-path", "/proc", "-prune", "-o", "-path", "/sys", "-prune", "-o"]
    found = run("find", "/", *skip, "-type", "s", "-print").out.splitlines()
    strange = [path for path in found if not path.startswith("/run/steroids/")]
    named = [line.split()[-1] for line in Path("/proc/net/unix").read_text().splitlines()[1:]]
    strange += [name for name in named if name.startswith("@")]
    if strange:
        raise GotOut(f"found {strange}")
    places = ("/var/run/docker.sock", "/run/docker.sock", "/run/podman/podman.sock")
    return refused(*(partial(os.stat, at) for at in places))


@attempt("this much is allowed: writing its workspace, its home and its own /tmp")
def control_own_files(targets: Targets) -> str:
    for place in ("/workspace", str(Path.home()), "/tmp", "/dev/shm"):
        path = Path(place, "escapes-control")
        path.write_text("x")
        assert run("find", place, "-maxdepth", "1", "-name", path.name, "-writable").out
        path.unlink()
    return "as it is to be"
