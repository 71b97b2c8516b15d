# The user, the folders and the settings that runner and agent find. Run as root.
set -eu

# Many images have a user 1000 already (node, ubuntu, vscode): it becomes `agent`.
if taken=$(getent passwd 1000); then
    old=${taken%%:*}
    [ "$old" = agent ] || usermod --login agent --home /home/agent "$old"
    usermod --shell /bin/bash agent
else
    useradd --uid 1000 --user-group --home-dir /home/agent --shell /bin/bash agent
fi
if taken=$(getent group 1000); then
    old=${taken%%:*}
    [ "$old" = agent ] || groupmod --new-name agent "$old"
else
    groupadd --gid 1000 agent
fi
[ "$(id -g agent)" = 1000 ] || usermod --gid 1000 agent

# Root has no DAC_OVERRIDE in a runner: everything must be owned by the one who writes it.
install -d -m 0755 -o 1000 -g 1000 /workspace /home/agent
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
