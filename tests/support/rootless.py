"""An ordinary user of this machine, made for a test, with a Podman of their own.

Only root can make one. All that is theirs (processes, images, files) ends with the test.
"""

import contextlib
import grp
import os
import pwd
import secrets
import shutil
import stat
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NoReturn

import psutil
import pytest

from steroids import proc
from steroids.engines.base import Engine
from steroids.engines.container_connect import connect
from tests.support.engines import promised
from tests.support.story_cli import CHECKOUT, Cli

PACKAGES = f"{CHECKOUT}:{sysconfig.get_path('purelib')}"
TUN = Path("/dev/net/tun")
NEEDED = ("podman", "useradd", "userdel", "newuidmap", "slirp4netns", "setpriv")
_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


@dataclass(frozen=True)
class User:
    """`ordinary_user` makes one, and takes it away."""

    name: str
    uid: int
    gid: int
    folder: Path
    """Their home; the only place where they can write, `/tmp` aside."""
    groups: tuple[str, ...] = ()
    alone: bool = True
    """Whether nobody else has this uid."""

    @property
    def env(self) -> dict[str, str]:
        """Root's, as far as it says where this machine's certificates and proxies are."""
        own = {
            "HOME": str(self.folder),
            "USER": self.name,
            "LOGNAME": self.name,
            "XDG_RUNTIME_DIR": str(self.folder / "run"),
            "PATH": _PATH,
        }
        dropped = ("STEROIDS_", "XDG_", "DOCKER_", "CONTAINER_", "GIT_CONFIG")
        rest = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
        return {**rest, **own}

    def argv(self, *words: str) -> list[str]:
        # `env` since setpriv itself still has root's rights when it looks for what it runs.
        groups = ",".join(str(grp.getgrnam(group).gr_gid) for group in self.groups)
        also = f"--groups={groups}" if groups else "--clear-groups"
        how = (f"--reuid={self.uid}", f"--regid={self.gid}", also, "--inh-caps=-all")
        return ["setpriv", *how, "env", *words]

    def run(self, *words: str, cwd: Path | None = None) -> str:
        """What it prints; fails the test when it fails."""
        done = proc.run(self.argv(*words), cwd=cwd or self.folder, env=self.env, timeout_s=120)
        assert done.ok, f"{self.name}: {' '.join(words)}: {done.out}\n{done.err}"
        return done.out

    def own(self, path: Path) -> None:
        """Make it and all below it theirs."""
        for folder, _, names in os.walk(path):
            for each in (folder, *(os.path.join(folder, name) for name in names)):  # noqa: PTH118
                os.chown(each, self.uid, self.gid, follow_symlinks=False)


class UserCli(Cli):
    """`steroids`, typed by that user."""

    def __init__(self, home: Path, cwd: Path, user: User) -> None:
        super().__init__(home, cwd, {**user.env, "PYTHONPATH": PACKAGES})
        self.user = user

    def _argv(self, args: tuple[str, ...]) -> list[str]:
        return self.user.argv(_python(self.user), "-m", "steroids", *args)


@cache
def _python(user: User) -> str:
    """One that the user may run: root's own may be in root's home. Skips where there is none."""
    same = f"python3.{sys.version_info.minor}"
    env = {**user.env, "PYTHONPATH": PACKAGES}
    for program in (sys.executable, shutil.which(same, path="/usr/bin:/usr/local/bin")):
        if program is not None:
            argv = user.argv(program, "-c", "import steroids.cli.app")
            if proc.run(argv, cwd=user.folder, env=env, timeout_s=60).ok:
                return program
    _cannot(f"other users can run neither {sys.executable} nor a {same} on {CHECKOUT}")


@dataclass(frozen=True)
class OwnPodman:
    """The service that Steroids has started for a user who has none."""

    address: str

    def open(self) -> Engine:
        return connect(self.address, {})


@contextlib.contextmanager
def ordinary_user(*groups: str, uid: int | None = None) -> Iterator[User]:
    """Skips the test where there can be none; fails it where Podman was promised to root.

    `uid` may be somebody's already, who is left in peace.
    """
    missing = [name for name in NEEDED if shutil.which(name, path=_PATH) is None]
    if os.geteuid() != 0 or missing:
        _cannot(f"an ordinary user is made by root only, with {', '.join(missing) or 'useradd'}")
    # Not under pytest's folder, which is root's alone, and short: there will be sockets in it.
    folder = Path(tempfile.mkdtemp(prefix="steroids-user-", dir="/var/tmp"))
    name = f"steroids-{secrets.token_hex(4)}"
    more: tuple[str, ...] = ("--groups", ",".join(groups)) if groups else ()
    more += ("--non-unique", "--uid", str(uid)) if uid is not None else ()
    done = proc.run(
        ["useradd", "--home-dir", str(folder), "--shell", "/bin/bash", *more, name],
        env={**os.environ, "PATH": _PATH},
        timeout_s=30,
    )
    assert done.ok, done.err
    found = pwd.getpwnam(name)
    user = User(name, found.pw_uid, found.pw_gid, folder, groups, alone=uid is None)
    try:
        _furnish(user)
        # Whose engine is root's needs no network of their own.
        with contextlib.nullcontext() if groups else _tun():
            yield user
    finally:
        _remove(user)


def _furnish(user: User) -> None:
    config = user.folder / ".config/containers"
    config.mkdir(parents=True)
    # Podman 4.3 does not commit where a file names the driver alone.
    places = {"runroot": user.folder / "run/containers", "graphroot": user.folder / "storage"}
    lines = ["[storage]", 'driver = "overlay"', *(f'{key} = "{at}"' for key, at in places.items())]
    (config / "storage.conf").write_text("\n".join([*lines, ""]))
    (user.folder / "run").mkdir(mode=0o700)
    user.folder.chmod(0o755)
    user.own(user.folder)


@contextlib.contextmanager
def _tun() -> Iterator[None]:
    """Machines where nobody has logged in may have it closed; a user's network needs it."""
    before = stat.S_IMODE(TUN.stat().st_mode)
    TUN.chmod(0o666)
    try:
        yield
    finally:
        TUN.chmod(before)


def _remove(user: User) -> None:
    for _ in range(20):
        processes = [each for each in psutil.process_iter() if _is_of(each, user)]
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        if not psutil.wait_procs(processes, timeout=5)[0]:
            break
    shutil.rmtree(user.folder, ignore_errors=True)
    proc.run(["userdel", user.name], env={**os.environ, "PATH": _PATH}, timeout_s=30)
    assert not user.folder.exists(), f"{user.folder} is still there"


def _is_of(process: psutil.Process, user: User) -> bool:
    """Whether it runs as the user, or as somebody of one of the user's own namespaces."""
    with contextlib.suppress(psutil.Error, OSError):
        if not user.alone:
            return bool(process.environ().get("HOME") == str(user.folder))
        if process.uids().real == user.uid:
            return True
        lines = Path(f"/proc/{process.pid}/uid_map").read_text().splitlines()
        return any(line.split()[1] == str(user.uid) for line in lines)
    return False


def _cannot(why: str) -> NoReturn:
    if "podman" in promised() and os.geteuid() == 0:
        pytest.fail(why, pytrace=False)
    pytest.skip(why)
