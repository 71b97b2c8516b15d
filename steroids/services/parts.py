"""Which part of the repository a section's runner has, where `sparse` is set."""

from sqlmodel import Session

from steroids.provisioning.sparse import Reads
from steroids.scheduling.sections import reachable
from steroids.services import sections
from steroids.services.host import Host, OpenProject
from steroids.store import home_models as home
from steroids.store import project_models as db
from steroids.store import runners as rows
from steroids.wire.runner import Role


def read_by(session: Session, section: db.Section) -> Reads:
    """The paths of the section and of all that it depends on, directly or through others; and
    what its checks name."""
    known = sections.views(session)
    related = {each.id: each.dependencies for each in known.values()}
    others = reachable(section.id, related)
    read = [known[each].paths for each in sorted(others) if each in known]
    globs = dict.fromkeys(glob for paths in [section.paths, *read] for glob in paths)
    return Reads(tuple(globs), tuple(section.check_commands))


def is_for_all(host: Host, project: OpenProject) -> bool:
    """Whether one runner works on all sections now: it has all files, and so have its checks."""
    with host.store.read() as session:
        if session.get_one(home.Project, project.id).wanted is not None:
            return True
        return bool(rows.active(session, project.id, Role.SINGLE))
