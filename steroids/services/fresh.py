"""A container that no agent has touched, at an attempt's tip: where it is judged."""

from collections.abc import Callable
from dataclasses import dataclass

from steroids.provisioning import oneshot
from steroids.provisioning.environment import agent_env
from steroids.provisioning.setup import setup_at
from steroids.services import builds, places
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
    snapshot = places.snapshot_for(project, place, spot.base, image)
    setup = setup_at(project.mirror, spot.commit, settings.setup)
    with project.store.read() as session:
        shared = builds.resources(session, spot.section, place.engine.name, settings)
    assignment.alone = bool(shared)
    assignment.env = agent_env(settings, spot.section.ports)
    assignment.checkout = Checkout(
        commit=spot.commit,
        setup=list(setup.commands),
        setup_key=setup.key,
        setup_timeout_s=settings.setup_timeout_s,
    )
    return oneshot.run(
        place,
        assignment,
        role=Role.REVIEW,
        section_id=spot.section.id,
        task_id=spot.task_id,
        image=snapshot.ref,
        timeout_s=timeout_s + settings.setup_timeout_s,
        wanted=spot.wanted,
    )
