"""The containers of a story, one at a time."""

import docker

from steroids.engines.spec import Owned
from tests.support.story import Story


def one(story: Story, role: str) -> Owned:
    (found,) = story.wait(f"a container for {role}", lambda: story.containers(role))
    return found


def another(story: Story, role: str, than: Owned) -> Owned:
    """One that came in the place of that one."""

    def look() -> Owned | None:
        return next((c for c in story.containers(role) if c.handle != than.handle), None)

    return story.wait(f"another container for {role}", look)


def kill(story: Story, container: Owned) -> None:
    """`docker kill`, `podman kill`."""
    assert story.engine is not None
    client = docker.DockerClient(base_url=story.engine.capabilities().address)
    try:
        client.containers.get(container.handle.id).kill()
    finally:
        client.close()
