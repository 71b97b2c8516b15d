# npm from the given registry: one package, where Debian's own brings 340 more. Fails, leaving
# nothing, when it cannot be had. Run as root.
set -eu
registry=${1%/}
version=10.9.4
sha512=3a7506f37e85c1ba1021baad79f0cd9724748131f321fc117c4dc3ba235ec01be7327584a41d15117c01945560aa9373220628fcc1e1dddd877a5fe9b336a900
target=/usr/local/lib/node_modules/npm
archive=/tmp/npm.tgz
trap 'rm -f "$archive"' EXIT
curl -fsS --retry 2 --max-time 120 -o "$archive" "$registry/npm/-/npm-$version.tgz"
echo "$sha512  $archive" | sha512sum -c --quiet
mkdir -p "$target"
tar -xzf "$archive" -C "$target" --strip-components 1 --no-same-owner
for name in npm npx; do
    ln -sf "../lib/node_modules/npm/bin/$name-cli.js" "/usr/local/bin/$name"
done
