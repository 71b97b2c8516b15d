"""What a submission changes, as far as git alone can tell."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from steroids.errors import BundleRefused
from steroids.git.mirror import Mirror, text_of_path
from steroids.git.refs import is_hash
from steroids.home import MARKER
from steroids.services.bounds import outside
from steroids.services.ownership import is_host_state

MOST_FILES = 100_000
"""That an attempt may change."""
_GITLINK = b"160000"


@dataclass(frozen=True)
class Delivery:
    """What an attempt comes to, from its base to `tip`."""

    tip: str
    commits: int
    changed: Sequence[str]
    """Paths, both names of what was renamed."""
    whole: Sequence[str]
    """The same of the task, all attempts together: what was taken back is not among it."""
    files: int
    added: int
    """Lines, as `removed`."""
    removed: int
    rewrote: bool
    """Earlier commits of the task are not part of it any more."""
    nested: Sequence[str]
    """Folders that it made repositories of their own, whose files are in no commit of it."""


def look(mirror: Mirror, *, task_base: str, base: str, start: str, tip: str) -> Delivery:
    """`base` is the attempt's, `start` where its last run began; the mirror knows them all.

    Raises `BundleRefused` for what must not come in at all.
    """
    changed = mirror.changed_paths(base, tip)
    whole = changed if base == task_base else mirror.changed_paths(task_base, tip)
    _refuse_host_state(mirror, {*changed, *whole}, tip)
    if len(changed) > MOST_FILES:
        raise BundleRefused(
            f"The commits change {len(changed):,} files, and {MOST_FILES:,} are allowed",
            hint="take generated files out of the commits",
        )
    files, added, removed = mirror.counts(base, tip)
    return Delivery(
        tip=tip,
        commits=int(mirror.git("rev-list", "--count", f"{base}..{tip}").out),
        changed=changed,
        whole=whole,
        files=files,
        added=added,
        removed=removed,
        rewrote=not mirror.is_ancestor(start, tip),
        nested=_nested(mirror, task_base, tip),
    )


def outside_of(paths: Sequence[str], found: Delivery) -> list[str]:
    """Files that the attempt changed outside a section's paths, and did not put back."""
    whole = set(found.whole)
    return [path for path in outside(paths, found.changed) if path in whole]


def takes_back(mirror: Mirror, tip: str, start: str) -> bool:
    """Whether `tip` is one of the commits that `start` builds on: nothing has to be taken in."""
    return is_hash(tip) and mirror.resolve(tip) == tip and mirror.is_ancestor(tip, start)


def _refuse_host_state(mirror: Mirror, changed: Collection[str], tip: str) -> None:
    """What is taken out of the repository is welcome; what was there before is not its doing."""
    suspect = [path for path in changed if is_host_state(path)]
    there = mirror.tree(tip, [f":(icase){MARKER}"]) if suspect else {}
    for path in sorted(suspect):
        if path in there:
            raise BundleRefused(
                f"{path} is where Steroids keeps its own state on each host",
                hint="take it out of the commits",
            )


def _nested(mirror: Mirror, base: str, tip: str) -> list[str]:
    raw = mirror.git("diff-tree", "-r", "-z", "--no-renames", base, tip).stdout.split(b"\0")
    links = [
        text_of_path(path)
        for about, path in zip(raw[::2], raw[1::2], strict=False)
        if about.split(b" ")[1] == _GITLINK
    ]
    if not links:
        return []
    # A submodule is one that says where it comes from.
    known = (mirror.read_file(tip, ".gitmodules") or b"").decode("utf-8", "replace")
    return [path for path in links if f"path = {path}" not in known]
