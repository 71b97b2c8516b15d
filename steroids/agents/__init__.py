"""The agents, by the name that configuration and tasks use."""

from steroids.agents.base import Agent, Unusable
from steroids.agents.script import ScriptAgent


def find_agent(name: str) -> Agent:
    """Raises `Unusable` for a name that nobody has."""
    if name == ScriptAgent.name:
        return ScriptAgent()
    raise Unusable(f"there is no agent '{name}'")
