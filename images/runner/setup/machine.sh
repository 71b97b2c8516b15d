# The folders and the settings that runner and agent find. Run as root.
set -eu

if grep -q ' /workspace ' /proc/self/mountinfo; then
    echo 'steroids: the base image has VOLUME /workspace, which no snapshot would hold; build it' \
        'without that line' >&2
    exit 1
fi
# Root has no DAC_OVERRIDE in a runner: everything must be owned by the one who writes it.
install -d -m 0755 -o 1000 -g 1000 /workspace
# A volume's first content and owner are what the image has there.
install -d -m 0755 -o 1000 -g 1000 /var/cache/steroids
install -d -m 0755 -o 0 -g 0 /run/steroids
install -d -m 0700 -o 0 -g 0 /var/lib/steroids

# Clones are made by another user than the one who looks at them.
git config --system --replace-all safe.directory '*'
# A committed image changes inodes and ctimes: do not read every file again after it.
git config --system core.checkStat minimal
git config --system core.trustctime false
git config --system advice.detachedHead false
git config --system init.defaultBranch main

# Also where the environment does not reach: agents get a clean one.
ca=/etc/ssl/certs/ca-certificates.crt
npm config --location=global set fund=false audit=false update-notifier=false "cafile=$ca"
# Debian's Node: its own headers are there, and the ones on the web may be out of reach.
[ ! -e /usr/include/node/node.h ] || echo nodedir=/usr >> "$(npm config get globalconfig)"
rm -rf /root/.npm
printf '[global]\ncert = %s\ndisable-pip-version-check = true\n' "$ca" > /etc/pip.conf
