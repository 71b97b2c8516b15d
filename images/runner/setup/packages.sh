# Install what the base does not have, whatever Debian or Ubuntu it is. Run as root.
set -eu
. /opt/steroids/setup/apt.sh

missing=''
want() { # PACKAGE COMMAND: a base may have its own build of it
    command -v "$2" >/dev/null || missing="$missing $1"
}
want ca-certificates update-ca-certificates
want curl curl
want g++ g++
want git git
want jq jq
want make make
want nodejs node
want passwd usermod
want postgresql-client psql
want procps ps
want python3 /usr/bin/python3
want ripgrep rg
want sqlite3 sqlite3
want tini /usr/bin/tini
# Headers for packages with native parts, which are not fetched from elsewhere then.
command -v node >/dev/null || missing="$missing libnode-dev"
/usr/bin/python3 -c 'import ensurepip' 2>/dev/null || missing="$missing python3-venv"
/usr/bin/python3 -m pip --version >/dev/null 2>&1 || missing="$missing python3-pip"
/usr/bin/python3 -I -c 'import msgspec' 2>/dev/null || msgspec=missing

if [ -n "$missing" ] || [ "${msgspec:-}" ]; then
    lists
    # Debian 12 and Ubuntu before 25 do not package it; pip does below.
    [ -z "${msgspec:-}" ] || ! apt-cache show python3-msgspec >/dev/null 2>&1 ||
        missing="$missing python3-msgspec"
    # shellcheck disable=SC2086
    apt install -y --no-install-recommends $missing
fi

/usr/bin/python3 -I -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo 'steroids: the base image has Python older than 3.11; Debian 12 or Ubuntu 24.04 have it' >&2
    exit 1
}
sh /opt/steroids/setup/certificates.sh
command -v npm >/dev/null || {
    [ -n "${NPM_REGISTRY:-}" ] && sh /opt/steroids/setup/npm.sh "$NPM_REGISTRY"
} || {
    lists
    registry=$(sh /opt/steroids/setup/npm-default.sh) && sh /opt/steroids/setup/npm.sh "$registry"
} || apt install -y --no-install-recommends npm
/usr/bin/python3 -I -c 'import msgspec' 2>/dev/null ||
    /usr/bin/python3 -m pip install -q --no-cache-dir --target /opt/steroids/vendor msgspec
tidy
