# Be the server, on data that is made where there is none.
set -eu
if [ "${1:-}" = postgres ] && [ ! -s "$PGDATA/PG_VERSION" ]; then
    initdb --no-sync --auth=reject --encoding=UTF8 --locale=C.UTF-8 --username=postgres
fi
exec "$@"
