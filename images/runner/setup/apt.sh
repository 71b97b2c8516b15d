# To be sourced: `apt`, which is apt-get behind the host's CA too, and `lists`, which gets the lists
# of packages once. `tidy` removes what that leaves. The images of database servers use it too.
export DEBIAN_FRONTEND=noninteractive
# An image's own path may be that of its user.
export PATH="$PATH:/usr/sbin:/sbin"
host_ca=/opt/steroids/ca/host.pem
bundle=/etc/ssl/certs/ca-certificates.crt

command -v apt-get >/dev/null || {
    echo 'steroids: the base image has no apt-get; take one made from Debian or Ubuntu' >&2
    exit 1
}

# A source of packages may itself be behind the host's CA, before ca-certificates is there.
[ ! -s "$host_ca" ] || {
    cat "$bundle" 2>/dev/null || true
    cat "$host_ca"
} > /tmp/ca.pem

apt() {
    set -- -q -o Dpkg::Options::=--force-unsafe-io "$@"
    [ ! -s /tmp/ca.pem ] || set -- -o Acquire::https::CaInfo=/tmp/ca.pem "$@"
    apt-get "$@"
}

lists() {
    # A source of the base's own may be gone for good: that is no reason to fail until something is
    # not found.
    [ -n "${have_lists:-}" ] || apt update -o APT::Update::Error-Mode=any || {
        incomplete=yes
        apt update
    }
    have_lists=yes
}

tidy() {
    apt-get clean
    rm -rf /var/lib/apt/lists/* /tmp/ca.pem
}
