# Make the data of a server that has no account but root's, which comes by the unix socket alone,
# as root of the container.
set -eu
said=$(mktemp)
mariadb-install-db --no-defaults --datadir=/srv/mariadb/data --auth-root-authentication-method=socket \
    --skip-name-resolve --skip-test-db --innodb-log-file-size=16M >"$said" 2>&1 || {
    cat "$said" >&2
    exit 1
}
rm "$said"
