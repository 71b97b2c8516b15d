"""A database server of the user's own, administered from this host with the account in its URL.

The account stays here: what enters containers is the login of the one database that is theirs.
"""

import socket
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from urllib.parse import parse_qsl, unquote

import psutil

from steroids.engines.base import Engine
from steroids.engines.networks import Network
from steroids.provisioning.databases.base import Address, DatabaseRefused, Server
from steroids.provisioning.databases.external_postgres import PsycopgSql
from steroids.provisioning.databases.mysql import MysqlServer
from steroids.provisioning.databases.mysql_driver import DriverSql
from steroids.provisioning.databases.postgres import PostgresServer
from steroids.provisioning.site import Site
from steroids.setting_groups import SERVER_SCHEMES, server_url, shown_server

PORTS = {"postgres": 5432, "mysql": 3306}
_LISTEN = {
    "postgres": "listen_addresses = '*'   (in postgresql.conf, and who may come in pg_hba.conf; "
    "for a server in a container: -p {port}:5432)",
    "mysql": "bind-address = 0.0.0.0   (in my.cnf; for a server in a container: -p {port}:3306)",
}


@dataclass(frozen=True)
class Place:
    """What a URL says."""

    kind: str
    host: str
    port: int
    user: str
    password: str
    database: str
    options: dict[str, str]
    shown: str
    """Without the password."""


def place(url: str) -> Place:
    """Of a URL that the settings have checked."""
    parts = server_url(url)
    kind = SERVER_SCHEMES[parts.scheme]
    return Place(
        kind,
        parts.hostname or "",
        parts.port or PORTS[kind],
        unquote(parts.username or ""),
        unquote(parts.password or ""),
        unquote(parts.path.strip("/")),
        dict(parse_qsl(parts.query)),
        shown_server(url),
    )


def open_server(site: Site, network: Network | None) -> tuple[Server, Address]:
    """The server, and where a container on `network` reaches it; asks the server for nothing yet.

    Raises `DatabaseRefused` when containers cannot reach it, or its driver is not installed.
    """
    settings = site.settings.database
    there = place(settings.server)
    address = _address(site, there, network)
    if there.kind == "mysql":
        account = DriverSql(there.host, there.port, there.user, there.password, there.shown)
        return MysqlServer(account, settings.prefix), address
    return PostgresServer(PsycopgSql(there)), address


def _address(site: Site, there: Place, network: Network | None) -> Address:
    if network is None or not site.engine.capabilities().isolated:
        return Address(there.host, there.port)
    if network.internal:
        raise DatabaseRefused(
            f"Runners cannot reach {there.shown}: with `network: internal` there is nothing "
            "outside for them",
            hint="steroids config show   (network: open, or database.server: managed)",
        )
    if not is_loopback(there.host):
        return Address(there.host, there.port)
    # This host's `localhost` is not that of a container.
    if _only_on_loopback(there.port):
        raise DatabaseRefused(
            f"{there.shown} listens on this host's loopback address only, where containers cannot "
            "reach it",
            hint=_LISTEN[there.kind].format(port=there.port),
        )
    return Address(host_of(site.engine, network), there.port)


def host_of(engine: Engine, network: Network) -> str:
    """This host, as containers on that network see it."""
    what = engine.capabilities()
    if not engine.address.startswith("unix://") or psutil.MACOS:
        # In a virtual machine, whose engines give this host a name.
        return "host.containers.internal" if what.name == "podman" else "host.docker.internal"
    if what.rootless or not network.subnet:
        # The gateway of a network is not this host then, but the user's own name space.
        return _own_address()
    return str(next(ip_network(network.subnet).hosts()))


def _own_address() -> str:
    """Of the interface towards the world; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])


def is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _only_on_loopback(port: int) -> bool:
    """False too when that cannot be seen: it may be listening in a virtual machine."""
    try:
        found = psutil.net_connections(kind="tcp")
    except (psutil.Error, OSError):
        return False
    listening = [
        each.laddr.ip
        for each in found
        if each.status == psutil.CONN_LISTEN and each.laddr.port == port
    ]
    return bool(listening) and all(is_loopback(ip) for ip in listening)
