# PostgreSQL, and nothing that starts one by itself. Run as root.
set -eu
export DEBIAN_FRONTEND=noninteractive
command -v apt-get >/dev/null || {
    echo 'steroids: the base image has no apt-get; take one made from Debian or Ubuntu' >&2
    exit 1
}

# A source of packages may itself be behind the host's CA.
host_ca=/opt/steroids-postgres/ca/host.pem
[ ! -s "$host_ca" ] || {
    cat /etc/ssl/certs/ca-certificates.crt 2>/dev/null || true
    cat "$host_ca"
} > /tmp/ca.pem
apt() {
    set -- -q -o Dpkg::Options::=--force-unsafe-io "$@"
    [ ! -s /tmp/ca.pem ] || set -- -o Acquire::https::CaInfo=/tmp/ca.pem "$@"
    apt-get "$@"
}

mkdir -p /etc/postgresql-common
echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.conf
apt update
apt install -y --no-install-recommends postgresql
apt clean
rm -rf /var/lib/apt/lists/* /tmp/ca.pem

# The programs themselves, whatever their version: Debian's own names are wrappers, and slower.
newest=$(ls -d /usr/lib/postgresql/*/ | sort -V | tail -n 1)
ln -s "$newest" /opt/postgresql
# The folder is as closed as the one that it was copied from, with some builders.
install -m 0755 /opt/steroids-postgres/start.sh /usr/local/bin/steroids-postgres
install -d -m 0700 -o postgres -g postgres /srv/postgres
install -d -m 0775 -o postgres -g postgres /var/run/postgresql
