# The user that the base is made for ($AGENT_USER), else the one with the number 1000, becomes
# `agent` and 1000, and keeps its home folder. Run as root.
set -eu
# An image's own path may be that of its user.
export PATH="$PATH:/usr/sbin:/sbin"

field() { # passwd|group KEY NUMBER: empty when there is no such entry
    { getent "$1" "$2" || true; } | cut -d: -f"$3"
}
free() { # passwd|group: a number that nobody has
    number=1001
    while getent "$1" "$number" >/dev/null; do number=$((number + 1)); done
    echo "$number"
}
chowned() { # uid|gid FROM TO: everything that was the one's is the other's
    what=$3
    [ "$1" = uid ] || what=":$3"
    find / -xdev "-$1" "$2" -exec chown -h "$what" {} +
}

name=${AGENT_USER%%:*}
case $name in *[!0-9]*) ;; *) getent passwd "$name" >/dev/null || name='' ;; esac # a bare number
[ -z "$name" ] || getent passwd "$name" >/dev/null || {
    echo "steroids: the image has no user '$name', whom its agents are to be" >&2
    exit 1
}
uid=$(field passwd "${name:-1000}" 3)
# Agents are never root, also where a developer is.
[ "$uid" != 0 ] || uid=$(field passwd 1000 3)
if [ -z "$uid" ]; then
    group=$(field group 1000 1)
    [ -n "$group" ] || groupadd --gid 1000 "${group:=agent}"
    useradd --uid 1000 --gid "$group" --home-dir /home/agent --shell /bin/bash agent
    uid=1000
fi
user=$(field passwd "$uid" 1)
if [ "$uid" != 1000 ]; then
    other=$(field passwd 1000 1)
    if [ -n "$other" ]; then
        to=$(free passwd)
        usermod --uid "$to" "$other"
        chowned uid 1000 "$to"
    fi
    usermod --uid 1000 "$user"
    chowned uid "$uid" 1000
fi

gid=$(id -g "$user")
if [ "$gid" != 1000 ] && getent group 1000 >/dev/null; then
    # Whoever else is in it, or owns something with it, goes on with another number.
    to=$(free group)
    groupmod --gid "$to" "$(field group 1000 1)"
    chowned gid 1000 "$to"
fi
case $gid in
    1000) ;;
    # A group that many are in (users, staff) stays what it is.
    [0-9] | [0-9][0-9] | [0-9][0-9][0-9]) groupadd --gid 1000 "$user-own" && usermod --gid 1000 "$user" ;;
    *) groupmod --gid 1000 "$(field group "$gid" 1)" && chowned gid "$gid" 1000 ;;
esac

[ "$user" = agent ] || {
    ! getent passwd agent >/dev/null || usermod --login agent-before agent
    usermod --login agent "$user"
}
group=$(field group 1000 1)
[ "$group" = agent ] || {
    ! getent group agent >/dev/null || groupmod --new-name agent-before agent
    groupmod --new-name agent "$group"
}
[ "$(field passwd agent 7)" = /bin/bash ] || usermod --shell /bin/bash agent

home=$(field passwd agent 6)
case $home in
    /home/?*) ;;
    *) [ -d "$home" ] && [ "$(stat -c %u "$home")" = 1000 ] || {
        home=/home/agent
        usermod --home "$home" agent
    } ;;
esac
# Root has no DAC_OVERRIDE in a runner: everything must be owned by the one who writes it.
install -d -m 0755 -o 1000 -g 1000 "$home"
[ -e /home/agent ] || ln -s "$home" /home/agent
