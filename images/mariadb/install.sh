# MariaDB's server and client, and nothing that starts one by itself. Run as root.
set -eu
. /opt/steroids-mariadb/apt.sh

lists
apt install -y --no-install-recommends mariadb-server-core mariadb-client-core
tidy

# Of the package that would start a server.
getent group mysql >/dev/null || groupadd --system mysql
getent passwd mysql >/dev/null ||
    useradd --system --gid mysql --home-dir /nonexistent --shell /usr/sbin/nologin mysql
install -d -m 0700 -o mysql -g mysql /srv/mariadb
install -d -m 0755 -o mysql -g mysql /run/mysqld
