"""Becoming root, mounting, and other rights that an ordinary user does not have."""

import os
import re
import resource
import socket
import subprocess
from functools import partial
from pathlib import Path

from tests.support.escapes.attempts import GotOut, Targets, attempt, owner, refused, system
from tests.support.escapes.running import run

NAMESPACES = {
    "user": 0x10000000,
    "mnt": 0x00020000,
    "net": 0x40000000,
    "pid": 0x20000000,
    "uts": 0x04000000,
    "ipc": 0x08000000,
    "cgroup": 0x02000000,
}
NULL = subprocess.DEVNULL
_BIND, _REMOUNT, _TREE_CLONE = 4096, 32, 1


@attempt("become root by asking the kernel")
def becoming_root(targets: Targets) -> str:
    return refused(
        partial(os.setuid, 0),
        partial(os.setresuid, 0, 0, 0),
        partial(os.setgid, 0),
        partial(os.setgroups, [0]),
    )


@attempt("become root by running each program that is marked to run as root")
def setuid_programs(targets: Targets) -> str:
    argv = ("find", "/", "-xdev", "-type", "f", "(", "-perm", "-4000", "-o", "-perm", "-2000", ")")
    found = run(*argv).out.splitlines()
    assert "/usr/bin/su" in found, "there is to be one to try"
    for name in found:
        # Not waited for yet, so that its rights can be read even when it has ended.
        with subprocess.Popen([name, "--help"], stdin=NULL, stdout=NULL, stderr=NULL) as process:
            if owner(process.pid) != os.geteuid():
                raise GotOut(f"{name} runs as {owner(process.pid)}")
    return f"{len(found)} programs, each with the agent's own uid"


@attempt("use su, sudo, newgrp, pkexec, doas")
def switching_user(targets: Targets) -> str:
    said = []
    argvs = (
        *(("su", "-c", "id -u"), ("su", "root", "-c", "id -u"), ("sudo", "-n", "id", "-u")),
        *(("setpriv", "--reuid", "0", "id", "-u"), ("pkexec", "id", "-u"), ("doas", "id", "-u")),
    )
    for argv in argvs:
        try:
            ran = run(*argv, stdin="\n")
        except FileNotFoundError:
            continue
        if ran.out == "0":
            raise GotOut(" ".join(argv))
        said.append(ran.err.splitlines()[-1] if ran.err else "")
    return ", ".join(dict.fromkeys(said))


@attempt("be root in a user namespace")
def user_namespace(targets: Targets) -> str:
    for argv in (("unshare", "--user", "--map-root-user", "id", "-u"), ("unshare", "-Um", "id")):
        if (ran := run(*argv)).ok:
            raise GotOut(f"{' '.join(argv)}: {ran.out}")
    flags = NAMESPACES["user"]
    return refused(
        system("unshare", flags),
        system("unshare", flags | NAMESPACES["mnt"]),
        system("clone", flags | 17, 0, 0, 0, 0),
        # `struct clone_args`: flags first, the signal of its end fifth.
        system("clone3", _clone_args(flags), 64),
    )


def _clone_args(flags: int) -> bytes:
    words = [flags, 0, 0, 0, 17, 0, 0, 0]
    return b"".join(word.to_bytes(8, "little") for word in words)


@attempt("make any other namespace, and enter those of the runner")
def namespaces(targets: Targets) -> str:
    def enter(kind: str) -> object:
        file = os.open(f"/proc/1/ns/{kind}", os.O_RDONLY)
        return system("setns", file, 0)()

    made = [system("unshare", flag) for kind, flag in NAMESPACES.items() if kind != "user"]
    return refused(*made, *(partial(enter, kind) for kind in NAMESPACES))


@attempt("mount a file system of each kind, and a folder on another one")
def mounting(targets: Targets) -> str:
    Path("/tmp/at").mkdir(exist_ok=True)
    kinds = (b"tmpfs", b"proc", b"sysfs", b"cgroup", b"cgroup2", b"overlay", b"devpts", b"fuse")
    for argv in (("mount", "-t", "tmpfs", "none", "/tmp/at"), ("mount", "--bind", "/", "/tmp/at")):
        if run(*argv).ok:
            raise GotOut(" ".join(argv))
    return refused(
        *(system("mount", b"none", b"/tmp/at", kind, 0, 0) for kind in kinds),
        system("mount", b"/", b"/tmp/at", b"", _BIND, 0),
        *(system("fsopen", kind, 0) for kind in kinds),
        system("open_tree", -100, b"/", _TREE_CLONE),
        system("move_mount", -100, b"/run/steroids", -100, b"/tmp/at", 0),
    )


@attempt("take off what hides parts of /proc and /sys, or make it writable; use another root")
def unmounting(targets: Targets) -> str:
    places = (b"/proc/keys", b"/proc/sys", b"/sys/firmware", b"/proc/acpi", b"/run/steroids")
    return refused(
        *(system("umount2", place, 2) for place in places),
        *(system("mount", b"", place, b"", _REMOUNT | _BIND, 0) for place in (b"/proc/sys", b"/")),
        system("mount", b"", b"/sys", b"", _REMOUNT, 0),
        system("pivot_root", b"/tmp", b"/tmp"),
        partial(os.chroot, "/tmp"),
    )


@attempt("get capabilities, or have kept any")
def capabilities(targets: Targets) -> str:
    status = Path("/proc/self/status").read_text()
    facts = dict(re.findall(r"^(\w+):\t(\S+)", status, re.MULTILINE))
    for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        if int(facts[name], 16):
            raise GotOut(f"{name} is {facts[name]}")
    # CAP_KILL is 5, CAP_SETGID 6, CAP_SETUID 7: those of root inside, for which there is no way.
    if int(facts["CapBnd"], 16) & ~0b11100000:
        raise GotOut(f"CapBnd is {facts['CapBnd']}")
    if (facts["NoNewPrivs"], facts["Seccomp"]) != ("1", "2"):
        raise GotOut(f"NoNewPrivs {facts['NoNewPrivs']}, Seccomp {facts['Seccomp']}")
    if groups := {*os.getgroups(), os.getgid()} - {os.getuid()}:
        raise GotOut(f"it is in the groups {groups}")
    # Version 3 of the header, for this process; all bits of both words of three sets.
    header = (0x20080522).to_bytes(4, "little") + bytes(4)
    return refused(system("capset", header, b"\xff" * 24))


@attempt("raise its limits and its priority")
def limits(targets: Targets) -> str:
    def more(kind: int) -> object:
        hard = resource.getrlimit(kind)[1]
        if hard == resource.RLIM_INFINITY:
            raise OSError("there is none to raise")
        try:
            resource.setrlimit(kind, (hard + 1, hard + 1))
        except ValueError as error:
            raise OSError(str(error)) from error
        return resource.getrlimit(kind)

    kinds = (resource.RLIMIT_NOFILE, resource.RLIMIT_NPROC, resource.RLIMIT_MEMLOCK)
    return refused(
        *(partial(more, kind) for kind in kinds),
        partial(os.setpriority, os.PRIO_PROCESS, 0, -5),
        partial(os.sched_setscheduler, 0, os.SCHED_FIFO, os.sched_param(1)),
        partial(Path("/proc/self/oom_score_adj").write_text, "-1000"),
        partial(socket.sethostname, "other"),
    )
