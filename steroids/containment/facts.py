"""What this host says of itself. Every file may be missing, unreadable, huge or not text."""

import os
import stat
import sys
from collections.abc import Mapping
from pathlib import Path

from steroids.containment import detect
from steroids.containment.detect import MARKERS, Facts

MAX_BYTES = 1024 * 1024


def read(project: Path | str | None = None) -> Facts:
    """The facts of now; `project` is the canonical path of the one that is asked about."""
    # Windows' Python has no such thing, and neither is it a container that we run in.
    uid = os.getuid() if hasattr(os, "getuid") else -1
    environ = dict(os.environ)
    if not sys.platform.startswith("linux"):
        return Facts(sys.platform, environ=environ, uid=uid, project=str(project or ""))
    return Facts(
        platform=sys.platform,
        files=frozenset(path for path in MARKERS if _is_file(path)),
        init_cgroup=text("/proc/1/cgroup"),
        mountinfo=text("/proc/self/mountinfo"),
        init_environ=variables(text("/proc/1/environ")),
        systemd_container=text("/run/systemd/container", 256),
        environ=environ,
        uid=uid,
        project=str(project or ""),
    )


def is_container_environment(project: Path | str | None = None) -> bool:
    return detect.is_container_environment(read(project))


def has_evidence() -> bool:
    """Whether the kernel or the file system says that this is a container."""
    return detect.has_evidence(read())


def container_indicators(project: Path | str | None = None) -> list[str]:
    return detect.container_indicators(read(project))


def words(project: Path | str | None = None) -> str:
    """For people: `yes (docker: /.dockerenv)`, `no`, `no (user root)`."""
    facts = read(project)
    found = ", ".join(detect.container_indicators(facts))
    answer = "yes" if detect.is_container_environment(facts) else "no"
    return f"{answer} ({found})" if found else answer


def text(path: str, limit: int = MAX_BYTES) -> str:
    """The beginning of a file, whatever is in it; empty when it cannot be read."""
    try:
        # Whatever lies there: a pipe would be waited for, a terminal would be taken over.
        number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        if not stat.S_ISREG(os.fstat(number).st_mode):
            return ""
        content = bytearray()
        while len(content) < limit and (chunk := os.read(number, limit - len(content))):
            content += chunk
    except OSError:
        return ""
    finally:
        os.close(number)
    return content.decode("utf-8", "replace")


def variables(environ: str) -> Mapping[str, str]:
    """Of the content of a process's `environ`."""
    pairs = (entry.partition("=") for entry in environ.split("\0"))
    return {name: value for name, found, value in pairs if found}


def _is_file(path: str) -> bool:
    try:
        return stat.S_ISREG(os.stat(path).st_mode)  # noqa: PTH116
    except OSError:
        return False
