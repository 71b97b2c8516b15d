"""Where things are: the user's Steroids home and the project around a folder.

Light on purpose: every command imports it, `steroids --version` too.
"""

import os
from pathlib import Path

from steroids.errors import BadConfig, NotAProject

MARKER = ".steroids"


def home_dir() -> Path:
    """`$STEROIDS_HOME`, else `~/.steroids`; absolute, not necessarily there yet."""
    return Path(os.environ.get("STEROIDS_HOME") or "~/.steroids").expanduser().absolute()


def ensure_home() -> Path:
    """The home, created with mode 0700 when it is missing, and closed again when it was opened.

    The mode is what keeps other users of the host away from the controller's sockets. Raises
    `BadConfig` for a home that is no folder, or belongs to another user.
    """
    home = home_dir()
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        owner = home.stat().st_uid
    except (FileExistsError, NotADirectoryError):
        raise BadConfig(
            f"The Steroids home {home} is not a folder", hint=f"ls -ld {home}"
        ) from None
    except OSError as error:
        raise BadConfig(
            f"The Steroids home {home} cannot be used: {error.strerror}", hint=f"ls -ld {home}"
        ) from None
    if owner != os.geteuid():
        # With sudo, mostly: what root leaves there its owner could not use afterwards.
        raise BadConfig(
            f"The Steroids home {home} belongs to {_user(owner)}, and you are"
            f" {_user(os.geteuid())}",
            hint=f"run steroids as {_user(owner)}, or choose another home: STEROIDS_HOME=...",
        )
    private(home)
    return home


def private(path: Path) -> None:
    """Take what the group and others may do from a folder or file of ours; others' stay.

    Raises `BadConfig` when that is refused.
    """
    try:
        status = path.stat()
        if status.st_uid == os.geteuid() and status.st_mode & 0o077:
            path.chmod(status.st_mode & 0o700)
    except FileNotFoundError:
        return
    except OSError as error:
        raise BadConfig(
            f"{path} is open to other users, and cannot be closed: {error.strerror}",
            hint=f"chmod go= {path}",
        ) from None


def _user(uid: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def canonical(path: Path | str) -> Path:
    """Absolute, `~` expanded, symlinks resolved, no trailing slash: how projects are compared.

    Raises `NotAProject` for what cannot be a path: a loop of links, a user that does not exist.
    """
    try:
        return Path(path).expanduser().resolve()
    except (OSError, RuntimeError, ValueError) as error:
        raise NotAProject(f"There is no folder {path}: {error}", hint=f"ls -ld {path}") from None


def find_project(start: Path | str | None = None, *, named: str | None = None) -> Path:
    """The canonical root of the project that `start` (default: the current folder) lies in.

    `named` (from `--project` or `STEROIDS_PROJECT`) is taken as it is, without walking up.
    Raises `NotAProject` when no `.steroids/` folder is there.
    """
    if named:
        root = canonical(named)
        if (root / MARKER).is_dir():
            return root
        raise NotAProject(f"Not a Steroids project: {root}", hint=f"cd {root} && steroids init")
    here = canonical(start or Path.cwd())
    for folder in (here, *here.parents):
        # The user's home may hold ~/.steroids, which is the Steroids home and no project.
        if (folder / MARKER).is_dir() and folder / MARKER != home_dir():
            return folder
    raise NotAProject(f"Not a Steroids project: {here}", hint="steroids init")
