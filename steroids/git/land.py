"""Putting an attempt on top of another commit, in the mirror, without a work tree.

As its commits one by one (`rebase`), as one commit (`squash`), or under a merge commit (`merge`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from steroids.git.commits import Commit, Identity, RawCommit, read_commits
from steroids.git.merging import Merged, Merger
from steroids.git.messages import Trailer
from steroids.git.mirror import Mirror, text_of_path
from steroids.git.refs import checked_rev
from steroids.git.sides import sides
from steroids.git.stamp import Stamp

__all__ = ["Conflict", "How", "Identity", "Replayed", "replay"]

How = Literal["rebase", "squash", "merge"]


@dataclass(frozen=True)
class Replayed:
    """It fits. `tip` is `onto` when nothing was left to land."""

    tip: str
    landed: dict[str, str | None]
    """Per commit of base..tip what became of it: None when it had nothing (more) to change."""
    stale: list[str] = field(default_factory=list)
    """Regenerated files that did not merge: they are as on `onto`, and to be written again."""


@dataclass(frozen=True)
class Conflict:
    """It does not fit; nothing was changed."""

    paths: list[str]
    commit: str
    """The attempt's commit that did not fit; of what lands as a whole, its tip."""
    ours: list[Commit]
    """The attempt's commits that touch these paths, oldest first."""
    theirs: list[Commit]
    """What the target got since the two parted that touches these paths, oldest first."""


def replay(
    mirror: Mirror,
    *,
    base: str,
    tip: str,
    onto: str,
    trailer: Trailer,
    committer: Identity,
    at: datetime | None = None,
    how: How = "rebase",
    message: str | None = None,
    regenerated: frozenset[str] = frozenset(),
) -> Replayed | Conflict:
    """Put base..tip onto `onto`; the caller sets a ref to the result, none is set here.

    - `rebase`: authors, their dates and messages stay as they are; the trailer is added unless it
      is there. A range with merges is squashed, the only way that keeps what they resolved.
    - `squash`: one commit by the author of the last one, with all messages; others who wrote are
      named in it.
    - `merge`: the commits stay themselves, under a merge commit that has the trailer. Where `onto`
      does not contain `base` (somebody rewrote it) that would bring back what was taken out: they
      are rebased then.

    `message` is the title of a squashed commit and of a merge. Files with a name in `regenerated`
    that alone do not merge are taken from `onto` and come back as `stale`. Commits that `onto` has
    already stay themselves. Equal arguments give equal hashes: `at` is the committer's date
    (default: each commit's own), so a landing that was cut short comes to the same commits again.
    Whether `onto` has the *result* of an earlier landing is for the caller to ask first, with
    `is_ancestor`.
    """
    listed = _rev_list(mirror, tip, f"^{base}")
    fresh = set(_rev_list(mirror, tip, f"^{base}", f"^{onto}"))
    *commits, start, target = read_commits(
        mirror.git, [*(name for name in listed if name in fresh), base, onto]
    )
    landed: dict[str, str | None] = {name: name for name in listed if name not in fresh}
    if not commits:
        return Replayed(target.hash, landed)
    stamp = Stamp(mirror.git, trailer, committer, at, message)
    landing = _Landing(mirror, start, target, commits, landed, stamp, regenerated)
    result = landing.put(how)
    if isinstance(result, Replayed) or not landing.all_there():
        return result
    # Each commit fails on what came after it, but the whole is in `onto` already.
    return Replayed(target.hash, landed | dict.fromkeys(fresh))


@dataclass(frozen=True)
class _Landing:
    mirror: Mirror
    start: RawCommit
    """Where the range begins."""
    target: RawCommit
    commits: Sequence[RawCommit]
    """What the target has not got of it, oldest first."""
    landed: dict[str, str | None]
    stamp: Stamp
    regenerated: frozenset[str]

    def put(self, how: How) -> Replayed | Conflict:
        contained = how != "rebase" and self.mirror.is_ancestor(self.start.hash, self.target.hash)
        if how == "merge" and contained:
            return self.merged()
        if how == "squash" or any(len(commit.parents) != 1 for commit in self.commits):
            return self.squashed()
        return self.one_by_one()

    def one_by_one(self) -> Replayed | Conflict:
        merger = Merger(self.mirror.git, self.regenerated)
        names = [commit.parents[0] for commit in self.commits]
        parents = {each.hash: each for each in read_commits(self.mirror.git, names)}
        head, tree, landed = self.target.hash, self.target.tree, dict(self.landed)
        stale: set[bytes] = set()
        for commit in self.commits:
            merged = merger.change(parents[commit.parents[0]], tree, commit)
            if merged.conflicts:
                return self._conflict(merged.conflicts, commit.hash, merged.involved)
            stale |= {*merged.settled}
            # Empty from the start, or by now.
            if merged.tree == tree:
                landed[commit.hash] = None
                continue
            head = self.stamp.again(commit, merged.tree, head)
            tree, landed[commit.hash] = merged.tree, head
        return self._done(head, tree, landed, stale)

    def squashed(self) -> Replayed | Conflict:
        last = self.commits[-1]
        merged = self._whole(self.regenerated)
        if merged.conflicts:
            return self._conflict(merged.conflicts, last.hash, merged.involved)
        if merged.tree == self.target.tree:
            return self._nothing(merged)
        own = [commit for commit in self.commits if len(commit.parents) < 2] or [last]
        head = self.stamp.squashed(own, merged.tree, self.target.hash)
        return self._done(head, merged.tree, self._all(head), {*merged.settled})

    def merged(self) -> Replayed | Conflict:
        last = self.commits[-1]
        merged = Merger(self.mirror.git, self.regenerated).histories(self.target.hash, last.hash)
        if merged.conflicts:
            return self._conflict(merged.conflicts, last.hash, merged.involved)
        if merged.tree == self.target.tree:
            return self._nothing(merged)
        head = self.stamp.merge(last, merged.tree, (self.target.hash, last.hash))
        landed = self.landed | {commit.hash: commit.hash for commit in self.commits}
        return self._done(head, merged.tree, landed, {*merged.settled})

    def all_there(self) -> bool:
        """Whether the range as a whole would change nothing."""
        end = self.commits[-1]
        merged = Merger(self.mirror.git).change(self.start, self.target.tree, end)
        return not merged.conflicts and merged.tree == self.target.tree

    def _whole(self, regenerated: frozenset[str]) -> Merged:
        """All of it done to the target's tree."""
        merger, last = Merger(self.mirror.git, regenerated), self.commits[-1]
        if self.mirror.is_ancestor(self.start.hash, self.target.hash):
            # Their true base may be younger than the range's: it has merged the target.
            return merger.histories(self.target.hash, last.hash)
        return merger.change(self.start, self.target.tree, last)

    def _all(self, hash: str | None) -> dict[str, str | None]:
        return self.landed | {commit.hash: hash for commit in self.commits}

    def _nothing(self, merged: Merged) -> Replayed | Conflict:
        tree = self.target.tree
        return self._done(self.target.hash, tree, self._all(None), {*merged.settled})

    def _done(
        self, head: str, tree: str, landed: dict[str, str | None], stale: set[bytes]
    ) -> Replayed | Conflict:
        """What was settled and cannot be written again, nobody has settled: a file that a later
        commit took away, or a change of nothing but such files, which would be lost."""
        names = sorted(stale)
        args = [name.decode() for name in names]
        asked = ("--literal-pathspecs", "ls-tree", "-z", "--name-only", tree, "--")
        there = {*self.mirror.git(*asked, *args).stdout.split(b"\0")} if args else set()
        gone = [name for name in names if name not in there or head == self.target.hash]
        if gone:
            return self._conflict(gone, self.commits[-1].hash, gone)
        return Replayed(head, landed, args)

    def _conflict(self, raw: Sequence[bytes], commit: str, involved: Sequence[bytes]) -> Conflict:
        ends = {"base": self.start.hash, "tip": self.commits[-1].hash, "onto": self.target.hash}
        ours, theirs = sides(self.mirror, involved, **ends, commit=commit)
        return Conflict([text_of_path(path) for path in sorted(set(raw))], commit, ours, theirs)


def _rev_list(mirror: Mirror, *ends: str) -> list[str]:
    for end in ends:
        checked_rev(end.removeprefix("^"))
    return mirror.git("rev-list", "--topo-order", "--reverse", *ends, "--").out.split()
