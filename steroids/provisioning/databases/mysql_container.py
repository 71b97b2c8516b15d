"""MariaDB in a container of ours: our own image, or the public `mariadb` or `mysql`."""

from steroids.provisioning.databases.mysql import MysqlServer
from steroids.provisioning.databases.mysql_client import CLIENT, ClientSql
from steroids.provisioning.databases.recipe import Recipe

_DATA = "/srv/mariadb"
_SETTINGS = (
    f"--datadir={_DATA}/data",
    # Lost after a crash, all of it: it is made anew then.
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-flush-method=nosync",
    "--innodb-doublewrite=0",
    # MySQL has no such setting.
    "--loose-sync-frm=0",
    "--skip-log-bin",
    # Engines' seccomp profiles refuse what it would use, which it says at every start.
    "--innodb-use-native-aio=0",
    "--skip-name-resolve",
    "--max-connections=1000",
    "--bind-address=0.0.0.0",
)

MARIADB = Recipe(
    kind="mariadb",
    port=3306,
    data=_DATA,
    user="root",
    command=_SETTINGS,
    # Where the public images' entrypoint sets it up it is on no network yet.
    ready=("sh", "-c", f'[ "$({CLIENT} -BNe "SELECT @@skip_networking")" = 0 ]'),
    # Of the variables it takes the password alone.
    client=(
        "sh",
        "-c",
        'exec "$(command -v mariadb || command -v mysql || echo mariadb)" --host="$MYSQL_HOST" '
        '--port="$MYSQL_TCP_PORT" --user="$MYSQL_USER" --database="$MYSQL_DATABASE" "$@"',
        "mariadb",
    ),
    server=lambda execute: MysqlServer(ClientSql(execute)),
    # For the public images, whose root then has no password, and gets in by the socket alone.
    env={
        "MARIADB_ALLOW_EMPTY_ROOT_PASSWORD": "1",
        "MARIADB_ROOT_HOST": "localhost",
        "MYSQL_ALLOW_EMPTY_PASSWORD": "1",
        "MYSQL_ROOT_HOST": "localhost",
    },
)
