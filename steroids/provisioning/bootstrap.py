"""A Debian root file system made from Debian's packages, for where no registry answers."""

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO

from steroids import proc
from steroids.errors import EngineError

SUITE = "trixie"
# What every image of Steroids needs; the rest is each image's own.
INCLUDE = ("ca-certificates", "git", "python3")
TIMEOUT_S = 900.0
FRESH_S = 24 * 3600.0
_PATH = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))
_TAIL_LINES = 15

_EXCLUDED = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*/LC_MESSAGES/*.mo")
_MMDEBSTRAP = (
    "mmdebstrap",
    "--variant=minbase",
    "--format=tar",
    f"--include={','.join(INCLUDE)}",
    '--aptopt=APT::Install-Recommends "false"',
    *(f"--dpkgopt=path-exclude={pattern}" for pattern in _EXCLUDED),
    "--dpkgopt=path-include=/usr/share/doc/*/copyright",
    "--dpkgopt=force-unsafe-io",
    # Rootless engines cannot make device nodes, and every engine brings its own.
    "--skip=output/dev",
    # This machine's, not the image's.
    '--customize-hook=rm -f "$1/etc/resolv.conf" "$1/etc/hostname"',
    SUITE,
    "-",
)


def bootstrapper() -> str | None:
    """`mmdebstrap` or `debootstrap`, whichever is here and this user can run; else None."""
    root = os.geteuid() == 0
    if _which("mmdebstrap") and (root or _which("newuidmap")):
        return "mmdebstrap"
    if _which("debootstrap") and root:
        return "debootstrap"
    return None


def base_rootfs(cache: Path, progress: Callable[[str], None]) -> Path:
    """The tar of a root file system not older than a day, made when there is none.

    `cache` is a folder; several callers, in this process or others, make it once: one works, the
    others wait. Raises `EngineError` when there is no tool or it fails, leaving nothing half-made.
    """
    cache.mkdir(mode=0o700, parents=True, exist_ok=True)
    tar = cache / f"base-{SUITE}-{hashlib.sha256(repr(_MMDEBSTRAP).encode()).hexdigest()[:8]}.tar"
    with only_one(tar.with_suffix(".lock")):
        if tar.is_file() and time.time() - tar.stat().st_mtime < FRESH_S:
            progress(f"Taking the root file system made before: {tar}")
            return tar
        tool = bootstrapper()
        if tool is None:
            raise EngineError(
                "A base image cannot be made here: neither mmdebstrap nor debootstrap can be run",
                hint="sudo apt-get install mmdebstrap uidmap",
            )
        progress(f"Making a Debian {SUITE} root file system with {tool}; this takes half a minute")
        with tempfile.TemporaryDirectory(prefix=".base-", dir=cache) as scratch:
            fresh = Path(scratch) / "base.tar"
            (_mmdebstrap if tool == "mmdebstrap" else _debootstrap)(fresh, progress)
            fresh.replace(tar)
    return tar


@contextlib.contextmanager
def only_one(lock: Path) -> Iterator[None]:
    """Hold a file's lock against all other threads and processes; waits for it."""
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _mmdebstrap(tar: Path, progress: Callable[[str], None]) -> None:
    # Written here, not by the tool: in its user namespace it could not enter our folder.
    with tar.open("wb") as out:
        _run(_MMDEBSTRAP, progress, out)


def _debootstrap(tar: Path, progress: Callable[[str], None]) -> None:
    root = tar.parent / "root"
    include = f"--include={','.join(INCLUDE)}"
    _run(("debootstrap", "--variant=minbase", include, SUITE, str(root)), progress)
    for name in ("etc/resolv.conf", "etc/hostname"):
        (root / name).unlink(missing_ok=True)
    without = ("--exclude=./dev/*", "--exclude=./var/cache/apt/archives/*.deb")
    _run(("tar", "-C", str(root), "--numeric-owner", *without, "-cf", str(tar), "."), progress)


def _run(
    argv: Sequence[str], progress: Callable[[str], None], out: IO[bytes] | None = None
) -> None:
    env = {**os.environ, "PATH": _PATH, "LC_ALL": "C.UTF-8"}
    stdout = out if out is not None else subprocess.STDOUT
    if out is None:
        process = proc.spawn(argv, env=env, stdout=subprocess.PIPE, stderr=stdout)
        stream = process.stdout
    else:
        process = proc.spawn(argv, env=env, stdout=out, stderr=subprocess.PIPE)
        stream = process.stderr
    assert stream is not None
    limit = threading.Timer(TIMEOUT_S, proc.kill_group, (process,))
    limit.daemon = True
    limit.start()
    tail: list[str] = []
    try:
        for line in stream:
            text = line.decode("utf-8", "replace").rstrip()
            tail = [*tail, text][-_TAIL_LINES:]
            progress(text)
        status = process.wait()
    finally:
        in_time = limit.is_alive()
        limit.cancel()
        proc.kill_group(process)
    if status != 0:
        why = f"failed ({tail[-1] if tail else status})" if in_time else "took too long"
        raise EngineError(
            f"{argv[0]} {why}",
            hint=f"{argv[0]} {SUITE} /tmp/base   # to see why",
            details={"tail": "\n".join(tail)},
        )


def _which(program: str) -> str | None:
    return shutil.which(program, path=_PATH)
