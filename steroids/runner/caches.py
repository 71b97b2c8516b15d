"""Package managers' download caches: copied from the project's volume before a set-up, and back
into it by the containers that make snapshots.

The volume holds one generation, `current`, laid out as the agent's home is. A new one is made
beside it, of hard links and of what is new, and takes its place in one step: whoever copies from it
at that time sees whole files of the old one. All of this runs as the agent.
"""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from steroids import proc

VOLUME = Path("/var/cache/steroids")
LIMIT_MB = 4096
"""Then it is made anew, from nothing."""
COPY_S = 600.0

DOWNLOADS = (
    *(".npm/_cacache", ".cache/pnpm", ".cache/yarn", ".bun/install/cache"),
    *(".cache/uv", ".cache/pip", ".cache/pypoetry/cache", ".cache/pypoetry/artifacts"),
)
"""In the agent's home. Of no more use once a set-up is done: they would double a snapshot."""
NEEDED = (
    *(".local/share/pnpm/store", ".yarn/berry/cache", ".cache/ms-playwright", ".cache/Cypress"),
    *(".cargo/registry/cache", ".cargo/registry/index", ".cargo/git/db"),
    *("go/pkg/mod/cache/download", ".local/share/uv/python"),
)
"""What is built and run later needs these, too."""

_EACH = f"for each in {' '.join((*DOWNLOADS, *NEEDED))}"

# Both get the volume's folder, and the second one the limit in MB.
_RESTORE = f"""
cd "$1/current" || exit 0
{_EACH}; do
    [ ! -d "$each" ] || cp -a --reflink=auto --update --parents "$each" "$HOME"
done
"""

_SAVE = f"""
set -eu
cd "$1"
making=$(mktemp -d making-XXXXXXXX)
made=made-${{making#making-}}
trap 'rm -rf "$1/$making"' EXIT
[ ! -d current ] || cp -al current/. "$making"
cd "$HOME"
{_EACH}; do
    # Never into a file that is there: it is the older generation's, too.
    [ ! -d "$each" ] || cp -a --reflink=auto --update --remove-destination --parents "$each" \\
        "$1/$making"
done
cd "$1"
if [ "$(du -sm "$making" | cut -f1)" -gt "$2" ]; then
    rm -rf current made-*
    echo "more than $2 MB: it starts from nothing"
    exit
fi
mv -T "$making" "$made"
ln -s "$made" "next-$made"
mv -T "next-$made" current
find . -maxdepth 1 -name 'made-*' ! -name "$made" -exec rm -rf {{}} +
# Of somebody who was killed at it.
find . -maxdepth 1 -name 'making-*' -mmin +60 -exec rm -rf {{}} +
"""

Say = Callable[[str], None]


def restore(env: Mapping[str, str], uid: int | None, say: Say) -> bool:
    """Copy what the volume has into the agent's home; False when there is none, or it is empty."""
    if uid is None or not (VOLUME / "current").is_dir() or not os.path.ismount(VOLUME):
        return False
    _run(_RESTORE, env, uid, say, "restored")
    return True


def save(env: Mapping[str, str], uid: int | None, say: Say) -> None:
    """Copy what a set-up has downloaded into the volume, where it may be written."""
    if uid is None or not os.path.ismount(VOLUME):
        return
    _run(_SAVE, env, uid, say, "saved")


def drop(env: Mapping[str, str], uid: int | None, say: Say) -> None:
    """Remove what was only needed to download, before a snapshot is made."""
    _run(f'cd "$HOME" && rm -rf .npm {" ".join(DOWNLOADS)}', env, uid, say, "dropped")


def _run(script: str, env: Mapping[str, str], uid: int | None, say: Say, what: str) -> None:
    """Nothing of it is worth failing for."""
    try:
        argv = ("sh", "-c", script, "sh", str(VOLUME), str(LIMIT_MB))
        done = proc.run(argv, cwd="/", env=env, user=uid, timeout_s=COPY_S)
    except proc.TimedOut:
        say(f"the download cache was not {what}: it took longer than {COPY_S:.0f} s")
        return
    if done.out:
        say(f"the download cache: {done.out}")
    if not done.ok:
        last = done.err.splitlines()[-1:] or [f"exited {done.returncode}"]
        say(f"the download cache was not {what} completely: {last[0]}")
