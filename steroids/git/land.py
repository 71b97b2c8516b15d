"""Putting an attempt on top of another commit, in the mirror, without a work tree.

Each commit C goes onto H by a three-way merge whose base is C's parent: a commit with H's tree and
that parent is made, and `git merge-tree` merges C into it (`git merge-tree --merge-base`, younger
than the git of Debian 12, does the same).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from steroids.errors import GitError
from steroids.git.commits import (
    Commit,
    Identity,
    RawCommit,
    decoded,
    read_commits,
    write_commit,
)
from steroids.git.mirror import Mirror, text_of_path
from steroids.git.refs import checked_rev

__all__ = ["Conflict", "Identity", "Replayed", "replay"]

_SCRATCH = b"Steroids <steroids> 0 +0000"
_PATHS_MAX = 200


@dataclass(frozen=True)
class Replayed:
    """It fits. `tip` is `onto` when nothing was left to land."""

    tip: str
    landed: dict[str, str | None]
    """Per commit of base..tip what became of it: None when it had nothing (more) to change."""


@dataclass(frozen=True)
class Conflict:
    """It does not fit; nothing was changed."""

    paths: list[str]
    commit: str
    """The attempt's commit that did not fit; of a squashed range, its tip."""
    theirs: list[Commit]
    """What the target got since the two parted that touches these paths, oldest first."""


@dataclass(frozen=True)
class _Merged:
    tree: str
    conflicts: list[bytes]


def replay(
    mirror: Mirror,
    *,
    base: str,
    tip: str,
    onto: str,
    trailer: tuple[str, str],
    committer: Identity,
    at: datetime | None = None,
) -> Replayed | Conflict:
    """Rebase base..tip onto `onto`; the caller sets a ref to the result, none is set here.

    Authors, their dates and messages stay as they are; the trailer is added unless it is there. A
    range with merges becomes one commit. Commits that `onto` has already stay themselves. Equal
    arguments give equal hashes: `at` is the committer's date (default: each commit's own), so a
    landing that was cut short comes to the same commits again. Whether `onto` has the *result* of
    an earlier landing is for the caller to ask first, with `is_ancestor`.
    """
    landing = _Landing(mirror, trailer, committer, at)
    listed = _rev_list(mirror, tip, f"^{base}")
    fresh = set(_rev_list(mirror, tip, f"^{base}", f"^{onto}"))
    landed: dict[str, str | None] = {name: name for name in listed if name not in fresh}
    *commits, target = read_commits(mirror.git, [*(c for c in listed if c in fresh), onto])
    if all(len(commit.parents) == 1 for commit in commits):
        result = landing.one_by_one(commits, target, landed)
    else:
        result = landing.squashed(commits, target, landed, base=base)
    if isinstance(result, Replayed) or not landing.all_there(base, tip, target):
        return result
    # Each commit fails on what came after it, but the whole is in `onto` already.
    return Replayed(target.hash, landed | dict.fromkeys(fresh))


@dataclass(frozen=True)
class _Landing:
    mirror: Mirror
    trailer: tuple[str, str]
    committer: Identity
    at: datetime | None

    def one_by_one(
        self, commits: Sequence[RawCommit], target: RawCommit, landed: dict[str, str | None]
    ) -> Replayed | Conflict:
        """Commit after commit onto `target`."""
        parents = {
            c.hash: c for c in read_commits(self.mirror.git, [c.parents[0] for c in commits])
        }
        head, tree = target.hash, target.tree
        for commit in commits:
            parent = parents[commit.parents[0]]
            merged = self._merge(parent, tree, commit)
            if merged.conflicts:
                return self._conflict(merged, commit.hash, target.hash)
            # Empty from the start, or by now.
            if merged.tree == tree:
                landed[commit.hash] = None
                continue
            head = self._write(commit, merged.tree, head, commit.message, commit.encoding)
            tree, landed[commit.hash] = merged.tree, head
        return Replayed(head, landed)

    def squashed(
        self,
        commits: Sequence[RawCommit],
        target: RawCommit,
        landed: dict[str, str | None],
        *,
        base: str,
    ) -> Replayed | Conflict:
        """All of it as one commit: the only way that keeps what merges in it resolved."""
        last = commits[-1]
        if self.mirror.is_ancestor(base, target.hash):
            # The merge's true base may be younger than `base`: the range has merged the target.
            merged = self._merge_tree(target.hash, last.hash)
        else:
            merged = self._merge(read_commits(self.mirror.git, [base])[0], target.tree, last)
        if merged.conflicts:
            return self._conflict(merged, last.hash, target.hash)
        if merged.tree == target.tree:
            return Replayed(target.hash, landed | {commit.hash: None for commit in commits})
        own = [commit for commit in commits if len(commit.parents) < 2] or [last]
        head = self._write(own[-1], merged.tree, target.hash, _combined(own), "utf-8")
        return Replayed(head, landed | {commit.hash: head for commit in commits})

    def all_there(self, base: str, tip: str, target: RawCommit) -> bool:
        """Whether the range as a whole would change nothing."""
        start, end = read_commits(self.mirror.git, [base, tip])
        merged = self._merge(start, target.tree, end)
        return not merged.conflicts and merged.tree == target.tree

    def _merge(self, parent: RawCommit, tree: str, commit: RawCommit) -> _Merged:
        """What `commit` changed since `parent`, done to `tree`."""
        if tree == parent.tree:
            return _Merged(commit.tree, [])
        if commit.tree == parent.tree:
            return _Merged(tree, [])
        git = self.mirror.git
        sides = [
            write_commit(
                git,
                tree=side,
                parent=parent.hash,
                author=_SCRATCH,
                committer=_SCRATCH,
                message=b"one side of a merge\n",
            )
            for side in (tree, commit.tree)
        ]
        if commit.parents == (parent.hash,):
            sides[1] = commit.hash
        return self._merge_tree(*sides)

    def _merge_tree(self, ours: str, theirs: str) -> _Merged:
        shape = ("--write-tree", "-z", "--name-only", "--no-messages")
        done = self.mirror.git("merge-tree", *shape, ours, theirs, check=False)
        if done.returncode > 1 or not done.stdout:
            raise GitError(f"git merge-tree failed: {done.err[-300:] or done.returncode}")
        tree, *paths = done.stdout.split(b"\0")
        # A file in the way of a folder is listed as FILE~SIDE.
        marks = (f"~{ours}".encode(), f"~{theirs}".encode())
        names = [path.removesuffix(marks[0]).removesuffix(marks[1]) for path in paths if path]
        if done.returncode == 1 and not names:
            raise GitError("git merge-tree found a conflict and does not say where")
        return _Merged(tree.decode(), names)

    def _conflict(self, merged: _Merged, commit: str, onto: str) -> Conflict:
        git, paths = self.mirror.git, sorted(set(merged.conflicts))
        names = [path.decode("utf-8", "surrogateescape") for path in paths[:_PATHS_MAX]]
        listed = git(
            "--literal-pathspecs",
            *("rev-list", "--topo-order", "--reverse", "--no-merges", "--full-history"),
            *(onto, f"^{commit}", "--", *names),
        ).out.split()
        theirs = [raw.commit() for raw in read_commits(git, listed)]
        return Conflict([text_of_path(path) for path in paths], commit, theirs)

    def _write(self, like: RawCommit, tree: str, parent: str, message: bytes, encoding: str) -> str:
        when = like.committer.rpartition(b"> ")[2]
        if self.at is not None:
            when = b"%d +0000" % int(self.at.astimezone(UTC).timestamp())
        author = like.author
        if encoding != like.encoding:
            author = decoded(author, like.encoding).encode()
        return write_commit(
            self.mirror.git,
            tree=tree,
            parent=parent,
            author=author,
            committer=self.committer.line(when, encoding),
            encoding=encoding,
            message=self._with_trailer(message),
        )

    def _with_trailer(self, message: bytes) -> bytes:
        key, value = (" ".join(part.split()) for part in self.trailer)
        return self.mirror.git(
            *("interpret-trailers", "--no-divider", "--if-exists", "addIfDifferent"),
            *("--trailer", f"{key}: {value}"),
            stdin=message,
        ).stdout


def _rev_list(mirror: Mirror, *ends: str) -> list[str]:
    for end in ends:
        checked_rev(end.removeprefix("^"))
    return mirror.git("rev-list", "--topo-order", "--reverse", *ends, "--").out.split()


def _combined(commits: Sequence[RawCommit]) -> bytes:
    """One message of several, the first one's subject on top."""
    texts = [commit.text() for commit in commits]
    if len(texts) == 1:
        return f"{texts[0]}\n".encode()
    subject = texts[0].partition("\n")[0]
    return "\n\n".join([subject, *(f"* {text}" for text in texts)]).encode() + b"\n"
