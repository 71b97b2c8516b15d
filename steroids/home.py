"""Where things are: the user's Steroids home and the project around a folder.

Light on purpose: every command imports it, `steroids --version` too.
"""

import os
from pathlib import Path

from steroids.errors import NotAProject

MARKER = ".steroids"


def home_dir() -> Path:
    """`$STEROIDS_HOME`, else `~/.steroids`; absolute, not necessarily there yet."""
    return Path(os.environ.get("STEROIDS_HOME") or "~/.steroids").expanduser().absolute()


def ensure_home() -> Path:
    """The home, created with mode 0700 when it is missing.

    The mode is what keeps other users of the host away from the controller's sockets.
    """
    home = home_dir()
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    return home


def canonical(path: Path | str) -> Path:
    """Absolute, `~` expanded, symlinks resolved, no trailing slash: how projects are compared."""
    return Path(path).expanduser().resolve()


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
