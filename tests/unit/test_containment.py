"""Is this a container? What real systems say, pasted; the long identifiers are shortened only where
nothing looks at them."""

import pytest

from steroids.containment.detect import (
    MARKERS,
    VARIABLES,
    Facts,
    container_indicators,
    has_evidence,
    is_container_environment,
)

ID = "3f1c2b8a9d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8"
LINK = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

HOST_CGROUP_V2 = "0::/init.scope\n"
HOST_CGROUP_V1 = """\
12:pids:/init.scope
11:cpu,cpuacct:/
10:memory:/
2:devices:/
1:name=systemd:/init.scope
0::/init.scope
"""
HOST_MOUNTS = """\
22 28 0:20 / /sys rw,nosuid,nodev,noexec,relatime shared:7 - sysfs sysfs rw
23 28 0:21 / /proc rw,nosuid,nodev,noexec,relatime shared:14 - proc proc rw
28 1 259:2 / / rw,relatime shared:1 - ext4 /dev/nvme0n1p2 rw,errors=remount-ro
29 24 0:24 / /dev/shm rw,nosuid,nodev shared:4 - tmpfs tmpfs rw
"""
DOCKER_OPTIONS = (
    f"rw,lowerdir=/var/lib/docker/overlay2/l/{LINK}:/var/lib/docker/overlay2/l/{LINK},"
    f"upperdir=/var/lib/docker/overlay2/{ID}/diff,workdir=/var/lib/docker/overlay2/{ID}/work"
)
PODMAN_OPTIONS = (
    f"rw,lowerdir=/var/lib/containers/storage/overlay/l/{LINK},"
    f"upperdir=/var/lib/containers/storage/overlay/{ID}/diff,"
    f"workdir=/var/lib/containers/storage/overlay/{ID}/work"
)
DOCKERD_HOST_MOUNTS = HOST_MOUNTS + "".join(
    f"{500 + n} 28 0:{50 + n} / /var/lib/docker/overlay2/{n:064x}/merged rw,relatime shared:{n} "
    f"- overlay overlay {DOCKER_OPTIONS}\n"
    for n in range(40)
)
DOCKER_CGROUP_V1 = f"""\
12:pids:/docker/{ID}
11:memory:/docker/{ID}
1:name=systemd:/docker/{ID}
0::/system.slice/containerd.service
"""
DOCKER_MOUNTS = f"""\
1164 1023 0:173 / / rw,relatime master:406 - overlay overlay {DOCKER_OPTIONS}
1165 1164 0:176 / /proc rw,nosuid,nodev,noexec,relatime - proc proc rw
1171 1164 259:2 /var/lib/docker/containers/{ID}/hosts /etc/hosts rw,relatime - ext4 /dev/sda1 rw
"""
PODMAN_MOUNTS = f"""\
643 578 0:59 / / rw,relatime - overlay overlay {PODMAN_OPTIONS}
644 643 0:62 / /proc rw,nosuid,nodev,noexec,relatime - proc proc rw
"""
ROOTLESS_MOUNTS = PODMAN_MOUNTS.replace("/var/lib/", "/home/ann/.local/share/")
VFS_MOUNTS = (
    f"643 578 8:1 /home/ann/.local/share/containers/storage/vfs/dir/{ID} / rw,relatime - "
    "ext4 /dev/sda1 rw\n"
)
FUSE_MOUNTS = (
    "643 578 0:59 / / rw,nodev,noatime - fuse.fuse-overlayfs fuse-overlayfs "
    "rw,user_id=0,group_id=0,default_permissions,allow_other\n"
)
CONTAINERD_MOUNTS = (
    "2056 1940 0:313 / / rw,relatime - overlay overlay rw,lowerdir=/var/lib/containerd/"
    "io.containerd.snapshotter.v1.overlayfs/snapshots/52/fs,upperdir=/var/lib/containerd/"
    "io.containerd.snapshotter.v1.overlayfs/snapshots/61/fs\n"
)
MOVED_DATA_ROOT = DOCKER_MOUNTS.replace("/var/lib/docker/overlay2", "/mnt/big/overlay2")
KUBERNETES_CGROUP_V1 = f"""\
11:memory:/kubepods/burstable/pod2d1c9d57-95a4-4b0a-8c9b-3cf2b3a4e8c1/{ID}
1:name=systemd:/kubepods/burstable/pod2d1c9d57-95a4-4b0a-8c9b-3cf2b3a4e8c1/{ID}
"""
KUBERNETES_CGROUP_V2 = (
    "0::/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod2d1c9d57.slice/"
    f"cri-containerd-{ID}.scope\n"
)
LXC_CGROUP = "12:pids:/lxc.payload.web\n1:name=systemd:/lxc.payload.web/init.scope\n0::/\n"
LXD_MOUNTS = (
    "567 512 0:48 /containers/web/rootfs / rw,relatime,idmapped shared:299 - "
    "zfs default/containers/web rw,xattr,posixacl\n"
)
LXD_DIR_MOUNTS = (
    "567 512 8:2 /var/snap/lxd/common/lxd/storage-pools/default/containers/web/rootfs / "
    "rw,relatime shared:299 - ext4 /dev/sda2 rw\n"
)
NSPAWN_CGROUP = "0::/machine.slice/machine-deb.scope/payload\n"
NSPAWN_MOUNTS = "401 380 8:1 /var/lib/machines/deb / rw,relatime shared:210 - ext4 /dev/sda1 rw\n"
WSL_MOUNTS = """\
66 79 8:32 / /mnt/wslg/distro ro,relatime shared:2 - ext4 /dev/sdc rw
79 56 8:32 / / rw,relatime - ext4 /dev/sdc rw,discard,errors=remount-ro,data=ordered
81 79 0:30 / /mnt/wsl rw,relatime shared:1 - tmpfs none rw
121 79 0:52 / /mnt/c rw,noatime - 9p C:\\134 rw,dirsync,aname=drvfs;path=C:\\;uid=1000
205 81 0:71 / /mnt/wsl/docker-desktop/shared-sockets rw - overlay overlay rw,lowerdir=/docker
"""
LIVE_MOUNTS = (
    "25 0 0:22 / / rw,relatime - overlay overlayroot rw,lowerdir=/media/root-ro,"
    "upperdir=/media/root-rw/overlay,workdir=/media/root-rw/overlay-workdir\n"
)
COVERED_ROOT = "1 1 0:1 / / rw - rootfs rootfs rw\n" + DOCKER_MOUNTS

PLAIN = Facts(init_cgroup=HOST_CGROUP_V2, mountinfo=HOST_MOUNTS)
BOXED = Facts(init_cgroup="0::/\n")
"""Cgroup v2 with a namespace of its own says nothing."""

CONTAINERS = {
    "Docker, cgroup v1": (
        Facts(
            files=frozenset({"/.dockerenv"}), init_cgroup=DOCKER_CGROUP_V1, mountinfo=DOCKER_MOUNTS
        ),
        ["docker: /.dockerenv", "docker: /proc/1/cgroup", "docker: the mount at /"],
    ),
    "Docker, cgroup v2": (
        BOXED._replace(files=frozenset({"/.dockerenv"}), mountinfo=DOCKER_MOUNTS),
        ["docker: /.dockerenv", "docker: the mount at /"],
    ),
    "Docker, whose file somebody removed": (
        BOXED._replace(mountinfo=DOCKER_MOUNTS),
        ["docker: the mount at /"],
    ),
    "Docker, its data elsewhere": (
        BOXED._replace(mountinfo=MOVED_DATA_ROOT),
        ["docker: the mount at /"],
    ),
    "Docker, cgroups of systemd": (
        Facts(init_cgroup=f"0::/system.slice/docker-{ID}.scope\n"),
        ["docker: /proc/1/cgroup"],
    ),
    "Docker, images of containerd": (
        BOXED._replace(mountinfo=CONTAINERD_MOUNTS),
        ["containerd: the mount at /"],
    ),
    "Podman, rootful": (
        BOXED._replace(
            files=frozenset({"/run/.containerenv"}),
            mountinfo=PODMAN_MOUNTS,
            init_environ={"container": "podman"},
            uid=0,
        ),
        [
            "podman: /run/.containerenv",
            "podman: the mount at /",
            "podman: container= of PID 1",
            "user root",
        ],
    ),
    "Podman, rootless": (
        BOXED._replace(files=frozenset({"/run/.containerenv"}), mountinfo=ROOTLESS_MOUNTS),
        ["podman: /run/.containerenv", "podman: the mount at /"],
    ),
    "Podman, rootless, vfs": (BOXED._replace(mountinfo=VFS_MOUNTS), ["podman: the mount at /"]),
    "Podman, rootless, fuse": (
        BOXED._replace(
            mountinfo=FUSE_MOUNTS,
            init_environ={"container": "oci"},
            environ={"container": "oci"},
        ),
        ["oci: container= of PID 1", "$container"],
    ),
    "Podman, cgroup v1": (
        Facts(init_cgroup=f"11:memory:/machine.slice/libpod-{ID}.scope\n0::/\n"),
        ["podman: /proc/1/cgroup"],
    ),
    "a root that covers another": (
        BOXED._replace(mountinfo=COVERED_ROOT),
        ["docker: the mount at /"],
    ),
    "devcontainer": (
        BOXED._replace(
            files=frozenset({"/.dockerenv"}),
            mountinfo=DOCKER_MOUNTS,
            environ={"REMOTE_CONTAINERS": "true", "DEVCONTAINER": "true"},
            project="/workspaces/shop",
        ),
        [
            "docker: /.dockerenv",
            "docker: the mount at /",
            "$DEVCONTAINER",
            "$REMOTE_CONTAINERS",
        ],
    ),
    "Codespaces": (
        BOXED._replace(
            mountinfo=DOCKER_MOUNTS, environ={"CODESPACES": "true", "REMOTE_CONTAINERS": "true"}
        ),
        ["docker: the mount at /", "$REMOTE_CONTAINERS"],
    ),
    "Kubernetes, cgroup v1": (
        Facts(init_cgroup=KUBERNETES_CGROUP_V1, environ={"KUBERNETES_SERVICE_HOST": "10.96.0.1"}),
        ["kubernetes: /proc/1/cgroup", "$KUBERNETES_SERVICE_HOST"],
    ),
    "Kubernetes, cgroup v2": (
        Facts(init_cgroup=KUBERNETES_CGROUP_V2, mountinfo=CONTAINERD_MOUNTS),
        ["kubernetes: /proc/1/cgroup", "containerd: the mount at /"],
    ),
    "LXC": (Facts(init_cgroup=LXC_CGROUP), ["lxc: /proc/1/cgroup"]),
    "LXC as root": (
        Facts(init_cgroup=HOST_CGROUP_V2, init_environ={"container": "lxc"}, uid=0),
        ["lxc: container= of PID 1", "user root"],
    ),
    "LXC as a user, systemd": (
        Facts(init_cgroup=HOST_CGROUP_V2, systemd_container="lxc\n"),
        ["lxc: /run/systemd/container"],
    ),
    "LXD on a folder": (
        Facts(init_cgroup=HOST_CGROUP_V2, mountinfo=LXD_DIR_MOUNTS),
        ["lxc: the mount at /"],
    ),
    "LXD on ZFS": (
        Facts(init_cgroup=LXC_CGROUP, mountinfo=LXD_MOUNTS),
        ["lxc: /proc/1/cgroup"],
    ),
    "systemd-nspawn": (
        Facts(
            init_cgroup=NSPAWN_CGROUP,
            mountinfo=NSPAWN_MOUNTS,
            init_environ={"container": "systemd-nspawn"},
        ),
        [
            "systemd-nspawn: /proc/1/cgroup",
            "systemd-nspawn: the mount at /",
            "systemd-nspawn: container= of PID 1",
        ],
    ),
}

HOSTS = {
    "plain Linux": (PLAIN, []),
    "plain Linux, cgroup v1": (PLAIN._replace(init_cgroup=HOST_CGROUP_V1), []),
    "plain Linux as root": (PLAIN._replace(uid=0), ["user root"]),
    "nothing can be read": (Facts(), []),
    "a host of containers": (
        PLAIN._replace(mountinfo=DOCKERD_HOST_MOUNTS, uid=0),
        ["user root"],
    ),
    "a live system": (PLAIN._replace(mountinfo=LIVE_MOUNTS), []),
    "WSL2": (Facts(init_cgroup="0::/\n", mountinfo=WSL_MOUNTS), []),
    "WSL2 with systemd": (
        Facts(
            init_cgroup=HOST_CGROUP_V2,
            mountinfo=WSL_MOUNTS,
            systemd_container="wsl\n",
            init_environ={"container": "wsl"},
        ),
        [],
    ),
    "macOS": (Facts(platform="darwin", uid=501), []),
    "macOS with a stray file": (Facts(platform="darwin", files=frozenset(MARKERS)), []),
    "an agent's session on a laptop": (
        PLAIN._replace(environ={"CLAUDECODE": "1"}, project="/workspace/shop", uid=0),
        ["user root", "project at /workspace", "$CLAUDECODE"],
    ),
    "an agent's session on a Mac": (
        Facts(platform="darwin", environ={"CLAUDECODE": "1"}, project="/workspace"),
        ["project at /workspace", "$CLAUDECODE"],
    ),
    "one variable": (PLAIN._replace(environ={"container": "podman"}), ["$container"]),
    "variables that say no": (
        PLAIN._replace(environ={"DEVCONTAINER": "false", "IS_SANDBOX": "0", "container": ""}),
        [],
    ),
    "a service of the name": (
        PLAIN._replace(init_cgroup="0::/system.slice/docker.service\n"),
        [],
    ),
    "a virtual machine's slice": (
        PLAIN._replace(init_cgroup="0::/machine.slice/machine-qemu\\x2d1\\x2dvm.scope\n"),
        [],
    ),
    "a folder of the name": (PLAIN._replace(project="/workspaces/shop"), []),
}


@pytest.mark.parametrize("name", CONTAINERS)
def test_containers(name: str) -> None:
    facts, found = CONTAINERS[name]
    assert container_indicators(facts) == found
    assert is_container_environment(facts)
    assert has_evidence(facts)


@pytest.mark.parametrize("name", HOSTS)
def test_hosts(name: str) -> None:
    facts, found = HOSTS[name]
    assert container_indicators(facts) == found
    assert not is_container_environment(facts)
    assert not has_evidence(facts)


@pytest.mark.parametrize("name", VARIABLES)
def test_a_variable_and_a_circumstance_are_a_container_that_nothing_is_ended_in(name: str) -> None:
    alone = PLAIN._replace(environ={name: "yes"})
    assert not is_container_environment(alone)
    for facts in (
        alone._replace(uid=0),
        alone._replace(project="/workspace"),
        alone._replace(environ={name: "yes", "CLAUDECODE": "1"}),
    ):
        assert is_container_environment(facts)
        assert not has_evidence(facts)


@pytest.mark.parametrize(
    "noise",
    ["\0", "\ufffd\ufffd\x01" * 500, "a b c d / f", " - ", "1 2 3 4 /", ":::::\n\n", "- " * 9999],
)
def test_garbage_says_nothing(noise: str) -> None:
    facts = Facts(init_cgroup=noise, mountinfo=noise, init_environ={noise: noise})
    assert container_indicators(facts) == []
    assert not is_container_environment(facts)


def test_what_is_shown_of_a_runtime_is_a_plain_word() -> None:
    (shown,) = container_indicators(Facts(init_environ={"container": "\x1b[31mred\nline"}))
    assert shown == "unknown: container= of PID 1"
