"""A test database by copying a template, against creating one and migrating it."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from steroids.engines.base import Engine
from steroids.engines.spec import Handle
from steroids.provisioning.databases.base import Login, Server
from steroids.provisioning.databases.recipe import labels
from steroids.provisioning.databases.servers import open_server
from steroids.provisioning.site import Site
from steroids.settings import Settings
from steroids.store.columns import new_id
from steroids.store.session import Store
from tests.benchmarks.monorepo import NotMeasured
from tests.benchmarks.report import Line, median

TABLES = 50
ROWS = 20
COPY_AT_LEAST = 2
"""The specification wants no number here. And plain files in the server's own container are the
quickest that migrations can be: a project's tool starts a runtime first."""
TEMPLATE = "bench_template"


def databases(folder: Path, engine: Engine, many: Sequence[int], rounds: int) -> list[Line]:
    """One in turns with the other, then several at once. Nothing is left of it."""
    with _server(folder, engine) as (server, migrate):
        template = _login()
        server.create(template)
        migrate(template)
        server.freeze(template, TEMPLATE)
        copied, migrated = [], []
        for _ in range(rounds):
            copied.append(_timed(lambda login: server.clone(TEMPLATE, login), server, 1))
            migrated.append(_timed(lambda login: _anew(server, migrate, login), server, 1))
        lines = [
            _line(engine.name, 1, median(copied), median(migrated)),
            Line(f"{engine.name}: disk per database", _size_kb(server), "kB"),
        ]
        for count in (count for count in many if count > 1):
            ours = _timed(lambda login: server.clone(TEMPLATE, login), server, count)
            theirs = _timed(lambda login: _anew(server, migrate, login), server, count)
            lines.append(_line(engine.name, count, ours, theirs))
        return lines


def migrations() -> list[str]:
    """What a project of some age has: tables that refer to each other, indexes, first rows."""
    found = []
    for number in range(1, TABLES + 1):
        before = f"REFERENCES t{number - 1}" if number > 1 else ""
        found.append(
            f"CREATE TABLE t{number} (id SERIAL PRIMARY KEY, other INT {before}, name TEXT"
            " NOT NULL UNIQUE, created TIMESTAMPTZ NOT NULL DEFAULT now(), about JSONB);"
            f"CREATE INDEX ON t{number} (created);"
            f"INSERT INTO t{number} (name) SELECT 'n' || n FROM generate_series(1, {ROWS}) AS n;"
        )
    return found


@contextmanager
def _server(folder: Path, engine: Engine) -> Iterator[tuple[Server, Callable[[Login], None]]]:
    """A managed one, and what migrates a database on it as people do: one file after the other."""
    controller = new_id()
    settings = Settings.model_validate({"database": {"strategy": "isolated", "kind": "postgres"}})
    store = Store(folder / f"databases-{engine.name}.db", "home")
    site = Site(store, folder, controller, engine, settings, new_id(), "bench")
    try:
        server, _ = open_server(site)
        (owned,) = engine.list_owned(labels(controller, "postgres"))
        yield server, lambda login: _migrate(engine, owned.handle, login)
    finally:
        store.close()
        mine = labels(controller, "postgres")
        for each in engine.list_owned(mine):
            engine.remove(each.handle)
        for network in engine.networks.list_owned(mine):
            engine.networks.remove(network)
        for volume in engine.volumes.list_owned(mine):
            engine.volumes.remove(volume)


def _migrate(engine: Engine, handle: Handle, login: Login) -> None:
    one = 'psql -qX -v ON_ERROR_STOP=1 -d "$0" -c "$each"'
    argv = ["sh", "-ec", f"for each; do {one}; done", login.database, *migrations()]
    done = engine.exec(handle, argv, user="postgres", workdir="/")
    if done.exit_code != 0:
        words = done.output.decode(errors="replace").strip()[-400:]
        raise NotMeasured(f"the migrations failed: {words}")


def _anew(server: Server, migrate: Callable[[Login], None], login: Login) -> None:
    server.create(login)
    migrate(login)


def _timed(make: Callable[[Login], None], server: Server, count: int) -> float:
    """Seconds until the last of that many is there; they are dropped again."""
    logins = [_login() for _ in range(count)]
    with ThreadPoolExecutor(count) as pool:
        began = time.perf_counter()
        list(pool.map(make, logins))
        took_s = time.perf_counter() - began
    for login in logins:
        server.drop(login.database, login.role)
    return took_s


def _size_kb(server: Server) -> float:
    (found,) = server.list(TEMPLATE)
    if found.size_bytes is None:
        raise NotMeasured("the server does not say how large its databases are")
    return found.size_bytes / 1000


def _line(name: str, count: int, ours: float, theirs: float) -> Line:
    what = f"{name}: a database" if count == 1 else f"{name}: {count} databases at once"
    against = f"create + {TABLES} migrations"
    return Line(what, ours, "s", theirs, against, at_least=COPY_AT_LEAST)


def _login() -> Login:
    name = f"bench_{new_id()[:20]}"
    return Login(name, name, new_id())
