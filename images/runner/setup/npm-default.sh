# Print the registry that npm uses unless told otherwise: Debian's package of npm says it, of which
# nothing is installed. Needs the lists of packages.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"
cd "$folder"
apt-get -q download npm >&2
dpkg-deb -x npm_*.deb .
grep -rh -A2 "('registry'," --include=definitions.js . | grep -om1 "https://[^'\"]*"
