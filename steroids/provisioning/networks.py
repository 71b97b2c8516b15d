"""A network for each container: nobody on it but that container, and its database server."""

import contextlib

from steroids.engines.base import Engine
from steroids.engines.networks import Network
from steroids.engines.spec import NO_NETWORK
from steroids.errors import EngineError
from steroids.provisioning.site import DATABASE, LABEL, Site, labels
from steroids.store.home_models import Runner


def ensure(site: Site, runner: Runner) -> Network | None:
    """The runner's own network, made when it is not there yet; None where it has none."""
    if site.settings.network == NO_NETWORK or not site.what.isolated:
        return None
    return site.engine.networks.create(
        f"steroids-{runner.id[:12]}",
        labels(site.controller, runner),
        internal=site.settings.network == "internal",
    )


def release(engine: Engine, runner_id: str) -> None:
    """Remove it, once its container is gone; what cannot be removed now is swept later."""
    with contextlib.suppress(EngineError):
        for network in engine.networks.list_owned({f"{LABEL}.runner": runner_id}):
            remove(engine, network)


def remove(engine: Engine, network: Network) -> None:
    """Remove a runner's network, on which nobody is but a database server.

    That is taken off first: it serves others too. Raises what `Networks.remove` raises.
    """
    ours = {f"{LABEL}.controller": network.labels[f"{LABEL}.controller"]}
    for server in engine.list_owned({**ours, f"{LABEL}.role": DATABASE}):
        engine.networks.disconnect(network, server.handle)
    engine.networks.remove(network)
