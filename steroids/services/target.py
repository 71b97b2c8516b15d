"""The branch that tasks start from and land on, and where it lives."""

import time
from dataclasses import dataclass

from steroids.errors import GitError
from steroids.git import repository
from steroids.git.mirror import BranchMissing
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

    Without a remote this is the user's own repository. A branch that is checked out there, in any
    work tree, is left alone, for the user's work trees are never touched: `shelf` is used, and
    goes on being used while it and the target have both gone on, until somebody merges them.
    """
    url, branch = destination_url(project), project.target
    if project.remote is not None:
        return Destination(url, branch, f"{project.remote}/{branch}")
    if repository.checked_out(project.path, branch) or _parted(project):
        branch = shelf(project)
    return Destination(url, branch, branch)


def destination_url(project: OpenProject) -> str:
    """The remote's, or the user's own repository."""
    if project.remote is None:
        return str(project.path)
    return repository.remote_url(project.path, project.remote)


def shelf(project: OpenProject) -> str:
    """The branch that is used while the target is checked out in the user's own repository."""
    return f"steroids/{project.target}"


def fetch(project: OpenProject, url: str | None = None, *, moved: bool = False) -> str:
    """Fetch and return the target's tip; `url` is its destination's, unless it is to be looked
    up; `moved`: it is known to be somewhere new. Raises `GitError`, `RemoteUnreachable`."""
    known = project.known
    url = url or destination_url(project)
    pushes = known.pushes
    # A fetch asks where the branch is, too, and then looks at all that it has.
    asked = not moved and project.remote is not None
    tip = remote_tip(url, project.target, project.mirror) if asked else None
    if tip is None or tip != known.tip:
        tip = _fetched(project, url)
    while True:
        with known.guard:
            if known.pushes == pushes:
                _note(project, tip)
                known.fetched_at = time.monotonic()
                return tip
        # What came may be older than what was pushed meanwhile, and is in the mirror by now.
        pushes = known.pushes
        tip = _fetched(project, url)


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


def _fetched(project: OpenProject, url: str) -> str:
    """The target; without a remote that, or what has landed on the shelf while it was checked
    out: whichever has the other one, and the shelf while neither has."""
    mirror = project.mirror
    own = mirror.fetch(url, project.target)
    if project.remote is not None:
        return own
    try:
        shelved = mirror.fetch(url, shelf(project))
    except BranchMissing:
        return own
    return own if mirror.is_ancestor(shelved, own) else shelved


def _parted(project: OpenProject) -> bool:
    """Whether target and shelf have each got what the other one has not."""
    mirror, path = project.mirror, str(project.path)
    own = remote_tip(path, project.target, mirror)
    shelved = remote_tip(path, shelf(project), mirror)
    if own is None or shelved is None or own == shelved:
        return False
    for branch, hash_ in ((project.target, own), (shelf(project), shelved)):
        if mirror.resolve(hash_) is None:
            mirror.fetch(path, branch)
    return not (mirror.is_ancestor(own, shelved) or mirror.is_ancestor(shelved, own))
