"""Running a section's checks on a commit, in a fresh container that no agent has touched."""

from steroids.provisioning import oneshot
from steroids.provisioning.setup import setup_at
from steroids.services import builds, places
from steroids.services.host import Host, OpenProject
from steroids.store import project_models as db
from steroids.wire.assignment import Assignment, Checkout, Kind, Result
from steroids.wire.runner import Role


def run(
    host: Host,
    project: OpenProject,
    section: db.Section,
    commit: str,
    engine: str,
    *,
    base: str,
    task_id: str | None,
) -> Result:
    """Run the section's checks on `commit`; blocks until there is a result.

    The container comes from the snapshot of `base`, and not of `commit`: what an attempt changed
    about set-up is set up in the container, as it was for the agent. `task_id` is whose it is, for
    those who look. Raises `ContainerLost` and what the engine raises.
    """
    place = places.site(host, project, host.engine(engine), section)
    settings = place.settings
    image = places.runner_image(host, place, lambda line: None)
    snapshot = places.snapshot_for(project, place, base, image)
    setup = setup_at(project.mirror, commit, settings.setup)
    with project.store.read() as session:
        shared = builds.resources(session, section, place.engine.name, settings)
    assignment = Assignment(
        kind=Kind.CHECK,
        alone=bool(shared),
        checkout=Checkout(
            commit=commit,
            setup=list(setup.commands),
            setup_key=setup.key,
            setup_timeout_s=settings.setup_timeout_s,
        ),
        commands=section.check_commands,
        timeout_s=settings.review.check_timeout_s,
        env=settings.env,
    )
    return oneshot.run(
        place,
        assignment,
        role=Role.REVIEW,
        section_id=section.id,
        task_id=task_id,
        image=snapshot.ref,
        timeout_s=settings.review.check_timeout_s + settings.setup_timeout_s,
    )
