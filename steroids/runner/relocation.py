"""Set-ups that cannot be copied: for containers that are folders, each with a path of its own.

Real containers all see `/workspace`. With the engine `local` a snapshot is copied to another path,
and what wrote down where it was (Python's venv, CMake) is broken there.
"""

import mmap
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from steroids.runner.workspace import Workspace

_SHOWN = 3


def undo_if_bound(workspace: Workspace, note: Callable[[str], None]) -> None:
    """Undo a set-up that has written down where it is: each container runs it again then.

    To be called when it is done, before a snapshot is made of it. Raises `Broken`.
    """
    root = workspace.env.get("STEROIDS_ROOT")
    if not root:
        return
    home = Path(workspace.env["HOME"])
    found = sorted(str(path.relative_to(root)) for path in mentions(root, workspace.path, home))
    if not found:
        return
    shown = ", ".join(found[:_SHOWN]) + (", ..." if len(found) > _SHOWN else "")
    note(f"set-up is run again in every container: it wrote its own path into {shown}")
    workspace.forget_setup()
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(exist_ok=True)


def mentions(root: str, *folders: Path) -> Iterator[Path]:
    """Files and links in these folders that name the folder `root`; not git's, nor bytecode."""
    needle = os.fsencode(root)
    for top in folders:
        for folder, subfolders, names in os.walk(top):
            if ".git" in subfolders:
                subfolders.remove(".git")
            for path in (Path(folder, name) for name in [*names, *subfolders]):
                if path.suffix != ".pyc" and _names(path, needle):
                    yield path


def _names(path: Path, needle: bytes) -> bool:
    if path.is_symlink():
        return needle in os.fsencode(path.readlink())
    if not path.is_file() or path.stat().st_size < len(needle):
        return False
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return content.find(needle) >= 0
