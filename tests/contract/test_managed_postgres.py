"""The PostgreSQL that Steroids runs itself, in a container of each engine."""

import secrets
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from steroids.engines.networks import Network
from steroids.engines.spec import ContainerSpec, Handle, VolumeMount
from steroids.errors import EngineError, ImageMissing
from steroids.provisioning.databases import managed, server_image
from steroids.provisioning.databases.base import DatabaseUnavailable, Login, Server
from steroids.provisioning.databases.servers import open_server, peek
from steroids.provisioning.site import Site
from steroids.setting_groups import Database
from steroids.settings import Settings
from tests.support.engines import Lab, eventually


@dataclass
class House:
    """A home with a server of its own, and a client on a network of its own."""

    lab: Lab
    site: Site
    network: Network
    client: Handle
    said: list[str] = field(default_factory=list)

    def server(self) -> Server:
        return open_server(self.site, self.network, lambda line: None, self.said.append)[0]

    def psql(self, login: Login, statement: str, host: str = managed.ALIAS) -> tuple[int, str]:
        """From the client, as an agent would."""
        host = (
            self.address() if host == managed.ALIAS and self.lab.engine.name == "podman" else host
        )
        where = f"host={host} user={login.role} dbname={login.database} connect_timeout=10"
        argv = ("env", f"PGPASSWORD={login.password}", "psql", "-XqAt", "-c", statement, where)
        done = self.lab.engine.exec(self.client, argv)
        return done.exit_code, done.output.decode().strip()

    def address(self) -> str:
        """Of the server on the client's network. Podman's name server (1.4) can lose a name for
        good when networks change at the same moment; the stories go by the name."""
        (handle,) = self.containers()
        facts = self.lab.engine._client.inspect_container(handle.id)  # type: ignore[attr-defined]
        return str(facts["NetworkSettings"]["Networks"][self.network.name]["IPAddress"])

    def containers(self) -> list[Handle]:
        mine = managed.labels(self.site.controller, "postgres")
        return [each.handle for each in self.lab.engine.list_owned(mine)]


def login(name: str = "") -> Login:
    name = name or f"t_{secrets.token_hex(5)}"
    return Login(name, name, secrets.token_hex(8))


def _settings(image: str | None = None) -> Settings:
    database = Database(strategy="isolated", image=image)
    return Settings(image=None).model_copy(update={"database": database})


@pytest.fixture(scope="module")
def house(real_lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    engine = real_lab.engine
    nowhere: Any = None
    site = Site(
        store=nowhere,
        home=tmp_path_factory.mktemp("home"),
        controller=uuid.uuid4().hex,
        engine=engine,
        settings=_settings(),
        project_id="p",
        project="p",
    )
    network = engine.networks.create(real_lab.name(), real_lab.labels)
    # The server's own image has the client, too.
    image = server_image.ensure(site, "postgres", lambda line: None)
    spec = ContainerSpec(
        name=real_lab.name(),
        image=image.id,
        command=("sleep", "900"),
        labels=real_lab.labels,
        network=network.name,
    )
    made = House(real_lab, site, network, engine.start(spec))
    yield made
    engine.remove(made.client)
    for handle in made.containers():
        managed.stop(engine, handle)
    engine.networks.remove(network)
    for volume in managed.volumes(engine, site.controller):
        engine.volumes.remove(volume)


def test_of_many_who_need_it_one_starts_it_and_a_client_reaches_its_own_database(
    house: House,
) -> None:
    with ThreadPoolExecutor(16) as pool:
        opened = list(pool.map(lambda _: house.server(), range(16)))
    assert len(house.containers()) == 1
    server, one, two = opened[0], login(), login()
    server.create(one)
    server.create(two)
    assert house.psql(one, "SELECT current_user") == (0, one.role)
    assert house.psql(one, "SHOW fsync") == (0, "off")

    for database in (two.database, "postgres", "template1"):
        code, said = house.psql(Login(database, one.role, one.password), "SELECT 1")
        assert code != 0 and "permission denied for database" in said
    for password in ("", one.password):
        code, said = house.psql(Login("postgres", "postgres", password), "SELECT 1")
        assert code != 0 and "pg_hba.conf rejects" in said
    assert peek(house.site) is not None
    assert not house.said


def test_killed_it_comes_back_where_it_was_with_what_it_had(house: House) -> None:
    server, mine = house.server(), login()
    server.create(mine)
    house.psql(mine, "CREATE TABLE t (a int)")
    born = server.born()
    (handle,) = house.containers()

    house.lab.engine.stop(handle, 0)
    with pytest.raises((DatabaseUnavailable, EngineError)):
        server.born()
    assert peek(house.site) is None

    again = house.server()
    assert again.born() != born
    assert house.psql(mine, "SELECT count(*) FROM t") == (0, "0")
    assert not house.said


def test_a_crash_of_one_of_its_processes_is_seen(house: House) -> None:
    server = house.server()
    born = server.born()
    (handle,) = house.containers()
    kill = "pkill -9 -f 'postgres: checkpointer' || kill -9 $(pgrep -f 'postgres: checkpointer')"
    house.lab.engine.exec(handle, ("sh", "-c", kill), user="postgres")

    def reborn() -> bool:
        with suppress(DatabaseUnavailable):
            return server.born() != born
        return False

    assert eventually(reborn)


def test_data_that_does_not_start_is_thrown_away_and_that_is_said(house: House) -> None:
    server, mine = house.server(), login()
    server.create(mine)
    (handle,) = house.containers()
    engine = house.lab.engine
    engine.stop(handle, 5)
    (volume,) = managed.volumes(engine, house.site.controller)
    image = server_image.ensure(house.site, "postgres", lambda line: None)
    broken = house.lab.start(
        "rm -rf /srv/postgres/data/global",
        image=image.id,
        volumes=(VolumeMount(volume.name, "/srv/postgres"),),
    )
    assert house.lab.ended(broken) == 0
    engine.remove(broken)

    fresh = house.server()

    assert len(house.said) == 1 and "thrown away" in house.said[0]
    assert not fresh.list(mine.database)
    fresh.create(mine)
    assert house.psql(mine, "SELECT 1") == (0, "1"), "on its networks again"


def test_an_image_that_is_nowhere_is_named_with_the_setting(house: House) -> None:
    settings = _settings("localhost/steroids/no-such-image:1")
    with pytest.raises(ImageMissing) as told:
        open_server(replace(house.site, settings=settings))
    assert "database.image" in told.value.message and told.value.hint


# What the public image's does, in short.
ENTRYPOINT = r"""#!/bin/bash
set -eu
mkdir -p "$PGDATA"
chmod 00700 "$PGDATA"
if [ "$(id -u)" = 0 ]; then
    find "$PGDATA" \! -user postgres -exec chown postgres '{}' +
    exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
fi
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    [ "${POSTGRES_HOST_AUTH_METHOD:-}" = trust ]
    initdb --username=postgres --no-sync >/dev/null
    echo "host all all all $POSTGRES_HOST_AUTH_METHOD" >> "$PGDATA/pg_hba.conf"
    shift
    pg_ctl -D "$PGDATA" -o "$(printf '%q ' "$@" -c listen_addresses=)" -w start >/dev/null
    psql --no-psqlrc -U postgres -d postgres -c "SELECT pg_sleep(1)" >/dev/null
    pg_ctl -D "$PGDATA" -m fast -w stop >/dev/null
    set -- postgres "$@"
fi
exec "$@"
"""


def test_the_public_image_begins_as_root_and_is_waited_for(house: House, tmp_path: Path) -> None:
    engine, ours = house.lab.engine, server_image.ensure(house.site, "postgres", lambda line: None)
    ref = house.lab.ref()
    (tmp_path / "entrypoint").write_text(ENTRYPOINT)
    (tmp_path / "Dockerfile").write_text(
        f"FROM {ours.id.removeprefix('sha256:')}\nUSER root\nRUN rm -rf /srv/postgres\n"
        "COPY entrypoint /entrypoint\nRUN chmod 755 /entrypoint\n"
        'ENTRYPOINT ["/entrypoint"]\n'
    )
    engine.images.build(tmp_path, ref, args={}, labels=house.lab.labels, progress=lambda line: None)
    public = replace(house, site=replace(house.site, settings=_settings(ref)))

    server, mine = public.server(), login()
    server.create(mine)

    assert public.psql(mine, "SELECT 1") == (0, "1")
    code, said = public.psql(Login("postgres", "postgres", ""), "SELECT 1")
    assert code != 0 and "pg_hba.conf rejects" in said
    (handle,) = public.containers()
    managed.stop(engine, handle)
    engine.images.remove(ref)
