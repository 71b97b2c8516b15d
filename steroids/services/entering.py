"""Where a person finds a section's runner, to run something beside its agent."""

from steroids.engines.spec import Handle
from steroids.errors import NotFound
from steroids.provisioning import container
from steroids.provisioning.environment import agent_env
from steroids.services import claims, database_book, places, sections
from steroids.services.host import Host, OpenProject
from steroids.store import home_models as home
from steroids.store import project_models as db
from steroids.store import runners as rows
from steroids.wire.runner import WORKERS, Role, Target


def find(host: Host, project: OpenProject, section: str) -> Target:
    """Where to reach the container of a section's runner, by the engine's own program."""
    with project.store.read() as session:
        wanted = sections.named(session, section)
    with host.store.read() as session:
        active = rows.active(session, project.id)
    row = next(
        (
            row
            for row in active
            if row.container and (row.section_id == wanted.id or row.role == Role.SINGLE)
            if row.role in WORKERS
        ),
        None,
    )
    if row is None or row.container is None:
        raise NotFound(
            f"Section {wanted.name} has no runner now",
            hint=f"steroids up --section '{wanted.name}' --keep -d",
        )
    return Target(
        engine=row.engine,
        address=row.engine_address,
        container=Handle(**row.container).name,
        user=container.AGENT,
        workdir=container.WORKSPACE,
        env=_told(host, project, wanted, row),
    )


def _told(
    host: Host, project: OpenProject, section: db.Section, runner: home.Runner
) -> dict[str, str]:
    """What the runner's agent is told."""
    settings = places.settings_for(host, project, section)
    book = database_book.of(runner)
    database = book.env if book is not None else {}
    env = agent_env(settings, claims.ports_of(runner, section))
    return {"CI": "true", **env, **database}
