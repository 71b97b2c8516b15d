"""The agents, by what configuration and tasks say."""

from steroids.agents.base import Agent, Unusable
from steroids.agents.command import CommandAgent
from steroids.agents.script import ScriptAgent
from steroids.wire import agent as wire


def find_agent(what: wire.Agent) -> Agent:
    """Raises `Unusable` for a program that this runner does not know."""
    if what.use is wire.Program.SCRIPT:
        return ScriptAgent(what.run)
    if what.use is wire.Program.COMMAND:
        return CommandAgent(what.name, what.argv)
    raise Unusable(f"this runner does not know the agent '{what.name}'")
