"""A project is known by the id in its own store, wherever somebody has moved it to."""

import contextlib
import json
import os
import re
from pathlib import Path
from typing import IO

from sqlmodel import select

from steroids.errors import NotAProject
from steroids.home import MARKER, private
from steroids.services import ownership
from steroids.store import home_models as home
from steroids.store import peek
from steroids.store import project_models as db
from steroids.store.session import Store

KEPT = "registration.json"


def confirm(store: Store, row: home.Project) -> None:
    """Write the project's id into its store, unless it has one.

    Raises `NotAProject` when it is another project's.
    """
    with store.read() as session:
        found = session.exec(select(db.Identity)).first()
    if found is None:
        with store.write() as session:
            session.add(db.Identity(project_id=row.id))
    elif found.project_id != row.id:
        raise NotAProject(
            f"What is at {row.path} is another project than the one registered there",
            hint=f"steroids projects remove {row.path} --yes && steroids projects add {row.path}",
        )


def take(row: home.Project, home_path: Path) -> tuple[IO[str], Store]:
    """A registered project's lock and its store, for this controller alone.

    Raises `Busy`, `BadConfig`, `StoreUnavailable`, and `NotAProject` when it is another's store.
    """
    folder = Path(row.path) / MARKER
    # Before the store: another controller's must not be migrated under it.
    held = ownership.take(folder, home_path)
    with contextlib.ExitStack() as undo:
        undo.callback(held.close)
        private(folder / ownership.STORE)
        store = Store(folder / ownership.STORE, "project")
        undo.callback(store.close)
        confirm(store, row)
        undo.pop_all()
    return held, store


def at(root: Path) -> str | None:
    """The id in the store of the folder; None where there is no store, or one without an id."""
    folder = root / MARKER
    if os.path.islink(folder):  # noqa: PTH114 - never raises
        return None
    found = peek.identity(folder / ownership.STORE)
    # It becomes the name of a folder, and whoever made the store may not be we.
    return found if found and re.fullmatch(r"[0-9a-f]{32}", found) else None


def same_folder(path: str, root: Path) -> bool:
    """Whether both are one folder: under another spelling where the case of letters does not
    count, or mounted twice."""
    try:
        return Path(path).samefile(root)
    except OSError:
        return False


def keep(home_path: Path, row: home.Project) -> Path:
    """Leave beside the mirror what nobody could guess when the project is added again; returns
    the folder."""
    folder = home_path / "projects" / row.id
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / KEPT).write_text(json.dumps({"path": row.path, "target": row.target}))
    return folder


def kept_target(home_path: Path, project_id: str) -> str | None:
    """The branch that it landed on when it was removed."""
    with contextlib.suppress(OSError, ValueError):
        found = json.loads((home_path / "projects" / project_id / KEPT).read_text())
        target = found.get("target") if isinstance(found, dict) else None
        return target if isinstance(target, str) else None
    return None


def set_aside(root: Path, home_path: Path, project_id: str) -> str:
    """Keep a copied store under another name, so that an empty one takes its place; returns that
    name. Raises `Busy` when a controller works with it."""
    folder = root / MARKER
    with ownership.take(folder, home_path):
        number = 1
        while (folder / (name := _aside(project_id, number))).exists():
            number += 1
        # The log goes first: left alone, it might be taken for that of the new store.
        for ending in ("-wal", "-shm", ""):
            with contextlib.suppress(FileNotFoundError):
                (folder / f"{ownership.STORE}{ending}").replace(folder / f"{name}{ending}")
    return f"{MARKER}/{name}"


def _aside(project_id: str, number: int) -> str:
    more = f"-{number}" if number > 1 else ""
    return f"{ownership.STORE}.copy-of-{project_id[:8]}{more}.bak"
