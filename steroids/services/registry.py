"""The projects of this host: how a repository becomes one, and how one is found."""

import contextlib
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from sqlmodel import Session, col, select, update

from steroids.errors import BadConfig, NotAProject, UsageError
from steroids.git.repository import Repository, has_branch, inspect, tracked
from steroids.home import MARKER, canonical
from steroids.services import identity, single_daemon
from steroids.services.host import Host, OpenProject
from steroids.services.ownership import is_host_state, refuse_links
from steroids.services.presence import present
from steroids.services.recognition import recognised
from steroids.store import home_models as home
from steroids.store.columns import new_id, utc_now
from steroids.wire.project import Init, Initialised, Project

CONFIG = """\
# Steroids, for everybody who works on this repository. It is read on the target branch, so a
# change takes effect when it has landed there. What touches a host (engine, mounts, environment)
# is in config.yaml of each user's own Steroids home. All keys: steroids config show

# Commands that make a fresh checkout ready to work in; found by itself from the lockfiles.
# setup:
#   - npm ci

# runners:
#   max_parallel: 4

# Who must approve an attempt, in this order: the sections' checks, agents named below, a person.
# review:
#   reviewers: [checks, security-bot, human]
#   max_rejections: 15
# agents:
#   security-bot:
#     use: command            # gets its prompt on standard input, answers with JSON
#     argv: [my-review]
# landing:
#   merge: rebase             # or squash, merge
#   verify: when_moved        # or always, never
"""
IGNORE = "# The store is of this host.\nsteroids.db*\ncontroller.lock\n"
SEEN_EVERY = timedelta(minutes=1)


def init(host: Host, body: Init) -> Initialised:
    """Make a repository a project; safe to repeat. One that was moved here is known again by the
    id in its store, as is one that was removed from the registry.

    Raises `NotAProject` where there is no usable repository, `UsageError` for a target branch
    that does not exist, `CopiedProject` for a copy of a project that is still there.
    """
    repository = inspect(canonical(body.path))
    _refuse_unusable(repository)
    with host.registering:
        return _register(host, body, repository)


def _register(host: Host, body: Init, repository: Repository) -> Initialised:
    root = canonical(repository.root)
    _refuse_committed(root)
    if body.add and not (root / MARKER).is_dir():
        raise NotAProject(f"Not a Steroids project: {root}", hint=f"cd {root} && steroids init")
    before = recognised(host, root, anew=body.anew)
    target = body.target or before.target or _current(root, repository)
    if not has_branch(root, target):
        raise UsageError(f"{root} has no branch '{target}'", hint="git branch --all")
    notes = before.take_up(host, root)
    written = [] if body.add else _write_files(root)
    notes += _notes(repository, written)
    new_one = home.Project(
        id=before.store_id or new_id(), path=str(root), name=root.name, target=target
    )
    with host.store.write() as session:
        row = session.merge(before.row or new_one)
        row.target, row.remote = target, remote(repository)
        if before.moved_from:
            row.path, row.name = str(root), root.name
        row.last_seen_at = utc_now()
        session.flush()
        host.reopen_if_replaced(row)
        # Before it is committed: what cannot be served is not registered.
        host.open(row)
    of_user, more = ([], []) if body.add else single_daemon.set_up(host, root)
    return Initialised(
        project=wire(row),
        created=before.row is None,
        written=written + of_user,
        notes=notes + more,
        moved_from=before.moved_from,
    )


def at(host: Host, path: str) -> OpenProject:
    """The open project at that canonical path. Raises `NotAProject`."""
    with host.store.read() as session:
        row = find(session, path)
    if utc_now() - row.last_seen_at > SEEN_EVERY:
        seen(host, [row.id])
    host.reopen_if_replaced(row)
    return host.open(row)


def find(session: Session, path: str) -> home.Project:
    """The registered project at that path, there or not. Raises `NotAProject`."""
    row = session.exec(select(home.Project).where(home.Project.path == path)).first()
    if row is not None:
        return row
    # One folder may have several: where the case of letters does not count, or mounted twice.
    row = session.get(home.Project, identity.at(Path(path)) or "")
    if row is not None and identity.same_folder(row.path, Path(path)):
        return row
    raise NotAProject(f"Not a Steroids project: {path}", hint=f"cd {path} && steroids init")


def seen(host: Host, ids: Sequence[str]) -> None:
    """Somebody had to do with these projects now; written once a minute at most."""
    now = utc_now()
    stale = col(home.Project.last_seen_at) < now - SEEN_EVERY
    change = update(home.Project).where(col(home.Project.id).in_(ids), stale)
    with host.store.write() as session:
        session.exec(change.values(last_seen_at=now))


def status_of(row: home.Project) -> str:
    """`enabled`, `disabled`, or `missing` when its folder is not there, cannot be read, or does
    not answer. Never raises."""
    return status(row, present([row.path]))


def status(row: home.Project, there: set[str]) -> str:
    """The same, when it is known which paths are there."""
    if row.path not in there:
        return "missing"
    return "enabled" if row.enabled else "disabled"


def wire(row: home.Project) -> Project:
    return Project(
        id=row.id,
        path=row.path,
        name=row.name,
        target=row.target,
        remote=row.remote,
        registered_at=row.registered_at,
        enabled=row.enabled,
        last_seen_at=row.last_seen_at,
    )


def remote(repository: Repository) -> str | None:
    """The one that tasks are pushed to."""
    if not repository.remotes:
        return None
    if "origin" in repository.remotes:
        return "origin"
    return next(iter(repository.remotes))


def _refuse_unusable(repository: Repository) -> None:
    if repository.bare:
        raise NotAProject(
            f"{repository.root} is a bare repository", hint="git clone it, and init in the clone"
        )
    if repository.head is None:
        raise NotAProject(
            f"{repository.root} has no commits yet",
            hint="git add . && git commit -m 'First commit'",
        )
    if repository.shallow:
        raise NotAProject(f"{repository.root} is a shallow clone", hint="git fetch --unshallow")


def _refuse_committed(root: Path) -> None:
    committed = [path for path in tracked(root, MARKER) if is_host_state(path)]
    if committed:
        raise BadConfig(
            f"{committed[0]} is committed, and is where Steroids keeps its own state",
            hint=f"git rm -r --cached {committed[0]} && git commit -m 'Not for the repository'",
        )


def _current(root: Path, repository: Repository) -> str:
    if repository.branch is None:
        raise UsageError(
            f"{root} has a detached HEAD, so there is no branch to land on",
            hint="steroids init --target main",
        )
    return repository.branch


def _notes(repository: Repository, written: list[str]) -> list[str]:
    notes = []
    if written:
        notes.append("commit .steroids/ so that its settings count")
    if repository.submodules:
        notes.append("this repository has submodules: runners see them empty")
    if repository.lfs:
        notes.append("this repository uses Git LFS: runners see pointer files")
    return notes


def _write_files(root: Path) -> list[str]:
    folder = root / MARKER
    refuse_links(folder)
    folder.mkdir(exist_ok=True)
    written = []
    for name, content in (("config.yaml", CONFIG), (".gitignore", IGNORE)):
        # Exclusive creation does not follow a link that leads nowhere yet.
        with contextlib.suppress(FileExistsError), (folder / name).open("x") as file:
            file.write(content)
            written.append(f"{MARKER}/{name}")
    return written
