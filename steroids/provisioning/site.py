"""Where containers are started, for whom, and the labels by which they are known."""

from dataclasses import dataclass
from pathlib import Path

from steroids.engines.base import Engine
from steroids.settings import Settings
from steroids.store.home_models import Runner
from steroids.store.session import Store

LABEL = "io.steroids"


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
