"""Which program does the work: names in the settings, resolved."""

from steroids.errors import UsageError
from steroids.settings import BUILT_IN, Settings
from steroids.wire.agent import Agent, Program

CODER = "coder"


def resolved(settings: Settings, name: str) -> Agent:
    """The agent of that name. Raises `UsageError` when the settings have none."""
    found = settings.agents.get(name)
    if isinstance(found, str):
        found = settings.agents.get(found, found)
    if found is None and (name in BUILT_IN or name == CODER):
        found = "script"
    if found is None:
        known = ", ".join([*BUILT_IN, *settings.agents])
        raise UsageError(
            f"There is no agent '{name}': {known}", hint="steroids config show   (agents)"
        )
    if isinstance(found, str):
        return Agent(name=name)
    return Agent(name=name, use=Program(found.use), run=found.run, argv=found.argv)


def coder(settings: Settings, own: str | None) -> Agent:
    """Of a task: its own, or the project's."""
    return resolved(settings, own or CODER)
