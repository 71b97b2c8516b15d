# The Debian packages that the user wants besides ($PACKAGES). Run as root.
set -eu
[ -n "${PACKAGES:-}" ] || exit 0
. /opt/steroids/setup/apt.sh
lists
unknown=''
for name in $PACKAGES; do
    apt-cache show "$name" >/dev/null 2>&1 || unknown="$unknown $name"
done
[ -z "$unknown" ] || {
    . /etc/os-release
    [ -z "${incomplete:-}" ] ||
        echo "steroids: not all lists of packages could be fetched; try again" >&2
    echo "steroids: ${PRETTY_NAME:-the base image} has no package:$unknown" >&2
    exit 1
}
# shellcheck disable=SC2086
apt install -y --no-install-recommends $PACKAGES
tidy
