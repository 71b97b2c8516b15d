"""What agents, set-up and checks find in their environment, beside what the runner itself knows."""

from collections.abc import Sequence

from steroids.settings import Settings


def agent_env(settings: Settings, ports: Sequence[int] = ()) -> dict[str, str]:
    """The user's own variables, and `PORT`: the first of the section's ports.

    Never anything of this host's environment.
    """
    port = {"PORT": str(ports[0])} if ports else {}
    return {**port, **settings.env}
