# MariaDB's server and client, and nothing that starts one by itself. Run as root.
set -eu
export DEBIAN_FRONTEND=noninteractive
command -v apt-get >/dev/null || {
    echo 'steroids: the base image has no apt-get; take one made from Debian or Ubuntu' >&2
    exit 1
}

# A source of packages may itself be behind the host's CA.
host_ca=/opt/steroids-mariadb/ca/host.pem
[ ! -s "$host_ca" ] || {
    cat /etc/ssl/certs/ca-certificates.crt 2>/dev/null || true
    cat "$host_ca"
} > /tmp/ca.pem
apt() {
    set -- -q -o Dpkg::Options::=--force-unsafe-io "$@"
    [ ! -s /tmp/ca.pem ] || set -- -o Acquire::https::CaInfo=/tmp/ca.pem "$@"
    apt-get "$@"
}

apt update
apt install -y --no-install-recommends mariadb-server-core mariadb-client-core
apt clean
rm -rf /var/lib/apt/lists/* /tmp/ca.pem

# Of the package that would start a server.
getent group mysql >/dev/null || groupadd --system mysql
getent passwd mysql >/dev/null ||
    useradd --system --gid mysql --home-dir /nonexistent --shell /usr/sbin/nologin mysql
install -d -m 0700 -o mysql -g mysql /srv/mariadb
install -d -m 0755 -o mysql -g mysql /run/mysqld
