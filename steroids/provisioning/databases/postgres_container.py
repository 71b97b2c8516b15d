"""PostgreSQL in a container of ours: our own image, or the public `postgres`."""

from steroids.engines.spec import File
from steroids.provisioning.databases.postgres import PostgresServer
from steroids.provisioning.databases.postgres_sql import ContainerPsql
from steroids.provisioning.databases.recipe import Exec, Recipe

_SUPERUSER = "postgres"
_HBA = "/etc/steroids-pg_hba.conf"
# The superuser has no password and comes by the unix socket alone, as the user of the container
# that has its name: what runners can reach lets in others only.
_RULES = f"""\
local all {_SUPERUSER} peer
host all {_SUPERUSER} all reject
host all all all scram-sha-256
"""
_DATA = "/srv/postgres"
_SETTINGS = {
    "hba_file": _HBA,
    "listen_addresses": "*",
    "password_encryption": "scram-sha-256",
    "max_connections": "1000",
    # Lost when the machine crashes, all of it: it is made anew then. What is committed is with the
    # kernel at least: a server that is killed loses nothing.
    "fsync": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    # Engines give a container little shared memory, which parallel queries would fill.
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
    # What agents get wrong, and what is in their statements, is not to be kept.
    "log_min_messages": "fatal",
    "log_min_error_statement": "panic",
}


def _settle(execute: Exec) -> None:
    """Nobody but the superuser reaches the databases that every server has."""
    ContainerPsql(execute).run(
        [
            "REVOKE ALL ON DATABASE postgres FROM PUBLIC",
            "REVOKE ALL ON DATABASE template1 FROM PUBLIC",
        ]
    )


POSTGRES = Recipe(
    kind="postgres",
    port=5432,
    data=_DATA,
    user=_SUPERUSER,
    command=("postgres", *(f"-c{key}={value}" for key, value in _SETTINGS.items())),
    # Where the public image's entrypoint sets it up it does not listen here yet.
    ready=("pg_isready", "-q", "-h", "127.0.0.1"),
    server=lambda execute: PostgresServer(ContainerPsql(execute)),
    client=("psql",),
    settle=_settle,
    env={
        "PGDATA": f"{_DATA}/data",
        # Only so that the public image's entrypoint asks for no password: the rules are ours.
        "POSTGRES_HOST_AUTH_METHOD": "trust",
    },
    files=(File(_HBA, _RULES.encode(), 0o644),),
)
