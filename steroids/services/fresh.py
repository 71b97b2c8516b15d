"""A container that no agent has touched, at an attempt's tip: where it is judged."""

from collections.abc import Callable
from dataclasses import dataclass

from steroids.engines.spec import Handle
from steroids.provisioning import oneshot, ports
from steroids.provisioning.checkout import checkout
from steroids.provisioning.environment import agent_env
from steroids.provisioning.site import Site
from steroids.provisioning.snapshot import Want, started_from
from steroids.services import builds, database_survival, databases, places, sqlite
from steroids.services.host import Host, OpenProject
from steroids.store import project_models as db
from steroids.wire.assignment import Assignment, Checkout, Result
from steroids.wire.runner import Role


@dataclass(frozen=True)
class Spot:
    """Which commit, on which engine, for whom."""

    section: db.Section
    commit: str
    base: str
    """Its snapshot is the one to start from, and not that of `commit`: what an attempt changed
    about set-up is set up in the container, as it was for the agent."""
    engine: str
    task_id: str | None
    """Whose it is, for those who look."""
    wanted: Callable[[], bool] = lambda: True
    """Whether anybody still wants to know; else its container ends."""


def run(
    host: Host, project: OpenProject, spot: Spot, assignment: Assignment, *, timeout_s: float
) -> Result:
    """Have the assignment done there; blocks until there is a result.

    Its checkout, its set-up, and whether it needs a turn are filled in here; `timeout_s` is for
    what comes after them. Raises `ContainerLost`, `oneshot.Unwanted`, and what the engine raises.
    """
    place = places.site(host, project, host.engine(spot.engine), spot.section)
    settings = place.settings
    image = places.runner_image(host, place, lambda line: None)
    want = Want(still=spot.wanted)
    with project.store.read() as session:
        shared = builds.resources(session, spot.section, place.engine.name, settings)
    assignment.alone = bool(shared)
    assignment.env = agent_env(settings, ports.own(place, spot.section.ports))
    assignment.checkout = checkout_at(project, place, spot.base, spot.commit)

    assignment.database = databases.wanted(settings)
    assignment.sqlite = sqlite.told(host, project, settings, spot.commit)
    # A commit whose migrations are its own has its database migrated first.
    migrate_s = (
        settings.database.migrate_timeout_s if assignment.database or assignment.sqlite else 0
    )

    def look(handle: Handle, result: Result) -> None:
        if assignment.database:
            database_survival.check(host, handle, result)

    def start(image: str) -> Result:
        return oneshot.run(
            place,
            assignment,
            role=Role.REVIEW,
            section_id=spot.section.id,
            task_id=spot.task_id,
            image=image,
            timeout_s=timeout_s + settings.setup_timeout_s + migrate_s,
            after=look,
            wanted=spot.wanted,
        )

    return started_from(lambda: places.snapshot_for(project, place, spot.base, image, want), start)


def checkout_at(project: OpenProject, place: Site, base: str, commit: str) -> Checkout:
    """An attempt's tip as its section has it, with what it has changed besides since `base`."""
    changed = project.mirror.changed_paths(base, commit) if place.reads else ()
    return checkout(project.mirror, commit, place.settings, place.reads, changed)
