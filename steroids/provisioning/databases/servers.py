"""Which server a project's test databases are on, by its settings."""

from collections.abc import Callable, Mapping

from steroids.engines.networks import Network
from steroids.provisioning.databases import external, managed
from steroids.provisioning.databases.base import Address, DatabaseRefused, Server
from steroids.provisioning.databases.mysql_container import MARIADB
from steroids.provisioning.databases.postgres_container import POSTGRES
from steroids.provisioning.databases.recipe import Recipe
from steroids.provisioning.site import Site
from steroids.setting_groups import MANAGED, shown_server

RECIPES: Mapping[str, Recipe] = {"postgres": POSTGRES, "mysql": MARIADB}
"""The kinds that Steroids can run itself."""


def _silent(line: str) -> None:
    """For who wants to know nothing."""


def open_server(
    site: Site,
    network: Network | None = None,
    progress: Callable[[str], None] = _silent,
    say: Callable[[str], None] = _silent,
) -> tuple[Server, Address]:
    """The server of the site's settings, and where containers on `network` reach it.

    The managed one is started when it does not run, and put on that network; without one there is
    nobody yet to reach it. Idempotent. Raises `DatabaseRefused` when there can be none there,
    `DatabaseUnavailable`, and what the engine raises.
    """
    wanted = site.settings.database
    if wanted.server != MANAGED:
        return external.open_server(site, network)
    recipe = RECIPES.get(wanted.kind)
    if recipe is None:
        raise DatabaseRefused(
            f"Steroids runs no {wanted.kind} server itself",
            hint="steroids config show   (database.kind)",
        )
    if not site.engine.capabilities().isolated:
        raise DatabaseRefused(
            f"The engine {site.engine.name} runs no containers, so no database server either",
            hint="steroids config show   (database.server: the URL of one of yours)",
        )
    handle = managed.ensure(site, recipe, progress, say)
    if network is not None:
        site.engine.networks.connect(network, handle, (managed.ALIAS,))
    server = recipe.server(managed.execute(site.engine, handle, recipe))
    return server, Address(managed.ALIAS, recipe.port)


def peek(site: Site) -> Server | None:
    """The same server, to be asked what it has; None: it does not run now, and is not started."""
    if site.settings.database.server != MANAGED:
        return open_server(site)[0]
    recipe = RECIPES.get(site.settings.database.kind)
    if recipe is None:
        return None
    handle = managed.running(site, recipe)
    return recipe.server(managed.execute(site.engine, handle, recipe)) if handle else None


def shown(site: Site) -> str:
    """The server, for people: `managed (docker)`, or its address, without its password."""
    server = site.settings.database.server
    return f"managed ({site.engine.name})" if server == MANAGED else shown_server(server)
