"""Which template a commit's databases are copied from. Nothing here touches a server."""

import functools
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from pathspec import GitIgnoreSpec

from steroids.git.mirror import Mirror
from steroids.services import database_names
from steroids.services.host import Host, OpenProject
from steroids.setting_groups import Database

USUAL = (
    "**/migrations/**",
    "**/migrate/**",
    "**/alembic/**",
    "**/alembic.ini",
    "**/drizzle/**",
    "**/prisma/**",
    "**/schema.prisma",
    "**/db/schema.rb",
    "**/db/structure.sql",
    "**/seeds/**",
    "**/seeders/**",
    "**/seed.*",
    "**/seeds.*",
    "**/*.sql",
)
"""Where migrations and seeds are, unless the setting `database.migrations` says so."""


@dataclass(frozen=True)
class Plan:
    """A template, made or to be made."""

    name: str
    command: str
    commit: str
    """What it is made from."""
    display: str
    """For people: the beginning of its key."""
    files: int
    """How many of the commit's files the key is over."""


def plan(
    host: Host, project: OpenProject, settings: Database, commit: str, *facts: str
) -> Plan | None:
    """The template for that commit; None where nothing migrates. `facts`: server and image.

    What has been on the target is trusted to migrate for everybody. A commit that has not, and
    whose migrations are its own, gets a template of its own: other files of it may take part.
    """
    if settings.migrate is None:
        return None
    globs = _globs(settings)
    base = _base(project, commit)
    files, own = _files(project.mirror.path, commit, globs)
    if base is not None and _files(project.mirror.path, base, globs)[1] == own:
        commit, whole = base, ""
    else:
        whole = project.mirror.tree_hash(commit)
    text = json.dumps([own, settings.migrate, settings.kind, *facts, whole])
    key = hashlib.sha256(text.encode()).hexdigest()[:12]
    name = database_names.templates_of(host, settings, project) + key
    return Plan(name, settings.migrate, commit, key[:6], files)


def matching(mirror: Path, commit: str, settings: Database) -> int:
    """How many of the commit's files migrate or seed, as far as their names tell."""
    return _files(mirror, commit, _globs(settings))[0]


def _globs(settings: Database) -> tuple[str, ...]:
    return tuple(settings.migrations or USUAL)


def _base(project: OpenProject, commit: str) -> str | None:
    """The newest commit of the target that this one has in it."""
    tip = project.known.tip
    if tip is None or commit == tip:
        return tip
    done = project.mirror.git("merge-base", tip, commit, check=False)
    return done.out if done.ok else None


@functools.lru_cache(maxsize=256)
def _files(mirror: Path, commit: str, globs: tuple[str, ...]) -> tuple[int, str]:
    """How many of the commit's files match, and a digest of their names and contents."""
    # Kept in memory: every attempt, check and review asks, mostly about the same few commits.
    tree = Mirror(mirror).tree(commit)
    matching = sorted(GitIgnoreSpec.from_lines(globs).match_files(tree))
    sha = hashlib.sha256()
    for path in matching:
        sha.update(f"{path}\0{tree[path]}\0".encode("utf-8", "surrogateescape"))
    return len(matching), sha.hexdigest()
