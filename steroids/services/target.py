"""The branch that tasks start from and land on, and where it lives."""

import time
from dataclasses import dataclass

from steroids.errors import GitError
from steroids.git import repository
from steroids.git.push import remote_tip
from steroids.services.host import OpenProject


@dataclass(frozen=True)
class Destination:
    url: str
    branch: str
    display: str
    """For people: `origin/main`."""


def destination(project: OpenProject) -> Destination:
    """Where approved work is pushed to.

    Without a remote this is the user's own repository; a branch that is checked out there is
    left alone, for the user's work tree is never touched, and `steroids/<target>` is used.
    """
    if project.remote is not None:
        url = repository.remote_url(project.path, project.remote)
        return Destination(url, project.target, f"{project.remote}/{project.target}")
    branch = project.target
    if repository.checked_out(project.path, branch):
        branch = f"steroids/{branch}"
    return Destination(str(project.path), branch, branch)


def fetch(project: OpenProject) -> str:
    """Fetch and return the target's tip. Raises `GitError`, `RemoteUnreachable`."""
    where, known = destination(project), project.known
    while True:
        pushes = known.pushes
        if where.branch == project.target:
            tip = project.mirror.fetch(where.url, project.target)
        else:
            tip = _local_tip(project, where)
        with known.guard:
            if known.pushes == pushes:
                _note(project, tip)
                known.fetched_at = time.monotonic()
                return tip


def advanced(project: OpenProject, tip: str) -> None:
    """Note that the target is there now, since this controller has pushed it."""
    with project.known.guard:
        project.known.pushes += 1
        _note(project, tip)


def _note(project: OpenProject, tip: str) -> None:
    if project.known.tip != tip:
        project.mirror.set_ref(project.target_ref, tip)
        project.known.tip = tip


def tip(project: OpenProject, max_age_s: float) -> str:
    """The target's tip, fetched again when older than that; the last one known when the remote
    does not answer now."""
    known = project.known.tip
    age_s = time.monotonic() - project.known.fetched_at
    if known is not None and age_s < max_age_s:
        return known
    try:
        return fetch(project)
    except GitError:
        if known is None:
            raise
        return known


def _local_tip(project: OpenProject, where: Destination) -> str:
    """What has landed on `steroids/<target>`, unless the user has merged it and gone on."""
    mirror = project.mirror
    own = mirror.fetch(where.url, project.target)
    if remote_tip(where.url, where.branch, mirror) is None:
        return own
    landed = mirror.fetch(where.url, where.branch)
    return own if mirror.is_ancestor(landed, own) else landed
