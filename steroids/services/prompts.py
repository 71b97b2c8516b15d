"""What agents are told, rendered from the templates in `steroids/prompts/`."""

from steroids.services.host import OpenProject
from steroids.settings import Settings
from steroids.store import project_models as db


def coder(project: OpenProject, task: db.Task, section: db.Section, settings: Settings) -> str:
    """For the attempt that is being begun."""
    return f"{task.title}\n\n{task.spec}\n"


def reviewer(
    project: OpenProject, task: db.Task, section: db.Section, settings: Settings, name: str
) -> str:
    """For the reviewer of that name, about the attempt that is in review."""
    return f"{task.title}\n\n{task.spec}\n"
