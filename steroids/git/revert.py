"""Commits that take others back."""

from collections.abc import Sequence
from datetime import UTC, datetime

from steroids.errors import GitError
from steroids.git.commits import Identity, RawCommit, read_commits, write_commit
from steroids.git.mirror import Mirror


def inverse(
    mirror: Mirror,
    newest_first: Sequence[str],
    *,
    author: Identity,
    committer: Identity,
    at: datetime,
    reason: str | None = None,
) -> str:
    """Commits on top of the first, each of which takes one of these back; the last one's hash.

    They must follow each other, each the first parent of the one before; a merge is taken back as
    a whole, to its first parent. Since the content before each of them is known, nothing can
    conflict here; `replay` then puts the result where it is wanted. Equal arguments give equal
    hashes.
    """
    commits = read_commits(mirror.git, newest_first)
    before = read_commits(mirror.git, [commit.parents[0] for commit in commits])
    head = commits[0].hash
    when = b"%d +0000" % int(at.astimezone(UTC).timestamp())
    for commit, parent, following in zip(commits, before, [*commits[1:], None], strict=True):
        if following is not None and following.hash != parent.hash:
            raise GitError(f"{commit.hash[:12]} does not follow {following.hash[:12]}")
        head = write_commit(
            mirror.git,
            tree=parent.tree,
            parents=(head,),
            author=author.line(when, "utf-8"),
            committer=committer.line(when, "utf-8"),
            message=_message(commit, reason),
        )
    return head


def _message(commit: RawCommit, reason: str | None) -> bytes:
    """As `git revert` writes it."""
    said = f"This reverts commit {commit.hash}"
    if len(commit.parents) > 1:
        said += f", reversing\nchanges made to {commit.parents[0]}"
    subject = commit.text().partition("\n")[0]
    why = f"\n\n{reason.strip()}" if reason else ""
    return f'Revert "{subject}"\n\n{said}.{why}\n'.encode()
