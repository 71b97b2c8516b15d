"""Who sees the download cache, and who may write it."""

import pytest

from steroids.provisioning import caches
from steroids.provisioning.caches import FOLDER, cache_labels
from steroids.provisioning.site import Site
from steroids.services import places
from steroids.store import home_models as home
from steroids.store import runners
from steroids.wire.assignment import Assignment, Kind
from steroids.wire.body import encode
from steroids.wire.runner import Role
from tests.support.service import Bench


def site(project: Bench) -> Site:
    return places.site(project.host, project.project, project.engine, None)


def runner(project: Bench, role: Role, kind: Kind | None) -> home.Runner:
    with project.host.store.write() as session:
        row, _ = runners.register(
            session,
            project_id=project.project.id,
            role=role,
            section_id=None,
            engine="fake",
            engine_address="x",
            assignment=encode(Assignment(kind=kind)).decode() if kind else None,
        )
    return row


@pytest.mark.parametrize(
    ("role", "kind", "writes"),
    [
        (Role.SETUP, Kind.SETUP, True),
        # A migration, which may be an attempt's own.
        (Role.SETUP, Kind.CHECK, False),
        (Role.REVIEW, Kind.CHECK, False),
        (Role.REVIEW, Kind.REVIEW, False),
        (Role.SECTION, None, False),
        (Role.SINGLE, None, False),
    ],
)
def test_only_what_makes_snapshots_writes_it(
    project: Bench, role: Role, kind: Kind | None, writes: bool
) -> None:
    (mount,) = caches.mounts(site(project), runner(project, role, kind))
    assert (mount.target, mount.read_only) == (FOLDER, not writes)
    # One for the project, which its labels tell.
    labels = cache_labels(project.host.id, project.project.id)
    (volume,) = project.engine.volumes.list_owned(labels)
    assert mount.volume == volume.name and labels.items() <= volume.labels.items()
    assert project.project.id in volume.labels.values()
    assert project.engine.volumes.list_owned(cache_labels(project.host.id)) == [volume]


def test_it_can_be_switched_off_and_is_missed_by_nobody(project: Bench) -> None:
    there = site(project)
    off = there.settings.model_copy(update={"cache": False})
    made = runner(project, Role.SETUP, Kind.SETUP)
    assert caches.mounts(Site(**{**vars(there), "settings": off}), made) == ()
    assert project.engine.volumes.list_owned({}) == []
    # Somebody else's volume of that name.
    (mount,) = caches.mounts(there, made)
    for volume in project.engine.volumes.list_owned({}):
        project.engine.volumes.remove(volume)
    project.engine.volumes.create(mount.volume, {"whose": "theirs"})
    assert caches.mounts(there, made) == ()
