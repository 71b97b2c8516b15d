"""The registry, as tests look at it."""

from datetime import timedelta
from pathlib import Path

from steroids.services import (
    project_listing,
    registry,
)
from steroids.store import home_models as home
from steroids.store.columns import utc_now
from steroids.wire.project import Init, Project
from tests.support.repos import new_repo
from tests.support.service import Bench


def listed(project: Bench) -> dict[str, Project]:
    return {each.path: each for each in project_listing.listing(project.host).projects}


def another(project: Bench, path: Path) -> home.Project:
    repo = new_repo(path)
    repo.commit("first", {"README": "hello\n"})
    made = registry.init(project.host, Init(path=str(path)))
    return next(row for row in project.host.projects() if row.id == made.project.id)


def last_seen(project: Bench, row_id: str, ago: timedelta) -> None:
    with project.host.store.write() as session:
        row = session.get_one(home.Project, row_id)
        row.last_seen_at = utc_now() - ago
        session.add(row)
