"""`landing.mode: branch`: each task as a branch of its own, for a pull request."""

import re
import unicodedata

from steroids.git.push import remote_contains, remote_tip
from steroids.services.host import OpenProject
from steroids.services.target import Destination
from steroids.store import project_models as db

MAX_SLUG = 48
NAMES_MAX = 100


def slug(title: str) -> str:
    """A title as a part of a branch's name: a-z, 0-9 and dashes, never empty."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    return words[:MAX_SLUG].strip("-") or "task"


def name(task: db.Task) -> str:
    return f"steroids/{task.id[:8]}-{slug(task.title)}"


def choose(project: OpenProject, task: db.Task, tip: str, where: Destination) -> Destination:
    """Where the task's `tip` goes: its branch, or with a number when the remote has a branch of
    that name whose commits would be lost.

    Raises `RemoteUnreachable`, `RemoteRefused`.
    """
    for number in range(1, NAMES_MAX):
        branch = name(task) + (f"-{number}" if number > 1 else "")
        if _is_free(project, where.url, branch, tip):
            break
    display = f"{project.remote}/{branch}" if project.remote else branch
    return Destination(where.url, branch, display)


def _is_free(project: OpenProject, url: str, branch: str, tip: str) -> bool:
    mirror = project.mirror
    there = remote_tip(url, branch, mirror)
    if there is None or there == tip:
        return True
    # Fetched as well when only the remote knows it, so that it can be compared.
    known = remote_contains(mirror, url, branch, there)
    return known and mirror.resolve(there) is not None and mirror.is_ancestor(there, tip)
