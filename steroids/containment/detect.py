"""Is this a container? Pure over what was read of the host; `facts` reads it.

Three kinds of signs, by how hard they are to come by elsewhere: what the kernel and the file
system say, what the environment says, and mere circumstance. Imports nothing of Steroids.
"""

import enum
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

ENOUGH = 3
CIRCUMSTANCE_AT_MOST = 2


class Kind(enum.IntEnum):
    """How a sign counts; its value is its weight."""

    CIRCUMSTANCE = 1
    ENVIRONMENT = 2
    EVIDENCE = 3


class Indicator(NamedTuple):
    kind: Kind
    runtime: str
    """What it points to (`docker`); empty when it does not say."""
    source: str
    """Where it was found: a path or a variable."""

    def __str__(self) -> str:
        return f"{self.runtime}: {self.source}" if self.runtime else self.source


class Facts(NamedTuple):
    """What was read of a host; empty where there was nothing, or nothing readable."""

    platform: str = "linux"
    """As `sys.platform`."""
    files: frozenset[str] = frozenset()
    """Those of `MARKERS` that are there."""
    init_cgroup: str = ""
    """/proc/1/cgroup"""
    mountinfo: str = ""
    """/proc/self/mountinfo"""
    init_environ: Mapping[str, str] = {}
    systemd_container: str = ""
    """/run/systemd/container: systemd's copy of `container=`, for those who cannot read that."""
    environ: Mapping[str, str] = {}
    uid: int = 1000
    project: str = ""
    """An absolute path; empty when there is no project."""


MARKERS = {"/.dockerenv": "docker", "/run/.containerenv": "podman"}
"""Made by the runtime when it makes the container."""
VARIABLES = (
    "container",
    "DEVCONTAINER",
    "REMOTE_CONTAINERS",
    "KUBERNETES_SERVICE_HOST",
    "IS_SANDBOX",
)
NO = ("", "0", "false", "no", "off")
NOT_CONTAINERS = ("wsl",)
"""What systemd calls one, and its user does not: WSL is somebody's Linux machine."""
ID = r"[0-9a-f]{12,64}"
CGROUPS = (
    ("kubernetes", r"/kubepods(?:[./-]|$)"),
    ("podman", rf"/libpod-{ID}"),
    ("docker", rf"/docker[-/]{ID}"),
    ("kubernetes", rf"/crio-{ID}"),
    ("containerd", rf"/cri-containerd-{ID}"),
    ("containerd", r"/system\.slice/containerd\.service/."),
    ("docker", rf"/(?:ecs|actions_job|buildkit)/.*{ID}"),
    ("lxc", r"/lxc(?:\.payload)?[./][^/]"),
    ("systemd-nspawn", r"/(?:machine\.slice/)?(?:systemd-nspawn@|machine-)[^/]+/payload(?:/|$)"),
)
"""Of the paths in /proc/1/cgroup; the first that fits counts."""
ROOTS = (
    ("docker", r"/docker/(?:overlay2|overlay|aufs|vfs|btrfs|zfs|devicemapper|fuse-overlayfs)/"),
    ("docker", r"/overlay2/(?:l/[A-Z0-9]{26}|[0-9a-f]{64})"),
    ("podman", r"/containers/storage/|/overlay/(?:l/[A-Z0-9]{26}|[0-9a-f]{64})"),
    ("docker", r"/desktop-containerd/"),
    ("docker", r"/buildkit/"),
    ("containerd", r"io\.containerd\.(?:snapshotter|runtime)\."),
    ("kubernetes", r"/kubelet/"),
    ("lxc", r"(?:/|^)(?:lxd|incus|lxc)/(?:storage-pools|containers|common|[^/, ]+/rootfs)"),
    ("systemd-nspawn", r"/var/lib/machines/"),
)
"""Of what is mounted at /: where runtimes keep the trees of their containers."""


def is_container_environment(facts: Facts) -> bool:
    """Whether enough speaks for it; circumstance alone never is enough."""
    return score(indicators(facts)) >= ENOUGH


def has_evidence(facts: Facts) -> bool:
    """Whether the kernel or the file system says so.

    Only that allows to end processes: anybody's shell can have a variable.
    """
    return any(each.kind is Kind.EVIDENCE for each in indicators(facts))


def container_indicators(facts: Facts) -> list[str]:
    """All that was found, the strongest first, for people; also when it is not enough."""
    return [str(each) for each in indicators(facts)]


def score(found: Iterable[Indicator]) -> int:
    weights = [int(each.kind) for each in found]
    circumstance = weights.count(Kind.CIRCUMSTANCE)
    return sum(weights) - circumstance + min(circumstance, CIRCUMSTANCE_AT_MOST)


def indicators(facts: Facts) -> list[Indicator]:
    """All signs, the strongest first."""
    # Elsewhere nothing but Linux has these files; a stray copy of one says nothing.
    found = _evidence(facts) if facts.platform.startswith("linux") else []
    for name in VARIABLES:
        if facts.environ.get(name, "").strip().lower() not in (*NO, *NOT_CONTAINERS):
            found.append(Indicator(Kind.ENVIRONMENT, "", f"${name}"))
    if facts.uid == 0:
        found.append(Indicator(Kind.CIRCUMSTANCE, "", "user root"))
    if facts.project == "/workspace" or facts.project.startswith("/workspace/"):
        found.append(Indicator(Kind.CIRCUMSTANCE, "", "project at /workspace"))
    if facts.environ.get("CLAUDECODE", "").strip().lower() not in NO:
        found.append(Indicator(Kind.CIRCUMSTANCE, "", "$CLAUDECODE"))
    return found


def _evidence(facts: Facts) -> list[Indicator]:
    found = [
        Indicator(Kind.EVIDENCE, runtime, path)
        for path, runtime in MARKERS.items()
        if path in facts.files
    ]
    if runtime := cgroup_runtime(facts.init_cgroup):
        found.append(Indicator(Kind.EVIDENCE, runtime, "/proc/1/cgroup"))
    if runtime := root_runtime(facts.mountinfo):
        found.append(Indicator(Kind.EVIDENCE, runtime, "the mount at /"))
    named = facts.init_environ.get("container", "")
    if runtime := _runtime(named):
        found.append(Indicator(Kind.EVIDENCE, runtime, "container= of PID 1"))
    if not named and (runtime := _runtime(facts.systemd_container)):
        found.append(Indicator(Kind.EVIDENCE, runtime, "/run/systemd/container"))
    return found


def _runtime(value: str) -> str:
    """A runtime's name as it may be shown; empty when there is none, or when it is not one."""
    value = value.strip()
    if value.lower() in (*NO, *NOT_CONTAINERS):
        return ""
    return value if re.fullmatch(r"[A-Za-z0-9][\w.-]{0,31}", value) else "unknown"


def cgroup_runtime(text: str) -> str:
    """The runtime whose cgroup PID 1 is in; empty on a host.

    Cgroup v2 with its own namespace says `0::/` in a container too.
    """
    for line in text.splitlines():
        # number:controllers:path (man 7 cgroups)
        path = "".join(line.split(":", 2)[2:])
        for runtime, pattern in CGROUPS:
            if re.search(pattern, path):
                return runtime
    return ""


def root_runtime(mountinfo: str) -> str:
    """The runtime that made what is mounted at /; empty on a host.

    A host that runs containers has many of their mounts, but none of them at its own /; and an
    overlay there need not be a container's: live systems have one.
    """
    root = ""
    for line in mountinfo.splitlines():
        # id parent major:minor root MOUNT-POINT options [optional...] - type source superoptions
        # (man 5 proc). A later mount at / covers the one before.
        if len(line.split(" ", 5)) > 5 and line.split(" ", 5)[4] == "/":
            root = line
    if not root:
        return ""
    before, _, after = root.partition(" - ")
    words = after.split(" ", 2)
    within = before.split(" ")[3]
    source = words[1] if len(words) > 1 else ""
    options = words[2] if len(words) > 2 else ""
    for runtime, pattern in ROOTS:
        if any(re.search(pattern, text) for text in (within, source, options)):
            return runtime
    return ""
