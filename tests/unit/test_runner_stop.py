"""Stopping a runner's loop while its agent takes its time."""

import threading
from typing import Any, cast

from steroids.client import Client
from steroids.runner.loop import Loop
from steroids.wire.assignment import Orders

LONG_S = 30.0


class Agent:
    """Goes on until it is killed."""

    fence = 1

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.killed = threading.Event()

    def stop(self, grace_s: float) -> bool:
        if grace_s:
            self.asked.set()
            assert self.killed.wait(LONG_S), "nobody was in a hurry"
        self.killed.set()
        return False


class Courier:
    """In a hurry only once the agent was asked to end."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent

    def heartbeat(self, fence: int | None) -> Orders:
        return Orders(cancel=False, hurry=self._agent.asked.is_set())


def test_a_stop_that_comes_to_be_in_a_hurry_does_not_wait_for_the_agent() -> None:
    loop = Loop(cast(Client, None), lambda: cast(Any, None))
    agent = Agent()
    loop._courier, loop._coding = cast(Any, Courier(agent)), cast(Any, agent)
    loop.stop()
    assert agent.asked.is_set() and agent.killed.is_set()
