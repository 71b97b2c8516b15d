"""The projects of this host."""

import contextlib
from pathlib import Path

from sqlmodel import select

from steroids.errors import BadConfig, NotAProject, UsageError
from steroids.git.repository import Repository, has_branch, inspect, tracked
from steroids.home import MARKER, canonical
from steroids.services.host import Host, OpenProject
from steroids.services.ownership import is_host_state, refuse_links
from steroids.store import home_models as home
from steroids.store.columns import utc_now
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


def init(host: Host, body: Init) -> Initialised:
    """Make a repository a project; safe to repeat.

    Raises `NotAProject` where there is no usable repository, `UsageError` for a target branch
    that does not exist.
    """
    repository = inspect(Path(body.path))
    _refuse_unusable(repository)
    root = canonical(repository.root)
    committed = [path for path in tracked(root, MARKER) if is_host_state(path)]
    if committed:
        raise BadConfig(
            f"{committed[0]} is committed, and is where Steroids keeps its own state",
            hint=f"git rm -r --cached {committed[0]} && git commit -m 'Not for the repository'",
        )
    target = body.target or _default_target(host, root, repository)
    if not has_branch(root, target):
        raise UsageError(f"{root} has no branch '{target}'", hint="git branch --all")
    written = _write_files(root)
    notes = []
    if written:
        notes.append("commit .steroids/ so that its settings count")
    if repository.submodules:
        notes.append("this repository has submodules: runners see them empty")
    if repository.lfs:
        notes.append("this repository uses Git LFS: runners see pointer files")
    with host.store.write() as session:
        row = session.exec(select(home.Project).where(home.Project.path == str(root))).first()
        created = row is None
        if row is None:
            row = home.Project(path=str(root), name=root.name, target=target)
        row.target = target
        row.remote = _remote(repository)
        row.last_seen_at = utc_now()
        session.add(row)
        session.flush()
        # Before it is committed: what cannot be served is not registered.
        host.open(row)
    return Initialised(project=wire(row), created=created, written=written, notes=notes)


def at(host: Host, path: str) -> OpenProject:
    """The open project at that canonical path. Raises `NotAProject`."""
    with host.store.read() as session:
        row = session.exec(select(home.Project).where(home.Project.path == path)).first()
    if row is None:
        raise NotAProject(f"Not a Steroids project: {path}", hint=f"cd {path} && steroids init")
    return host.open(row)


def wire(row: home.Project) -> Project:
    return Project(
        id=row.id,
        path=row.path,
        name=row.name,
        target=row.target,
        remote=row.remote,
        registered_at=row.registered_at,
        enabled=row.enabled,
    )


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


def _default_target(host: Host, root: Path, repository: Repository) -> str:
    with host.store.read() as session:
        row = session.exec(select(home.Project).where(home.Project.path == str(root))).first()
    if row is not None:
        return row.target
    if repository.branch is None:
        raise UsageError(
            f"{root} has a detached HEAD, so there is no branch to land on",
            hint="steroids init --target main",
        )
    return repository.branch


def _remote(repository: Repository) -> str | None:
    if not repository.remotes:
        return None
    if "origin" in repository.remotes:
        return "origin"
    return next(iter(repository.remotes))


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
