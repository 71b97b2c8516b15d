"""Where containers are started, for whom, and the labels by which they are known."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from steroids.engines.base import Engine
from steroids.engines.spec import Capabilities
from steroids.provisioning.sparse import Reads
from steroids.settings import Settings
from steroids.store.home_models import Runner
from steroids.store.session import Store

LABEL = "io.steroids"
DATABASE = "database"
"""The role of a database server's container: it belongs to no runner and serves several."""


@dataclass(frozen=True)
class Site:
    """Where a container is started, and for whom."""

    store: Store
    """The home store, which knows all runners."""
    home: Path
    controller: str
    """Id of the controller's home, on every label."""
    engine: Engine
    settings: Settings
    project_id: str
    project: str
    alone: bool = False
    """Whether set-up has to ask for a turn: it uses what others use too."""
    section: str | None = None
    """Its name; none: the whole project's."""
    reads: Reads | None = None
    """What its runners read, where that is all they are to have; none: they have all files."""

    @cached_property
    def what(self) -> Capabilities:
        """Of its engine, asked once: a start needs them in many places. Raises as that does."""
        return self.engine.capabilities()


def labels(controller: str, runner: Runner) -> dict[str, str]:
    return {
        f"{LABEL}.controller": controller,
        f"{LABEL}.project": runner.project_id,
        f"{LABEL}.runner": runner.id,
        f"{LABEL}.role": runner.role,
        f"{LABEL}.section": runner.section_id or "",
    }


def owned_by(controller: str) -> dict[str, str]:
    """The label that all containers of one controller carry."""
    return {f"{LABEL}.controller": controller}
