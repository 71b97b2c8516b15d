"""The word that opens the controller's TCP port."""

import logging
import os
import secrets
import stat
from pathlib import Path

from steroids.errors import BadConfig

log = logging.getLogger("steroids.token")

MIN_LENGTH = 20
MAX_BYTES = 4096


def token_of(home: Path) -> str:
    """The token of this home, made when there is none. To be called by the one controller only.

    Raises `BadConfig` for a file that holds none, `OSError` when it cannot be read or made.
    """
    path = home / "token"
    if not os.path.lexists(path):
        _make(path)
    number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(number, "rb") as file:
        state = os.fstat(number)
        if not stat.S_ISREG(state.st_mode):
            raise _none_in(path)
        if state.st_mode & 0o077:
            os.fchmod(number, 0o600)
            log.warning("others could read %s; they cannot any more", path)
        token = file.read(MAX_BYTES).strip()
    if len(token) < MIN_LENGTH or not token.isascii() or len(token.split()) != 1:
        raise _none_in(path)
    return token.decode("ascii")


def _make(path: Path) -> None:
    fresh = path.with_name(".token.new")
    fresh.unlink(missing_ok=True)
    number = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(number, "w") as file:
        file.write(f"{secrets.token_urlsafe(32)}\n")
    # Never half of one.
    fresh.replace(path)


def _none_in(path: Path) -> BadConfig:
    return BadConfig(f"{path} holds no token", hint=f"rm {path} && steroids daemon restart")
