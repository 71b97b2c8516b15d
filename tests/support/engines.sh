#!/usr/bin/env bash
# Install and start Docker and Podman where they are missing: on Debian and Ubuntu, as root. And
# install PostgreSQL and MariaDB, of which the tests start servers of their own.
# Elsewhere it says what to do, and fails only when there is no engine at all. Called by
# `make engines`; safe to repeat, and quick and silent about what is there already.
set -euo pipefail

docker_socket=/var/run/docker.sock
podman_socket=/run/podman/podman.sock
logs=/var/log/steroids
podman_conf=/etc/containers/containers.conf.d/50-steroids.conf

say() { printf 'engines: %s\n' "$*"; }
die() {
    say "$1" >&2
    [ -z "${2:-}" ] || { say "the end of $2:" && tail -n 30 "$2"; } >&2
    exit 1
}

answers() { curl -fs --max-time 3 --unix-socket "$1" http://engine/_ping >/dev/null 2>&1; }

docker_answers() {
    case "${DOCKER_HOST:-}" in
    '') answers "$docker_socket" || answers "$HOME/.docker/run/docker.sock" ||
        answers "${XDG_RUNTIME_DIR:-/nowhere}/docker.sock" ;;
    unix://*) answers "${DOCKER_HOST#unix://}" ;;
    *) docker version >/dev/null 2>&1 ;;
    esac
}
podman_answers() {
    answers "$podman_socket" || answers "${XDG_RUNTIME_DIR:-/nowhere}/podman/podman.sock"
}

debian_root() {
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null
}

# --- not ours to install -----------------------------------------------------

advise() {
    docker_answers && docker=yes || docker=no
    { podman_answers || command -v podman >/dev/null; } && podman=yes || podman=no
    [ "$docker" = yes ] || [ "$podman" = yes ] || {
        say 'neither Docker nor Podman is here; install one of them:' >&2
        case "$(uname -s)" in
        Darwin) say '  brew install --cask docker     # or: brew install podman' >&2 ;;
        *) say '  sudo make engines     # Debian, Ubuntu; else your package manager: podman' >&2 ;;
        esac
        exit 1
    }
    say "Docker: $docker, Podman: $podman"
}

# --- Debian, Ubuntu, root ----------------------------------------------------

install_missing() {
    local missing=()
    want() { # PROGRAM PACKAGE...
        command -v "$1" >/dev/null || [ -e "/usr/sbin/$1" ] || missing+=("${@:2}")
    }
    want curl curl ca-certificates
    want git git
    python3 -c 'import venv, ensurepip' 2>/dev/null || missing+=(python3 python3-venv)
    # A `docker` in the path may be a client only, and may speak to an engine elsewhere.
    docker_answers || want dockerd docker.io iptables
    podman_answers || want podman podman crun netavark aardvark-dns slirp4netns fuse-overlayfs \
        uidmap catatonit iptables
    want mmdebstrap mmdebstrap debian-archive-keyring
    needs_runc && want runc runc
    [[ "${STEROIDS_TEST_DATABASES:-}" != *postgres* ]] || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || want initdb postgresql
    # Not `mariadb-server`, which starts one for everybody.
    [[ "${STEROIDS_TEST_DATABASES:-}" != *mariadb* ]] || {
        want mariadbd mariadb-server-core
        want mariadb mariadb-client-core
    }
    [ ${#missing[@]} -gt 0 ] || return 0
    say "installing ${missing[*]}"
    no_cluster
    mkdir -p "$logs"
    export DEBIAN_FRONTEND=noninteractive
    # Packages start their services where they can; what does not run is started below.
    { apt-get update -q && apt-get install -q -y --no-install-recommends "${missing[@]}"; } \
        >"$logs/apt.log" 2>&1 || die 'the packages could not be installed' "$logs/apt.log"
}

# The package would make and start a server for everybody, which nobody here asked for.
no_cluster() {
    [ ! -e /etc/postgresql-common ] || return 0
    mkdir -p /etc/postgresql-common/createcluster.d
    echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.d/steroids.conf
}

# crun refuses cgroup v1 in hybrid mode, and Podman's own limits cannot be set without this.
needs_runc() { [ -d /sys/fs/cgroup/unified ]; }
lacks_sys_resource() {
    local effective
    effective=$(sed -n 's/^CapEff:\t*//p' /proc/self/status)
    [ $((0x$effective >> 24 & 1)) = 0 ]
}

podman_settings() {
    needs_runc || lacks_sys_resource || return 0
    mkdir -p "$(dirname "$podman_conf")"
    {
        ! lacks_sys_resource || printf '%s\n' '[containers]' \
            'default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]'
        ! needs_runc || printf '%s\n' '[engine]' 'runtime = "runc"'
    } >"$podman_conf"
}

in_background() { # LOG COMMAND...
    mkdir -p "$logs"
    # Nothing of ours may keep a pipe of the caller's open: it would wait for the engine's end.
    # And conmon leaves a file `oom` where Podman was started, when a container runs out of memory.
    (cd "$logs" && exec setsid nohup "${@:2}") >"$1" 2>&1 </dev/null &
}

start_docker() {
    docker_answers && return
    # Left behind by one that was killed; dockerd refuses to start beside it.
    pgrep -x dockerd >/dev/null || rm -f /var/run/docker.pid
    say 'starting dockerd'
    pgrep -x dockerd >/dev/null || in_background "$logs/dockerd.log" /usr/sbin/dockerd
}

start_podman() {
    # Also for whoever starts a `podman` of their own, as Steroids does.
    [ -e "$podman_conf" ] || podman_settings
    podman_answers && return
    say 'starting podman system service'
    mkdir -p "$(dirname "$podman_socket")"
    in_background "$logs/podman.log" podman system service --time=0 "unix://$podman_socket"
}

wait_for() { # NAME CHECK LOG
    local deadline=$((SECONDS + 60))
    until "$2"; do
        [ $SECONDS -lt $deadline ] || die "$1 does not answer after 60 s" "$3"
        sleep 0.2
    done
}

if ! debian_root; then
    advise
    exit 0
fi
install_missing
start_docker
start_podman
wait_for Docker docker_answers "$logs/dockerd.log"
wait_for Podman podman_answers "$logs/podman.log"
say 'Docker and Podman answer'
