# PostgreSQL, and nothing that starts one by itself. Run as root.
set -eu
. /opt/steroids-postgres/apt.sh

mkdir -p /etc/postgresql-common
echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.conf
lists
apt install -y --no-install-recommends postgresql
tidy

# The programs themselves, whatever their version: Debian's own names are wrappers, and slower.
newest=$(ls -d /usr/lib/postgresql/*/ | sort -V | tail -n 1)
ln -s "$newest" /opt/postgresql
# The folder is as closed as the one that it was copied from, with some builders.
install -m 0755 /opt/steroids-postgres/start.sh /usr/local/bin/steroids-postgres
install -d -m 0700 -o postgres -g postgres /srv/postgres
install -d -m 0775 -o postgres -g postgres /var/run/postgresql
