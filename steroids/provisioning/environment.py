"""What agents, set-up and checks find in their environment, beside what the runner itself knows."""

from collections.abc import Sequence

from steroids.settings import Settings

OFFLINE = {
    "npm_config_offline": "true",
    "UV_OFFLINE": "1",
    "CARGO_NET_OFFLINE": "true",
    "GOPROXY": "off",
}
"""For npm and pnpm, uv, Cargo, Go: they take what they have, and tell at once what they have not,
instead of trying for minutes."""


def agent_env(settings: Settings, ports: Sequence[int] = ()) -> dict[str, str]:
    """The user's own variables, and `PORT`: the first of the section's ports. Where runners do
    not reach the world, package managers are told so.

    Of this host's environment only its proxies, which the settings of a place have.
    """
    port = {"PORT": str(ports[0])} if ports else {}
    offline = OFFLINE if settings.network != "open" else {}
    return {**offline, **port, **settings.env}
