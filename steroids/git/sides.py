"""Whose commits a conflict comes from."""

from collections.abc import Sequence

from steroids.git.commits import Commit, read_commits
from steroids.git.mirror import Mirror

_PATHS_MAX = 200


def sides(
    mirror: Mirror, paths: Sequence[bytes], *, base: str, tip: str, onto: str, commit: str
) -> tuple[list[Commit], list[Commit]]:
    """The commits of base..tip, and those that `onto` got since it parted from `commit`, that
    touch these paths under any name that they have had; oldest first, without merges.

    Of a side that has touched none of them it is those that touch what is beside: it has moved
    the folder.
    """
    names = _names(mirror, paths, [(base, commit), (base, onto)])
    folders = sorted({name.rpartition(b"/")[0] or b"." for name in names})
    found = [
        touching(mirror, names, *ends) or touching(mirror, folders, *ends)
        for ends in ((tip, f"^{base}", f"^{onto}"), (onto, f"^{commit}"))
    ]
    return found[0], found[1]


def _names(mirror: Mirror, paths: Sequence[bytes], ways: Sequence[tuple[str, str]]) -> list[bytes]:
    """These paths, and what either side has renamed them from or to."""
    found = dict.fromkeys(sorted(set(paths))[:_PATHS_MAX])
    renames = ("--no-ext-diff", "--no-textconv", "--find-renames", "--diff-filter=R")
    for way in ways:
        shape = ("--name-status", "-z", *renames)
        fields = mirror.git("diff", *shape, *way, "--").stdout.split(b"\0")[:-1]
        for old, new in zip(fields[1::3], fields[2::3], strict=True):
            if old in found or new in found:
                found |= {old: None, new: None}
    return list(found)


def touching(mirror: Mirror, names: Sequence[bytes], *ends: str) -> list[Commit]:
    """The commits between `ends`, as `git rev-list` takes them, that touch these paths."""
    listed = mirror.git(
        "--literal-pathspecs",
        *("rev-list", "--topo-order", "--reverse", "--no-merges", "--full-history"),
        *(*ends, "--", *(name.decode("utf-8", "surrogateescape") for name in names)),
    ).out.split()
    return [raw.commit() for raw in read_commits(mirror.git, listed)]
