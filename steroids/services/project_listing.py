"""All projects at a glance, and the folders that might be some."""

import os
from collections.abc import Iterator
from pathlib import Path

from sqlmodel import col, func, select

from steroids.errors import UsageError
from steroids.home import MARKER, canonical
from steroids.services import identity, registry
from steroids.services.host import Host
from steroids.services.ownership import STORE
from steroids.services.presence import is_there, present
from steroids.services.recognition import id_at
from steroids.store import home_models as home
from steroids.store import peek
from steroids.wire.project import Found, Projects, Scanned
from steroids.wire.runner import ACTIVE, WORKERS

NOT_INTO = frozenset({"node_modules", "__pycache__", "site-packages", "vendor"})


def listing(host: Host) -> Projects:
    """Every registered project. Never raises for one of them, and opens none: a thousand cost
    less than a second."""
    living = (
        select(
            home.Runner.project_id,
            func.count(),
            func.max(func.coalesce(home.Runner.heartbeat_at, home.Runner.started_at)),
        )
        .where(col(home.Runner.status).in_(ACTIVE), col(home.Runner.role).in_(WORKERS))
        .group_by(home.Runner.project_id)
    )
    with host.store.read() as session:
        every = session.exec(select(home.Project).order_by(home.Project.path)).all()
        runners = {each[0]: each[1:] for each in session.exec(living)}
    there = present([row.path for row in every])
    found = []
    for row in every:
        shown = registry.wire(row)
        shown.status = registry.status(row, there)
        shown.runners, heard = runners.get(row.id, (0, None))
        if heard is not None:
            shown.last_seen_at = max(row.last_seen_at, heard)
        if row.path in there:
            shown.pending = peek.pending(Path(row.path) / MARKER / STORE)
        found.append(shown)
    return Projects(projects=found)


def scan(host: Host, folder: str) -> Scanned:
    """The `.steroids` folders below that are not registered. Links are not followed, hidden
    folders and those of dependencies not looked into, unreadable ones passed over.

    Raises `UsageError` when there is no such folder.
    """
    top = canonical(folder)
    if not top.is_dir():
        raise UsageError(f"There is no folder {top}", hint=f"ls -d {top}")
    rows = {row.path: row for row in host.projects()}
    by_id = {row.id: row for row in rows.values()}
    done = Scanned(folder=str(top), found=[])
    for root in _projects_below(top, host.path):
        if str(root) in rows:
            done.registered += 1
            continue
        found = Found(path=str(root))
        known = by_id.get(id_at(host, root) or "")
        if known is not None and not present([known.path]):
            found.moved_from = known.path
        elif known is not None and identity.same_folder(known.path, root):
            done.registered += 1
            continue
        elif known is not None:
            found.copy_of = known.path
        done.found.append(found)
    return done


def _projects_below(top: Path, home_path: Path) -> Iterator[Path]:
    for place, folders, files in os.walk(top):
        root = Path(place)
        if is_there(place) and root / MARKER != home_path and ".git" in (*folders, *files):
            yield root
        folders[:] = sorted(
            each for each in folders if not each.startswith(".") and each not in NOT_INTO
        )
