"""Which project a folder is: one that is registered there, was moved there, or was once removed
from the registry; a copy; or a new one."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlmodel import col, select

from steroids.errors import Busy, UsageError
from steroids.home import MARKER, canonical
from steroids.services import identity
from steroids.services.host import Host
from steroids.services.ownership import STORE
from steroids.services.presence import present
from steroids.store import home_models as home
from steroids.store import peek


class CopiedProject(Busy):
    """Two folders with the tasks of one project: both would do them, and land them twice."""

    code = "COPIED_PROJECT"


@dataclass(frozen=True)
class Recognised:
    row: home.Project | None = None
    """None: it is not registered."""
    moved_from: str | None = None
    target: str | None = None
    """The branch that it landed on before."""
    store_id: str | None = None
    """The id that its store has and the registry does not."""
    copy_of: home.Project | None = None
    """Whose store is to be set aside."""

    def take_up(self, host: Host, root: Path) -> list[str]:
        """Make the folder ready to be registered as what it is; what people should know of it."""
        if self.copy_of is not None:
            name = identity.set_aside(root, host.path, self.copy_of.id)
            return [f"the copied store is kept as {name}; sections and tasks begin anew here"]
        if self.store_id is None:
            return []
        mirror = host.path / "projects" / self.store_id / "mirror.git"
        if mirror.is_dir():
            return ["known from before: its sections, tasks and their commits are as they were"]
        return [
            "its store was made with another Steroids home: commits of its tasks that have not"
            " landed are in that one"
        ]


def recognised(host: Host, root: Path, *, anew: bool) -> Recognised:
    """What is at the canonical path `root`.

    Raises `CopiedProject` for a copy, unless it is to begin `anew`; `UsageError` when it is, and
    is no copy.
    """
    found = id_at(host, root)
    with host.store.read() as session:
        rows = session.exec(select(home.Project)).all()
    here = next((row for row in rows if row.path == str(root)), None)
    original = _original(host, rows, found)
    same = original is not None and identity.same_folder(original.path, root)
    if anew and (here or same or original is None):
        raise UsageError(f"{root} is no copy of another project", hint="steroids init")
    if here is None and original is not None and same:
        # A link may lead from the old place to the new one.
        if canonical(original.path) == root:
            return Recognised(row=original, moved_from=original.path, target=original.target)
        here = original
    if here is not None:
        return Recognised(row=here, target=here.target)
    if found is None:
        return Recognised()
    known = next((row for row in rows if row.id == found), None)
    if known is None:
        return Recognised(target=identity.kept_target(host.path, found), store_id=found)
    if original is None:
        return Recognised(row=known, moved_from=known.path, target=known.target)
    if not anew:
        raise CopiedProject(
            f"{root} is a copy of project {known.path}, which is still there",
            hint=f"cd {root} && steroids init --anew   (begins without the copied tasks; to take"
            f" its place instead: steroids projects move {known.path} {root})",
        )
    return Recognised(copy_of=known)


def id_at(host: Host, root: Path) -> str | None:
    """The id of the project whose store is there. One from before stores had ids, and that nobody
    has opened since, is known by the runners that its sections had."""
    found = identity.at(root)
    if found is not None:
        return found
    own = peek.sections(root / MARKER / STORE)
    query = select(home.Runner.project_id).where(col(home.Runner.section_id).in_(own))
    with host.store.read() as session:
        return session.exec(query).first() if own else None


def _original(host: Host, rows: Sequence[home.Project], found: str | None) -> home.Project | None:
    """The registered project of that id, if it is where it is registered."""
    for row in rows:
        if row.id == found and present([row.path]) and id_at(host, Path(row.path)) == found:
            return row
    return None
